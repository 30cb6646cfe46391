"""Approximate message passing for a symmetric low-rank matrix, its Bethe free energy, and principal components."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.physics.inference.pattern_priors import Posterior

Denoiser = Callable[..., Posterior]


class Iterate(NamedTuple):
    """State after an iteration.

    Attributes
    ----------
    x : ndarray (N, P)
        Estimates of the patterns.
    V : ndarray (P, P)
        Posterior covariance, averaged over the neurons.
    A : ndarray (P, P)
    B : ndarray (N, P)
        Precision and fields from which they came.
    log_z : float
        Sum of ln Z over the neurons.
    moved : float
        Mean of |x − x before|.
    """

    x: np.ndarray
    V: np.ndarray
    A: np.ndarray
    B: np.ndarray
    log_z: float
    moved: float


def amp(
    product: Callable[[np.ndarray], np.ndarray], Delta: float, denoise: Denoiser, x: np.ndarray
) -> Iterator[Iterate]:
    """Iterate from the estimates x (N, P), without end::

        B = S x/√N − x_before V/Δ,  A = xᵀx/(NΔ),  x, V = mean and covariance of w ∝ P(x) exp(B·x − ½ xᵀAx)

    with no reaction term in the first step (Lesieur, Krzakala & Zdeborová 2017, eqs. 72–75).
    """
    N, P = x.shape
    before, V = np.zeros_like(x), np.zeros((P, P))
    while True:
        B = product(x) / np.sqrt(N) - before @ (V / Delta)
        A = x.T @ x / (N * Delta)
        log_z, new, V = denoise(A, B, start=x)
        before, x = x, new
        yield Iterate(x, V, A, B, float(log_z.sum()), float(np.abs(x - before).mean()))


def bethe(product: Callable[[np.ndarray], np.ndarray], Delta: float, state: Iterate) -> float:
    """Bethe free energy per neuron at a fixed point, −(1/N) ln of the likelihood over that of noise alone.

    Lesieur, Krzakala & Zdeborová 2017, eq. 96.
    """
    x, V, A, B = state.x, state.V, state.A, state.B
    N = len(x)
    Q = x.T @ x
    value = state.log_z - np.sum(B * x) + 0.5 * np.sum(A * (Q + N * V)) - 0.5 * np.sum(Q * V) / Delta
    value += 0.5 * np.sum(x * product(x)) / np.sqrt(N) - 0.25 * np.sum(Q * Q) / (N * Delta)
    return -float(value) / N


def principal(product: Callable[[np.ndarray], np.ndarray], N: int, P: int, rng: np.random.Generator) -> np.ndarray:
    """Orthonormal eigenvectors (N, P) of the P largest eigenvalues, by Lanczos' method to 1e-6 of the norm.

    Raises
    ------
    ConvergenceError
        If they were not found.
    """
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

    def apply(v: np.ndarray) -> np.ndarray:
        return product(v.reshape(N, -1))

    operator = LinearOperator((N, N), matvec=lambda v: apply(v).ravel(), matmat=apply, dtype=np.float64)
    try:
        values, vectors = eigsh(operator, k=P, which="LA", v0=rng.standard_normal(N), tol=1e-6)
    except ArpackNoConvergence as failed:
        words = f"{failed.eigenvectors.shape[1]} of {P} eigenvectors of the synapses were found"
        raise ConvergenceError(words, last=failed.eigenvectors) from None
    return vectors[:, np.argsort(values)[::-1]]


def matched(x: np.ndarray, truth: np.ndarray, signs: bool, rotations: bool) -> np.ndarray:
    """x (N, P) with its columns in the order, and with the signs or rotated, that bring it closest to the truth.

    The synapses are the same for all orders and signs of the patterns; which of those the prior leaves open is told by
    `signs`, and by `rotations` for a Gaussian prior.
    """
    from scipy.optimize import linear_sum_assignment

    overlaps = truth.T @ x
    if rotations:
        left, _, right = np.linalg.svd(overlaps)
        return x @ (left @ right).T
    gain = np.abs(overlaps) if signs else overlaps
    rows, columns = linear_sum_assignment(gain, maximize=True)
    out = x[:, columns]
    return out * np.where(overlaps[rows, columns] < 0, -1.0, 1.0) if signs else out


def errors(x: np.ndarray, truth: np.ndarray, variance: float) -> dict[str, Any]:
    """``mse`` per component and ``overlap`` xᵀtruth/(NPσ²)."""
    return {"mse": float(np.mean((x - truth) ** 2)), "overlap": float(np.mean(x * truth)) / variance}
