"""Hebbian networks as defined: couplings as matrices, energies as sums over sets of spins, flips by energies."""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np


def hebb(X, values=(1.0, 0.0)):
    """J (N, N) of patterns X (P, N): scale·Σ_μ (ξ_i − f)(ξ_j − f) without diagonal, values = (scale, f)."""
    scale, f = values
    J = scale * (X - f).T @ (X - f)
    np.fill_diagonal(J, 0.0)
    return J


def pairwise(J, theta=0.0):
    """The energy −½ sJs + θ Σ s, as a function of the spins."""
    return lambda s: -0.5 * s @ J @ s + theta * s.sum()


def distinct(vectors, P, c=1.0):
    """The energy of P-body interactions of distinct spins, a sum over all sets of P spins; vectors (K, N)."""
    N = vectors.shape[1]
    sets = np.array(list(combinations(range(N), P)))
    return lambda s: -c * factorial(P - 1) / N ** (P - 1) * (vectors * s)[:, sets].prod(axis=2).sum()


def of_overlaps(vectors, F, c=1.0):
    """The energy −N c Σ_a F(m_a)."""
    N = vectors.shape[1]
    return lambda s: -N * c * sum(F(m) for m in vectors @ s / N)


def logarithm(vectors):
    """The energy −log Σ_a exp(N m_a)."""
    return lambda s: -np.log(np.exp((vectors @ s).astype(float)).sum())


def with_spin(s, i, value):
    """The state with spin i set."""
    out = s.copy()
    out[i] = value
    return out


def probability_up(energy, s, i, values, T):
    """Heat bath: the probability that spin i becomes the larger of the two values."""
    gap = energy(with_spin(s, i, values[1])) - energy(with_spin(s, i, values[0]))
    return 1.0 / (1.0 + np.exp(-gap / T))


def new_value(energy, s, i, values, T, u):
    """Spin i after a visit with the uniform u; at T = 0 it moves only if the energy falls."""
    if T > 0:
        return values[0] if u < probability_up(energy, s, i, values, T) else values[1]
    other = values[0] + values[1] - s[i]
    return other if energy(with_spin(s, i, other)) - energy(s) < -1e-9 else s[i]


def sweep(energy, s, values, T, order, u):
    """Visit the spins in `order`; s is changed."""
    for t, i in enumerate(order):
        s[i] = new_value(energy, s, i, values, T, u[t])


def parallel(energy, s, values, T, u):
    """All spins at once, from the same state."""
    s[:] = [new_value(energy, s, i, values, T, u[i]) for i in range(len(s))]


def gibbs(energy, N, values, T):
    """All states (2^N, N), their energies, and their probabilities at temperature T."""
    states = np.array([[values[(k >> i) & 1] for i in range(N)] for k in range(2**N)])
    energies = np.array([energy(s) for s in states])
    weights = np.exp(-(energies - energies.min()) / T)
    return states, energies, weights / weights.sum()
