"""``tsphys compare MODEL``."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from tsphys.cli.options import output_options, parse, per_model, progress_bar, target, tell_written
from tsphys.cli.unfinished import check_output, going_on
from tsphys.errors import ModelError
from tsphys.ground.parameters import number
from tsphys.physics.order_parameters import OrderParameters
from tsphys.rules.contract import Online
from tsphys.runs.files import npz
from tsphys.studies.configuration import on_steps, run_options

#: Exit codes of the verdicts; 2 is for wrong input.
CODES = {"agree": 0, "disagree": 1, "undecided": 3}


def run(
    name: str,
    described: tuple[Any, dict[str, Any]],
    output: str | None,
    force: bool,
    quiet: bool,
    level: str,
    strict: bool,
    sizes: str,
) -> int:
    """Simulate and solve from one common start, print the table of z-scores; the verdict is the exit code."""
    import tsphys
    from tsphys.ahead import compiling
    from tsphys.registry import counts_steps, known, takes
    from tsphys.rules.starts import drawn_start

    model, options = described
    parsed = number("level", parse("level", level, {"kind": float, "shape": None}), low=0, high=1,
                    open_low=True, open_high=True)  # fmt: skip
    whole = number("sizes", parse("sizes", sizes, {"kind": int, "shape": None}), kind=int, low=1, high=2)
    # What the options of the simulations are besides those of all.
    own: list[dict[str, int]] = [{}] if whole == 1 else [{}, _quarter(name, options)]
    if options.get("replicas") == 1 and (strict or not known(model).expansion):
        # Before the work, not after it.
        raise ModelError("replicas", 1, "must be at least 2 for an error to compare with")
    path = npz(output or f"{name}-comparison")
    check_output(path)
    stem = path.with_suffix("")
    kinds = ("theory", "simulation", "smaller")[: 1 + whole]
    there, *paths = (target(f"{stem}-{kind}.npz", "", force) for kind in kinds)
    for file in paths:
        check_output(file)
    if "t" in options and counts_steps(name):
        options["t"] = on_steps(options["t"], {**options, **own[-1]}["N"])
    if isinstance(model, Online) and options.get("start") is None:
        # Each replica would draw a start of its own; a theory has one.
        options["start"] = drawn_start(model, options["N"], options["seed"])
    if whole == 2:
        _check_quarter(name, options)
    chosen = {k: v for k, v in options.items() if k in takes(model, "simulate")}
    with compiling(model, **chosen):
        theory = tsphys.solve(model, **{k: v for k, v in options.items() if k in takes(model, "solve")})
    sims, keepers = [], []
    for more, file in zip(own, paths, strict=True):
        with progress_bar(f"simulate {name}", quiet) as progress:
            simulate = partial(tsphys.simulate, model, **{**chosen, **more}, progress=progress)
            sim, kept = going_on(simulate, file, force, name)
        sims.append(sim)
        keepers.append(kept)
    smaller = sims[1] if whole == 2 else None
    found = tsphys.compare(sims[0], theory, level=parsed, finite_size=not strict, smaller=smaller, changes=True)
    written = {path: sim.write for path, sim in zip(paths, sims, strict=True)} | {there: theory.write}
    for kept, contents in zip(keepers, (written, {}), strict=False):
        kept.done(contents)
    for why in dict.fromkeys(why for result in (theory, *sims) for why in result.gaps):
        click.echo(f"missing: {why}")
    click.echo(found)
    tell_written(*paths, there)
    return CODES[found.verdict]


def _quarter(name: str, options: dict[str, Any]) -> dict[str, int]:
    """A quarter of the size with four times the replicas, which costs about as much."""
    if not {"N", "replicas"} <= {*options}:
        raise ModelError("sizes", 2, f"must be 1 for {name}, which has no size N")
    N = number("N", options["N"], kind=int, low=1)
    return {"N": max(N // 4, 1), "replicas": 4 * options["replicas"]}


def _check_quarter(name: str, options: dict[str, Any]) -> None:
    """Raise a ModelError about the size that was given if a quarter of it is none."""
    start = options.get("start")
    units = start.K + start.M if isinstance(start, OrderParameters) else 1
    least = 4 * max(units, int(run_options(name, "compare")["N"].metadata["low"] or 1))
    if options["N"] < least:
        raise ModelError("N", options["N"], f"must be at least {least} with --sizes 2, which takes N/4 as well")


def _options(name: str) -> list[Any]:
    return [
        click.option("--level", default="1e-3", metavar="FLOAT", help="Probability of a false alarm, at most."),
        click.option("--strict", is_flag=True, help="Against N → ∞ as it is: nothing is allowed for finite sizes."),
        click.option(
            "--sizes", default="1", metavar="INT", help="2: from N and from N/4 with four times the replicas together."
        ),
        *output_options("comparison")(name),
    ]


compare = per_model("compare", "Simulation against theory: z-scores and a verdict.", run, _options)
