"""``tsphys simulate MODEL``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tsphys.cli.options import output_options, per_model, progress_bar, target
from tsphys.errors import DivergedError, ModelError
from tsphys.runs.configuration import on_steps


def run(name: str, described: tuple[Any, dict[str, Any]], output: str | None, force: bool, quiet: bool) -> None:
    """Simulate, keeping finished replicas in a partial file, from which the same command goes on if it is stopped."""
    model, options = described
    path = target(output, f"{name}-simulation.npz", force)
    partial = path.with_name(path.stem + ".partial.npz")
    if "t" in options and "N" in options:
        options["t"] = on_steps(options["t"], options["N"])
    with progress_bar(f"simulate {name}", quiet) as progress:
        keep = {"progress": progress, "checkpoint": lambda part: part.save(partial)}
        try:
            result = _going_on(model, {**options, **keep}, partial, force)
        except DivergedError as error:
            if error.partial is not None:
                error.partial.save(path)
                error.args = (f"{error}; what was computed is in {path}",)
            raise
    result.save(path)
    partial.unlink(missing_ok=True)
    click.echo(summary(result))
    click.echo(f"wrote {path}")


def _going_on(model: Any, options: dict[str, Any], partial: Path, force: bool) -> Any:
    """Simulate from the finished replicas of an interrupted run; with `force` also over what belongs to another run."""
    import tsphys

    if not partial.exists():
        return tsphys.simulate(model, **options)
    try:
        found = tsphys.load(partial)
        click.echo(f"going on from {len(found.meta['replica_ids'])} finished replicas in {partial}", err=True)
        return tsphys.simulate(model, **options, resume=found)
    except ModelError as error:
        if error.name not in ("resume", "file"):
            raise
        if not force:
            words = f"{error.allowed}; finish that one, remove the file, or use --force"
            raise ModelError("unfinished run", str(partial), words) from None
    click.echo(f"starting anew, {partial} is of no use here", err=True)
    return tsphys.simulate(model, **options)


def summary(result: Any) -> str:
    """The observables at the end of the axis, as mean ± standard error where there is one."""
    last = result[result.axis][-1]
    lines = [f"{result.kind} of {result.model}, {result.axis} = {last if isinstance(last, str) else f'{last:.4g}'}:"]
    for name in result.observables:
        mean, sem = result.mean(name)[-1], result.sem(name)[-1]
        if mean.ndim == 0:
            lines.append(f"  {name:<8} {mean:.6g}" + (f" ± {sem:.1e}" if sem > 0 else ""))
        elif 0 < mean.size <= 36:
            rows = "; ".join(" ".join(f"{x:.4f}" for x in row) for row in mean.reshape(-1, mean.shape[-1]))
            lines.append(f"  {name:<8} [{rows}]")
    return "\n".join(lines)


simulate = per_model("simulate", "Simulate a model and keep the observables.", run, output_options("simulation"))
