"""Monte Carlo of energies of the overlaps with averages over examples, coincident indices and all.

The averages are small integers Y_iμ over a common unit: sums of M signs, M at most the largest int8. A flip of s_i
changes Σ_j Y_jμ s_j by −2 s_i Y_iμ, another amount for each average, so that an energy after a flip is summed anew: a
visit looks up one number for each average. Overlaps are kept as integers L_μ = ½ Σ_i (Y_iμ s_i + M), from 0 to N·M,
which a flip to s_i changes by s_i Y_iμ; averages that a row is padded with are 0 and do not count.
"""

from __future__ import annotations

import numpy as np

from tsphys._jit import njit
from tsphys.sims.engines.spins.updates import add_row, heat_bath, overlaps_of


def levels(s: np.ndarray, Y: np.ndarray, M: int) -> np.ndarray:
    """L_μ of a state s (N,), int32: N·M + 1 numbers are in a table in memory."""
    out = np.zeros(Y.shape[1], np.int64)
    overlaps_of(s, Y, out)
    return ((out + len(s) * M) // 2).astype(np.int32)


# H = −scale·Σ_μ G(L_μ): net = (Y (N, ≥ K) int8, L (≥ K,), table (N·M + 1,), K, scale, tie).


@njit(fast=True)
def _sum(L, table, K):
    total = 0.0
    for j in range(K):
        total += table[L[j]]
    return total


@njit(fast=True)
def _sum_after(Y, i, new, L, table, K):
    """Σ_μ G(L_μ) with spin i at another value."""
    total = 0.0
    for j in range(K):
        total += table[L[j] + new * Y[i, j]]
    return total


@njit
def sweep_averages(s, net, gamma, order, u):
    Y, L, table, K, scale, tie = net
    one = np.int8(1)
    flips = 0
    total = _sum(L, table, K)
    for t in range(s.shape[0]):
        i = order[t]
        after = _sum_after(Y, i, -np.int64(s[i]), L, table, K)
        new = heat_bath(0.5 * scale * s[i] * (total - after), s[i], one, np.int8(-1), gamma, tie, u[t])
        if new != s[i]:
            add_row(L, Y, i, np.int64(new))
            s[i] = new
            total = after
            flips += 1
    return flips


@njit
def energy_averages(s, net):
    _, L, table, K, scale, _ = net
    return -scale * _sum(L, table, K)


# H = −log Σ_μ exp((2 L_μ − zero)/unit): net = (Y, L, A (≥ K,), decay, change, K, unit, zero, tie),
# decay_k = exp(−2k/unit) down to 0, change_k = exp(2(k − M)/unit) for k = 0 … 2M. The largest exponential is kept as 1,
# so that nothing leaves the range of floats but what is 0 beside it.


@njit
def _relative(L, A, decay, K):
    """Fill A_μ = exp(2(L_μ − top)/unit); returns top = max L and Σ_μ A_μ."""
    top, last = L[0], decay.shape[0] - 1
    for j in range(K):
        top = max(top, L[j])
    total = 0.0
    for j in range(K):
        A[j] = decay[min(top - L[j], last)]
        total += A[j]
    return top, total


@njit(fast=True)
def _sum_changed(Y, i, new, A, change, K):
    total, M = 0.0, change.shape[0] // 2
    for j in range(K):
        total += A[j] * change[M + new * Y[i, j]]
    return total


@njit
def sweep_averages_logarithm(s, net, gamma, order, u):
    Y, L, A, decay, change, K, _, _, tie = net
    one = np.int8(1)
    flips = 0
    _, total = _relative(L, A, decay, K)
    for t in range(s.shape[0]):
        i = order[t]
        after = _sum_changed(Y, i, -np.int64(s[i]), A, change, K)
        h = 0.5 * s[i] * np.log(total / after)
        new = heat_bath(h, s[i], one, np.int8(-1), gamma, tie, u[t])
        if new != s[i]:
            add_row(L, Y, i, np.int64(new))
            s[i] = new
            _, total = _relative(L, A, decay, K)
            flips += 1
    return flips


@njit
def energy_averages_logarithm(s, net):
    _, L, A, decay, _, K, unit, zero, _ = net
    top, total = _relative(L, A, decay, K)
    return -(2.0 * top - zero) / unit - np.log(total)
