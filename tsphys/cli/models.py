"""``tsphys models``."""

from __future__ import annotations

import dataclasses

import click

from tsphys.cli.completion import among
from tsphys.cli.completion import models as known
from tsphys.ground.parameters import allowed
from tsphys.registry import LIBRARY_ONLY, MODELS, model_class


@click.command()
@click.argument("name", metavar="[MODEL]", required=False, shell_complete=among(known))
def models(name: str | None) -> None:
    """List the models, or describe the parameters of MODEL."""
    if name is None:
        width = max(map(len, MODELS))
        for key, entry in MODELS.items():
            click.echo(f"{key:<{width}} {entry.about}")
        for entry in LIBRARY_ONLY.values():
            click.echo(f"{'(library)':<{width}} {entry.about}: tsphys.{entry.cls}")
        return
    cls = model_class(name)
    click.echo(f"tsphys.{cls.__name__}: {MODELS[name].about}")
    width = max(len(f.name) for f in dataclasses.fields(cls))
    for f in dataclasses.fields(cls):
        click.echo(f"  {f.name:<{width}} {f.metadata['help']}; {allowed(f.metadata)}; default {f.default}")
    for figure in MODELS[name].figures:
        click.echo(f"  figure: tsphys figure {figure}")
