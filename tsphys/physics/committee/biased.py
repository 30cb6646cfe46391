"""Averages of ReLUs with biases over two standard normal variables (u, w) of correlation ρ; all arguments broadcast."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.numerics.gaussian import density

#: What stands for a bias of zero in ratios, and for the part of w beside u where there is none: below it the averages
#: are off by as much at most.
TINY, BESIDE = 1e-300, 1e-9


def both(h: Any, k: Any, rho: Any) -> np.ndarray:
    """P(u < h, w < k), by T functions (Owen, Ann. Math. Stat. 27, 1075 (1956))."""
    from scipy.special import ndtr, owens_t

    h, k = (np.where(np.equal(x, 0), TINY, x) for x in (h, k))
    s = beside(rho)
    with np.errstate(over="ignore"):
        wedges = owens_t(h, (k - rho * h) / s / h) + owens_t(k, (h - rho * k) / s / k)
    return np.asarray(0.5 * (ndtr(h) + ndtr(k)) - wedges - 0.5 * (np.sign(h) != np.sign(k)))


def beside(rho: Any) -> np.ndarray:
    """√(1 − ρ²), the part of w that is independent of u."""
    return np.asarray(np.sqrt(np.maximum(1 - np.square(rho), BESIDE**2)))


def product(h: Any, k: Any, rho: Any) -> np.ndarray:
    """⟨(u + h)₊ (w + k)₊⟩."""
    from scipy.special import ndtr

    s = beside(rho)
    pair = density(h) * density((k - rho * h) / s)
    edges = h * density(k) * ndtr((h - rho * k) / s) + k * density(h) * ndtr((k - rho * h) / s)
    return np.asarray((rho + h * k) * both(h, k, rho) + edges + s * pair)


def mean_square(h: Any) -> np.ndarray:
    """⟨(u + h)₊²⟩."""
    from scipy.special import ndtr

    return np.asarray((1 + np.square(h)) * ndtr(h) + h * density(h))


def outputs_product(C: Any, b: Any) -> np.ndarray:
    """⟨(x_i + b_i)₊ (x_j + b_j)₊⟩ (…, n, n) of fields x of covariance C (…, n, n), biases b (…, n)."""
    C, b = np.asarray(C), np.asarray(b)
    scale = np.sqrt(np.maximum(np.diagonal(C, axis1=-2, axis2=-1), TINY))
    pair = scale[..., :, None] * scale[..., None, :]
    h = b / scale
    rho = np.clip(C / pair, -1, 1)
    found = product(h[..., :, None], h[..., None, :], rho)
    i = np.arange(b.shape[-1])
    found[..., i, i] = mean_square(h)
    return np.asarray(pair * found)
