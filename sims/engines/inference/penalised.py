"""Minima of risks with (λ/2)|w|² + λ₁|w|₁ on an instance, by an interior point method that ends on their support."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.physics.inference.losses import loss, slope
from tsphys.sims.engines.inference.ridge import cholesky

#: Products, relative to those of the start, below which a support that does not fit is an error.
ENOUGH = 1e-25
#: How far a gradient may be beyond λ₁, relative to its terms.
ROUNDING = 1e-10
#: Largest step of Newton's method, relative to the weights, that is called an end, where rounding makes one.
LARGEST_STEP = 1e-6


def shrunk(name: str, X: np.ndarray, y: np.ndarray, lam: float, l1: float) -> tuple[np.ndarray, np.ndarray]:
    """argmin_w Σ ℓ(y, Xw) + (λ/2)|w|² + λ₁|w|₁, and the step that would be taken next.

    Parameters
    ----------
    name : {"square", "logistic"}
    X, y : ndarray (n, N), (n,)
    lam, l1 : float
        λ > 0 and λ₁ > 0.

    Raises
    ------
    ConvergenceError
        If it was not reached.
    """
    start = np.zeros(X.shape[1])
    return quadratic(X, y, lam, l1, start) if name == "square" else _newton(X, y, lam, l1, start)


def _newton(
    X: np.ndarray, y: np.ndarray, lam: float, l1: float, w: np.ndarray, most: int = 100
) -> tuple[np.ndarray, np.ndarray]:
    """The logistic loss by its parabolas, with halved steps, until steps cease to shrink."""

    def risk(w: np.ndarray) -> float:
        return float(loss("logistic", y, X @ w).sum() + 0.5 * lam * w @ w + l1 * np.abs(w).sum())

    value, last = risk(w), np.inf
    for _ in range(most):
        h = X @ w
        pull = -slope("logistic", y, h)
        bend = np.abs(pull) * (1 - np.abs(pull))
        # Half a parabola's squares of √D X against (D h + pull)/√D.
        root = np.sqrt(bend)
        step = quadratic(root[:, None] * X, root * h + pull / np.maximum(root, 1e-150), lam, l1, w)[0] - w
        size = float(np.linalg.norm(step)) / max(float(np.linalg.norm(w)), 1e-300)
        if not step.any() or 0.5 * last <= size < LARGEST_STEP:
            return w, step
        last, share = size, 1.0
        drop = float((lam * w - X.T @ pull) @ step + l1 * (np.abs(w + step).sum() - np.abs(w).sum()))
        while share > 1e-10 and risk(w + share * step) > value + 1e-4 * share * drop + 1e-12 * abs(value):
            share *= 0.5
        w = w + share * step
        value = risk(w)
    raise ConvergenceError("the logistic risk was not minimised", residual=size, iterations=most, last=w)


class Point(NamedTuple):
    """w = u − v, and s, t ≥ 0 of λ₁ + g and λ₁ − g, with the gradient g of what is smooth."""

    u: np.ndarray
    v: np.ndarray
    s: np.ndarray
    t: np.ndarray


def quadratic(
    X: np.ndarray, y: np.ndarray, lam: float, l1: float, first: np.ndarray, most: int = 100
) -> tuple[np.ndarray, np.ndarray]:
    """argmin_w ½|y − Xw|² + (λ/2)|w|² + λ₁|w|₁, and how far rounding leaves it open.

    With g = Xᵀ(Xw − y) + λw the conditions are us = vt = 0 of numbers ≥ 0; Mehrotra's steps lead there with products
    μ > 0 in their place. On the way it is tried which weights are not zero: these solve linear equations, and if all
    other conditions hold, it is the minimum; at the support of `first` before all.
    """
    H = X.T @ X
    H.ravel()[:: len(H) + 1] += lam
    c = X.T @ y
    exact = on_support(X, y, lam, l1, H, c, np.sign(first))
    if exact is not None:
        return exact
    size = max(float(np.abs(c).max()), l1)
    weight = size / max(float(np.diag(H).mean()), 1e-300)
    at = Point(*(np.full(len(c), x) for x in (weight, weight, size, size)))
    for _ in range(most):
        w = at.u - at.v
        g = H @ w - c
        left = l1 + g - at.s, l1 - g - at.t
        mu = float(at.u @ at.s + at.v @ at.t) / (2 * len(c))
        signs = np.where(at.u * size > at.s * weight, 1.0, 0.0) - np.where(at.v * size > at.t * weight, 1.0, 0.0)
        exact = on_support(X, y, lam, l1, H, c, signs) if mu < size * weight else None
        if exact is not None:
            return exact
        if mu < ENOUGH * size * weight:
            break
        d = at.u / at.s + at.v / at.t
        inner = H.copy()
        inner.ravel()[:: len(H) + 1] += 1 / d
        try:
            factor = cholesky(inner)
        except np.linalg.LinAlgError:
            break
        ahead = _way(H, at, factor, d, left, -at.u * at.s, -at.v * at.t)
        new = _moved(at, ahead, _longest(at, ahead))
        aim = mu * (float(new.u @ new.s + new.v @ new.t) / (2 * len(c) * mu)) ** 3
        way = _way(H, at, factor, d, left, aim - at.u * at.s - ahead.u * ahead.s, aim - at.v * at.t - ahead.v * ahead.t)
        at = _moved(at, way, min(1.0, 0.995 * _longest(at, way)))
    raise ConvergenceError("the support of the minimum was not found", residual=mu, iterations=most, last=w)


def _way(
    H: np.ndarray, at: Point, factor: Any, d: np.ndarray, left: tuple[np.ndarray, np.ndarray], to_u: np.ndarray,
    to_v: np.ndarray,
) -> Point:  # fmt: skip
    """The way to where the products us and vt are larger by these numbers and all else holds, to first order."""
    from scipy.linalg import cho_solve

    u, v, s, t = at
    w = cho_solve(factor, (to_u / s - to_v / t - u / s * left[0] + v / t * left[1]) / d, check_finite=False)
    bend = H @ w
    ds, dt = bend + left[0], left[1] - bend
    return Point((to_u - u * ds) / s, (to_v - v * dt) / t, ds, dt)


def _moved(at: Point, way: Point, share: float) -> Point:
    return Point(*(x + share * d for x, d in zip(at, way, strict=True)))


def _longest(at: Point, way: Point) -> float:
    """The largest share of the way at which no number becomes negative."""
    pairs = zip(at, way, strict=True)
    return min(float(np.min(np.where(d < 0, -x / np.where(d < 0, d, -1.0), np.inf))) for x, d in pairs)


def on_support(
    X: np.ndarray, y: np.ndarray, lam: float, l1: float, H: np.ndarray, c: np.ndarray, signs: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """The minimum if its weights have these signs, with the last of the corrections that rounding leaves."""
    from scipy.linalg import cho_solve

    on = np.flatnonzero(signs)
    try:
        factor = cholesky(H[np.ix_(on, on)]) if len(on) else None
    except np.linalg.LinAlgError:
        return None
    A, w, step = X[:, on], np.zeros(len(on)), np.zeros(len(on))
    for _ in range(4 if len(on) else 0):
        step = cho_solve(factor, A.T @ (y - A @ w) - lam * w - l1 * signs[on], check_finite=False)
        w = w + step
    out, last = np.zeros(len(c)), np.zeros(len(c))
    out[on], last[on] = w, step
    rest = y - A @ w
    pull, slack = np.abs(X.T @ rest), ROUNDING * (l1 + np.abs(X).T @ np.abs(rest))
    pull[on] = 0.0
    return (out, last) if (w * signs[on] >= 0).all() and (pull <= l1 + slack).all() else None
