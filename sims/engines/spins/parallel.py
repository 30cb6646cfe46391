"""Parallel (Little) dynamics: every spin is updated from the same fields.

Overlaps follow by whichever is cheaper, row by row over the spins that flipped, or anew from bit-packed patterns,
M_μ = N − 2 popcount(ξ^μ XOR s) for spins ±1 and popcount(ξ^μ AND v) for neurons 0/1. Both give the same integers.
"""

from __future__ import annotations

import numpy as np

from tsphys._jit import njit
from tsphys.numerics.box_muller import exact
from tsphys.numerics.exponential import exp
from tsphys.sims.engines.spins.updates import add_row, dot, energy_matrix, energy_pairwise, pairwise_field

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


def room(N: int) -> tuple[np.ndarray, np.ndarray]:
    """The last two arrays of a `net` below: new states and fields of N spins."""
    return np.empty(N, np.int8), np.empty(N)


@exact
def heat_baths(h, s, up, down, gamma, tie, u, new):
    """new_i as by `updates.heat_bath`, with an exponential that runs on several spins at once."""
    if gamma == np.inf:
        for i in range(s.shape[0]):
            new[i] = up if h[i] > tie else (down if h[i] < -tie else s[i])
    else:
        for i in range(s.shape[0]):
            new[i] = up if u[i] * (1.0 + exp(min(max(-gamma * h[i], -700.0), 700.0))) < 1.0 else down


# net = (X, k, A, sums, c, bits (P, W), packed (W,), new (N,), h (N,)), the first five as for `spins.sweep_pairwise`.


@njit
def sweep_parallel(s, net, gamma, order, u):
    X, k, A, sums, c, bits, packed, new, h = net
    f, P, scale, theta, up, down, tie = c
    n, total = sums
    # Three passes, each of which the compiler turns into code for several spins or patterns at once.
    for i in range(s.shape[0]):
        h[i] = dot(X, i, A)
    for i in range(s.shape[0]):
        h[i] = pairwise_field(h[i], s[i], k[i], n, total, f, P, scale, theta)
    heat_baths(h, s, up, down, gamma, tie, u, new)
    flips = 0
    for i in range(s.shape[0]):
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


# A stored matrix, net = (J, H, scale, new (N,), h (N,)), as for `spins.sweep_matrix`.


@njit
def sweep_parallel_matrix(s, net, gamma, order, u):
    J, H, scale, new, h = net
    for i in range(s.shape[0]):
        h[i] = scale * H[i]
    heat_baths(h, s, np.int8(1), np.int8(-1), gamma, 0.0, u, new)
    flips = 0
    for i in range(s.shape[0]):
        if new[i] != s[i]:
            add_row(H, J, i, np.int64(new[i]) - np.int64(s[i]))
            s[i] = new[i]
            flips += 1
    return flips


@njit
def energy_parallel_matrix(s, net):
    return energy_matrix(s, net[:3])
