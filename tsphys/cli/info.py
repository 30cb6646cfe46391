"""``tsphys info FILE``."""

from __future__ import annotations

import json
import math
from typing import Any

import click

from tsphys.cli.completion import PATH
from tsphys.cli.simulate import summary
from tsphys.ground.lines import printable
from tsphys.runs.result import load


@click.command()
@click.argument("file", type=PATH)
@click.option("--json", "as_json", is_flag=True, help="The whole record as JSON.")
def info(file: str, as_json: bool) -> None:
    """Show what is in a result FILE: model, parameters, observables, seed, versions."""
    result = load(file)
    if as_json:
        shapes = {k: list(v.shape) for k, v in result.data.items()}
        record = {"kind": result.kind, "model": result.model, "parameters": result.parameters, "meta": result.meta}
        click.echo(json.dumps(_strict({**record, "axis": result.axis, "shapes": shapes}), indent=2, allow_nan=False))
        return
    click.echo(repr(result))
    for title, values in (("parameters", result.parameters), ("record", result.meta)):
        click.echo(f"{title}:")
        for key, value in values.items():
            text = json.dumps(value)
            click.echo(f"  {printable(key):<18} {text if len(text) < 100 else text[:97] + '...'}")
    if result.axis:
        click.echo(summary(result))


def _strict(value: Any) -> Any:
    """Without the numbers that JSON does not have."""
    if isinstance(value, dict | list):
        return {k: _strict(v) for k, v in value.items()} if isinstance(value, dict) else [_strict(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
