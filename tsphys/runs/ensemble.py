"""Replicas of a static simulation, each over the whole axis, brought together in one Result."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import parameters
from tsphys.runs.checkpoint import finished_rows, keeping, taken_over
from tsphys.runs.memory import REPLICA, check_memory
from tsphys.runs.provenance import provenance
from tsphys.runs.replicas import over_replicas
from tsphys.runs.result import Result


def ensemble(
    model: Any,
    axis: str,
    values: np.ndarray,
    work: Callable[[int, Callable[[float], None]], Mapping[str, np.ndarray]] | None,
    record: dict[str, Any],
    *,
    replicas: int,
    threads: int,
    dims: Mapping[str, tuple[str, ...]] | None = None,
    needs: Mapping[str, tuple[int, ...]] | None = None,
    derive: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]] = lambda observed: observed,
    constants: Mapping[str, np.ndarray] | None = None,
    complete: Callable[[Mapping[str, np.ndarray]], bool] = lambda observed: True,
    told_of: Callable[[list[int]], dict[str, Any]] = lambda replicas: {},
    progress: Callable[[float], None] | None = None,
    checkpoint: Callable[[Result], Any] | None = None,
    resume: Result | None = None,
    over: Callable[..., None] | None = None,
) -> Result:
    """Run the replicas that `resume` does not hold.

    Parameters
    ----------
    model : dataclass
        The model.
    axis, values : str, ndarray
        The axis of the Result.
    work : callable
        ``work(replica, report)`` returns the observables of a replica, each of shape (axis, …), and calls
        ``report(fraction)`` now and then; see `over_replicas`.
    record : dict
        What else makes it this run, for the Result's meta: sizes, seed, options.
    replicas, threads : int
        How many, and how many of them at once.
    dims : mapping
        Names of the axes of observables after (replica, axis).
    needs : mapping, optional
        Shapes of what `work` returns, if the Result has more of it than that.
    derive : callable
        What the Result has, from what `work` returned, (replica, axis, …).
    constants : mapping, optional
        What it has besides, the same for all.
    complete : callable
        Whether a replica has come to its end, from what `work` returned; otherwise no checkpoint has it, and it is done
        again when the run is made again.
    told_of : callable
        What else the Result tells of its replicas, given their numbers.
    progress, checkpoint, resume
        Fraction done, finished replicas as they come, and those to start from.
    over : callable
        What brings the replicas about, in the place of `over_replicas`, with the same arguments; where it knows how by
        itself, `work` is none.

    Raises
    ------
    ModelError
        If `resume` is of another run.
    """
    check_memory("replicas", replicas, replicas * (REPLICA + 8.0 * len(values)), "the replicas")
    record = {**record, "replicas": replicas}
    data: dict[str, np.ndarray] = {}
    fixed = dict(constants or {})
    whole = np.zeros(replicas, dtype=bool)

    def put(replica: int, found: Mapping[str, np.ndarray]) -> None:
        shapes = None if needs else {name: row.shape for name, row in found.items()}
        if data and shapes and shapes != {name: rows.shape[1:] for name, rows in data.items()}:
            raise ModelError("resume", sorted(data), f"must have the observables of this run, {shapes}")
        for name, row in found.items():
            if name not in data:
                # A replica without a point that has a result, as a partial run may have, leaves its row as it is.
                empty = np.nan if row.dtype.kind == "f" else 0
                data[name] = np.full((replicas, *row.shape), empty, row.dtype)
            data[name][replica] = row
        whole[replica] = complete(found)

    def result(rows: np.ndarray) -> Result:
        part = {name: observed[rows] for name, observed in data.items()}
        kept, shown = np.arange(replicas)[rows].tolist(), {axis: values, **derive(part), **fixed}
        return Result(
            kind="simulation",
            model=model.name,
            parameters=parameters(model),
            axis=axis,
            data=shown,
            dims={k: v for k, v in (dims or {}).items() if k in shown},
            constants=tuple(fixed),
            meta={**record, "replicas": len(kept), "replica_ids": kept, **told_of(kept), **provenance()},
        )

    def finished(replica: int, outcome: Mapping[str, np.ndarray]) -> None:
        put(replica, outcome)
        note()

    if resume is not None:
        sizes = {name: math.prod(shape) for name, shape in (needs or {}).items()}
        rows = finished_rows(resume, model, axis, values, record, replicas, sizes)
        for replica, row in rows:
            shapes = needs or {name: resume[name].shape[1:] for name in resume.observables}
            put(replica, {name: resume[name][row].reshape(shape) for name, shape in shapes.items()})
        taken_over(len(rows))
    part = lambda: result(np.flatnonzero(whole)) if whole.any() else None  # noqa: E731
    with keeping(checkpoint, part, progress) as (note, told):
        todo = np.flatnonzero(~whole).tolist()
        run: Callable[..., None] = over or over_replicas
        run(work, todo, threads=threads, progress=told, finished=finished)
        found = result(np.arange(replicas))
    return found
