"""Spectra of random matrices."""

from __future__ import annotations

import numpy as np


def marchenko_pastur(ratio: float, nodes: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues of FFᵀ/N, F a matrix of (ratio·N, N) normal numbers, N → ∞, as nodes and weights of an average.

    Midpoints in the angle that takes the root singularities away: the error falls exponentially with the nodes, by
    e^(−2·nodes·√(distance/width)) for a function with a pole near the spectrum, in units of its width.

    Parameters
    ----------
    ratio : float
        Rows over columns, > 0.
    nodes : int
        Nodes on the continuous part, (1 ± √ratio)²; one more stands for the zeros of a ratio above 1.

    Returns
    -------
    s, weights : ndarray, shape (nodes + 1,)

    References
    ----------
    Marchenko & Pastur, Math. USSR Sb. 1, 457 (1967).
    """
    low, high = (1 - np.sqrt(ratio)) ** 2, (1 + np.sqrt(ratio)) ** 2
    angle = (np.arange(nodes) + 0.5) * np.pi / nodes
    s = (low + high) / 2 + (high - low) / 2 * np.cos(angle)
    weights = np.sin(angle) ** 2 / s
    at_zero = max(0.0, 1 - 1 / ratio)
    return np.append(s, 0.0), np.append(weights * (1 - at_zero) / weights.sum(), at_zero)
