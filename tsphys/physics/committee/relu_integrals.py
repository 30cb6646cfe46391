"""Averages over Gaussian fields of a rectified linear unit, x₊ = max(x, 0), with derivative 1_x = [x > 0].

C is the covariance of all fields; indices choose among them. A field of variance zero is zero always, with 1_x = 0.
J2, I3 and I4 take the codes of the activations first, as their sisters for other activations do.
"""

from __future__ import annotations

import math

import numpy as np

from tsphys._jit import njit

_TWO_PI = 2.0 * math.pi
_ROOT_TWO_PI = math.sqrt(_TWO_PI)

# The path of `_distinct` ends at 90° − 90° x⁴: a correlation of 1 − ε² between a derivative and another field puts
# branch points at a distance ε from the end of the path, √√ε after the substitution.
_x, _w = np.polynomial.legendre.leggauss(48)
_X = 0.5 * (_x + 1.0)
_SIN = np.cos(0.5 * math.pi * _X**4)
_COS = np.sin(0.5 * math.pi * _X**4)
_WEIGHT = 0.5 * _w * math.pi * 2.0 * _X**3


@njit
def correlation(caa, cab, cbb):
    """Correlation coefficient within [−1, 1]; 0 for a field that is zero."""
    if caa <= 0.0 or cbb <= 0.0:
        return 0.0
    r = cab / math.sqrt(caa * cbb)
    if r > 1.0:
        return 1.0
    if r < -1.0:
        return -1.0
    return r


@njit
def relu_pair(caa, cab, cbb):
    """⟨a₊ b₊⟩, the arc-cosine kernel of order 1 (Cho & Saul 2009)."""
    if caa <= 0.0 or cbb <= 0.0:
        return 0.0 * (caa + cbb)
    r = correlation(caa, cab, cbb)
    # (1 − r)(1 + r) and acos r belong to the same rounded r: their errors cancel where r is near 1.
    return math.sqrt(caa * cbb) / _TWO_PI * (math.sqrt((1.0 - r) * (1.0 + r)) + r * (math.pi - math.acos(r)))


@njit
def _both(caa, cab, cbb):
    """⟨1_a 1_b⟩; ¼ if a field is zero, which is the limit of an infinitesimal independent one."""
    return 0.25 + math.asin(correlation(caa, cab, cbb)) / _TWO_PI


@njit
def _all_three(caa, cab, cac, cbb, cbc, ccc):
    """⟨1_a 1_b 1_c⟩."""
    angles = (
        math.asin(correlation(caa, cab, cbb))
        + math.asin(correlation(caa, cac, ccc))
        + math.asin(correlation(cbb, cbc, ccc))
    )
    return 0.125 + angles / (2.0 * _TWO_PI)


@njit
def _one_linear(caa, cab, cbb):
    """⟨1_a b₊⟩."""
    if cbb <= 0.0:
        return 0.0
    return math.sqrt(cbb) * (1.0 + correlation(caa, cab, cbb)) / (2.0 * _ROOT_TWO_PI)


@njit
def _given(cxy, cxi, ciy, cii):
    """Covariance of x and y given that field i is zero."""
    return cxy - cxi * ciy / cii


@njit
def _variance_given(cxx, cxi, cii):
    """Variance of x given that field i is zero, not below the rounding of its terms."""
    r = correlation(cxx, cxi, cii)
    return cxx * (1.0 - r) * (1.0 + r)


@njit
def J2_relu(g, C, k, l):
    """⟨1_k 1_l⟩."""
    if C[k, k] <= 0.0 or C[l, l] <= 0.0:
        return 0.0
    return 0.5 if k == l else _both(C[k, k], C[k, l], C[l, l])


@njit
def I3_relu(g, ga, ckk, xbk, cka, xba, caa):
    """⟨1_k x_b a₊⟩ with x_b of covariance `xbk`, `xba` with the other two."""
    if ckk <= 0.0 or caa <= 0.0:
        return 0.0
    r = correlation(ckk, cka, caa)
    return xbk * math.sqrt(caa * (1.0 - r) * (1.0 + r) / ckk) / _TWO_PI + xba * (0.25 + math.asin(r) / _TWO_PI)


@njit
def _one_square(caa, cac, ccc):
    """⟨1_a c₊²⟩."""
    tail = math.sqrt(_variance_given(ccc, cac, caa) / caa)
    return ccc * _both(caa, cac, ccc) + cac * tail / _TWO_PI


@njit
def _one_two(C, a, c, d):
    """⟨1_a c₊ d₊⟩ of three distinct fields."""
    caa, ccc = C[a, a], C[c, c]
    ccd, cac, cad = C[c, d], C[a, c], C[a, d]
    out = ccd * _all_three(caa, cac, cad, ccc, ccd, C[d, d])
    vc = _variance_given(ccc, cac, caa)
    vd = _variance_given(C[d, d], cad, caa)
    out += cac / math.sqrt(_TWO_PI * caa) * _one_linear(vc, _given(ccd, cac, cad, caa), vd)
    va = _variance_given(caa, cac, ccc)
    vd = _variance_given(C[d, d], ccd, ccc)
    return out + math.sqrt(ccc / _TWO_PI) * _one_linear(va, _given(cad, cac, ccd, ccc), vd)


