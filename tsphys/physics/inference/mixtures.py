"""Log-partition functions as sums over pieces, with their first two derivatives; a rule for Gaussian averages."""

from __future__ import annotations

from typing import Any

import numpy as np


def combine(log_weights: Any, first: Any, second: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ln Z of Z = Σ_k exp(L_k) and its first two derivatives, from L_k, L_k' and L_k'', each with k as first axis.

    For a prior these are the mean and the variance of the posterior, for an output channel g_out and its slope.
    """
    top = np.max(log_weights, axis=0)
    top = np.where(np.isfinite(top), top, 0.0)
    share = np.exp(log_weights - top)
    total = share.sum(axis=0)
    share = share / np.where(total > 0, total, 1.0)
    mean = np.sum(share * first, axis=0)
    with np.errstate(divide="ignore"):
        return top + np.log(total), mean, np.sum(share * (second + (first - mean) ** 2), axis=0)


def spread_grid(width: float, nodes: int = 401) -> tuple[np.ndarray, np.ndarray]:
    """Nodes x and weights of ∫Dz f(z) for f that vary on the scale 1/`width` about z = 0, z = x/`width`.

    The trapezoidal rule in t, x = sinh t, which resolves both scales and converges exponentially; it ends at |z| = 10,
    beyond which the Gaussian is 1e-23.
    """
    width = max(float(width), 1e-8)
    t = np.linspace(-1.0, 1.0, nodes) * np.arcsinh(10.0 * width)
    x = np.sinh(t)
    return x, np.exp(-0.5 * (x / width) ** 2) * np.cosh(t) * (t[1] - t[0]) / (width * np.sqrt(2 * np.pi))
