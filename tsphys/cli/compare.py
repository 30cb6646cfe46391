"""``tsphys compare MODEL``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from tsphys.cli.options import output_options, parse, per_model, progress_bar, target
from tsphys.cli.unfinished import going_on, unfinished
from tsphys.ground.parameters import number
from tsphys.rules.contract import Online
from tsphys.runs.files import check_folder, npz
from tsphys.studies.configuration import on_steps


def run(
    name: str,
    described: tuple[Any, dict[str, Any]],
    output: str | None,
    force: bool,
    quiet: bool,
    level: str,
    strict: bool,
) -> int:
    """Simulate and solve from one common start, print the table of z-scores; exit code 1 if they disagree."""
    import tsphys
    from tsphys.registry import takes
    from tsphys.rules.starts import drawn_start

    model, options = described
    parsed = number("level", parse("level", level, {"kind": float, "shape": None}), low=0, high=1)
    path = npz(output or f"{name}-comparison")
    check_folder(path)
    stem = path.with_suffix("")
    paths: list[Path] = [target(f"{stem}-{kind}.npz", "", force) for kind in ("simulation", "theory")]
    check_folder(unfinished(paths[0]))
    if "t" in options and "N" in options:
        options["t"] = on_steps(options["t"], options["N"])
    if isinstance(model, Online) and options.get("start") is None:
        # Each replica would draw a start of its own; a theory has one.
        options["start"] = drawn_start(model, options["N"], options["seed"])
    theory = tsphys.solve(model, **{k: v for k, v in options.items() if k in takes(model, "solve")})
    with progress_bar(f"simulate {name}", quiet) as progress:
        chosen = {k: v for k, v in options.items() if k in takes(model, "simulate")}
        sim, kept = going_on(partial(tsphys.simulate, model, **chosen, progress=progress), paths[0], force)
    comparison = tsphys.compare(sim, theory, level=parsed, finite_size=not strict)
    kept.done(dict(zip(paths, (sim.write, theory.write), strict=True)))
    for why in dict.fromkeys((*theory.gaps, *sim.gaps)):
        click.echo(f"missing: {why}")
    click.echo(comparison)
    click.echo(f"wrote {paths[0]} and {paths[1]}")
    return 0 if comparison.ok else 1


def _options(name: str) -> list[Any]:
    return [
        click.option("--level", default="1e-3", metavar="FLOAT", help="Probability of a false alarm."),
        click.option("--strict", is_flag=True, help="No allowance for the O(1/N) bias of finite sizes."),
        *output_options("comparison")(name),
    ]


compare = per_model("compare", "Simulation against theory: a table of z-scores.", run, _options)
