"""Pairs of normals from random words, by the transform of Box and Muller (1958), as code that LLVM vectorises.

Logarithm, sine and cosine are polynomials, without branch, table or call.

The radius of a pair, r = √(-2 log u), has u = (k + 1/2) 2^-52 in float64: the distribution of r is right to 2^-53
everywhere, and r ends at √(106 log 2) = 8.57. A true normal goes beyond that once in 1e17 draws, and those take a core
eight years. In float32 u has 40 bits: the distribution is right to 2^-41 in the tail (to 2^-25, the rounding of u, near
r = 0), and r ends at 7.54, beyond which a true normal goes once in 2e13 draws. The functions are accurate to 1e-14 in
float64 and 5e-7 in float32, relative to r.

References
----------
G. E. P. Box and M. E. Muller, Ann. Math. Stat. 29, 610 (1958).
"""

from __future__ import annotations

import math

import numpy as np

from tsphys._jit import njit

# Contraction only: reassociation would distribute the multiplication over `x - 2**52` and lose the small difference.
exact = njit(fastmath={"contract"})
# A loop with a call in it is not vectorised, and LLVM thinks these too long to inline.
inlined = njit(fastmath={"contract"}, forceinline=True)

_U = np.uint64
_S12, _S32, _S52 = (_U(k) for k in (12, 32, 52))
_ONE = _U(0x3FF0000000000000)
_TWO52 = _U(0x4330000000000000)
_MANTISSA = _U(0x000FFFFFFFFFFFFF)
_SIGN = _U(0x8000000000000000)
_SQRT_HALF = _U(0x3FE6A09E667F3BCD)
_ABOVE_SQRT_HALF = _U(0x3FF0000000000000 - 0x3FE6A09E667F3BCD)

# Interpolation at Chebyshev nodes: sin(πy)/y and cos(πy) in y² for |y| <= 1/2, log(1+f)/f in f for
# sqrt(1/2) <= 1+f < sqrt(2).
_SIN = (
    3.1415926535897927,
    -5.1677127800497855,
    2.5501640398618677,
    -0.5992645288252314,
    0.08214587881641831,
    -0.007370364327267842,
    0.0004659870181429037,
    -2.113363014236431e-05,
)
_COS = (
    0.9999999999999981,
    -4.934802200543686,
    4.058712126333296,
    -1.3352627661817806,
    0.23533058831338638,
    -0.02580653197720173,
    0.0019278700565903161,
    -0.00010041646884363906,
)
_LOG = (
    0.9999999999999978,
    -0.5000000000005124,
    0.3333333333366278,
    -0.24999999980097645,
    0.1999999991352328,
    -0.16666668870066387,
    0.14285723158982674,
    -0.12499895335612826,
    0.11110667407386093,
    -0.10002399105083705,
    0.0910267771056986,
    -0.08308740806890468,
    0.07525682174852476,
    -0.07175470774579162,
    0.07808646209696224,
    -0.07434588733971907,
    0.03550253965196519,
)
_F = np.float32
_SIN32 = tuple(_F(c) for c in (3.1415927, -5.1677103, 2.5500774, -0.5982904, 0.07765591))
_COS32 = tuple(_F(c) for c in (0.99999994, -4.934793, 4.0584106, -1.3318729, 0.21968243))
_LOG32 = tuple(
    _F(c)
    for c in (1.0, -0.49999997, 0.33334193, -0.25001353, 0.19955933, -0.16577993, 0.14977401, -0.14269258, 0.08533313)
)
_F_ONE = _F(1.0)
_F_MINUS_2 = _F(-2.0)
_F_MINUS_2_LN2 = _F(-2.0 * math.log(2.0))
_F_2_31, _F_2_32, _F_2_40, _F_2_41 = (_F(2.0**-k) for k in (31, 32, 40, 41))


