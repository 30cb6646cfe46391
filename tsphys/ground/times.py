"""Axes over which a result is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import numbers, param

#: Numbers of steps beyond are not whole in float64.
MOST_STEPS = 2**53
#: Points of a grid: far more than anybody computes.
MOST_POINTS = 10**7


def times(name: str, value: Any) -> np.ndarray:
    """`value` as a float64 array of finite, non-negative, strictly increasing numbers, or a ModelError."""
    words = "must be finite, non-negative, strictly increasing numbers, at least one"
    out = numbers(value)
    if out is None or out.ndim > 1 or out.size == 0:
        raise ModelError(name, value, words)
    out = np.atleast_1d(out)
    if out[0] < 0 or (np.diff(out) <= 0).any():
        raise ModelError(name, value, words)
    return out


class Grid(str):
    """How times are written on the command line, in files, and for a default; Python has arrays."""


def course(
    help: str, check: Callable[[str, Any], np.ndarray] = times, default: str | None = None, short: str = "-t"
) -> Any:
    """A field of options: the times that are the axis of a run; by default a `grid`, or none, which `help` explains."""

    def checked(name: str, value: Any) -> np.ndarray:
        return check(name, grid(name, value) if isinstance(value, Grid) else value)

    first = None if default is None else Grid(default)
    return param(first, help, kind=list, check=checked, short=short, optional=default is None)


def grid(name: str, value: Any) -> Any:
    """``START:STOP:POINTS[:lin|log]`` or ``a,b,c`` as an array; anything else as it is.

    Without a word on it the points are spaced evenly on a log scale if START > 0 and the name is ``t``.
    """
    if not isinstance(value, str):
        return [value] if isinstance(value, (int, float)) else value
    words = "must be START:STOP:POINTS[:lin|log] or numbers a,b,c"
    try:
        if ":" not in value:
            return [float(x) for x in value.split(",")]
        low, high, points, *scale = value.split(":")
        a, b, n = float(low), float(high), int(points)
        kind = scale[0] if scale else ("log" if a > 0 and name == "t" else "lin")
        if len(scale) > 1 or kind not in ("lin", "log") or n < 1:
            raise ValueError(value)
    except ValueError:
        raise ModelError(name, value, words) from None
    if kind == "log" and not a > 0:
        raise ModelError(name, value, "must have START > 0 to be spaced evenly on a log scale")
    if kind == "log" and not a <= b < np.inf:
        raise ModelError(name, value, "must have START <= STOP, both finite")
    if n > MOST_POINTS:
        raise ModelError(name, value, f"must have at most {MOST_POINTS:g} points")
    return np.geomspace(a, b, n) if kind == "log" else np.linspace(a, b, n)


def iterations(name: str, value: Any) -> np.ndarray:
    """Numbers of iterations as an axis: whole, not negative, increasing, at most 1e6, or a ModelError."""
    out = times(name, value)
    if (out != np.rint(out)).any() or out[-1] > 1e6:
        raise ModelError(name, value, "must be whole numbers of iterations, at most 1e6")
    return out


def strides(t: np.ndarray, longest: float) -> list[tuple[int, float]]:
    """Number and length of equal steps from each time to the next, the first from 0; none is longer than `longest`."""
    gaps = np.diff(t, prepend=0.0)
    counts = np.ceil(gaps / longest * (1 - 1e-12)).astype(np.int64)
    return [(int(k), float(gap / max(k, 1))) for k, gap in zip(counts, gaps, strict=True)]


def whole_steps(t: np.ndarray, N: int) -> np.ndarray:
    """Numbers of steps round(tN) (int64), or a ModelError if they cannot be counted."""
    # The product could be larger than any number.
    if t[-1] > MOST_STEPS / N:
        raise ModelError("t", float(t[-1]), f"must be at most {MOST_STEPS / N:.3g} at N = {N}: 2**53 steps")
    return np.rint(t * N).astype(np.int64)
