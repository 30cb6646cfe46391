"""Parallel (Little) dynamics: every spin is updated from the same fields.

Fields come from bit-packed patterns by `tsphys.sims.engines.spins.carry_save`. Overlaps follow by whichever is cheaper,
row by row over the spins that flipped, or anew, M_μ = N − 2 popcount(ξ^μ XOR s) for spins ±1 and popcount(ξ^μ AND v)
for neurons 0/1. All ways give the same integers.
"""

from __future__ import annotations

import numpy as np

from tsphys._jit import njit
from tsphys.numerics.box_muller import exact, inlined
from tsphys.numerics.exponential import exp
from tsphys.numerics.lanes import population, side_by_side
from tsphys.sims.engines.spins import carry_save
from tsphys.sims.engines.spins.updates import add_row, energy_matrix, energy_pairwise, pairwise_field

#: In ns on a 2.5 GHz core: a flip costs P·`_PER_BYTE` + `_PER_FLIP`, a packed pass P·`_PER_WORD` for each word of 64.
_PER_BYTE, _PER_FLIP, _PER_WORD = 0.08, 10.0, 0.35


@njit
def pack(s, bits):
    """Bit i of `bits` (W,) is set where s_i > 0, of ±1 or 0/1 in int8; the bits beyond N are 0."""
    whole = s.shape[0] // 8
    eight, byte = s[: 8 * whole].view(np.uint64), bits.view(np.uint8)
    for q in range(whole):
        # The last bit of a byte is set, and the one before it is not; a product gathers them (Hacker's Delight, 7-1).
        up = eight[q] & ~(eight[q] >> np.uint64(1)) & np.uint64(0x0101010101010101)
        byte[q] = (up * np.uint64(0x0102040810204080)) >> np.uint64(56)
    for q in range(whole, byte.shape[0]):
        byte[q] = 0
    for i in range(8 * whole, s.shape[0]):
        byte[whole] |= np.uint8(s[i] > 0) << np.uint8(i % 8)


@njit
def pack_patterns(X, table, ones):
    """Bits of the columns of X (N, ≥ P) in table (G, P + 1, 8), spins side by side, and how many a spin has (N,)."""
    P, eight = table.shape[1] - 1, table.shape[2]
    table[...] = np.uint64(0)
    for i in range(X.shape[0]):
        w, b = i // 64, np.uint64(i % 64)
        n = 0
        for j in range(P):
            table[w // eight, j, w % eight] |= np.uint64(X[i, j] > 0) << b
            n += X[i, j] > 0
        ones[i] = n


@njit
def packed_overlaps(table, state, N, both, A):
    """A_μ from packed patterns (G, P + 1, 8) and the packed state (G, 8); `both`: spins ±1, otherwise neurons 0/1."""
    words, own = side_by_side(table), side_by_side(state)
    for j in range(table.shape[1] - 1):
        n = 0
        if both:
            for g in range(table.shape[0]):
                n += population(words[g, j] ^ own[g])
            A[j] = N - 2 * n
        else:
            for g in range(table.shape[0]):
                n += population(words[g, j] & own[g])
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


@njit
def sums_of_ones(table, room, A, out):
    """out_i = Σ_μ b_i^μ (A_μ − low) over the patterns that are 1, and low and Σ_μ A_μ: fields follow by `raw`."""
    low, total = np.int64(A[0]), 0
    for j in range(room.c.shape[0]):
        low = min(low, np.int64(A[j]))
        total += np.int64(A[j])
    for j in range(room.c.shape[0]):
        room.c[j] = np.int64(A[j]) - low
    carry_save.sums(table, room, out)
    return np.float64(low), np.float64(total)


@inlined
def raw(out, ones, low, total, both):
    """Σ_μ ξ_i^μ A_μ, integers as float64, with ξ = 2b − 1 for spins ±1 (`both`), and b for neurons 0/1."""
    factor, less = (2.0, total) if both else (1.0, 0.0)
    return factor * (out + low * ones) - less


# net = (X, k, A, sums, c, table (G, P + 1, 8), ones (N,), packed (G, 8), room, new (N,), h (N,)), the first five as for
# `spins.sweep_pairwise`.


@njit
def sweep_parallel(s, net, gamma, order, u):
    X, k, A, sums, c, table, ones, packed, room, new, h = net
    f, P, scale, theta, up, down, tie = c
    n, total = sums
    low, added = sums_of_ones(table, room, A, h)
    # Integers up to 2⁵³, for whose products with floats AVX2 has no instructions.
    n_float, total_float, both = np.float64(n), np.float64(total), down < 0
    for i in range(s.shape[0]):
        field = raw(h[i], ones[i], low, added, both)
        h[i] = pairwise_field(field, s[i], k[i], n_float, total_float, f, P, scale, theta)
    heat_baths(h, s, up, down, gamma, tie, u, new)
    flips, ups, further = 0, 0, 0
    for i in range(s.shape[0]):
        d = np.int32(new[i]) - np.int32(s[i])
        flips += d != 0
        ups += d
        further += d * k[i]
    packed_pass = room.c.shape[0] * packed.size * _PER_WORD
    if flips * (_PER_FLIP + A.shape[0] * _PER_BYTE) < packed_pass:
        # Few spins flip, which eight bytes tell at once.
        whole = s.shape[0] // 8 * 8
        old8, new8 = s[:whole].view(np.uint64), new[:whole].view(np.uint64)
        for q in range(whole // 8 + 1):
            if q == whole // 8 or old8[q] != new8[q]:
                for i in range(8 * q, min(8 * q + 8, s.shape[0])):
                    if new[i] != s[i]:
                        add_row(A, X, i, np.int64(new[i]) - np.int64(s[i]))
    else:
        pack(new, packed.reshape(packed.size))
        packed_overlaps(table, packed, s.shape[0], down < 0, A)
    for i in range(s.shape[0]):
        s[i] = new[i]
    sums[0] = n + ups
    sums[1] = total + further
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
