"""Mean squared difference of two networks that are close to each other, without cancellation.

Each student field is written as λ_k = β_k + δ_k around a base field β_k: plus or minus a teacher's field, or zero.
With D = ⟨δδᵀ⟩ and P = ⟨δνᵀ⟩ small, ⟨Δ²⟩ is a sum of terms of second order, each computed as such.
"""

from __future__ import annotations

import math

import numpy as np

from tsphys._jit import njit
from tsphys.physics.activations import LINEAR
from tsphys.physics.integrals import I2

#: Largest D_kk/(1 + ⟨β_k²⟩) of a student that counts as close to its base.
CLOSE = 0.04

# Integrals over paths from β to β + δ are analytic up to a distance of 1/√CLOSE path lengths: six nodes give 1e-15.
_x, _w = np.polynomial.legendre.leggauss(6)
_PATH = 0.5 * (_x + 1.0)
_WEIGHT = 0.5 * _w


@njit
def nearest_bases(C, K, unit, sign):
    """Write the teacher of each base into `unit` (−1: none), and its sign; whether all students are close to theirs.

    C (K+M, K+M) is the covariance of students and teachers.
    """
    close = True
    for k in range(K):
        best = C[k, k]
        unit[k], sign[k] = -1, 0.0
        scale = 1.0
        for m in range(C.shape[0] - K):
            r, t = C[k, K + m], C[K + m, K + m]
            distance = C[k, k] - 2.0 * abs(r) + t
            if distance < best:
                best, scale = distance, 1.0 + t
                unit[k], sign[k] = m, 1.0 if r > 0.0 else -1.0
        close = close and best < CLOSE * scale
    return close


@njit
def deviations(C, K, unit, sign, D, P):
    """Write D (K, K) and P (K, M) for the covariance C of the fields."""
    for k in range(K):
        for m in range(C.shape[0] - K):
            P[k, m] = C[k, K + m]
            if unit[k] >= 0:
                P[k, m] -= sign[k] * C[K + unit[k], K + m]
    for k in range(K):
        for l in range(K):
            D[k, l] = C[k, l]
            if unit[k] >= 0:
                D[k, l] -= sign[k] * C[K + unit[k], l]
            if unit[l] >= 0:
                D[k, l] -= sign[l] * P[k, unit[l]]


@njit
def readout_difference(v, v_star, unit, sign, u):
    """Write u (M,), the readout that is left on each teacher unit when every δ is zero."""
    for m in range(v_star.shape[0]):
        u[m] = -v_star[m]
    for k in range(v.shape[0]):
        if unit[k] >= 0:
            u[unit[k]] += sign[k] * v[k]


@njit
def _pair(k, l, T, D, P, unit, sign):
    """⟨(g(λ_k) − g(β_k)) (g(λ_l) − g(β_l))⟩ of erf, as ∫∫ ⟨δ_k δ_l g'(β_k + sδ_k) g'(β_l + s'δ_l)⟩ ds ds'."""
    bkk = bkl = bll = pkk = pkl = plk = pll = 0.0
    if unit[k] >= 0:
        bkk = T[unit[k], unit[k]]
        pkk, plk = sign[k] * P[k, unit[k]], sign[k] * P[l, unit[k]]
    if unit[l] >= 0:
        bll = T[unit[l], unit[l]]
        pkl, pll = sign[l] * P[k, unit[l]], sign[l] * P[l, unit[l]]
    if unit[k] >= 0 and unit[l] >= 0:
        bkl = sign[k] * sign[l] * T[unit[k], unit[l]]
    out = 0.0
    for i in range(_PATH.size):
        s = _PATH[i]
        xx = 1.0 + bkk + s * (2.0 * pkk + s * D[k, k])
        kx, lx = pkk + s * D[k, k], plk + s * D[k, l]
        for j in range(_PATH.size):
            r = _PATH[j]
            yy = 1.0 + bll + r * (2.0 * pll + r * D[l, l])
            xy = bkl + s * pkl + r * plk + s * r * D[k, l]
            ky, ly = pkl + r * D[k, l], pll + r * D[l, l]
            det = xx * yy - xy * xy
            inner = D[k, l] - (kx * (yy * lx - xy * ly) + ky * (xx * ly - xy * lx)) / det
            out += _WEIGHT[i] * _WEIGHT[j] * inner / math.sqrt(det)
    return 2.0 / math.pi * out


@njit
def _with_teacher(k, m, T, D, P, unit, sign):
    """⟨(g(λ_k) − g(β_k)) g(ν_m)⟩ of erf, as ∫ ⟨δ_k g'(β_k + sδ_k) g(ν_m)⟩ ds."""
    bkk = pkk = bkm = 0.0
    if unit[k] >= 0:
        bkk, pkk, bkm = T[unit[k], unit[k]], sign[k] * P[k, unit[k]], sign[k] * T[unit[k], m]
    out = 0.0
    for i in range(_PATH.size):
        s = _PATH[i]
        xx = 1.0 + bkk + s * (2.0 * pkk + s * D[k, k])
        xm = bkm + s * P[k, m]
        inner = P[k, m] - xm * (pkk + s * D[k, k]) / xx
        out += _WEIGHT[i] * inner / math.sqrt(xx * (1.0 + T[m, m]) - xm * xm)
    return 2.0 / math.pi * out


@njit
def close_square(g, T, D, P, v, u, unit, sign):
    """⟨Δ²⟩ of a student and a teacher that are both erf, with every δ small, or both linear.

    Relative error 1e-13 or less for any D and P, T (M, M); it vanishes exactly with D, P and u.
    """
    out = 0.0
    for k in range(D.shape[0]):
        for l in range(k + 1):
            twice = 1.0 if k == l else 2.0
            out += twice * v[k] * v[l] * (D[k, l] if g == LINEAR else _pair(k, l, T, D, P, unit, sign))
        for m in range(T.shape[0]):
            if u[m] != 0.0:
                dk = P[k, m] if g == LINEAR else _with_teacher(k, m, T, D, P, unit, sign)
                out += 2.0 * v[k] * u[m] * dk
    for m in range(T.shape[0]):
        for n in range(T.shape[0]):
            out += u[m] * u[n] * I2(g, g, T[m, m], T[m, n], T[n, n])
    return out


@njit
def describe(gs, gt, v, v_star, kind, alpha):
    """Write activation and readout of all K + M fields, Δ = Σ_a α_a g_a(x_a)."""
    K = v.shape[0]
    for k in range(K):
        kind[k], alpha[k] = gs, v[k]
    for m in range(v_star.shape[0]):
        kind[K + m], alpha[K + m] = gt, -v_star[m]


@njit
def plain_square(kind, alpha, C):
    """⟨Δ²⟩ for any covariance C of the fields and any activations but tanh, to an absolute error ~1e-16·(K+M)²."""
    out = 0.0
    for a in range(alpha.shape[0]):
        out += alpha[a] * alpha[a] * I2(kind[a], kind[a], C[a, a], C[a, a], C[a, a])
        for b in range(a):
            out += 2.0 * alpha[a] * alpha[b] * I2(kind[a], kind[b], C[a, a], C[a, b], C[b, b])
    return out
