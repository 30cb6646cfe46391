"""Convex losses ℓ(y, h) of empirical risk minimisation, with their proximal maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.errors import ModelError

#: Names of the losses.
LOSSES = ("square", "logistic", "hinge")


def check_loss(name: str) -> str:
    """`name`, or a ModelError."""
    if name not in LOSSES:
        raise ModelError("loss", name, "must be one of " + ", ".join(LOSSES))
    return name


def loss(name: str, y: Any, h: Any) -> np.ndarray:
    """``square`` ½(y − h)², ``logistic`` ln(1 + e^{−yh}), ``hinge`` max(0, 1 − yh)."""
    if name == "square":
        return 0.5 * (np.asarray(y) - h) ** 2
    if name == "logistic":
        return np.logaddexp(0.0, -np.asarray(y) * h)
    return np.maximum(0.0, 1.0 - np.asarray(y) * h)


def slope(name: str, y: Any, h: Any) -> np.ndarray:
    """∂ℓ/∂h; at the corner of ``hinge`` the value from beyond it, 0."""
    y = np.asarray(y, dtype=float)
    if name == "square":
        return h - y
    if name == "logistic":
        return -y * np.exp(-np.logaddexp(0.0, y * h))
    return np.where(y * h < 1.0, -y, 0.0)


def proximal(name: str, y: Any, omega: Any, V: float) -> tuple[np.ndarray, np.ndarray]:
    """t = argmin_h ℓ(y, h) + (h − ω)²/(2V), and 1 − ∂t/∂ω.

    Parameters
    ----------
    name : {"square", "logistic", "hinge"}
    y, omega : array_like
        Outputs (labels ±1 but for ``square``) and local fields.
    V : float
        Variance, > 0.
    """
    y, omega = np.broadcast_arrays(np.asarray(y, dtype=float), np.asarray(omega, dtype=float))
    if name == "square":
        return (omega + V * y) / (1 + V), np.full(omega.shape, V / (1 + V))
    x = y * omega
    if name == "hinge":
        inner = (x <= 1.0) & (x >= 1.0 - V)
        return y * np.where(x > 1.0, x, np.where(inner, 1.0, x + V)), np.where(inner, 1.0, 0.0)
    t, curvature = _logistic(x, V)
    return y * t, V * curvature / (1 + V * curvature)


def _logistic(x: np.ndarray, V: float) -> tuple[np.ndarray, np.ndarray]:
    """Root of t − x − Vσ(−t), increasing in t and between x and x + V: Newton, kept inside by bisection."""
    low, high = x.copy(), x + V
    t = np.clip(np.log1p(np.exp(np.minimum(x, 50.0))), low, high)
    for _ in range(200):
        s = np.exp(-np.logaddexp(0.0, t))
        gap = t - x - V * s
        low, high = np.where(gap < 0, t, low), np.where(gap < 0, high, t)
        new = t - gap / (1 + V * s * (1 - s))
        new = np.where((new >= low) & (new <= high), new, 0.5 * (low + high))
        done = np.abs(new - t) <= 4e-16 * (1 + np.abs(new))
        t = new
        if done.all():
            break
    s = np.exp(-np.logaddexp(0.0, t))
    return t, s * (1 - s)


def corners(name: str, V: float) -> tuple[float, ...]:
    """Values of yω at which the proximal map has a corner."""
    return (1.0 - V, 1.0) if name == "hinge" else ()
