"""Minima of robust losses on an instance, by an interior point method on forces that are bounded."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.physics.inference.losses import BOUNDED
from tsphys.sims.engines.inference.support import squares

#: Gap of duality, relative to the risk, at which it may end; and the largest step of w, relative to w, that is an end.
ENOUGH, LARGEST_STEP = 1e-13, 1e-7


def bounded_forces(
    name: str, X: np.ndarray, y: np.ndarray, lam: float, corner: float, most: int = 100
) -> tuple[np.ndarray, np.ndarray]:
    """argmin_w Σ ℓ(y, Xw) + (λ/2)|w|² for ``huber`` and ``absolute``, and the step that would be taken next.

    The force b = −ℓ' of an example is at most c in size, and γb = y − h within: γ = 1 for Huber's loss, and 0, c = 1
    for the absolute one. With y − Xw − γb = s − t, λw = Xᵀb and s(c − b) = t(c + b) = μ → 0, of numbers ≥ 0, Mehrotra's
    steps lead to the minimum.

    Parameters
    ----------
    X : ndarray (n, N)
        At least as many rows as columns.
    corner : float
        c of Huber's loss.

    Raises
    ------
    ConvergenceError
        If it was not reached.
    """
    soft = BOUNDED[name]
    c = corner if soft else 1.0
    n, size = len(y), max(float(np.abs(y).mean()), 1e-300)
    # c − b and c + b by themselves: of what goes to zero the difference would keep no digits.
    at = Point(np.zeros(X.shape[1]), np.zeros(n), np.full(n, c), np.full(n, c),
               np.maximum(y, 0) + size, np.maximum(-y, 0) + size)  # fmt: skip
    last = length = np.inf
    zero = np.zeros(n)
    for _ in range(most):
        mu = at.products() / (2 * n)
        D = soft + at.s / at.up + at.t / at.down
        factor = squares(X, 1 / (lam * D))
        ahead = _newton(X, y, lam, soft, at, factor, D, zero, zero)
        aim = mu * (at.moved(ahead, at.longest(ahead)).products() / (2 * n * mu)) ** 3
        way = _newton(X, y, lam, soft, at, factor, D, aim - ahead.s * ahead.up, aim - ahead.t * ahead.down)
        length = float(np.linalg.norm(way.w)) / max(float(np.linalg.norm(at.w)), 1e-300)
        if mu < ENOUGH * size * c:
            if 0.5 * last <= length < LARGEST_STEP or mu <= 1e-30 * size * c:
                break
            last = length
        at = at.moved(way, min(1.0, 0.9995 * at.longest(way)))
    if not length < LARGEST_STEP:
        raise ConvergenceError(f"the {name} risk was not minimised", residual=length, iterations=most, last=at.w)
    return at.w, way.w


class Point(NamedTuple):
    """Weights w, forces b, and the positive c − b, c + b, s and t."""

    w: np.ndarray
    b: np.ndarray
    up: np.ndarray
    down: np.ndarray
    s: np.ndarray
    t: np.ndarray

    def products(self) -> float:
        """Σ s(c − b) + t(c + b), the gap of duality."""
        return float(self.s @ self.up + self.t @ self.down)

    def moved(self, way: Point, share: float) -> Point:
        """A share of the way on."""
        return Point(*(x + share * d for x, d in zip(self, way, strict=True)))

    def longest(self, way: Point) -> float:
        """The largest share of the way at which all that is positive stays so."""
        pairs = zip(self[2:], way[2:], strict=True)
        return min(float(np.min(np.where(d < 0, -x / np.where(d < 0, d, -1.0), np.inf))) for x, d in pairs)


def _newton(
    X: np.ndarray, y: np.ndarray, lam: float, soft: float, at: Point, factor: Any, D: np.ndarray,
    to_up: np.ndarray, to_down: np.ndarray,
) -> Point:  # fmt: skip
    """The way to where s(c − b) and t(c + b) are these numbers and all else holds, to first order."""
    from scipy.linalg import cho_solve

    w, b, up, down, s, t = at
    R = y - X @ w - soft * b - to_up / up + to_down / down
    dw = cho_solve(factor, (X.T @ (R / D + b) - lam * w) / lam, check_finite=False)
    db = (R - X @ dw) / D
    return Point(dw, db, -db, db, (to_up + s * db) / up - s, (to_down - t * db) / down - t)
