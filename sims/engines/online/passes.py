"""Engine `direct`: passes over the weights, which is where its time goes."""

from __future__ import annotations

import numpy as np

from tsphys._jit import njit
from tsphys.numerics.random import normals, signs
from tsphys.sims.engines.online.local import BLOCK

#: Inputs whose fields are gathered in one pass over the weights; their products with each other cost more with each.
AHEAD = 4
#: Coordinates of eight inputs that stay in the first-level cache beside a row of weights.
TILE = 384


@njit(fast=True)
def pass_over(W, B, pool, old, new, b, c, left, moved, fresh, rng, lam, nu, gram):
    """One pass over the weights: apply the last updates, draw the next inputs, gather their fields.

    W ← left·W + Σ_e c_ke x_old[e], `left` (K,) without a look unless `moved`; then λ_ke = w_k·x_new[e],
    ν_me = w*_m·x_new[e], both without their 1/√N. Inputs are those of a step, b, or of several: then the products of
    each with those before it are gathered too, below the diagonal of `gram`.
    """
    K, N = W.shape
    g = new.shape[0]
    nothing(lam)
    nothing(nu)
    nothing(gram)
    # Inputs are drawn step by step, of one step block by block.
    room, tile = BLOCK if g == b else N, TILE if g == AHEAD else BLOCK
    for start in range(0, N, room):
        end = min(start + room, N)
        if fresh:
            piece = end - start if b == 1 else BLOCK
            for step in range(0, g, b):
                for low in range(start, end, piece):
                    for e in range(step, step + b):
                        filled(rng, pool[new[e], low : min(low + piece, end)])
        for low in range(start, end, tile):
            high = min(low + tile, end)
            for k in range(K):
                if moved and left[k] != 1:
                    scale(W[k, low:high], W.dtype.type(left[k]))
            together(W, B, pool, old, new, b, c, low, high, lam, nu, gram)


@njit
def nothing(a):
    """a ← 0; its method `fill` takes longer to compile."""
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            a[i, j] = 0.0


@njit
def filled(rng, x):
    """Draw coordinates of an input."""
    normals(rng, x)


@njit
def filled_with_signs(rng, x):
    """The same for inputs ±1, of which each block begins with words of its own."""
    signs(rng, x, BLOCK)


@njit(fast=True)
def together(W, B, pool, old, new, b, c, low, high, lam, nu, gram):
    """`pass_over` of some coordinates, where inputs are `AHEAD`: with as many updates beside as many fields."""
    four_at_once(W, B, pool, old, new, c, low, high, lam, nu)
    if new.shape[0] > b:
        products(pool, new, low, high, gram)


@njit(fast=True)
def one_by_one(W, B, pool, old, new, b, c, low, high, lam, nu, gram):
    """The same where they are those of a step, with one update beside the fields of one input."""
    for m in range(B.shape[0]):
        for beta in range(b):
            nu[beta, m] += dot(B[m, low:high], pool[new[beta], low:high])
    for k in range(W.shape[0]):
        w = W[k, low:high]
        for beta in range(b - 1):
            axpy(w, c[beta, k], pool[old[beta], low:high])
        lam[0, k] += axpy_dot(w, c[b - 1, k], pool[old[b - 1], low:high], pool[new[0], low:high])
        for beta in range(1, b):
            lam[beta, k] += dot(w, pool[new[beta], low:high])