@njit
def _two_square(C, a, b, c):
    """⟨1_a 1_b c₊²⟩ of three distinct fields."""
    caa, cbb, ccc = C[a, a], C[b, b], C[c, c]
    cab, cac, cbc = C[a, b], C[a, c], C[b, c]
    out = ccc * _all_three(caa, cab, cac, cbb, cbc, ccc)
    vb, vc = _variance_given(cbb, cab, caa), _variance_given(ccc, cac, caa)
    out += cac / math.sqrt(_TWO_PI * caa) * _one_linear(vb, _given(cbc, cab, cac, caa), vc)
    va, vc = _variance_given(caa, cab, cbb), _variance_given(ccc, cbc, cbb)
    return out + cbc / math.sqrt(_TWO_PI * cbb) * _one_linear(va, _given(cac, cab, cbc, cbb), vc)


@njit
def _both_given(cpp, cpq, cqq, cpi, cqi, cii, vp, vq):
    """⟨1_p 1_q⟩ given that field i is zero; `vp`, `vq` are the variances of p and q given that."""
    if cii <= 0.0:
        return 0.25
    return _both(vp, _given(cpq, cpi, cqi, cii), vq)


@njit
def _two_linear(cpp, cpq, cpr, cqq, cqr, crr):
    """⟨1_p 1_q r₊⟩."""
    out = 0.0
    if crr > 0.0:
        vp, vq = _variance_given(cpp, cpr, crr), _variance_given(cqq, cqr, crr)
        out += math.sqrt(crr / _TWO_PI) * _both_given(cpp, cpq, cqq, cpr, cqr, crr, vp, vq)
    if cpp > 0.0:
        vq, vr = _variance_given(cqq, cpq, cpp), _variance_given(crr, cpr, cpp)
        out += cpr / math.sqrt(_TWO_PI * cpp) * _both_given(cqq, cqr, crr, cpq, cpr, cpp, vq, vr)
    if cqq > 0.0:
        vp, vr = _variance_given(cpp, cpq, cqq), _variance_given(crr, cqr, cqq)
        out += cqr / math.sqrt(_TWO_PI * cqq) * _both_given(cpp, cpr, crr, cpq, cqr, cqq, vp, vr)
    return out


@njit
def _end(C, i, i2, j, j2, sin, cos):
    """Derivative of ⟨1_k 1_l c₊ d₊⟩ with respect to the covariance of i ∈ {k, l} and j ∈ {c, d}, at `sin` times C.

    `i2`, `j2` are the others of the two pairs. With field i at zero, what remains is ⟨1_i2 1_j (j2)₊⟩.
    """
    cii = C[i, i]
    # 1 − s²r² from cos and 1 − r², so that nothing cancels at the end of the path.
    r = correlation(cii, C[i, j], C[j, j])
    vj = C[j, j] * (cos * cos + sin * sin * (1.0 - r) * (1.0 + r))
    r = correlation(cii, C[i, j2], C[j2, j2])
    vj2 = C[j2, j2] * (cos * cos + sin * sin * (1.0 - r) * (1.0 + r))
    v = _variance_given(C[i2, i2], C[i, i2], cii)
    to_j = sin * (C[i2, j] - C[i, i2] * C[i, j] / cii)
    to_j2 = sin * (C[i2, j2] - C[i, i2] * C[i, j2] / cii)
    jj2 = C[j, j2] - sin * sin * C[i, j] * C[i, j2] / cii
    return _two_linear(v, to_j, to_j2, vj, jj2, vj2) / math.sqrt(_TWO_PI * cii)


@njit
def _distinct(C, k, l, c, d):
    """⟨1_k 1_l c₊ d₊⟩ of four distinct fields.

    The covariances between {k, l} and {c, d} grow from zero to their value along a path; the derivative along it has
    a closed form by Price's theorem (Price 1958), and is integrated by Gauss-Legendre quadrature.
    """
    out = _both(C[k, k], C[k, l], C[l, l]) * relu_pair(C[c, c], C[c, d], C[d, d])
    for n in range(_WEIGHT.size):
        sin, cos = _SIN[n], _COS[n]
        rate = C[k, c] * _end(C, k, l, c, d, sin, cos) + C[k, d] * _end(C, k, l, d, c, sin, cos)
        rate += C[l, c] * _end(C, l, k, c, d, sin, cos) + C[l, d] * _end(C, l, k, d, c, sin, cos)
        out += _WEIGHT[n] * cos * rate
    return out


@njit
def I4_relu(g, ga, gb, C, k, l, a, b):
    """⟨1_k 1_l a₊ b₊⟩, where any of the indices may coincide.

    Closed, but for four distinct indices: there it is a quadrature with an error of 1e-13 √(C_aa C_bb), which grows to
    1e-12 where 1 − |correlation| of a and b is 1e-12, and to 1e-10 where they are equal, yet have distinct indices.
    """
    if C[k, k] <= 0.0 or C[l, l] <= 0.0 or C[a, a] <= 0.0 or C[b, b] <= 0.0:
        return 0.0
    if a == b:
        if k == l:
            return 0.5 * C[a, a] if a == k else _one_square(C[k, k], C[k, a], C[a, a])
        if a == k:
            return _one_square(C[l, l], C[l, k], C[k, k])
        if a == l:
            return _one_square(C[k, k], C[k, l], C[l, l])
        return _two_square(C, k, l, a)
    a_free, b_free = a != k and a != l, b != k and b != l
    if not a_free and not b_free:
        return relu_pair(C[a, a], C[a, b], C[b, b])
    if not (a_free and b_free):
        used, free = (b, a) if a_free else (a, b)
        if k == l:
            return relu_pair(C[used, used], C[used, free], C[free, free])
        return _one_two(C, l if used == k else k, used, free)
    return _one_two(C, k, a, b) if k == l else _distinct(C, k, l, a, b)
