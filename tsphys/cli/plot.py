"""``tsphys plot FILE``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tsphys.cli.completion import PATH
from tsphys.cli.options import force_option, tell_written
from tsphys.errors import ModelError
from tsphys.runs.files import check_free, pictures
from tsphys.runs.result import load


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=PATH)
@click.option("-x", "--x", "x", metavar="NAME", help="What to draw over.  [default: the axis of the result]")
@click.option("-y", "--y", "y", metavar="NAME", multiple=True,
              help="Observable; several make a panel each.  [default: the first that all FILEs have]")  # fmt: skip
@click.option("--log", default="auto", type=click.Choice(["auto", "none", "x", "y", "xy"]),
              help="Logarithmic scales; auto: where numbers span decades.")  # fmt: skip
@click.option("-o", "--output", metavar="PATH", type=PATH,
              help="Path without suffix.  [default: that of the first FILE]")  # fmt: skip
@force_option
def plot(files: tuple[str, ...], x: str | None, y: tuple[str, ...], log: str, output: str | None, force: bool) -> None:
    """Draw an observable of results, simulations as points and theories as lines, as PDF and PNG.

    Several FILEs come into one picture. Results over a grid, as a study has, can be drawn over any axis of it. It is
    the end of its runs that is drawn then; with many values of a second axis, a map.
    """
    from tsphys.curves import shared
    from tsphys.picture import draw
    from tsphys.plotting import save

    results = [load(file) for file in files]
    names = list(dict.fromkeys(y)) or shared(results)[:1]
    out = Path(output or Path(files[0]).with_suffix("").name + "-" + "-".join(names))
    given = [os.path.realpath(file) for file in files]
    for path in pictures(out):
        check_free(path, force, makes_folder=True)
        if os.path.realpath(path) in given:
            raise ModelError("output", str(out), "would replace a FILE that is to be drawn")
    figure, data = draw(results, names, x, log)
    about = {"files": [{"model": r.model, "parameters": r.parameters} for r in results]}
    for path in save(figure, out, data, about):
        tell_written(path)
