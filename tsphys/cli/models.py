"""``tsphys models``."""

from __future__ import annotations

import dataclasses

import click

from tsphys.catalogue import CATALOGUE, FAMILIES
from tsphys.cli.completion import among
from tsphys.cli.completion import models as known
from tsphys.errors import ModelError
from tsphys.ground.parameters import allowed, described
from tsphys.papers import PAPERS
from tsphys.registry import entry


@click.command()
@click.argument("name", metavar="[MODEL]", required=False, shell_complete=among(known))
@click.option("--paper", metavar="TEXT", help="Models of the papers that have these words: authors, title, year, DOI.")
def models(name: str | None, paper: str | None) -> None:
    """List the models by family, describe the parameters of MODEL, or find those of a paper."""
    if name is not None and paper is not None:
        raise ModelError("paper", paper, "must be left out with a MODEL, whose papers `tsphys cite` prints")
    if paper is not None:
        _find(paper)
    elif name is None:
        _list()
    else:
        _describe(name)


def _list() -> None:
    width = max(map(len, CATALOGUE))
    for family in FAMILIES:
        click.echo(f"{family}:")
        for model in CATALOGUE.values():
            if model.family == family:
                library = "" if model.command else f" (in the library: tsphys.{model.cls})"
                click.echo(f"  {model.name:<{width}} {model.about}{library}")


def _find(text: str) -> None:
    found = {key: paper for key, paper in PAPERS.items() if paper.speaks_of(text)}
    if not found:
        raise ModelError(
            "paper", text, "must be words of a paper of a model: authors, title, journal, year, DOI, arXiv"
        )
    for key, paper in found.items():
        names = ", ".join(model.name for model in CATALOGUE.values() if key in model.papers)
        click.echo(f"{names}: {paper.short}, {paper.title}. {paper.venue}")


def _describe(name: str) -> None:
    import tsphys

    model = entry(name)
    cls = getattr(tsphys, model.cls)
    click.echo(f"tsphys.{model.cls}: {model.about}")
    fields = described(cls)
    width = max(map(len, fields))
    for f in fields.values():
        default = "required" if f.default is dataclasses.MISSING else f"default {f.default}"
        click.echo(f"  {f.name:<{width}} {f.metadata['help']}; {allowed(f.metadata)}; {default}")
    click.echo(f"  papers: {'; '.join(PAPERS[key].short for key in model.papers)} (tsphys cite {name})")
    for figure in model.figures:
        click.echo(f"  figure: tsphys figure {figure}")
