"""Zonal functions on the sphere |x|² = N: Gegenbauer's polynomials of one coordinate, and averages over it."""

from __future__ import annotations

import math

import numpy as np


def harmonics(dimension: int, degree: int) -> float:
    """Number N_a of independent harmonic polynomials of a degree in N dimensions."""
    if degree == 0:
        return 1.0
    return (2 * degree + dimension - 2) / degree * math.comb(degree + dimension - 3, degree - 1)


def recurrence(dimension: int, terms: int) -> np.ndarray:
    """Off-diagonal of the Jacobi matrix of the weight (1 − ρ²)^((N − 3)/2), of so many terms, for N ≥ 3."""
    k, alpha = np.arange(1.0, terms + 1), dimension / 2 - 1
    return np.sqrt(k * (k + 2 * alpha - 1) / (4 * (k + alpha) * (k + alpha - 1)))


def nodes(dimension: int, count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Gauss's nodes ρ and weights of sum 1 for averages over a coordinate x_1/√N of the sphere."""
    from scipy.linalg import eigh_tridiagonal

    rho, vectors = eigh_tridiagonal(np.zeros(count), recurrence(dimension, count - 1))
    return rho, vectors[0] ** 2


def zonal(dimension: int, rho: np.ndarray, most: int) -> np.ndarray:
    """Harmonic functions √N_a G_a(ρ) of mean square 1 on the sphere, degrees 0 to `most` in front of the axes of ρ."""
    b = recurrence(dimension, most + 1)
    out = [np.ones_like(rho), rho / b[0]]
    for k in range(1, most):
        out.append((rho * out[k] - b[k - 1] * out[k - 1]) / b[k])
    return np.stack(out[: most + 1])


def on_sphere(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Points of the sphere |x|² = N, N the last of the axes."""
    x = rng.standard_normal(shape)
    return x * np.sqrt(shape[-1] / (x**2).sum(axis=-1, keepdims=True))


def relu_kernel(c: np.ndarray) -> np.ndarray:
    """⟨u₊v₊⟩ of standard normal u, v of correlation c (Cho & Saul 2009)."""
    c = np.clip(c, -1.0, 1.0)
    return (np.sqrt(1 - c**2) + c * (np.pi - np.arccos(c))) / (2 * np.pi)
