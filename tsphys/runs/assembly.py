"""Replicas of a run, each a dict of arrays over the axis, brought together in one Result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys.models.fields import parameters
from tsphys.runs.checkpoint import finished_rows, keeping
from tsphys.runs.provenance import provenance
from tsphys.runs.replicas import over_replicas
from tsphys.runs.result import Result


def assemble(
    work: Callable[[int, Callable[[float], None]], dict[str, np.ndarray]],
    model: Any,
    axis: str,
    values: np.ndarray,
    record: dict[str, Any],
    *,
    replicas: int,
    threads: int,
    dims: dict[str, tuple[str, ...]],
    progress: Callable[[float], None] | None = None,
    checkpoint: Callable[[Result], Any] | None = None,
    resume: Result | None = None,
) -> Result:
    """Run replicas on threads, keep those that are finished, and make a Result of them.

    Parameters
    ----------
    work : callable
        ``work(replica, report)`` returns the observables of a replica, each with `axis` first.
    model, axis, values
        What is simulated, and the axis of the result.
    record : dict
        All else that the numbers depend on; goes into ``meta``.
    replicas, threads : int
    dims : dict of str to tuple of str
        Names of further axes of the observables that may be there.
    progress, checkpoint, resume
        Fraction done; called with the finished replicas every 10 s or so; finished replicas to start from.

    Raises
    ------
    ModelError
        If `resume` is of another run.
    """
    data: dict[str, np.ndarray] = {}
    whole = np.zeros(replicas, dtype=bool)

    def put(replica: int, found: dict[str, np.ndarray]) -> None:
        for name, array in found.items():
            if name not in data:
                data[name] = np.zeros((replicas, *array.shape), array.dtype)
            data[name][replica] = array
        whole[replica] = True

    for replica, row in [] if resume is None else finished_rows(resume, model, axis, values, record, replicas):
        put(replica, {name: resume[name][row] for name in resume.observables})

    def result(rows: np.ndarray) -> Result:
        kept = rows.tolist()
        return Result(
            kind="simulation",
            model=model.name,
            parameters=parameters(model),
            axis=axis,
            data={axis: values, **{name: array[rows] for name, array in data.items()}},
            dims={k: v for k, v in dims.items() if k in data},
            meta={**record, "replicas": len(kept), "replica_ids": kept, **provenance()},
        )

    def finished(replica: int, found: dict[str, np.ndarray]) -> None:
        put(replica, found)
        after_each()

    with keeping(checkpoint, lambda: result(np.flatnonzero(whole)) if whole.any() else None) as after_each:
        todo = np.flatnonzero(~whole).tolist()
        over_replicas(work, todo, threads=threads, progress=progress, finished=finished)
    return result(np.arange(replicas))