@inlined
def minus_2_log(u):
    """-2 log u for normal u > 0."""
    bits = np.float64(u).view(np.uint64) + _ABOVE_SQRT_HALF
    # AVX2 converts no 64-bit integer: put it in the mantissa of 2**52 instead.
    k = np.uint64((bits >> _S52) | _TWO52).view(np.float64) - (2.0**52 + 1023.0)
    f = np.uint64((bits & _MANTISSA) + _SQRT_HALF).view(np.float64) - 1.0
    g = f * f
    # Even and odd powers apart: two chains of dependent operations half as long.
    even, odd = _LOG[16], _LOG[15]
    even, odd = even * g + _LOG[14], odd * g + _LOG[13]
    even, odd = even * g + _LOG[12], odd * g + _LOG[11]
    even, odd = even * g + _LOG[10], odd * g + _LOG[9]
    even, odd = even * g + _LOG[8], odd * g + _LOG[7]
    even, odd = even * g + _LOG[6], odd * g + _LOG[5]
    even, odd = even * g + _LOG[4], odd * g + _LOG[3]
    even, odd = even * g + _LOG[2], odd * g + _LOG[1]
    even = even * g + _LOG[0]
    return k * (-2.0 * math.log(2.0)) + (-2.0 * f) * (even + f * odd)


@inlined
def _polynomial8(c, z):
    y = z * z
    return ((c[6] + c[7] * z) * y + (c[4] + c[5] * z)) * (y * y) + ((c[2] + c[3] * z) * y + (c[0] + c[1] * z))


@inlined
def pair64(v, w):
    """Two independent normals from two words: all 52 high bits of v for the radius, w for the angle."""
    u = np.uint64((v >> _S12) | _ONE).view(np.float64) - (1.0 - 2.0**-53)
    y = np.uint64((w >> _S12) | _ONE).view(np.float64) - (1.5 - 2.0**-53)
    r = math.sqrt(minus_2_log(u))
    z = y * y
    # y covers the half circle where the cosine is positive; a further bit of w, its 12th, decides the half.
    signed = np.uint64(np.float64(r).view(np.uint64) ^ ((w << _S52) & _SIGN)).view(np.float64)
    return signed * _polynomial8(_COS, z), r * (y * _polynomial8(_SIN, z))


@inlined
def minus_2_log32(u):
    bits = np.uint32(np.float32(u).view(np.uint32) + np.uint32(0x3F800000 - 0x3F3504F3))
    k = np.float32(np.int32(bits >> np.uint32(23)) - np.int32(127))
    f = np.uint32((bits & np.uint32(0x7FFFFF)) + np.uint32(0x3F3504F3)).view(np.float32) - _F_ONE
    g = f * f
    even, odd = _LOG32[8], _LOG32[7]
    even, odd = even * g + _LOG32[6], odd * g + _LOG32[5]
    even, odd = even * g + _LOG32[4], odd * g + _LOG32[3]
    even, odd = even * g + _LOG32[2], odd * g + _LOG32[1]
    even = even * g + _LOG32[0]
    return k * _F_MINUS_2_LN2 + (_F_MINUS_2 * f) * (even + f * odd)


@inlined
def _polynomial5(c, z):
    y = z * z
    return (c[4] * y + (c[2] + c[3] * z)) * y + (c[0] + c[1] * z)


@inlined
def pair32(high, low):
    """Two independent normals from two 32-bit words: 31 bits and 9 more for the radius, 24 for the angle."""
    coarse = np.float32(np.int32(high & np.uint32(0x7FFFFFFF)))
    fine = np.float32(np.int32(low & np.uint32(0x1FF)))
    u = coarse * _F_2_31 + (fine * _F_2_40 + _F_2_41)
    y = np.float32(np.uint32((low & np.uint32(0xFFFFFE00)) | np.uint32(0x100)).view(np.int32)) * _F_2_32
    r = np.sqrt(minus_2_log32(u))
    z = y * y
    signed = np.uint32(np.float32(r).view(np.uint32) ^ np.uint32(high & np.uint32(0x80000000))).view(np.float32)
    return signed * _polynomial5(_COS32, z), r * (y * _polynomial5(_SIN32, z))
