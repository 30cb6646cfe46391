"""Convex losses ℓ(y, h) of empirical risk minimisation, with their proximal maps, and that of the perceptron."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.ground.parameters import word

#: Names of the losses.
LOSSES = ("square", "logistic", "hinge")
#: Where losses with a corner have it, in yh. The perceptron's has no minimum of its own, and no place among the others.
MARGIN = {"hinge": 1.0, "perceptron": 0.0}
#: Losses whose slope is at most c in size, and their curvature γ before that, inverted: y − h = γf while |f| < c.
BOUNDED = {"huber": 1.0, "absolute": 0.0}
#: exp of more is no float.
FAR = 709.0


def check_loss(name: str) -> str:
    """`name`, or a ModelError."""
    word("loss", name, LOSSES)
    return name


def loss(name: str, y: Any, h: Any, corner: float = 1.0) -> np.ndarray:
    """``square`` ½(y − h)², ``logistic`` ln(1 + e^{−yh}), ``hinge`` max(0, 1 − yh), ``perceptron`` max(0, −yh),
    ``absolute`` |y − h|, and ``huber``, ½(y − h)² up to the `corner` |y − h| = c, and from there on c|y − h| − ½c².
    """
    if name in BOUNDED:
        size = np.abs(np.asarray(y) - h)
        return size if name == "absolute" else np.where(size < corner, 0.5 * size**2, corner * (size - 0.5 * corner))
    if name == "square":
        return 0.5 * (np.asarray(y) - h) ** 2
    if name == "logistic":
        x = np.asarray(y) * h
        return np.log1p(np.exp(-np.abs(x))) + np.maximum(-x, 0.0)
    return np.maximum(0.0, MARGIN[name] - np.asarray(y) * h)


def slope(name: str, y: Any, h: Any) -> np.ndarray:
    """∂ℓ/∂h; at the corner of ``hinge`` the value from beyond it, 0, of ``perceptron`` −y: h = 0 is no answer."""
    y = np.asarray(y, dtype=float)
    if name == "square":
        return h - y
    if name == "logistic":
        return -y / (1.0 + np.exp(np.minimum(y * h, FAR)))
    wrong = y * h <= 0.0 if name == "perceptron" else y * h < 1.0
    return np.where(wrong, -y, 0.0)


def proximal(name: str, y: Any, omega: Any, V: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """t = argmin_h ℓ(y, h) + (h − ω)²/(2V), f = (t − ω)/V without its cancellation, and 1 − ∂t/∂ω.

    Parameters
    ----------
    name : {"square", "logistic", "hinge", "max_margin"}
        The last is no loss but infinite for yh < 1, and 0 beyond.
    y, omega : array_like
        Outputs (labels ±1 but for ``square``) and local fields.
    V : float
        Variance, > 0.
    """
    y, omega = np.broadcast_arrays(np.asarray(y, dtype=float), np.asarray(omega, dtype=float))
    if name == "square":
        return (omega + V * y) / (1 + V), (y - omega) / (1 + V), np.full(omega.shape, V / (1 + V))
    x = y * omega
    if name == "hinge":
        f = np.clip((1.0 - x) / V, 0.0, 1.0)
        return y * np.where(f < 1.0, np.maximum(x, 1.0), x + V), y * f, np.where((f > 0.0) & (f < 1.0), 1.0, 0.0)
    if name == "max_margin":
        return y * np.maximum(x, 1.0), y * np.maximum(1.0 - x, 0.0) / V, np.where(x < 1.0, 1.0, 0.0)
    t, wrong = _logistic(x, V)
    curvature = V * wrong * (1 - wrong)
    return y * t, y * wrong, curvature / (1 + curvature)


def _logistic(x: np.ndarray, V: float) -> tuple[np.ndarray, np.ndarray]:
    """Root t of t − x − Vσ(−t), increasing in t and between x and x + V, and σ(−t): Newton, kept inside by bisection.

    It begins with the root for e^(−t) in place of σ(−t), or of its mirror image where t < 0.
    """
    from scipy.special import wrightomega

    low, high = x.copy(), x + V
    side = np.where(x + 0.5 * V > 0, 1.0, -1.0)
    inner = np.where(side > 0, x, -(x + V))
    t = np.clip(side * (inner + wrightomega(np.log(V) - inner)), low, high)
    for _ in range(200):
        wrong = np.exp(-np.logaddexp(0.0, t))
        gap = t - x - V * wrong
        low, high = np.where(gap < 0, t, low), np.where(gap < 0, high, t)
        new = t - gap / (1 + V * wrong * (1 - wrong))
        new = np.where((new >= low) & (new <= high), new, 0.5 * (low + high))
        # Of a step of Newton's its square is left.
        done = np.abs(new - t) <= 1e-9 * (1 + np.abs(new))
        t = new
        if done.all():
            break
    return t, np.exp(-np.logaddexp(0.0, t))


def corners(name: str, V: float) -> tuple[tuple[float, float], ...]:
    """Values of yω at which the proximal map bends, and on what scale; 0 for a corner."""
    if name == "logistic":
        # For large V it is a logit between −V and 0, within ln V of which the exponential tails begin.
        tail = max(float(np.log(V)), 0.0)
        return tuple((where, 1.0) for where in (-V - tail, -V, 0.0, tail))
    return {"hinge": ((1.0 - V, 0.0), (1.0, 0.0)), "max_margin": ((1.0, 0.0),)}.get(name, ())
