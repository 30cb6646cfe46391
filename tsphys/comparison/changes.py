"""By how much each parameter of a theory would have to be off for a comparison to see it."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tsphys.comparison.again import FAILURES, solver
from tsphys.comparison.verdict import Comparison
from tsphys.runs.result import Result

#: First change that is tried, relative to a parameter, or to one; the largest that is looked for.
FIRST, LARGEST = 1e-2, 1.0
#: Logarithms of a shift next to one: its change is what was tried, or follows along the last secant. Of a power of the
#: change that varies by a fifth over it the shift is then one to some 3 %.
ACCURACY, NEAR = 0.02, 0.2
#: Most solutions of a theory for a parameter.
TRIALS = 8


def seen_changes(found: Comparison, theory: Result) -> dict[str, tuple[float, float]]:
    """Values of the parameters of a theory, and the change of each that half of all such comparisons would see.

    That is where the largest shift of a point that fluctuates and has a verdict, in errors, reaches the threshold; the
    theory is solved again with larger values until it does. Where all points together have a score, its threshold
    counts as well.

    Parameters
    ----------
    found : Comparison
    theory : Result
        The theory of this comparison.

    Returns
    -------
    dict of str to (float, float)
        Of those parameters that are real numbers and that the theory depends on: its value, and the change; infinite
        if it is more than the value itself. Empty if the theory cannot be solved again from what its Result holds.
    """
    again = solver(theory, found.z)
    if again is None:
        return {}

    telling = {name: found.telling(name) for name in found.z}

    def shift(name: str, value: float) -> float:
        """Largest shift of a point, in thresholds."""
        other: Any = {name: value}
        changed = again(**other)
        shifts = [
            float(np.nanmax(np.abs(changed[k] - again.here[k])[there] / found.error[k][there], initial=0.0))
            for k, there in telling.items()
        ]
        return max(shifts) / found.threshold

    out = {}
    for name, value in again.parameters().items():
        change = _reaching_one(partial(shift, name), value)
        if change is not None:
            if value and name in found.shifts:
                change = min(change, found.shift_threshold * found.shifts[name].error)
                change = change if change <= LARGEST * abs(value) else math.inf
            out[name] = value, change
    return out


def _reaching_one(shift: Callable[[float], float], value: float) -> float | None:
    """The change at which a shift is one, by secants of logarithms; infinite beyond `LARGEST`, None without any."""
    unit = abs(value) or 1.0
    change, power = FIRST * unit, 1.0 if value else 2.0
    before: tuple[float, float] | None = None
    for _ in range(TRIALS):
        try:
            size = shift(value + change)
        except FAILURES:
            return None
        if size == 0.0:
            return None
        if abs(math.log(size)) < ACCURACY:
            return change
        if before is not None and size != before[1] and change != before[0]:
            power = max(math.log(size / before[1]) / math.log(change / before[0]), 0.2)
            if abs(math.log(size)) < NEAR and change < LARGEST * unit:
                return change * math.exp(-math.log(size) / power)
        before = change, size
        if change >= LARGEST * unit and size < 1.0:
            return math.inf
        # Of a parameter next to zero the factor may be beyond all numbers.
        change = min(change * math.exp(min(-math.log(size) / power, 700.0)), LARGEST * unit)
    return change
