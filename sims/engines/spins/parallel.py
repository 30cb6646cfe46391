"""Parallel (Little) dynamics: every spin is updated from the same fields.

Overlaps follow by whichever is cheaper, row by row over the spins that flipped, or anew from bit-packed patterns,
M_μ = N − 2 popcount(ξ^μ XOR s) for spins ±1 and popcount(ξ^μ AND v) for neurons 0/1. Both give the same integers.
"""

from __future__ import annotations

import numpy as np

from tsphys._jit import njit
from tsphys.sims.engines.spins.updates import add_row, dot, energy_matrix, energy_pairwise, heat_bath, pairwise_field

#: In ns on a 2.5 GHz core: a flip costs P·`_PER_BYTE` + `_PER_FLIP`, a packed pass P·`_PER_WORD` for each word of 64.
_PER_BYTE, _PER_FLIP, _PER_WORD = 0.08, 10.0, 0.6


@njit
def popcount(x):
    """Number of ones in a uint64."""
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + ((x >> np.uint64(2)) & np.uint64(0x3333333333333333))
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit
def pack(s, bits):
    """Bit i of `bits` (W,) is set where s_i > 0; the bits beyond N are 0."""
    for w in range(bits.shape[0]):
        word = np.uint64(0)
        for b in range(min(64, s.shape[0] - 64 * w)):
            word |= np.uint64(s[64 * w + b] > 0) << np.uint64(b)
        bits[w] = word


@njit
def pack_patterns(X, bits):
    """bits (P, W): the columns of X (N, ≥ P), packed."""
    bits[...] = np.uint64(0)
    for i in range(X.shape[0]):
        w, b = i // 64, np.uint64(i % 64)
        for j in range(bits.shape[0]):
            bits[j, w] |= np.uint64(X[i, j] > 0) << b


@njit
def packed_overlaps(bits, state, N, both, A):
    """A_μ from the packed patterns (P, W) and the packed state (W,); `both`: spins ±1, otherwise neurons 0/1."""
    for j in range(bits.shape[0]):
        n = 0
        if both:
            for w in range(state.shape[0]):
                n += popcount(bits[j, w] ^ state[w])
            A[j] = N - 2 * n
        else:
            for w in range(state.shape[0]):
                n += popcount(bits[j, w] & state[w])
            A[j] = n


# net = (X, k, A, sums, c, bits (P, W), packed (W,), new (N,)), the first five as for `spins.sweep_pairwise`.


@njit
def sweep_parallel(s, net, gamma, order, u):
    X, k, A, sums, c, bits, packed, new = net
    f, P, scale, theta, up, down, tie = c
    n, total = sums
    flips = 0
    for i in range(s.shape[0]):
        h = pairwise_field(dot(X, i, A), s[i], k[i], n, total, f, P, scale, theta)
        new[i] = heat_bath(h, s[i], up, down, gamma, tie, u[i])
        flips += new[i] != s[i]
    again = bits.shape[0] * packed.shape[0] * _PER_WORD < flips * (_PER_FLIP + A.shape[0] * _PER_BYTE)
    for i in range(s.shape[0]):
        if new[i] != s[i]:
            d = np.int64(new[i]) - np.int64(s[i])
            if not again:
                add_row(A, X, i, d)
            n += d
            total += d * k[i]
            s[i] = new[i]
    if again:
        pack(s, packed)
        packed_overlaps(bits, packed, s.shape[0], down < 0, A)
    sums[0] = n
    sums[1] = total
    return flips


@njit
def energy_parallel(s, net):
    return energy_pairwise(s, net[:5])


# A stored matrix, net = (J, H, scale, new (N,)), as for `spins.sweep_matrix`.


@njit
def sweep_parallel_matrix(s, net, gamma, order, u):
    J, H, scale, new = net
    one = np.int8(1)
    flips = 0
    for i in range(s.shape[0]):
        new[i] = heat_bath(scale * H[i], s[i], one, np.int8(-1), gamma, 0.0, u[i])
    for i in range(s.shape[0]):
        if new[i] != s[i]:
            add_row(H, J, i, np.int64(new[i]) - np.int64(s[i]))
            s[i] = new[i]
            flips += 1
    return flips


@njit
def energy_parallel_matrix(s, net):
    return energy_matrix(s, net[:3])
