"""Monte Carlo of H = −N Σ_μ F(m_μ) through integer overlaps: a sweep over the spins for each form of the field.

Patterns are int8, a row ξ_i = (ξ_i^1, …, ξ_i^P) contiguous for each spin. With the integer overlaps M_μ = N m_μ and
G(M) = N F(M/N), a flip of s_i changes the energy by ΔE = 2 s_i h_i,

    h_i = Σ_μ ξ_i^μ A_μ − s_i Σ_μ B_μ,    A = (G(M + 2) − G(M − 2))/4,    B = (G(M + 2) + G(M − 2) − 2 G(M))/4,

for any F: a visit costs a product of P bytes with P numbers, and a flip one pass over P overlaps. For F = m²/2, A_μ is
M_μ/N itself and B_μ = 1/N takes out the self-coupling. Numerators are kept as integers wherever G is a polynomial, so
that fields are exact, do not depend on the order of summation, and vanish where they should.

Each form is a pair of functions of one shape: ``sweep(s, net, gamma, order, u) -> flips`` visits every spin once, in
`order`, with one uniform of `u` (N,) for each visit, and ``energy(s, net)`` is H. `net` is a tuple of arrays that
follow the flips; γ = β(up − down), infinite at T = 0. `tsphys.sims.engines.spins.drive` runs them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba.extending import overload

from tsphys._jit import njit


def narrowest(most: int) -> type[np.signedinteger[Any]]:
    """The narrowest integers that hold −most … most, of 16 bits at least."""
    return next(kind for kind in (np.int16, np.int32, np.int64) if most <= np.iinfo(kind).max)


@njit
def _dot_short(X, i, A):
    # |s| ≤ Σ |X_ij A_j| ≤ N·P < 2³¹ is the caller's business.
    s = np.int32(0)
    for j in range(A.shape[0]):
        s = np.int32(s + np.int32(np.int32(X[i, j]) * np.int32(A[j])))
    return np.int64(s)


@njit
def _dot_long(X, i, A):
    # |s| ≤ N·P, the bytes of the patterns.
    s = np.int64(0)
    for j in range(A.shape[0]):
        s += np.int64(X[i, j]) * np.int64(A[j])
    return s


@njit(fast=True)
def _dot_float(X, i, A):
    s = 0.0
    for j in range(A.shape[0]):
        s += X[i, j] * A[j]
    return s


def _dot(X, i, A):
    return int(X[i].astype(np.int64) @ A) if A.dtype.kind == "i" else float(X[i] @ A)


@overload(_dot)
def _(X, i, A):
    # Sums of int16 products in 32 bits become one multiply-add for 16 of them.
    kind = {"int16": _dot_short, "float64": _dot_float}.get(str(A.dtype), _dot_long)
    return lambda X, i, A: kind(X, i, A)


@njit
def dot(X, i, A):
    """Σ_j X_ij A_j for int8 X (N, P), and A (P,) int16, int32 or float64."""
    return _dot(X, i, A)


@njit
def add_row(A, X, i, d):
    """A_j ← A_j + d X_ij for integers."""
    for j in range(A.shape[0]):
        A[j] += A.dtype.type(d * X[i, j])


@njit
def shuffle(order, u):
    """Permute `order` (N,) uniformly by the uniforms u (N,)."""
    n = order.shape[0]
    for t in range(n):
        j = t + np.int64(u[t] * (n - t))
        i = order[j]
        order[j] = order[t]
        order[t] = i


@njit
def heat_bath(h, state, up, down, gamma, tie, u):
    """The new value of a spin with field h: heat bath with γ = β(up − down), or the sign of h for infinite γ."""
    if gamma == np.inf:
        if h > tie:
            return up
        return down if h < -tie else state
    # Devices know math.exp only, and their simulator stops at an overflow; beyond e^700 the answer is the same.
    return up if u * (1.0 + math.exp(min(-gamma * h, 700.0))) < 1.0 else down


@njit
def overlaps_of(s, X, out):
    """out_μ = Σ_i ξ_i^μ s_i, integers."""
    out[...] = 0
    for i in range(s.shape[0]):
        add_row(out, X, i, np.int64(s[i]))


# Pairwise couplings J_ij = scale·Σ_μ (ξ_i^μ − f)(ξ_j^μ − f), i ≠ j, threshold θ; (up, down) is (1, −1) or (1, 0).
# net = (X (N, P), k (N,), A (P,), sums (2,), c): k_i = Σ_μ (ξ_i^μ)², A_μ = Σ_j ξ_j^μ v_j, sums = Σ v, Σ A
# (the latter for 0/1 only), c = (f, P, scale, θ, up, down, tie).


@njit
def pairwise_field(raw, v, k, n, total, f, P, scale, theta):
    """h_i − θ from raw = Σ_μ ξ_i^μ A_μ, n = Σ v and total = Σ A; for f = 0 all but the scale is an exact integer."""
    own = v * (k * (1.0 - 2.0 * f) + P * f * f)
    return scale * (raw - f * (n * np.float64(k) + total) + f * f * n * P - own) - theta


@njit
def sweep_pairwise(s, net, gamma, order, u):
    X, k, A, sums, c = net
    f, P, scale, theta, up, down, tie = c
    n, total = sums
    flips = 0
    for t in range(s.shape[0]):
        i = order[t]
        h = pairwise_field(dot(X, i, A), s[i], k[i], n, total, f, P, scale, theta)
        new = heat_bath(h, s[i], up, down, gamma, tie, u[t])
        if new != s[i]:
            d = np.int64(new) - np.int64(s[i])
            s[i] = new
            add_row(A, X, i, d)
            n += d
            total += d * k[i]
            flips += 1
    sums[0] = n
    sums[1] = total
    return flips


@njit(fast=True)
def squared(A):
    """Σ_j A_j² of integers, exact up to 2⁵³; up to P·N², which a patterned network of 10⁹ spins takes beyond 2⁶³."""
    total = 0.0
    for j in range(A.shape[0]):
        total += np.float64(A[j]) * np.float64(A[j])
    return total


@njit
def energy_pairwise(s, net):
    _, _, A, sums, c = net
    f, P, scale, theta, _, down, _ = c
    n, total = sums
    squares = squared(A)
    own = s.shape[0] * P if down < 0 else total * (1.0 - 2.0 * f) + n * P * f * f
    return -0.5 * scale * (squares - 2.0 * f * n * total + P * f * f * n * n - own) + theta * n


# A stored integer matrix: net = (J (N, N) without diagonal, H (N,), scale), H_i = Σ_j J_ij s_j. A visit costs O(1) and
# a flip O(N).


@njit
def sweep_matrix(s, net, gamma, order, u):
    J, H, scale = net
    one = np.int8(1)
    flips = 0
    for t in range(s.shape[0]):
        i = order[t]
        new = heat_bath(scale * H[i], s[i], one, np.int8(-1), gamma, 0.0, u[t])
        if new != s[i]:
            add_row(H, J, i, np.int64(new) - np.int64(s[i]))
            s[i] = new
            flips += 1
    return flips


@njit
def energy_matrix(s, net):
    _, H, scale = net
    # |Σ s H| ≤ N²·P: N·P and N² are bytes in memory.
    total = 0
    for i in range(s.shape[0]):
        total += np.int64(s[i]) * np.int64(H[i])
    return -0.5 * scale * total


# Any F by its table: net = (X (N, P), M (P,), A (P,), table (3, 2N + 1), P, unit, scale, tie). Rows of the table are
# A, B in `unit` and G in `scale` at M = −N … N.


@njit
def look_up(M, table, A, P):
    """Fill A_μ from the table; returns Σ_μ B_μ."""
    N = (table.shape[1] - 1) // 2
    total = 0.0
    for j in range(P):
        A[j] = table[0, M[j] + N]
        total += table[1, M[j] + N]
    return total


@njit
def sweep_table(s, net, gamma, order, u):
    X, M, A, table, P, unit, _, tie = net
    one = np.int8(1)
    flips = 0
    total = look_up(M, table, A, P)
    for t in range(s.shape[0]):
        i = order[t]
        h = unit * (dot(X, i, A) - s[i] * total)
        new = heat_bath(h, s[i], one, np.int8(-1), gamma, tie, u[t])
        if new != s[i]:
            add_row(M, X, i, np.int64(new) - np.int64(s[i]))
            s[i] = new
            total = look_up(M, table, A, P)
            flips += 1
    return flips


@njit
def energy_table(s, net):
    _, M, _, table, P, _, scale, _ = net
    N = s.shape[0]
    total = 0.0
    for j in range(P):
        total += table[2, M[j] + N]
    return -scale * total


# The energy −log Σ_μ exp(M_μ): the same net, with exp(−2N … 0) in the table. The largest exponential is the unit, so
# that nothing leaves the range of floats but what is 0 beside it.


@njit
def relative(M, table, A, P):
    """Fill A_μ = exp(M_μ − top); returns top = max M and Σ_μ A_μ."""
    top = M[0]
    for j in range(P):
        top = max(top, M[j])
    total, last = 0.0, table.shape[1] - 1
    for j in range(P):
        A[j] = table[0, last + M[j] - top]
        total += A[j]
    return top, total


@njit
def sweep_logarithm(s, net, gamma, order, u):
    X, M, A, table, P, _, _, tie = net
    one = np.int8(1)
    even, odd = np.cosh(2.0), np.sinh(2.0)
    flips = 0
    _, total = relative(M, table, A, P)
    for t in range(s.shape[0]):
        i = order[t]
        h = -0.5 * s[i] * np.log(even - odd * s[i] * dot(X, i, A) / total)
        new = heat_bath(h, s[i], one, np.int8(-1), gamma, tie, u[t])
        if new != s[i]:
            add_row(M, X, i, np.int64(new) - np.int64(s[i]))
            s[i] = new
            _, total = relative(M, table, A, P)
            flips += 1
    return flips


@njit
def energy_logarithm(s, net):
    _, M, A, table, P, _, _, _ = net
    top, total = relative(M, table, A, P)
    return -top - np.log(total)


# P-body interactions of distinct spins with vectors of small integers, as averages over examples are:
# net = (X (N, K) int8, E (P + 1, K), work (K,), unit, scale, tie), E_kμ the elementary symmetric polynomial of degree k
# in the η_i^μ σ_i.


@njit
def symmetric_sums(s, X, E):
    """Fill E (P + 1, K)."""
    E[...] = 0.0
    E[0] = 1.0
    for i in range(s.shape[0]):
        for k in range(E.shape[0] - 1, 0, -1):
            for j in range(X.shape[1]):
                E[k, j] += s[i] * X[i, j] * E[k - 1, j]


@njit
def graded_field(X, i, v, E, work):
    """Σ_μ η_i e_{P−1}(others), by e_k(others) = e_k − x e_{k−1}(others) with x = η_i σ_i."""
    work[...] = 1.0
    for k in range(1, E.shape[0] - 1):
        for j in range(X.shape[1]):
            work[j] = E[k, j] - v * X[i, j] * work[j]
    return dot(X, i, work)


@njit
def graded_flip(X, i, v, E, work):
    """E after the flip of spin i, which was v."""
    work[...] = 1.0
    for k in range(1, E.shape[0]):
        for j in range(X.shape[1]):
            x = v * X[i, j]
            rest = E[k, j] - x * work[j]
            E[k, j] = rest - x * work[j]
            work[j] = rest


@njit
def sweep_graded(s, net, gamma, order, u):
    X, E, work, unit, _, tie = net
    one = np.int8(1)
    flips = 0
    for t in range(s.shape[0]):
        i = order[t]
        h = unit * graded_field(X, i, np.float64(s[i]), E, work)
        new = heat_bath(h, s[i], one, np.int8(-1), gamma, tie, u[t])
        if new != s[i]:
            graded_flip(X, i, np.float64(s[i]), E, work)
            s[i] = new
            flips += 1
    return flips


@njit
def energy_graded(s, net):
    _, E, _, _, scale, _ = net
    total = 0.0
    for j in range(E.shape[1]):
        total += E[E.shape[0] - 1, j]
    return -scale * total
