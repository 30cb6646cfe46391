"""How far a theory moves if its parameters are off by what a finite size may do to them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tsphys.catalogue import CATALOGUE
from tsphys.comparison.again import FAILURES, Again, solver
from tsphys.errors import ModelError
from tsphys.runs.result import Result

#: Relative changes of parameters at size N, times N: a few.
RELATIVE = 3.0
#: Families whose observables are averages over a thermal motion: their scatter says nothing of their bias.
THERMAL = {"Hebbian networks"}


def moved(theory: Result, names: Sequence[str], N: float) -> dict[str, np.ndarray] | None:
    """Root of the sum of squares of what each parameter moves, like the observables `names`; zero if not `THERMAL`.

    Numbers of couplings, patterns or examples that are finite act, to lowest order, as fields and loads that are a
    relative 1/N off. Infinite where a theory has no solution at such parameters: there is a transition close by. None
    if it cannot be solved again.
    """
    again = solver(theory, names) if theory.model in CATALOGUE else None
    if again is None:
        return None
    squares = {name: np.zeros(theory[name].shape) for name in names}
    for below, changes in _changes(again, N):
        changed = _solved(again, changes)
        if changed is None and (below is None or _solved(again, below) is None):
            # Not at this value alone, but free to be none other: of another kind of model.
            continue
        for name in names:
            move = np.inf if changed is None else np.abs(changed[name] - theory[name])
            squares[name] += np.where(np.isnan(move), np.inf, move) ** 2
    thermal = CATALOGUE[theory.model].family in THERMAL
    return {name: np.where(np.isinf(square) | thermal, np.sqrt(square), 0.0) for name, square in squares.items()}


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