@njit(fast=True)
def four_at_once(W, B, pool, old, new, c, low, high, lam, nu):
    """The updates and fields of `together`."""
    # References to slices would be counted, and indices that may be negative looked at: half of the time.
    low, high = np.uint64(low), np.uint64(high)
    x0, x1, x2, x3 = old[0], old[1], old[2], old[3]
    y0, y1, y2, y3 = new[0], new[1], new[2], new[3]
    none = W.dtype.type(0)
    for k in range(W.shape[0]):
        c0, c1, c2, c3 = c[0, k], c[1, k], c[2, k], c[3, k]
        s0 = s1 = s2 = s3 = none
        for i in range(low, high):
            w = W[k, i] + c0 * pool[x0, i] + c1 * pool[x1, i] + c2 * pool[x2, i] + c3 * pool[x3, i]
            W[k, i] = w
            s0 += w * pool[y0, i]
            s1 += w * pool[y1, i]
            s2 += w * pool[y2, i]
            s3 += w * pool[y3, i]
        lam[0, k] += s0
        lam[1, k] += s1
        lam[2, k] += s2
        lam[3, k] += s3
    for m in range(B.shape[0]):
        s0 = s1 = s2 = s3 = none
        for i in range(low, high):
            s0 += B[m, i] * pool[y0, i]
            s1 += B[m, i] * pool[y1, i]
            s2 += B[m, i] * pool[y2, i]
            s3 += B[m, i] * pool[y3, i]
        nu[0, m] += s0
        nu[1, m] += s1
        nu[2, m] += s2
        nu[3, m] += s3


@njit(fast=True)
def products(pool, new, low, high, gram):
    """Add the products of four inputs on some coordinates."""
    x0, x1, x2, x3 = new[0], new[1], new[2], new[3]
    s10 = s20 = s30 = s21 = s31 = s32 = pool.dtype.type(0)
    for i in range(np.uint64(low), np.uint64(high)):
        s10 += pool[x1, i] * pool[x0, i]
        s20 += pool[x2, i] * pool[x0, i]
        s30 += pool[x3, i] * pool[x0, i]
        s21 += pool[x2, i] * pool[x1, i]
        s31 += pool[x3, i] * pool[x1, i]
        s32 += pool[x3, i] * pool[x2, i]
    gram[1, 0] += s10
    gram[2, 0] += s20
    gram[3, 0] += s30
    gram[2, 1] += s21
    gram[3, 1] += s31
    gram[3, 2] += s32


@njit(fast=True)
def dot(a, b):
    """a·b."""
    s = a.dtype.type(0)
    for i in range(a.shape[0]):
        s += a[i] * b[i]
    return s


@njit
def scale(w, factor):
    """w ← factor·w."""
    for i in range(w.shape[0]):
        w[i] *= factor


@njit(fast=True)
def axpy(w, c, x):
    """w ← w + c x."""
    for i in range(w.shape[0]):
        w[i] += c * x[i]


@njit(fast=True)
def axpy_dot(w, c, x, y):
    """w ← w + c x, and w·y."""
    s = w.dtype.type(0)
    for i in range(w.shape[0]):
        new = w[i] + c * x[i]
        w[i] = new
        s += new * y[i]
    return s


@njit(fast=True)
def squared(w):
    """|w|², summed in float64."""
    s = 0.0
    for i in range(w.shape[0]):
        s += np.float64(w[i]) * np.float64(w[i])
    return s


@njit
def combined(W, pool, old, c, left, out):
    """The weights (K, N) in the middle of a turn, whose steps are not made yet."""
    for k in range(W.shape[0]):
        for i in range(W.shape[1]):
            out[k, i] = W.dtype.type(left[k]) * W[k, i]
        for e in range(old.shape[0]):
            if c[e, k] != 0:
                axpy(out[k], c[e, k], pool[old[e]])


@njit(fast=True)
def overlaps(W, B, R, Q):
    """R (K, M) and Q (K, K) of the weights, summed in float64."""
    K, N = W.shape
    for k in range(K):
        for m in range(B.shape[0]):
            s = 0.0
            for i in range(N):
                s += np.float64(W[k, i]) * np.float64(B[m, i])
            R[k, m] = s / N
        for j in range(k + 1):
            s = 0.0
            for i in range(N):
                s += np.float64(W[k, i]) * np.float64(W[j, i])
            Q[k, j] = s / N
            Q[j, k] = s / N
