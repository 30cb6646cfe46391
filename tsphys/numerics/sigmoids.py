"""The error function and the hyperbolic tangent, by polynomials that run on one number or on several side by side.

Errors are at most 2 ulp. Beside a number each function has a form without branches, for lanes, of the same bits.
"""

from __future__ import annotations

from tsphys._jit import njit
from tsphys.numerics.box_muller import inlined
from tsphys.numerics.choice import where
from tsphys.numerics.exponential import exp

#: Where the exponential is as good as zero.
_LEAST = -700.0
#: erf(x/√2)/x − 3/4 in x² up to `_NEAR`, and (1 − erf(x/√2)) exp(x²/2) in 1/(x + 3) beyond, by Remez' algorithm.
_NEAR = 1.25
_NEAR_ZERO = (
    0.04788456080286536,
    -0.1329807601338076,
    0.019947114019988242,
    -0.0023746564301355545,
    0.000230869371030563,
    -1.888930000278801e-05,
    1.3319153788794567e-06,
    -8.242530366661763e-08,
    4.525239773818747e-09,
    -2.1533725155578733e-10,
    7.169960014546508e-12,
)
_TAIL = (
    2.3308358536205378e-05,
    0.7965261093738475,
    2.4286150639126176,
    5.868252104016694,
    18.990679963693005,
    0.149184943412926,
    49.32476766746604,
    330.5508447262046,
    -3509.912139375185,
    10026.600458554054,
    -12873.18579875685,
    6550.76294906736,
)
#: tanh(x)/x − 1 in x² up to `_NEAR_TANH`.
_NEAR_TANH = 0.625
_TANH = (
    0.0,
    -0.3333333333333262,
    0.13333333333246064,
    -0.053968253926267834,
    0.021869487489980542,
    -0.008863220099462958,
    0.0035919831021857286,
    -0.0014549321548735729,
    0.000586239917217229,
    -0.0002284263358177022,
    7.70030063790347e-05,
    -1.6009572159777468e-05,
)


@inlined
def gaussian(x):
    """exp(−x²/2), to 2 ulp and the rounding of x²; from |x| = 37 on it stays at 1e-304."""
    y = -0.5 * x * x
    return exp(where(y < _LEAST, _LEAST, y))


@inlined
def _even_odd(c, x, y, z, w):
    """Σ c_j x^j for j < 11, with y = x², z = x⁴, w = x⁸."""
    low = (c[3] * x + c[2]) * y + (c[1] * x + c[0])
    high = (c[7] * x + c[6]) * y + (c[5] * x + c[4])
    return ((c[10] * y) + (c[9] * x + c[8])) * w + (high * z + low)


@inlined
def _erf_near(x):
    y = x * x
    z = y * y
    w = z * z
    # What is large is rounded once.
    return (x - 0.25 * x) + x * _even_odd(_NEAR_ZERO, y, z, w, w * w)


@inlined
def _erf_far(a):
    """For a ≥ `_NEAR`."""
    t = 1.0 / (a + 3.0)
    y = t * t
    z = y * y
    w = z * z
    return 1.0 - gaussian(a) * (_TAIL[11] * (w * y * t) + _even_odd(_TAIL, t, y, z, w))


@njit
def erf(x):
    """erf(x/√2)."""
    a = abs(x)
    if a < _NEAR:
        return _erf_near(x)
    return _erf_far(a) if x > 0.0 else -_erf_far(a)


@inlined
def erf_of_lanes(x):
    """`erf` without branches."""
    far = _erf_far(abs(x))
    return where(abs(x) < _NEAR, _erf_near(x), where(x > 0.0, far, -far))


@inlined
def _tanh_near(x):
    y = x * x
    z = y * y
    w = z * z
    v = w * w
    return x + x * (_TANH[11] * (v * z * y) + _even_odd(_TANH, y, z, w, v))


@inlined
def _tanh_far(a):
    return 1.0 - 2.0 / (exp(where(a > 20.0, 40.0, 2.0 * a)) + 1.0)


@njit
def tanh(x):
    """The hyperbolic tangent."""
    a = abs(x)
    if a < _NEAR_TANH:
        return _tanh_near(x)
    return _tanh_far(a) if x > 0.0 else -_tanh_far(a)


@inlined
def tanh_of_lanes(x):
    """`tanh` without branches."""
    far = _tanh_far(abs(x))
    return where(abs(x) < _NEAR_TANH, _tanh_near(x), where(x > 0.0, far, -far))
