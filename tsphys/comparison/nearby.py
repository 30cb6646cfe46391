"""How far a theory moves if its parameters are off by what a finite size may do to them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tsphys.catalogue import CATALOGUE
from tsphys.comparison.again import FAILURES, Again
from tsphys.errors import ModelError
from tsphys.runs.result import Result

#: Relative changes of parameters at size N, times N: a few.
RELATIVE = 3.0
#: Families whose observables are averages over a thermal motion: their scatter says nothing of their bias.
THERMAL = {"Hebbian networks"}


def moved(again: Again | None, theory: Result, names: Sequence[str], N: Any) -> dict[str, np.ndarray]:
    """Root of the sum of squares of what each parameter moves, like the observables `names`; zero if not `THERMAL`.

    Numbers of couplings, patterns or examples that are finite act, to lowest order, as fields and loads that are a
    relative 1/N off. Infinite where a theory has no solution at such parameters: there is a transition close by. Empty
    if it cannot be solved again.
    """
    if again is None:
        return {}
    squares = {name: np.zeros(theory[name].shape) for name in names}
    for below, changes in _changes(again, N):
        changed = _solved(again, changes)
        if changed is None and (below is None or _solved(again, below) is None):
            # Not at this value alone, but free to be none other: of another kind of model.
            continue
        for name in names:
            move = np.inf if changed is None else np.abs(changed[name] - again.here[name])
            squares[name] += np.where(np.isnan(move), np.inf, move) ** 2
    thermal = CATALOGUE[theory.model].family in THERMAL
    return {name: np.where(np.isinf(square) | thermal, np.sqrt(square), 0.0) for name, square in squares.items()}


def counted(again: Again | None, theory: Result, names: Sequence[str], N: Any) -> dict[str, np.ndarray]:
    """What a theory moves by if what its loads count are whole numbers; empty if it does not, or not known."""
    if again is None:
        return {}
    changes: dict[str, Any] = {}
    for name in again.model.counted:
        if getattr(again.model, name) is None and name != again.axis:
            continue
        load = again.values if name == again.axis else np.array(getattr(again.model, name))
        whole = np.maximum(np.rint(load * N), 1.0) / N
        if np.abs(whole - load).max() > 1e-9:
            changes["values" if name == again.axis else name] = whole if name == again.axis else float(whole)
    changed = _solved(again, changes) if changes else None
    return {} if changed is None else {k: np.nan_to_num(changed[k] - again.here[k]) for k in names}


def _solved(again: Again, changes: dict[str, Any]) -> Result | None:
    try:
        return again(**changes)
    except FAILURES:
        return None


def _changes(again: Again, N: float) -> Iterator[tuple[dict[str, Any] | None, dict[str, Any]]]:
    """For each parameter, and the axis as ``values``: a little less, None at the end of its range, and a little more.

    At the upper end of its range it is less that takes the place of more.
    """
    for name, value in again.parameters().items():
        if value:
            up = _off(again.model, name, value, N)
            yield ({name: value * (1 - RELATIVE / N)} if up > value else None), {name: up}
    if again.values.dtype.kind == "f" and again.values.any():
        yield {}, {"values": np.array([_off(again.model, again.axis, value, N) for value in again.values])}


def _off(model: Any, name: str, value: float, N: float) -> float:
    larger = value * (1 + RELATIVE / N)
    try:
        dataclasses.replace(model, **{name: larger})
    except ModelError:
        return value * (1 - RELATIVE / N)
    return larger
