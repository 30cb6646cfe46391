"""Mean squared difference of two networks that are close to each other, without cancellation.

Each student field is written as λ_k = β_k + δ_k around a base field β_k: plus or minus a teacher's field, or zero. With
E the covariance (K+M, K+M) of (δ, ν), ⟨Δ²⟩ is a sum of terms of second order in δ, each computed as such.

A base is given by ``base``, the index of a teacher in E, and ``sign``; the sign is 0 for β = 0, and for the teachers.
"""

from __future__ import annotations

import math

import numpy as np

from tsphys._jit import njit
from tsphys.numerics.arcsine import arcsine
from tsphys.physics.activations import ERF
from tsphys.physics.committee.integrals import I2, I2_erf

_TWO_OVER_PI = 2.0 / math.pi

#: Largest ⟨δ²⟩/(1 + ⟨β²⟩) of a student that counts as close to its base.
CLOSE = 0.04
#: Largest part of a teacher's readout that is left when the bases of students have made it up, if little is left of Δ.
MATCHED = 0.3

# Integrals over paths from β to β + δ are analytic up to a distance of 1/√x path lengths, x = ⟨δ²⟩/(1 + ⟨β²⟩), so
# that n Gauss nodes are wrong by (x/16)ⁿ: each of these numbers of nodes gives 1e-14 up to its x.
_COUNTS = np.arange(1, 7)
_REACH = np.append(16.0 * 1e-14 ** (1.0 / _COUNTS[:-1]), np.inf)
_FIRST = np.cumsum(_COUNTS) - _COUNTS
_rules = [np.polynomial.legendre.leggauss(n) for n in _COUNTS]
_PATH = 0.5 * (np.concatenate([x for x, _ in _rules]) + 1.0)
_WEIGHT = 0.5 * np.concatenate([w for _, w in _rules])


@njit
def nearest_bases(C, K, base, sign):
    """Write the nearest base of each of the K students; whether all are close to theirs. C: covariance of (λ, ν)."""
    close = True
    for k in range(C.shape[0]):
        base[k], sign[k] = K, 0.0
        if k < K:
            best, scale = C[k, k], 1.0
            for m in range(K, C.shape[0]):
                r = C[k, m]
                distance = C[k, k] - 2.0 * abs(r) + C[m, m]
                if distance < best:
                    best, scale = distance, 1.0 + C[m, m]
                    base[k], sign[k] = m, math.copysign(1.0, r)
            close = close and best < CLOSE * scale
    return close


def close(R: np.ndarray, Q: np.ndarray, T: np.ndarray, v: np.ndarray, v_star: np.ndarray) -> np.ndarray:
    """Which of several students (n,) are close to their bases, which make up the teacher: others have no small Δ.

    From R (n, K, M), Q (n, K, K), T (M, M) and the readouts v (n, K), v* (M,); bases are those of `nearest_bases`.
    """
    own, length = np.einsum("ikk->ik", Q), T.diagonal()
    distance = np.concatenate([own[..., None], own[..., None] - 2.0 * abs(R) + length], axis=-1)
    nearest = distance.argmin(-1)
    best = np.take_along_axis(distance, nearest[..., None], -1)[..., 0]
    near = best < CLOSE * (1.0 + np.append(0.0, length)[nearest])
    is_base = nearest[..., None] == np.arange(1, len(T) + 1)
    made = np.einsum("ik,ikm->im", v, np.where(is_base, np.copysign(1.0, R), 0.0))
    return near.all(-1) & (abs(made - v_star) <= MATCHED * abs(v_star)).all(-1)


@njit
def deviations(C, base, sign, E):
    """Write E for the covariance C of (λ, ν)."""
    for i in range(C.shape[0]):
        b, s = base[i], sign[i]
        for j in range(C.shape[0]):
            c = base[j]
            E[i, j] = (C[i, j] - s * C[b, j]) - sign[j] * (C[i, c] - s * C[b, c])


@njit
def _among_students(u, E, K, base, sign, first, last):
    """Σ u_k u_l ⟨(g(λ_k) − g(β_k)) (g(λ_l) − g(β_l))⟩ of erf, as ∫∫ ⟨δ_k δ_l g'(β_k + sδ_k) g'(β_l + s'δ_l)⟩ ds ds'.

    All pairs in one loop, for the lanes of the processor.
    """
    pairs = K * (K + 1) // 2
    rows = np.empty((12, pairs))
    weight, kk, kl, ll, ki, kj, li, lj, ii, ij, jj = rows[:11]
    term = rows[11]
    at = 0
    for k in range(K):
        for l in range(k + 1):
            i, j, p, q = base[k], base[l], sign[k], sign[l]
            weight[at] = (1.0 if k == l else 2.0) * u[k] * u[l]
            kk[at], kl[at], ll[at] = E[k, k], E[k, l], E[l, l]
            ki[at], kj[at], li[at], lj[at] = p * E[k, i], q * E[k, j], p * E[l, i], q * E[l, j]
            ii[at], ij[at], jj[at] = 1.0 + p * p * E[i, i], p * q * E[i, j], 1.0 + q * q * E[j, j]
            at += 1
    out = 0.0
    for a in range(first, last):
        s = _PATH[a]
        for b in range(first, last):
            r = _PATH[b]
            for n in range(pairs):
                kx, lx, ky, ly = ki[n] + s * kk[n], li[n] + s * kl[n], kj[n] + r * kl[n], lj[n] + r * ll[n]
                xx, yy, xy = ii[n] + s * (ki[n] + kx), jj[n] + r * (lj[n] + ly), ij[n] + r * li[n] + s * ky
                over = 1.0 / (xx * yy - xy * xy)
                inner = kl[n] - (kx * (yy * lx - xy * ly) + ky * (xx * ly - xy * lx)) * over
                term[n] = weight[n] * inner * math.sqrt(over)
            row = 0.0
            for n in range(pairs):
                row += term[n]
            out += _WEIGHT[a] * _WEIGHT[b] * row
    return _TWO_OVER_PI * out


