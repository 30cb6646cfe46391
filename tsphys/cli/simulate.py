"""``tsphys simulate MODEL``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

from tsphys.cli.options import output_options, per_model, progress_bar, target, tell_written
from tsphys.cli.unfinished import check_output, going_on
from tsphys.curves import drawable, ends
from tsphys.errors import DivergedError
from tsphys.ground.texts import short
from tsphys.runs.files import TakenError, write_atomically
from tsphys.studies.configuration import on_steps

#: Most numbers of an observable that are printed.
MOST = 36


def run(name: str, described: tuple[Any, dict[str, Any]], output: str | None, force: bool, quiet: bool) -> None:
    """Simulate and keep the observables; the same command goes on with what was finished if it is stopped."""
    import tsphys
    from tsphys.ahead import simulating
    from tsphys.registry import counts_steps

    model, options = described
    path = target(output, f"{name}-simulation.npz", force)
    check_output(path)
    if "t" in options and counts_steps(name):
        options["t"] = on_steps(options["t"], options["N"])
    with simulating(model, **options), progress_bar(f"simulate {name}", quiet) as progress:
        try:
            result, kept = going_on(partial(tsphys.simulate, model, **options, progress=progress), path, force, name)
        except DivergedError as error:
            if error.partial is not None:
                error.args = (f"{error}; what was computed is in {_kept(error.partial, path)}",)
            raise
    kept.done({path: result.write})
    if result.meta.get("precise") is False:
        click.echo(f"not as precise as asked for: {result.replicas} replicas are the most that were allowed")
    click.echo(summary(result))
    tell_written(path)


def _kept(result: Any, path: Path) -> Path:
    try:
        return write_atomically(path, result.write)
    except TakenError as taken:
        return taken.beside[0]


def _last(result: Any) -> int:
    """The last point of the axis with a number, of a result that has gaps."""
    if not result.gaps:
        return -1
    means = (result.mean(name) for name in result.observables)
    there = [~np.isnan(mean.reshape(len(mean), -1)).all(axis=1) for mean in means if mean.size]
    return int(np.flatnonzero(np.any(there, axis=0)).max(initial=0))


def summary(result: Any) -> str:
    """The observables at the end of the axis: mean ± standard error, of a theory at a size mean and spread of runs.

    Of a partial result that is the last point that it has, below what is missing, and why.
    """
    with np.errstate(all="ignore"):
        return "\n".join(_lines(result))


def _lines(result: Any) -> list[str]:
    at, points = _last(result), len(result[result.axis])
    lines = [f"{len(result.gaps)} of {points} points have no result; {why}" for why in result.gaps[:1]]
    lines += [f"{result.kind} of {result.model}, {result.axis} = {short(result[result.axis][at])}:"]
    size = result.meta.get("size")
    for name in result.observables:
        if result.kind == "study":
            lines += _of_study(result, name, at)
            continue
        mean, sem = result[name][at] if size else result.mean(name)[at], result.sem(name)[at]
        if mean.ndim == 0:
            runs = f"{short(result.mean(name)[-1], 6)} ± {result.std(name)[-1]:.1e}"
            more = f"; runs of N = {size:g}: {runs}" if size and name in result.first_order else ""
            lines.append(f"  {name:<8} {short(mean, 6)}" + (f" ± {sem:.1e}" if sem > 0 else "") + more)
        elif 0 < mean.size <= MOST:
            lines.append(f"  {name:<8} {_rows(mean)}")
    return lines


def _of_study(result: Any, name: str, at: int) -> list[str]:
    """A line for an observable of a study, at the end of its runs; of many numbers how many there are."""
    if name not in drawable(result):
        return []
    mean = ends(result, name)[at]
    if mean.ndim and mean.size > MOST:
        return [f"  {name:<8} of shape {mean.shape}"]
    return [f"  {name:<8} {_rows(mean) if mean.ndim else short(mean, 6)}"]


def _rows(mean: np.ndarray) -> str:
    rows = mean.reshape(-1, mean.shape[-1])
    return "[" + "; ".join(" ".join(short(x, fixed=True) for x in row) for row in rows) + "]"


simulate = per_model("simulate", "Simulate a model and keep the observables.", run, output_options("simulation"))
