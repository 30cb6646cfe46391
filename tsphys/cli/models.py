"""``tsphys models``."""

from __future__ import annotations

import dataclasses

import click

from tsphys.models.fields import allowed
from tsphys.registry import LIBRARY_ONLY, MODELS, model_class


@click.command()
@click.argument("name", metavar="[MODEL]", required=False)
def models(name: str | None) -> None:
    """List the models, or describe the parameters of MODEL."""
    if name is None:
        for key, entry in MODELS.items():
            click.echo(f"{key:<18} {entry.about}")
        for entry in LIBRARY_ONLY.values():
            click.echo(f"{'(library)':<18} {entry.about}: tsphys.{entry.cls}")
        return
    cls = model_class(name)
    click.echo(f"tsphys.{cls.__name__}: {MODELS[name].about}")
    for f in dataclasses.fields(cls):
        click.echo(f"  {f.name:<20} {f.metadata['help']}; {allowed(f.metadata)}; default {f.default}")
    for figure in MODELS[name].figures:
        click.echo(f"  figure: tsphys figure {figure}")
