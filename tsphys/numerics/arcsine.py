"""The arcsine as a polynomial, so that a loop over many of them runs in the lanes of a processor."""

from __future__ import annotations

import math

from tsphys._jit import njit

_HALF_PI = 0.5 * math.pi

#: (asin(x)/x − 1)/x² as a polynomial of x² up to x = ½, by Chebyshev interpolation; wrong by 6e-17 of asin(x)/x.
_C = (
    0.1666666666666665, 0.07500000000020764, 0.044642857103423646, 0.03038194736709848, 0.02237204763174451,
    0.017355259955786323, 0.013929652902326633, 0.011875494382636922, 0.0078029494773533175, 0.01603551434914882,
    -0.010749050339697808, 0.028169218060881414,
)  # fmt: skip


@njit(forceinline=True)
def arcsine(x, rest):
    """asin(x) to 7e-16 relative, −1 ≤ x ≤ 1; `rest` is 1 − x², given apart as it may be known to more digits.

    Beyond ½ it is π/2 − 2 asin √((1 − |x|)/2).
    """
    size = abs(x)
    far = size > 0.5
    z = 0.5 * rest / (1.0 + size) if far else x * x
    y = math.sqrt(z) if far else size
    p = _C[11]
    p = p * z + _C[10]
    p = p * z + _C[9]
    p = p * z + _C[8]
    p = p * z + _C[7]
    p = p * z + _C[6]
    p = p * z + _C[5]
    p = p * z + _C[4]
    p = p * z + _C[3]
    p = p * z + _C[2]
    p = p * z + _C[1]
    p = p * z + _C[0]
    y += y * z * p
    y = _HALF_PI - 2.0 * y if far else y
    return y if x >= 0.0 else -y
