"""Axes over which a result is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.errors import ModelError


def times(name: str, value: Any) -> np.ndarray:
    """`value` as a float64 array of finite, non-negative, strictly increasing numbers, or a ModelError."""
    words = "must be finite, non-negative, strictly increasing numbers, at least one"
    try:
        out = np.atleast_1d(np.array(value, dtype=np.float64))
    except (TypeError, ValueError):
        raise ModelError(name, value, words) from None
    if out.ndim != 1 or out.size == 0 or not np.isfinite(out).all() or out[0] < 0 or (np.diff(out) <= 0).any():
        raise ModelError(name, value, words)
    return out
