"""Axes over which a result is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import numbers, param

#: Numbers of steps beyond are not whole in float64.
MOST_STEPS = 2**53


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


def course(help: str, check: Callable[[str, Any], np.ndarray] = times, default: Any = None) -> Any:
    """A field of options: the times that are the axis of a run; on the command line START:STOP:POINTS or a,b,c."""
    return param(default, help, kind=list, check=check, short="-t", optional=default is None)


def iterations(name: str, value: Any) -> np.ndarray:
    """Numbers of iterations as an axis: whole, not negative, increasing, at most 1e6, or a ModelError."""
    out = times(name, value)
    if (out != np.rint(out)).any() or out[-1] > 1e6:
        raise ModelError(name, value, "must be whole numbers of iterations, at most 1e6")
    return out


def whole_steps(t: np.ndarray, N: int) -> np.ndarray:
    """Numbers of steps round(tN) (int64), or a ModelError if they cannot be counted."""
    if t[-1] * N > MOST_STEPS:
        raise ModelError("t", float(t[-1]), f"must be at most {MOST_STEPS / N:.3g} at N = {N}: 2**53 steps")
    return np.rint(t * N).astype(np.int64)
