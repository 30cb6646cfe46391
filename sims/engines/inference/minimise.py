"""Minima of convex risks on an instance, each with a certificate: a gradient, or a gap between primal and dual."""

from __future__ import annotations

import numpy as np

from tsphys._jit import njit
from tsphys.errors import ConvergenceError
from tsphys.physics.inference.losses import loss, slope
from tsphys.sims.engines.inference.ridge import least_squares

#: Largest gradient, or relative gap of duality, that is called converged.
GRADIENT, GAP = 1e-9, 1e-8


def minimise(name: str, X: np.ndarray, y: np.ndarray, lam: float) -> np.ndarray:
    """argmin_w Σ ℓ(y, Xw) + (λ/2)|w|².

    Parameters
    ----------
    name : {"square", "logistic", "hinge"}
    X : ndarray (n, N)
        Inputs over √N.
    y : ndarray (n,)
    lam : float
        λ > 0.

    Raises
    ------
    ConvergenceError
        If it was not reached.
    """
    if name == "square":
        return least_squares(X, y, np.array([lam]))[:, 0]
    return _newton(X, y, lam) if name == "logistic" else _dual(X, y, lam)


def _ridge(X: np.ndarray, lam: float, target: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(XᵀDX + λ)⁻¹ target with diagonal D > 0, in the smaller of the two spaces."""
    from scipy.linalg import solve

    n, N = X.shape
    if n >= N:
        return solve((X.T * weight) @ X + lam * np.eye(N), target, assume_a="pos")
    inner = solve(X @ X.T + lam * np.diag(1 / weight), X @ target, assume_a="pos")
    return (target - X.T @ inner) / lam


def _newton(X: np.ndarray, y: np.ndarray, lam: float, most: int = 200) -> np.ndarray:
    """Newton's method with halved steps for the logistic loss."""

    def risk(w: np.ndarray, h: np.ndarray) -> float:
        return float(loss("logistic", y, h).sum() + 0.5 * lam * w @ w)

    w, h = np.zeros(X.shape[1]), np.zeros(len(y))
    value = risk(w, h)
    size = np.inf
    for _ in range(most):
        gradient = X.T @ slope("logistic", y, h) + lam * w
        size = float(np.abs(gradient).max())
        if size < GRADIENT * max(1.0, lam * float(np.abs(w).max())):
            return w
        p = np.exp(-np.logaddexp(0.0, h))
        step = _ridge(X, lam, gradient, np.maximum(p * (1 - p), 1e-300))
        move, share = X @ step, 1.0
        drop = float(gradient @ step)
        while risk(w - share * step, h - share * move) > value - 1e-4 * share * drop + 1e-12 * abs(value):
            share *= 0.5
            if share < 1e-10:
                break
        w, h = w - share * step, h - share * move
        value = risk(w, h)
    raise ConvergenceError("the logistic risk was not minimised", residual=size, iterations=most, last=w)


@njit
def _passes(X, y, norms, lam, a, w, order):
    """One pass of dual coordinate ascent (Hsieh et al. 2008) over the examples in `order`; w = Xᵀ(ya)/λ follows."""
    for i in order:
        h = 0.0
        for j in range(X.shape[1]):
            h += X[i, j] * w[j]
        new = min(max(a[i] + lam * (1.0 - y[i] * h) / norms[i], 0.0), 1.0)
        if new != a[i]:
            change = (new - a[i]) * y[i] / lam
            for j in range(X.shape[1]):
                w[j] += change * X[i, j]
            a[i] = new


def _dual(X: np.ndarray, y: np.ndarray, lam: float, most: int = 100_000) -> np.ndarray:
    """Support vectors: maximise Σa − λ|w|²/2 over 0 ≤ a ≤ 1, w = Xᵀ(ya)/λ; ends at a relative gap of duality."""
    a, w = np.zeros(len(y)), np.zeros(X.shape[1])
    norms = np.einsum("ij,ij->i", X, X)
    rng = np.random.default_rng(0)
    gap = np.inf
    for done in range(most):
        _passes(X, y, norms, lam, a, w, rng.permutation(len(y)))
        if done % 10:
            continue
        dual = a.sum() - 0.5 * lam * w @ w
        primal = 0.5 * lam * w @ w + np.maximum(0.0, 1.0 - y * (X @ w)).sum()
        gap = (primal - dual) / max(dual, 1e-300)
        if gap < GAP:
            return w
    raise ConvergenceError("the hinge risk was not minimised", residual=gap, iterations=most, last=w)


def max_margin(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float]:
    """The w with |w|² = N of largest min_i y_i (Xw)_i, and that margin, by non-negative least squares.

    The shortest w with y_i (Xw)_i ≥ 1 is what is left of (0, …, 0, 1) beyond the cone of the (y_i x_i, 1), over its
    last component (Lawson & Hanson 1974, ch. 23); the active set of the cone are the support vectors.

    Raises
    ------
    ConvergenceError
        If the labels cannot be separated, or hardly.
    """
    from scipy.optimize import nnls

    n, N = X.shape
    cone = np.vstack([(y[:, None] * X).T, np.ones(n)])
    target = np.append(np.zeros(N), 1.0)
    try:
        a, _ = nnls(cone, target, maxiter=50 * n)
    except RuntimeError as error:
        raise ConvergenceError(f"the margin was not maximised: {error}", iterations=50 * n) from None
    left = target - cone @ a
    w = -left[:N] / left[N] if left[N] > 1e-12 else np.zeros(N)
    lowest = float((y * (X @ w)).min())
    if not abs(lowest - 1) < 1e-6:
        raise ConvergenceError("the labels could not be separated", residual=abs(lowest - 1), last=w)
    scale = np.sqrt(N) / np.linalg.norm(w)
    return w * scale, lowest * float(scale)
