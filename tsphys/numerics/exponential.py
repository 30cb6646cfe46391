"""The exponential function as code that LLVM vectorises: a polynomial without branch, table or call.

Relative error at most 2 ulp (4.5e-16) from −700 to 700, which the caller sees to; 1 ns a number on a 2.5 GHz core where
a call costs ten.
"""

from __future__ import annotations

import math

import numpy as np

from tsphys.numerics.box_muller import inlined

_S52 = np.uint64(52)
_LOG2_E = 1.0 / math.log(2.0)
#: ln 2 in two parts, of which multiples of the first are exact.
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
#: Added to a number it leaves its nearest integer in the low bits: AVX2 converts no 64-bit integer.
_ROUND = 1.5 * 2.0**52
# Taylor's, beyond which |r| ≤ ½ ln 2 leaves 2e-16 of the last term that is kept.
_C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9, _C10, _C11, _C12 = (1.0 / math.factorial(k) for k in range(2, 13))


@inlined
def from_exponent(t):
    """2^k, where the low bits of the double t hold k + 1023."""
    return np.uint64(np.float64(t).view(np.uint64) << _S52).view(np.float64)


@inlined
def exp(x):
    """exp(x) of a float64 with |x| ≤ 700."""
    t = x * _LOG2_E + _ROUND
    k = t - _ROUND
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    y = r * r
    # Even and odd powers apart: two chains of dependent operations half as long.
    even = ((_C12 * y + _C10) * y + _C8) * y + _C6
    odd = ((_C11 * y + _C9) * y + _C7) * y + _C5
    p = 1.0 + (r + (((even * y + _C4) * y + _C2) * y + ((odd * y + _C3) * y) * r))
    return p * from_exponent(t + 1023.0)
