"""Weights that are kept by their size: moments of the classes of coordinates that the same units keep.

A coordinate has the weights w (K,) when masks are made, and those of the teachers b (M,); unit k keeps those with
|w_k| > θ_k. Where w is jointly normal with b and with weights v at another time, or a mixture of such laws, means of a
class follow from those of w alone: ⟨b wᵀ⟩ and the like are linear regressions on w.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy.optimize import brentq
from scipy.special import erfc, ndtr

from tsphys.errors import ConvergenceError
from tsphys.numerics.gaussian import density
from tsphys.physics.order_parameters import triangular_root

#: Standard deviations beyond which a weight is never found.
END = 7.5
#: Nodes in each part of an axis that are tried, until the next ones give the same.
NODES = (16, 23, 32, 45, 64, 91, 128, 256, 512)
#: How much the same, relative to the largest moment.
SAME = 1e-8
#: Points of a quadrature, at most.
MOST_POINTS = 2**24
#: Variance of weights that are zero, over the largest: what is kept of them is left to chance, as masks of runs do.
TIE = 1e-16


def without_ties(W: np.ndarray) -> np.ndarray:
    """Covariances (n, K, K) of weights, of which those that are zero are next to none, each by itself."""
    variances = np.diagonal(W, axis1=-2, axis2=-1)
    least = TIE * (variances.max() or 1.0)
    some = variances > least
    return np.where(some[:, :, None] & some[:, None, :], W, least * np.eye(W.shape[-1]))


def threshold(variances: np.ndarray, chances: np.ndarray, density: float) -> float:
    """θ that a fraction `density` of the weights exceeds, in a mixture of normal ones of these variances."""
    roots = np.sqrt(np.maximum(variances, 0.0)) + np.finfo(float).tiny

    def above(theta: float) -> float:
        return float(chances @ erfc(theta / roots / np.sqrt(2.0)) - density)

    # Rounding, relative to the largest weights.
    return 0.0 if density == 1 else float(brentq(above, 0.0, 40.0 * roots.max(), xtol=1e-15 * roots.max(), rtol=1e-14))


def parts(mean: np.ndarray, root: float, theta: float, kept: bool) -> tuple[np.ndarray, np.ndarray]:
    """Ends (n, len(mean)) of the intervals of z where |mean + root·z| exceeds θ, or does not."""
    inner = np.clip((np.array([[-theta], [theta]]) - mean) / max(root, 1e-100), -END, END)
    out = np.full((2, len(mean)), END)
    return (np.array([-out[0], inner[1]]), np.array([inner[0], out[0]])) if kept else (inner[:1], inner[1:])


def boxes(W: np.ndarray, theta: np.ndarray, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Chance f (2^K,) and moments ⟨w wᵀ 1⟩ (2^K, K, K) of the classes of normal w of covariance W (K, K).

    A class is where units k of `classes(K)` have |w_k| > θ_k. Gauss-Legendre, one unit after the other, and the last in
    closed form.
    """
    K, L = len(W), triangular_root(W)
    x, weight = np.polynomial.legendre.leggauss(nodes)
    f, moments = np.empty(2**K), np.empty((2**K, K, K))
    for i, kept in enumerate(classes(K)):
        z, w, p = np.zeros((1, 0)), np.zeros((1, 0)), np.ones(1)
        for k in range(K - 1):
            mean = z @ L[k, :k]
            low, high = parts(mean, L[k, k], theta[k], kept[k] > 0)
            half, shape = (high - low) / 2, (len(low), len(z), nodes)
            own = (low + half)[..., None] + half[..., None] * x
            p = (p[:, None] * half[..., None] * weight * density(own)).ravel()
            both = ((z, own), (w, mean[:, None] + L[k, k] * own))
            z, w = (
                np.concatenate([np.broadcast_to(a[:, None], (*shape, k)), b[..., None]], -1).reshape(-1, k + 1)
                for a, b in both
            )
        mean, root = z @ L[-1, :-1], L[-1, -1]
        low, high = parts(mean, root, theta[-1], kept[-1] > 0)
        zero = (ndtr(high) - ndtr(low)).sum(0)
        one = (density(low) - density(high)).sum(0)
        two = zero + (low * density(low) - high * density(high)).sum(0)
        first, second = mean * zero + root * one, mean**2 * zero + 2 * mean * root * one + root**2 * two
        f[i] = p @ zero
        moments[i, :-1, :-1] = (p * zero * w.T) @ w
        moments[i, -1, :-1] = moments[i, :-1, -1] = (p * first) @ w
        moments[i, -1, -1] = p @ second
    return f, moments


def classes(K: int) -> np.ndarray:
    """One (2^K, K) where a unit keeps the coordinates of a class, otherwise zero."""
    return np.array(list(product((1.0, 0.0), repeat=K)))


def kept_moments(W: np.ndarray, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`boxes` with as many nodes as it takes.

    Raises
    ------
    ConvergenceError
        If more change them by more than `SAME`: weights of different units are almost, but not quite, the same.
    """
    f, moments = boxes(W, theta, NODES[0])
    size, gap = max(np.abs(W).max(), 1e-100), np.inf
    for nodes in NODES[1:]:
        if (2 * nodes) ** (len(W) - 1) > MOST_POINTS:
            break
        fewer, f, moments = (f, moments), *boxes(W, theta, nodes)
        gap = max(np.abs(fewer[0] - f).max(), np.abs(fewer[1] - moments).max() / size)
        if gap < SAME:
            return f, moments
    raise ConvergenceError("weights of different units are too much alike for the quadrature of masks", residual=gap)
