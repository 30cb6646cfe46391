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
def _pair(k, l, E, base, sign, first, last):
    """⟨(g(λ_k) − g(β_k)) (g(λ_l) − g(β_l))⟩ of erf, as ∫∫ ⟨δ_k δ_l g'(β_k + sδ_k) g'(β_l + s'δ_l)⟩ ds ds'."""
    i, j, p, q = base[k], base[l], sign[k], sign[l]
    out = 0.0
    for a in range(first, last):
        s = _PATH[a]
        kx, lx = p * E[k, i] + s * E[k, k], p * E[l, i] + s * E[k, l]
        xx = 1.0 + p * p * E[i, i] + s * (p * E[k, i] + kx)
        for b in range(first, last):
            r = _PATH[b]
            ky, ly = q * E[k, j] + r * E[k, l], q * E[l, j] + r * E[l, l]
            yy = 1.0 + q * q * E[j, j] + r * (q * E[l, j] + ly)
            xy = p * q * E[i, j] + r * p * E[l, i] + s * ky
            det = xx * yy - xy * xy
            inner = E[k, l] - (kx * (yy * lx - xy * ly) + ky * (xx * ly - xy * lx)) / det
            out += _WEIGHT[a] * _WEIGHT[b] * inner / math.sqrt(det)
    return _TWO_OVER_PI * out


@njit
def _with_teacher(k, m, E, base, sign, first, last):
    """⟨(g(λ_k) − g(β_k)) g(ν_m)⟩ of erf, as ∫ ⟨δ_k g'(β_k + sδ_k) g(ν_m)⟩ ds; m is the index of the teacher in E."""
    i, p = base[k], sign[k]
    out = 0.0
    for a in range(first, last):
        s = _PATH[a]
        kx = p * E[k, i] + s * E[k, k]
        xx = 1.0 + p * p * E[i, i] + s * (p * E[k, i] + kx)
        xm = p * E[i, m] + s * E[k, m]
        out += _WEIGHT[a] * (E[k, m] - xm * kx / xx) / math.sqrt(xx * (1.0 + E[m, m]) - xm * xm)
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
    out = 0.0
    for i in range(u.shape[0]):
        for j in range(i + 1):
            twice = 1.0 if i == j else 2.0
            if i < K:
                out += twice * u[i] * u[j] * _pair(i, j, E, base, sign, first, last)
            elif j < K:
                out += twice * u[i] * u[j] * _with_teacher(j, i, E, base, sign, first, last)
            else:
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
    scale, x, rest, weight = np.empty(n), np.empty(pairs), np.empty(pairs), np.empty(pairs)
    for a in range(n):
        scale[a] = 1.0 / math.sqrt(1.0 + C[a, a])
    at = 0
    for a in range(n):
        for b in range(a + 1):
            s = scale[a] * scale[b]
            x[at + b] = s * C[a, b]
            # 1 − x², where fields are large and nearly the same without the difference of large numbers.
            rest[at + b] = s * s * (1.0 + C[a, a] + C[b, b] + (C[a, a] * C[b, b] - C[a, b] * C[a, b]))
            weight[at + b] = alpha[a] * alpha[b]
        weight[at + a] *= 0.5
        at += a + 1
    for i in range(pairs):
        x[i] = weight[i] * arcsine(x[i], rest[i])
    out = 0.0
    for i in range(pairs):
        out += x[i]
    return 2.0 * _TWO_OVER_PI * out
