"""``tsphys cite MODEL``."""

from __future__ import annotations

import click

from tsphys.cli.completion import among
from tsphys.cli.completion import models as known
from tsphys.papers import PAPERS, SOFTWARE
from tsphys.registry import entry


@click.command()
@click.argument("name", metavar="MODEL", shell_complete=among(known))
def cite(name: str) -> None:
    """Print BibTeX of the papers that MODEL comes from, and of tsphys."""
    from tsphys import __version__

    click.echo("\n\n".join([*(PAPERS[key].bibtex(key) for key in entry(name).papers), SOFTWARE % __version__]))
