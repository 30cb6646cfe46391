"""Minima of convex risks on an instance, each with what another step would change."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.physics.inference.losses import BOUNDED, loss, slope
from tsphys.sims.engines.inference.penalised import shrunk
from tsphys.sims.engines.inference.ridge import least_squares
from tsphys.sims.engines.inference.robust import bounded_forces
from tsphys.sims.engines.inference.support import squares, support_vectors

#: Largest step of Newton's method, relative to the weights, that is called an end, where rounding makes one.
LARGEST_STEP = 1e-6
#: Cost of an example that is given up, where none should be; multipliers are of the order of the inverse square margin.
COSTLY = 1e12


def minimise(
    name: str, X: np.ndarray, y: np.ndarray, lam: float, corner: float = 1.0, l1: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """argmin_w Σ ℓ(y, Xw) + (λ/2)|w|² + λ₁|w|₁, and the step that its solver would take next, of the size of the error.

    Parameters
    ----------
    name : {"square", "logistic", "hinge", "huber", "absolute"}
    X : ndarray (n, N)
        Inputs over √N.
    y : ndarray (n,)
    lam : float
        λ > 0.
    corner : float
        Where Huber's loss ceases to be a square.
    l1 : float
        λ₁ of ``square`` and ``logistic``.

    Raises
    ------
    ConvergenceError
        If it was not reached.
    """
    if l1 > 0:
        return shrunk(name, X, y, lam, l1)
    if name == "square":
        w, step = least_squares(X, y, [lam])
        return w[:, 0], step[:, 0]
    back, X = in_span(X)
    if name in BOUNDED:
        w, step = bounded_forces(name, X, y, lam, corner)
        return back(w), back(step)
    w, step = _newton(X, y, lam) if name == "logistic" else support_vectors(X, y, 1 / lam)[:2]
    return back(w), back(step)


def in_span(X: np.ndarray) -> tuple[Callable[[np.ndarray], np.ndarray], np.ndarray]:
    """Few examples in an orthonormal basis of their span, in which minima lie, and what brings weights back from it."""
    from scipy.linalg import qr

    if len(X) >= X.shape[1]:
        return lambda w: w, X
    Q, R = qr(X.T, mode="economic", check_finite=False)
    return lambda w: Q @ w, R.T


def _newton(X: np.ndarray, y: np.ndarray, lam: float, most: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Newton's method with halved steps for the logistic loss, until steps cease to shrink."""
    from scipy.linalg import cho_solve

    def risk(w: np.ndarray, h: np.ndarray) -> float:
        return float(loss("logistic", y, h).sum() + 0.5 * lam * w @ w)

    w, h = np.zeros(X.shape[1]), np.zeros(len(y))
    value, last = risk(w, h), np.inf
    for _ in range(most):
        wrong = np.abs(slope("logistic", y, h))
        gradient = X.T @ (-y * wrong) + lam * w
        factor = squares(X, wrong * (1 - wrong) / lam)
        step = -cho_solve(factor, gradient / lam, check_finite=False)
        size = float(np.linalg.norm(step)) / max(float(np.linalg.norm(w)), 1e-300)
        if 0.5 * last <= size < LARGEST_STEP:
            return w, step
        last, share = size, 1.0
        move, drop = X @ step, float(gradient @ step)
        while share > 1e-10 and risk(w + share * step, h + share * move) > value + 1e-4 * share * drop + 1e-12 * value:
            share *= 0.5
        w = w + share * step
        h = X @ w
        value = risk(w, h)
    raise ConvergenceError("the logistic risk was not minimised", residual=size, iterations=most, last=w)


def max_margin(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """The w with |w|² = N of largest min_i y_i (Xw)_i, that margin, and the step that its solver would take next.

    It is the minimum of the hinge risk at a λ so small that no example is given up, if one is not to be.

    Raises
    ------
    ConvergenceError
        If the labels cannot be separated, or hardly.
    """
    back, rows = in_span(X)
    w, step, lost = support_vectors(rows, y, COSTLY)
    if lost:
        words = f"the labels could not be separated: {lost} of them are given up"
        raise ConvergenceError(words, residual=float(lost), last=back(w))
    scale = np.sqrt(X.shape[1]) / np.linalg.norm(w)
    return back(w) * scale, float((y * (rows @ w)).min() * scale), back(step) * scale
