"""Spectra of random matrices."""

from __future__ import annotations

import numpy as np


def marchenko_pastur(ratio: float, nodes: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues of FFᵀ/D, F a matrix of (ratio·D, D) normal numbers, D → ∞, as nodes and weights of an average.

    Gauss quadrature, which is exact for polynomials of degree below 2·`nodes`. The law of Marchenko and Pastur has the
    Jacobi matrix (1, 1 + ratio, 1 + ratio, …), off its diagonal √ratio, whose eigenvalues are the nodes; its atom
    1 − 1/ratio at 0 for a ratio above 1 comes out as one of them.

    Parameters
    ----------
    ratio : float
        Rows over columns, > 0.
    nodes : int

    Returns
    -------
    s, weights : ndarray, shape (nodes,)
        Ascending eigenvalues, and weights of sum 1.

    References
    ----------
    Marchenko & Pastur, Math. USSR Sb. 1, 457 (1967); Golub & Welsch, Math. Comput. 23, 221 (1969).
    """
    from scipy.linalg import eigh_tridiagonal

    diagonal = np.full(nodes, 1.0 + ratio)
    diagonal[0] = 1.0
    s, vectors = eigh_tridiagonal(diagonal, np.full(nodes - 1, np.sqrt(ratio)))
    # What is below zero is the atom, to rounding.
    return np.maximum(s, 0.0), vectors[0] ** 2
