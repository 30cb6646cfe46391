"""Weights on few levels: the prior of a teacher that has them, and what rounding to them leaves of an overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import array
from tsphys.numerics.gaussian import density
from tsphys.physics.inference.priors import Prior


def quantised(levels: Sequence[float], weights: Sequence[float] | None = None) -> Prior:
    """Independent weights on these levels, with these probabilities (equal ones by default), scaled to E w² = 1.

    Raises
    ------
    ModelError
        If levels or probabilities are none.
    """
    w = array("levels", levels, (None,))
    p = np.full(len(w), 1 / max(len(w), 1)) if weights is None else array("weights", weights, (len(w),))
    if len(w) == 0 or not (w != 0).any():
        raise ModelError("levels", list(levels), "must be numbers, and one of them not 0")
    if (p <= 0).any() or abs(p.sum() - 1) > 1e-9:
        raise ModelError("weights", p.tolist(), "must be > 0, and 1 in all")
    p = p / p.sum()
    w = w / np.sqrt(p @ w**2)
    return Prior(tuple(p.tolist()), tuple(w.tolist()), (0.0,) * len(w))


class Rounding(NamedTuple):
    """Size a of the levels in units of the standard deviation of what is rounded, and what is left of its cosine."""

    scale: float
    cosine: float


def rounding(levels: Sequence[float]) -> Rounding:
    """The best rounding of a Gaussian estimate to the nearest of the levels, times a.

    Of an estimate that is jointly normal with the teacher, as Hebb's, a ridge's or Bayes', it multiplies the cosine by
    c = E[z r(z)]/√E r(z)², so that the error is arccos(cR)/π.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import ndtr

    w = np.unique(array("levels", levels, (None,)))
    if len(w) < 2:
        raise ModelError("levels", list(levels), "must be two different numbers or more")
    middles = 0.5 * (w[1:] + w[:-1])

    def cosine(log: float) -> float:
        cuts = np.concatenate([[-np.inf], np.exp(log) * middles, [np.inf]])
        phi = density(cuts)
        along, share = phi[:-1] - phi[1:], np.diff(ndtr(cuts))
        return float(w @ along / np.sqrt(w**2 @ share))

    size = float(np.abs(w).max())
    # The thresholds may lie anywhere in units of the largest level: the best of a grid, and its neighbourhood.
    grid = np.log(np.geomspace(0.05, 10, 60) / size)
    best = float(max(grid, key=cosine))
    found = minimize_scalar(
        lambda x: -cosine(x), bounds=(best - 0.2, best + 0.2), method="bounded", options={"xatol": 1e-9}
    )
    return Rounding(float(np.exp(found.x)), -float(found.fun))
