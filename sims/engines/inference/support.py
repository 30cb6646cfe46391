"""The minimum of the hinge risk, by an interior point method that ends at the exact solution on its support vectors."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.sims.engines.inference.ridge import cholesky

#: Gap of duality, relative to Σb, from which on the support vectors are tried, and gap and step that do without them.
TRIED, ENOUGH = 1e-2, 1e-9
#: How far margins and multipliers may be on the wrong side of their bounds, relative to the largest.
ROUNDING = 1e-9


def support_vectors(X: np.ndarray, y: np.ndarray, cost: float, most: int = 200) -> tuple[np.ndarray, np.ndarray, int]:
    """argmin_w ½|w|² + C Σ max(0, 1 − y (Xw)), how far rounding leaves it open, and how many examples are given up.

    With Z = diag(y) X the conditions are w = Zᵀb and Zw − 1 = s − ξ, with bs = 0 and (C − b)ξ = 0 of numbers ≥ 0.
    Mehrotra's steps lead there with products μ > 0 in place of 0. On the way it is tried which examples are on the
    margin, 0 < b < C, and which are given up, b = C: w is then the solution of linear equations, and if all other
    conditions hold, the minimum. Where b is not unique, as with examples that occur twice, a step of w by 1e-9 must do.

    Parameters
    ----------
    X : ndarray (n, N)
        At least as many rows as columns.
    y : ndarray (n,)
        Labels ±1.
    cost : float
        C.

    Raises
    ------
    ConvergenceError
        If it was not reached.
    """
    Z = y[:, None] * X
    n = len(Z)
    b = np.full(n, 0.5 * cost)
    w = Z.T @ b
    h = Z @ w - 1
    size = np.hypot(h, max(1.0, np.abs(h).mean()))
    at = Point(w, b, cost - b, 0.5 * (size + h), 0.5 * (size - h))
    some = kept = np.ones(n, dtype=bool)
    for _ in range(most):
        mu = products(at) / (2 * n)
        gap = 2 * n * mu / at.b.sum()
        if gap < TRIED:
            exact = on_margin(Z, cost, some, kept)
            if exact is not None:
                return exact
        factor = squares(Z, 1 / (at.s / at.b + at.xi / at.c))
        ahead = newton(Z, at, factor, -at.b * at.s, -at.c * at.xi)
        aim = mu * (products(moved(at, ahead, longest(at, ahead))) / (2 * n * mu)) ** 3
        way = newton(Z, at, factor, aim - at.b * at.s - ahead.b * ahead.s, aim - at.c * at.xi - ahead.c * ahead.xi)
        if gap < ENOUGH and np.linalg.norm(way.w) < ENOUGH * np.linalg.norm(at.w):
            return at.w, way.w, int((at.xi > at.s).sum())
        # What goes to zero shrinks most (Tapia's indicators, which know no scale).
        some, kept = way.b / at.b > way.s / at.s, way.c / at.c > way.xi / at.xi
        at = moved(at, way, min(1.0, 0.995 * longest(at, way)))
    raise ConvergenceError("the hinge risk was not minimised", residual=gap, iterations=most, last=at.w)


class Point(NamedTuple):
    """Weights w, whose digits would be lost in Zᵀb for large C, and the positive b, c = C − b, s and ξ."""

    w: np.ndarray
    b: np.ndarray
    c: np.ndarray
    s: np.ndarray
    xi: np.ndarray


def products(at: Point) -> float:
    """Σ bs + cξ, the gap of duality."""
    return float(at.b @ at.s + at.c @ at.xi)


def moved(at: Point, way: Point, share: float) -> Point:
    """A share of the way on."""
    return Point(*(x + share * d for x, d in zip(at, way)))


def longest(at: Point, way: Point) -> float:
    """The largest share of the way at which no number becomes negative."""
    return min(float(np.min(np.where(d < 0, -x / np.where(d < 0, d, -1.0), np.inf))) for x, d in zip(at[1:], way[1:]))


def newton(Z: np.ndarray, at: Point, factor: Any, to_s: np.ndarray, to_xi: np.ndarray) -> Point:
    """The way to where the products bs and cξ are larger by these numbers, and all else holds, to first order."""
    from scipy.linalg import cho_solve

    D = 1 / (at.s / at.b + at.xi / at.c)
    g = to_s / at.b - to_xi / at.c - (Z @ at.w - 1 - at.s + at.xi)
    w = cho_solve(factor, Z.T @ (D * g) + (Z.T @ at.b - at.w), check_finite=False)
    b = D * (g - Z @ w)
    return Point(w, b, -b, (to_s - at.s * b) / at.b, (to_xi + at.xi * b) / at.c)


def squares(Z: np.ndarray, D: np.ndarray) -> tuple[np.ndarray, bool]:
    """Cholesky's factor of 1 + ZᵀDZ, from √D Z itself where rounding leaves no positive matrix."""
    from scipy.linalg import qr

    rows = np.sqrt(D)[:, None] * Z
    inner = rows.T @ rows
    inner.ravel()[:: len(inner) + 1] += 1.0
    try:
        return cholesky(inner)
    except np.linalg.LinAlgError:
        (R,) = qr(np.vstack([rows, np.eye(len(inner))]), mode="r", check_finite=False)
        return R[: len(inner)], False


def on_margin(
    Z: np.ndarray, cost: float, some: np.ndarray, kept: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int] | None:
    """The solution if those examples have b > 0 (`some`) and b < C (`kept`), where it fulfils all conditions."""
    from scipy.linalg import qr, solve_triangular

    on, lost = some & kept, some & ~kept
    count, N = int(on.sum()), Z.shape[1]
    if count > N:
        return None
    Q, R = qr(Z[on].T, mode="economic", check_finite=False)
    if count and np.abs(np.diag(R)).min() < ROUNDING * np.abs(R).max():
        return None
    pull = cost * Z[lost].sum(axis=0)
    along = Q.T @ pull
    # What is across has twice been made so, since it may be small; N directions leave nothing across.
    across = pull - Q @ along if count < N else np.zeros(N)
    across -= Q @ (Q.T @ across)

    def within(h: np.ndarray) -> np.ndarray:
        return solve_triangular(R, h, trans=1, check_finite=False)

    inside = within(np.ones(count))
    w = across + Q @ inside
    b = solve_triangular(R, inside - along, check_finite=False)
    h = Z @ w
    rounding = ROUNDING * max(1.0, float(np.abs(h).max()))
    slack = ROUNDING * float(np.abs(b).max(initial=0.0))
    if (
        (b < -slack).any()
        or (b > cost + slack).any()
        or (h[~some] < 1 - rounding).any()
        or (h[lost] > 1 + rounding).any()
    ):
        return None
    return w, Q @ within(1 - h[on]), int(lost.sum())
