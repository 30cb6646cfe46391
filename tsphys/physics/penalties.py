"""A penalty that holds what was learned before, tuned on one scenario and used in another: one linear student.

The pull −(η/N)ξ(w − w̄) of the second task, w̄ the weights at the end of the first; see `tsphys.models.continual`. The
score is the mean error of all tasks. The closed forms are our own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import array, number, numbers


def two_tasks(
    strength: Any, similarity: float, t1: float, t2: float, lr: float, noise: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Errors (…) of both tasks of a linear student from zero, K = M = 1, exactly for N → ∞.

    Parameters
    ----------
    strength : array_like (…)
        ξ.
    similarity : float
        Overlap V of the two teachers, |w*|² = N.
    t1, t2 : float
        How long the tasks are learned, in steps/N.
    lr, noise : float
        η < 2 and σ.

    Raises
    ------
    ModelError
        If an argument is out of range.
    """
    xi, eta = _strengths(strength), number("lr", lr, low=0, high=2, open_low=True, open_high=True)
    V, noise = number("similarity", similarity, low=-1, high=1), number("noise", noise, low=0)
    t1, t2 = (number(name, t, low=0) for name, t in (("t1", t1), ("t2", t2)))
    rest = eta * noise**2 / (2 - eta)
    mu1 = -np.expm1(-eta * t1)
    first = rest + (1 - rest) * np.exp(-(2 * eta - eta**2) * t1)
    n1 = first - (1 - mu1) ** 2
    G, c = 1 + mu1**2 + n1 - 2 * mu1 * V, mu1 * V - mu1**2 - n1 - V + mu1
    b = eta * (1 + xi)
    a = 2 * b - eta**2
    mu = -np.expm1(-b * t2) / (1 + xi)

    def forced(rate: Any) -> np.ndarray:
        """∫ e^{−a(t₂−u)} e^{−rate·u} du."""
        gap = np.abs(a - rate)
        safe = np.where(gap == 0, 1.0, gap)
        return np.exp(-np.minimum(a, rate) * t2) * np.where(gap == 0, t2, -np.expm1(-gap * t2) / safe)

    held, moved = xi / (1 + xi), 1 / (1 + xi)
    s = eta**2 * (
        (G * held**2 + noise**2) * forced(0 * b) + 2 * G * held * moved * forced(b) + G * moved**2 * forced(2 * b)
    )
    return 0.5 * (first + 2 * mu * c + mu**2 * G + s), 0.5 * ((1 - mu) ** 2 * G + s)


def sequence(strength: Any, tasks: int, similarity: float) -> np.ndarray:
    """Mean error (…) of S tasks of mutual overlap V, each learned to its end, anchored at the last, η → 0.

    Raises
    ------
    ModelError
        If an argument is out of range, as of more than two tasks with V < −1/(S − 1), which no teachers have.
    """
    xi, S = _strengths(strength)[..., None], number("tasks", tasks, kind=int, low=1)
    similarity = number("similarity", similarity, low=-1 / max(S - 1, 1), high=1)
    a, j = 1 / (1 + xi), np.arange(1, S + 1)
    c = np.where(j == 1, (1 - a) ** (S - 1), a * (1 - a) ** (S - j))
    return 0.5 * (1 - similarity) * ((c**2).sum(-1) + 1 - 2 / S)


def of_spectra(strength: Any, first: Any, second: Any, change: Any, pull: Any = 1.0) -> np.ndarray:
    """Mean error (…) of two tasks whose inputs have eigenvalues `first` and `second` (D,), learned to their end, η → 0.

    Parameters
    ----------
    strength : array_like (…)
        ξ.
    first, second : (D,) array_like
        Variances of the inputs along common directions.
    change : (D,) array_like
        Squares of the differences of the teachers along them.
    pull : float or (D,) array_like
        Of each direction: 1 for L2, `first` for the Fisher information, as EWC has it.

    Raises
    ------
    ModelError
        If an argument is out of range.
    """
    l1 = array("first", first, (None,), "variances along the directions")
    l2 = array("second", second, (None,), "variances along the directions")
    d = array("change", change, (None,), "of each direction")
    if not l1.shape == l2.shape == d.shape or min(x.min(initial=0.0) for x in (l1, l2, d)) < 0:
        raise ModelError("first", l1.tolist(), "must be numbers >= 0, as many as second and change")
    hold = numbers(pull)
    if hold is None or hold.shape not in ((), l1.shape) or hold.min(initial=0.0) < 0:
        raise ModelError("pull", pull, "must be a number >= 0, or one for each direction")
    # Along what no input of the second task has the weights stay where they are, held or not.
    a = l2 / (l2 + np.where(l2 > 0, _strengths(strength)[..., None] * hold, 1.0))
    return 0.25 * (l1 * a**2 * d + l2 * (1 - a) ** 2 * d).sum(-1)


def least(
    score: Any, low: float = 1e-3, high: float = 1e3, points: int = 61, tol: float = 1e-10
) -> tuple[float, float]:
    """ξ in [low, high] at which ``score(ξ)`` of numbers (n,) is least, and the score there; `tol` is that of ln ξ.

    The best of a grid first, since there may be several minima.

    Raises
    ------
    ModelError
        If the least is at an end, or these are no grid.
    """
    from scipy.optimize import minimize_scalar

    low = number("low", low, low=0, open_low=True)
    high = number("high", high, low=low, open_low=True)
    points = number("points", points, kind=int, low=3)
    grid = np.geomspace(low, high, points)
    values = np.asarray(score(grid))
    best = int(np.argmin(values))
    if best in (0, points - 1):
        raise ModelError("strength", float(grid[best]), f"must have its best value between {low:g} and {high:g}")
    found = minimize_scalar(
        lambda x: float(score(np.exp([x]))[0]), bounds=np.log(grid[[best - 1, best + 1]]), method="bounded",
        options={"xatol": tol},
    )  # fmt: skip
    return float(np.exp(found.x)), float(found.fun)


def _strengths(strength: Any) -> np.ndarray:
    """ξ as an array, or a ModelError."""
    xi = numbers(strength)
    if xi is None or xi.min(initial=0.0) < 0:
        raise ModelError("strength", strength, "must be numbers >= 0")
    return xi
