"""Finished replicas of a run: kept from time to time and when it is stopped, and taken over when it is made again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import parameters
from tsphys.runs.provenance import versions
from tsphys.runs.result import Result
from tsphys.runs.stopping import terminable

#: Fewest seconds between two checkpoints, and the largest share of the time that they may take.
EVERY, SHARE = 1.0, 0.05
#: Who is told how many replicas a run takes over, which shows deep inside of it.
_told: ContextVar[Callable[[int], None]] = ContextVar("told", default=lambda count: None)


@contextmanager
def telling(told: Callable[[int], None]) -> Iterator[None]:
    """Let `told` know how many finished replicas runs within take over, when they have found them to be their own."""
    token = _told.set(told)
    try:
        yield
    finally:
        _told.reset(token)


def taken_over(count: int) -> None:
    """To be called by a run that has taken over so many finished replicas."""
    _told.get()(count)


@contextmanager
def keeping(
    checkpoint: Callable[[Result], Any] | None,
    part: Callable[[], Result | None],
    progress: Callable[[float], None] | None = None,
) -> Iterator[tuple[Callable[[], None], Callable[[float], None] | None]]:
    """Hand `part` to `checkpoint` soon after replicas are finished, and when what is done inside is stopped.

    Whatever stops it, SIGTERM included, raises an exception for that; what SIGKILL can take is what was finished in the
    last second, or in 20 times as long as a checkpoint takes.

    Parameters
    ----------
    checkpoint : callable, optional
        Gets the replicas finished until then.
    part : callable
        Makes a Result of them; None while there is none.
    progress : callable, optional
        Who wants to know the fraction done.

    Yields
    ------
    note : callable
        To be called after each replica.
    told : callable or None
        To be called with the fraction done, every now and then, in the place of `progress`.
    """
    if checkpoint is None:
        yield lambda: None, progress
        return
    # What a run goes on from is new to its checkpoints.
    new, last, pause = True, time.monotonic(), EVERY

    def keep() -> None:
        nonlocal new, last, pause
        begun = time.monotonic()
        if (found := part()) is not None:
            checkpoint(found)
        new, last = False, time.monotonic()
        pause = max(EVERY, (last - begun) / SHARE)

    def note() -> None:
        nonlocal new
        new = True

    def told(fraction: float) -> None:
        if progress is not None:
            progress(fraction)
        if new and time.monotonic() - last > pause:
            keep()

    with terminable():
        try:
            yield note, told
        except BaseException:
            if new:
                keep()
            raise


def finished_rows(
    old: Result, model: Any, axis: str, values: np.ndarray, record: dict[str, Any], replicas: int,
    needs: Mapping[str, int] | None = None,
) -> list[tuple[int, int]]:  # fmt: skip
    """Replica and row of those of the first `replicas` that an earlier result of the same run holds.

    Parameters
    ----------
    old : Result
        With ``meta["replica_ids"]``, the replica of each row.
    model, axis, values, record
        What makes it the same run: parameters, axis, and all of its record but the number of replicas; and the version
        of tsphys, with which the stream of a replica may change.
    needs : mapping of str to int, optional
        Observables that a row must have, and how many numbers each.

    Raises
    ------
    ModelError
        If it is another run.
    """
    ids = kept_replicas(old)
    same = old.model == model.name and old.parameters == parameters(model) and old.axis == axis
    same = same and all(old.meta.get(k) == v for k, v in record.items() if k != "replicas")
    same = same and old.meta.get("versions", {}).get("tsphys") == versions()["tsphys"]
    rows = [old[k] for k in old.observables]
    same = same and all(v.shape[:2] == (len(ids), len(values)) and v.dtype.kind in "biuf" for v in rows)
    same = same and all(k in old.observables and old[k].size == n * len(ids) for k, n in (needs or {}).items())
    if not same or not np.array_equal(old[axis], values):
        words = "holds another run (model, parameters, N, seed, engine, start, axis, options or version of tsphys)"
        raise ModelError("resume", old.model, words)
    return [(replica, row) for row, replica in enumerate(ids) if replica < replicas]


def kept_replicas(result: Result) -> list[int]:
    """The replica of each row of a simulation, finished or not; a ModelError if it does not tell."""
    ids: Any = result.meta.get("replica_ids")
    whole = result.kind == "simulation" and isinstance(ids, list) and all(type(i) is int and i >= 0 for i in ids)
    if not whole or len(set(ids)) < len(ids) or any(len(result[name]) != len(ids) for name in result.observables):
        raise ModelError("resume", result.model, "must tell the replica of each row (meta: replica_ids)")
    return ids
