"""``tsphys solve MODEL``."""

from __future__ import annotations

from typing import Any

import click

from tsphys.cli.options import output_options, per_model, target
from tsphys.cli.simulate import summary


def run(name: str, described: tuple[Any, dict[str, Any]], output: str | None, force: bool, quiet: bool) -> None:
    """Solve the theory and keep it."""
    import tsphys

    model, options = described
    path = target(output, f"{name}-theory.npz", force)
    result = tsphys.solve(model, **common_start(model, options))
    result.save(path)
    click.echo(summary(result))
    click.echo(f"wrote {path}")


def common_start(model: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Options for `solve`: where no start is given, the one that replica 0 of a simulation draws from N and seed."""
    from tsphys.models.fields import number
    from tsphys.numerics.random import generator

    options = dict(options)
    if hasattr(model, "start") and options.get("start") is None and "t" in options:
        seed = number("seed", options.get("seed", 0), kind=int, low=0)
        options["start"] = model.start(options["N"], generator(seed, 0, "start"))
    if "start" in options:
        options.pop("seed", None)
        options.pop("N", None)
    return options


solve = per_model("solve", "Solve the theory of a model and keep the curves.", run, output_options("theory"))
