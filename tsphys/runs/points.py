"""The points of an axis: what is found at each, side by side, also where they differ in size or there is nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.progress import tell

T = TypeVar("T")
Row = Mapping[str, Any]
#: Number of a point -> why there is nothing.
Gaps = dict[int, Exception]

#: Where the gaps of a partial result are noted; None while every point must have a result. Points lie too deep for
#: every model on the way to hand this on.
_gaps: ContextVar[Gaps | None] = ContextVar("gaps", default=None)


@contextmanager
def tolerating(partial: bool) -> Iterator[Gaps]:
    """Let points without a result be gaps in what is called within; yields them."""
    found: Gaps = {}
    before = _gaps.set(found if partial else None)
    try:
        yield found
    finally:
        _gaps.reset(before)


def tolerated() -> Gaps | None:
    """Where gaps are noted, to be handed to `over` in other threads; None if they are errors."""
    return _gaps.get()


def over(items: Sequence[T], at: Callable[[T], Row], gaps: Gaps | None = None) -> list[Row | None]:
    """What `at` gives for each of the items, and word of each that is done.

    Parameters
    ----------
    items : sequence
        A point each.
    at : callable
    gaps : dict, optional
        Where what is missing is noted, for others to judge, as one of several replicas does. By default that of
        `tolerating`, if it is on.

    Returns
    -------
    list
        None where there is nothing to be had, if a partial result was asked for.

    Raises
    ------
    ModelError, ConvergenceError
        If there is nothing at a point and all are wanted, or at none of them.
    """
    alone = gaps is None
    gaps = tolerated() if gaps is None else gaps
    found: list[Row | None] = []
    for i, item in enumerate(items):
        try:
            found.append(observables(at(item)))
        except (ModelError, ConvergenceError) as error:
            if gaps is None:
                raise
            gaps[i] = error
            found.append(None)
        tell((i + 1) / len(items))
    if alone and gaps and found.count(None) == len(found):
        raise gaps[0]
    return found


def observables(found: Any, along: int | None = None) -> Row:
    """What a model's own function returned, if it is numbers or arrays by name, each (along, …) if that is given.

    Raises
    ------
    ModelError
        If it is something else.
    """
    if not isinstance(found, Mapping) or not found:
        raise ModelError("what the model returns", found, 'must be observables by their names, as {"eps_g": 0.1}')
    for name, value in found.items():
        if not isinstance(name, str):
            raise ModelError("what the model returns", found, "must have names that are words")
        try:
            kind: str = np.asarray(value).dtype.kind
        except ValueError:
            kind = "ragged"
        if kind not in "fiub":
            raise ModelError(name, value, "must be a number or an array of numbers, as all observables")
        if along is not None and np.shape(value)[:1] != (along,):
            words = f"must have {along} entries along its first axis, one for each point"
            raise ModelError(name, f"an array of shape {np.shape(value)}", words)
    return found


def stack(rows: Sequence[Row | None]) -> dict[str, np.ndarray]:
    """Observables of all points as arrays (points, …), NaN where there is nothing; empty if there is nothing at all."""
    first = next((observables(row) for row in rows if row is not None), {})
    return {name: padded([None if row is None else row[name] for row in rows]) for name in first}


def padded(rows: Sequence[Any]) -> np.ndarray:
    """Rows as one array, as long along each axis as the longest, NaN where there is nothing."""
    there = [np.asarray(r) for r in rows if r is not None]
    size = tuple(max(sizes) for sizes in zip(*(r.shape for r in there))) if there[0].ndim else ()
    if len(there) == len(rows) and all(r.shape == size for r in there):
        return np.array(there)
    out = np.full((len(rows), *size), np.nan, np.result_type(np.float64, *there))
    for i, values in enumerate(rows):
        if values is not None:
            at: tuple[Any, ...] = (i, *(slice(n) for n in np.shape(values)))
            out[at] = values
    return out
