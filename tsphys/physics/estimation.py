"""What an estimate of the gradient from losses, or from some coordinates, adds to the noise of SGD."""

from __future__ import annotations

from typing import Any

import numpy as np


def estimation_noise(spread: Any, queries: float | None, fraction: float | None) -> np.ndarray:
    """What comes to the diagonal of dQ/dt for N → ∞.

    Random directions spread the squared length of the whole step evenly over all coordinates of all students; steps on
    a fraction s of the coordinates, 1/s times as far, are 1/s times as long in the square. Means stay what they are.

    Parameters
    ----------
    spread : array_like (K,)
        ⟨c_k²⟩/b, what SGD itself adds to dQ_kk/dt.
    queries : float, optional
        κ: q = κN directions a step; none: the gradient itself.
    fraction : float, optional
        s: coordinates that take part in a step; none: all.

    Returns
    -------
    ndarray (K,)
    """
    spread = np.asarray(spread, dtype=float)
    out = np.zeros_like(spread)
    if queries is not None:
        out += spread.sum() / queries
    if fraction is not None:
        out += spread * (1.0 / fraction - 1.0)
    return out