@njit
def _with_teachers(u, E, K, base, sign, first, last):
    """Σ u_k u_m ⟨(g(λ_k) − g(β_k)) g(ν_m)⟩ of erf, as ∫ ⟨δ_k g'(β_k + sδ_k) g(ν_m)⟩ ds, over students and teachers."""
    M = E.shape[0] - K
    rows = np.empty((3, M))
    own, left, term = rows
    for m in range(M):
        own[m], left[m] = 1.0 + E[K + m, K + m], u[K + m]
    out = 0.0
    for k in range(K):
        i, p = base[k], sign[k]
        for a in range(first, last):
            s = _PATH[a]
            kx = p * E[k, i] + s * E[k, k]
            xx = 1.0 + p * p * E[i, i] + s * (p * E[k, i] + kx)
            share = kx / xx
            for m in range(M):
                xm = p * E[i, K + m] + s * E[k, K + m]
                term[m] = left[m] * (E[k, K + m] - xm * share) / math.sqrt(xx * own[m] - xm * xm)
            row = 0.0
            for m in range(M):
                row += term[m]
            out += _WEIGHT[a] * u[k] * row
    return _TWO_OVER_PI * out


@njit
def close_square(alpha, E, K, base, sign):
    """⟨Δ²⟩ of an erf student whose units are all close to their base, and an erf teacher; α = (v, −v*).

    Relative error 1e-13 for any E of the sort; zero for an exact copy.
    """
    u, x = alpha.copy(), 0.0
    for k in range(K):
        u[base[k]] += sign[k] * alpha[k]
        x = max(x, abs(E[k, k]) / (1.0 + sign[k] * sign[k] * E[base[k], base[k]]))
    rule = 0
    while x > _REACH[rule]:
        rule += 1
    first, last = _FIRST[rule], _FIRST[rule] + _COUNTS[rule]
    out = _among_students(u, E, K, base, sign, first, last)
    # What is left of the teachers' readouts is nothing where the students' are theirs.
    if np.any(u[K:]):
        out += 2.0 * _with_teachers(u, E, K, base, sign, first, last)
        for i in range(K, u.shape[0]):
            for j in range(K, i + 1):
                twice = 1.0 if i == j else 2.0
                out += twice * u[i] * u[j] * I2_erf(ERF, ERF, E[i, i], E[i, j], E[j, j])
    return out


@njit
def close_square_linear(alpha, E, K, base, sign):
    """The same of a linear student and a linear teacher."""
    u = alpha.copy()
    for k in range(K):
        u[base[k]] += sign[k] * alpha[k]
    out = 0.0
    for i in range(u.shape[0]):
        for j in range(u.shape[0]):
            out += u[i] * u[j] * E[i, j]
    return out


@njit
def plain_square(kind, alpha, C):
    """⟨Δ²⟩ for any covariance C of the fields and any activations but tanh, to an absolute error ~1e-16·(K+M)²."""
    out = 0.0
    for a in range(alpha.shape[0]):
        if alpha[a] == 0.0:
            continue
        for b in range(a + 1):
            twice = 1.0 if a == b else 2.0
            out += twice * alpha[a] * alpha[b] * I2(kind[a], kind[b], C[a, a], C[a, b], C[b, b])
    return out


@njit
def plain_square_erf(kind, alpha, C):
    """`plain_square` of erf alone; all arcsines in one loop, for the lanes of the processor."""
    n = alpha.shape[0]
    pairs = n * (n + 1) // 2
    own, scale, x, rest, weight = np.empty(n), np.empty(n), np.empty(pairs), np.empty(pairs), np.empty(pairs)
    for a in range(n):
        own[a] = C[a, a]
        scale[a] = 1.0 / math.sqrt(1.0 + own[a])
    at = 0
    for a in range(n):
        for b in range(a + 1):
            c, s = C[a, b], scale[a] * scale[b]
            x[at + b] = s * c
            # 1 − x², where fields are large and nearly the same without the difference of large numbers.
            rest[at + b] = s * s * (1.0 + own[a] + own[b] + (own[a] * own[b] - c * c))
            weight[at + b] = alpha[a] * alpha[b]
        weight[at + a] *= 0.5
        at += a + 1
    for i in range(pairs):
        x[i] = weight[i] * arcsine(x[i], rest[i])
    out = 0.0
    for i in range(pairs):
        out += x[i]
    return 2.0 * _TWO_OVER_PI * out
