"""Finished replicas of a run: kept from time to time and when it is stopped, and taken over when it is made again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import parameters
from tsphys.runs.provenance import versions
from tsphys.runs.result import Result

#: Seconds between two checkpoints.
EVERY = 10.0


@contextmanager
def keeping(
    checkpoint: Callable[[Result], Any] | None, part: Callable[[], Result | None]
) -> Iterator[Callable[[], None]]:
    """Hand `part` to `checkpoint` every 10 s or so, and when what is done inside is stopped by whatever it may be.

    Parameters
    ----------
    checkpoint : callable, optional
        Gets the replicas finished until then.
    part : callable
        Makes a Result of them; None while there is none.

    Yields
    ------
    callable
        To be called after each replica.
    """
    if checkpoint is not None and not callable(checkpoint):
        raise ModelError("checkpoint", checkpoint, "must be a function that takes a Result")
    last = time.monotonic()

    def keep() -> None:
        if checkpoint is not None and (found := part()) is not None:
            checkpoint(found)

    def after_each() -> None:
        nonlocal last
        if time.monotonic() - last > EVERY:
            keep()
            last = time.monotonic()

    try:
        yield after_each
    except BaseException:
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
    if not isinstance(old, Result):
        raise ModelError("resume", old, "must be the Result of an unfinished run")
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
