"""Averages over Gaussian fields of activations and their derivatives, in closed form, for use inside of kernels.

The fields x have mean zero and covariance C; g_a is the activation of field a, given by its integer code. A field of
variance zero is allowed everywhere. Where no closed form is known the functions return NaN; see `closed`.

Saad & Solla, PRE 52, 4225 (1995) for erf; Cho & Saul (2009) and Straat & Biehl, ESANN (2019) for relu.
"""

from __future__ import annotations

import math

from tsphys._jit import njit
from tsphys.physics.activations import ERF, HE2, LINEAR, QUAD, RELU, SIGN
from tsphys.physics.committee.relu_integrals import I3_relu, I4_relu, J2_relu, correlation, relu_pair

_TWO_OVER_PI = 2.0 / math.pi
_ROOT = math.sqrt(_TWO_OVER_PI)


@njit
def _sigmoid(g):
    return g in (ERF, SIGN)


@njit
def even(g):
    """Whether g is an even activation s(x² − c)."""
    return g in (QUAD, HE2)


@njit
def _scale(g):
    """s of the even activation s(x² − c)."""
    return 1.0 if g == QUAD else math.sqrt(0.5)


@njit
def _offset(g):
    """c of the even activation s(x² − c)."""
    return 0.0 if g == QUAD else 1.0


@njit
def _broadened(g, variance):
    """Variance of x + u, if the sigmoid g is the average of sign(x + u) over an independent normal u."""
    return variance + 1.0 if g == ERF else variance


@njit
def gain(g, variance):
    """⟨g'(x)⟩ = ⟨x g(x)⟩/⟨x²⟩; then ⟨x_b g(x)⟩ = ⟨x_b x⟩·gain for any other field (Stein)."""
    if g == LINEAR:
        return 1.0
    if g == RELU:
        return 0.5
    if even(g):
        return 0.0
    if not _sigmoid(g):
        return math.nan
    broad = _broadened(g, variance)
    return _ROOT / math.sqrt(broad) if broad != 0.0 else 0.0


@njit
def _relu_even(g, crr, cre, cee):
    """⟨r₊ g(x_e)⟩ with an even g."""
    if crr <= 0.0:
        return 0.0
    return _scale(g) * 0.5 * _ROOT * (math.sqrt(crr) * (cee - _offset(g)) + cre * cre / math.sqrt(crr))


@njit
def I2(ga, gb, caa, cab, cbb):
    """⟨g_a(x_a) g_b(x_b)⟩ for any two activations but tanh.

    An odd activation sees of relu, (x + |x|)/2, only x/2, and of an even one nothing; even ones see |x|/2.
    """
    if ga == RELU and gb == RELU:
        return relu_pair(caa, cab, cbb)
    if even(ga) and even(gb):
        return _scale(ga) * _scale(gb) * ((caa - _offset(ga)) * (cbb - _offset(gb)) + 2.0 * cab * cab)
    if even(ga):
        return _relu_even(ga, cbb, cab, caa) if gb == RELU else 0.0
    if even(gb):
        return _relu_even(gb, caa, cab, cbb) if ga == RELU else 0.0
    if ga == ERF and gb == ERF:
        return I2_erf(ga, gb, caa, cab, cbb)
    if _sigmoid(ga) and _sigmoid(gb):
        return _TWO_OVER_PI * math.asin(correlation(_broadened(ga, caa), cab, _broadened(gb, cbb)))
    return cab * gain(ga, caa) * gain(gb, cbb)


@njit
def I2_erf(ga, gb, caa, cab, cbb):
    """`I2` of two erf. Where fields are large and nearly the same the sine would keep no digit of their difference."""
    x = cab / math.sqrt((1.0 + caa) * (1.0 + cbb))
    if abs(x) < 0.9:
        return _TWO_OVER_PI * math.asin(x)
    return _TWO_OVER_PI * math.atan2(cab, math.sqrt(1.0 + caa + cbb + (caa * cbb - cab * cab)))


@njit
def J2_erf(g, C, k, l):
    """⟨g'(x_k) g'(x_l)⟩ of erf."""
    return _TWO_OVER_PI / math.sqrt(1.0 + C[k, k] + C[l, l] + (C[k, k] * C[l, l] - C[k, l] * C[k, l]))


@njit
def I3_erf(g, ga, ckk, xbk, cka, xba, caa):
    """⟨g'(x_k) x_b g_a(x_a)⟩ of erf: g' is a Gaussian weight, which lowers the covariances of what it weighs.

    The differences vanish for a = k, where all digits would be lost of a large field.
    """
    broad = 1.0 + ckk
    left, own = (xba + (xba * ckk - xbk * cka)) / broad, (caa + (caa * ckk - cka * cka)) / broad
    return _ROOT / math.sqrt(broad) * left * gain(ga, own)


