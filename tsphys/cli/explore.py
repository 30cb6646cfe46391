"""``tsphys explore [MODEL]``."""

from __future__ import annotations

import click

from tsphys.cli.completion import among, models
from tsphys.errors import ModelError
from tsphys.registry import model_class


@click.command()
@click.argument("model", default="two_layer", shell_complete=among(models))
@click.option("--port", default=0, type=click.IntRange(0, 65535), metavar="INT",
              help="Port on this machine.  [default: any that is free]", show_default=False)  # fmt: skip
@click.option("--browser/--no-browser", default=True, help="Open it in the browser.")
def explore(model: str, port: int, browser: bool) -> None:
    """Explore a MODEL in the browser: turn a knob, see the theory move and the simulation land on it.

    The page comes from this machine and is seen from it alone; nothing is loaded from elsewhere. Needs Bokeh:
    pip install 'tsphys[explore]'. Ctrl-C ends it.
    """
    model_class(model)
    try:
        from tsphys.explore.server import serve
    except ImportError as error:
        if (error.name or "").split(".")[0] != "bokeh":
            raise
        raise ModelError("explore", model, "needs Bokeh: pip install 'tsphys[explore]'") from None
    serve(model, port, browser, click.echo)
