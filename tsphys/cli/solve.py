"""``tsphys solve MODEL``."""

from __future__ import annotations

from typing import Any

import click

from tsphys.cli.options import output_options, per_model, progress_bar, target, tell_written
from tsphys.cli.simulate import summary
from tsphys.registry import MODELS
from tsphys.runs.files import write_atomically


def run(
    name: str,
    described: tuple[Any, dict[str, Any]],
    output: str | None,
    force: bool,
    quiet: bool,
    fluctuations: bool = False,
) -> None:
    """Solve the theory and keep it."""
    import tsphys

    model, options = described
    path = target(output, f"{name}-theory.npz", force)
    with progress_bar(f"solve {name}", quiet) as progress:
        result = tsphys.solve(model, progress=progress, fluctuations=fluctuations, **options)
    write_atomically(path, result.write)
    click.echo(summary(result))
    tell_written(path)


def _options(name: str) -> list[Any]:
    about = "Also the mean and the spread of runs of size N, to first order in 1/N."
    known = [click.option("--fluctuations", is_flag=True, help=about)] if MODELS[name].expansion else []
    return [*known, *output_options("theory")(name)]


solve = per_model("solve", "Solve the theory of a model and keep the curves.", run, _options)