@njit
def tilted(C, k, l, i, j):
    """Covariance of x_i and x_j under the weight g'(x_k) g'(x_l) of erf, C − C(1 + C)⁻¹C with the inverse that of k, l.

    With x_k or x_l itself it is (1 + C)⁻¹C, without the difference of large numbers.
    """
    kk, kl, ll = C[k, k], C[k, l], C[l, l]
    a, b, c, d = C[i, k], C[i, l], C[j, k], C[j, l]
    det = 1.0 + kk + ll + (kk * ll - kl * kl)
    if i == k:
        return (c + (ll * c - kl * d)) / det
    if i == l:
        return (d + (kk * d - kl * c)) / det
    if j == k:
        return (a + (ll * a - kl * b)) / det
    if j == l:
        return (b + (kk * b - kl * a)) / det
    return C[i, j] - (a * (c + (ll * c - kl * d)) + b * (d + (kk * d - kl * c))) / det


@njit
def I4_erf(g, ga, gb, C, k, l, a, b):
    """⟨g'(x_k) g'(x_l) g_a(x_a) g_b(x_b)⟩ of erf: `I2` under the Gaussian weight g' g'."""
    return J2_erf(g, C, k, l) * I2(ga, gb, tilted(C, k, l, a, a), tilted(C, k, l, a, b), tilted(C, k, l, b, b))


@njit
def J2_linear(g, C, k, l):
    """⟨g'(x_k) g'(x_l)⟩ of linear units."""
    return 1.0


@njit
def I3_linear(g, ga, ckk, xbk, cka, xba, caa):
    """⟨x_b g_a(x_a)⟩."""
    return xba * gain(ga, caa)


@njit
def J2_even(g, C, k, l):
    """⟨g'(x_k) g'(x_l)⟩ of quad and he2."""
    return 4.0 * _scale(g) * _scale(g) * C[k, l]


@njit
def I3_even(g, ga, ckk, xbk, cka, xba, caa):
    """⟨g'(x_k) x_b g_a(x_a)⟩ of quad and he2."""
    return _scale(g) * _scale(ga) * (2.0 * xbk * (caa - _offset(ga)) + 4.0 * cka * xba)


@njit
def I4_even(g, ga, gb, C, k, l, a, b):
    """⟨g'(x_k) g'(x_l) g_a(x_a) g_b(x_b)⟩ of quad and he2, by Wick's theorem."""
    A, B = C[a, a] - _offset(ga), C[b, b] - _offset(gb)
    out = C[k, l] * (A * B + 2.0 * C[a, b] * C[a, b]) + 2.0 * C[k, a] * C[l, a] * B + 2.0 * C[k, b] * C[l, b] * A
    out += 4.0 * C[a, b] * (C[k, a] * C[l, b] + C[k, b] * C[l, a])
    return 4.0 * _scale(g) * _scale(g) * _scale(ga) * _scale(gb) * out


@njit
def J2(g, C, k, l):
    """⟨g'(x_k) g'(x_l)⟩ of students erf, relu, linear, quad, he2."""
    if g == ERF:
        return J2_erf(g, C, k, l)
    if g == RELU:
        return J2_relu(g, C, k, l)
    if g == LINEAR:
        return J2_linear(g, C, k, l)
    if even(g):
        return J2_even(g, C, k, l)
    return math.nan


@njit
def I3(g, ga, ckk, xbk, cka, xba, caa):
    """⟨g'(x_k) x_b g_a(x_a)⟩; x_b may be any field, of covariance `xbk` with x_k and `xba` with x_a.

    Students erf and linear: any g_a but tanh; relu: relu; quad and he2: either.
    """
    if g == ERF:
        return I3_erf(g, ga, ckk, xbk, cka, xba, caa)
    if g == LINEAR:
        return I3_linear(g, ga, ckk, xbk, cka, xba, caa)
    if g == RELU and ga == RELU:
        return I3_relu(g, ga, ckk, xbk, cka, xba, caa)
    if even(g) and even(ga):
        return I3_even(g, ga, ckk, xbk, cka, xba, caa)
    return math.nan


@njit
def I4(g, ga, gb, C, k, l, a, b):
    """⟨g'(x_k) g'(x_l) g_a(x_a) g_b(x_b)⟩, for the pairs of `I3`."""
    if g == ERF:
        return I4_erf(g, ga, gb, C, k, l, a, b)
    if g == LINEAR:
        return I2(ga, gb, C[a, a], C[a, b], C[b, b])
    if g == RELU and ga == RELU and gb == RELU:
        return I4_relu(g, ga, gb, C, k, l, a, b)
    if even(g) and even(ga) and even(gb):
        return I4_even(g, ga, gb, C, k, l, a, b)
    return math.nan


def closed(student: str, teacher: str) -> bool:
    """Whether the equations of motion of this student and this teacher have a closed form.

    They do for relu with relu, quad and he2 with each other, and erf and linear with any teacher but tanh.
    """
    if student in ("erf", "linear"):
        return teacher != "tanh"
    if student in ("quad", "he2"):
        return teacher in ("quad", "he2")
    return student == teacher == "relu"
