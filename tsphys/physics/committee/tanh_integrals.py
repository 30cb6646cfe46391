"""⟨g_a(x) g_b(y)⟩ over two Gaussian fields where one activation at least is tanh, by quadrature."""

from __future__ import annotations

import math

import numpy as np

from tsphys._jit import njit
from tsphys.physics.activations import RELU, TANH, g
from tsphys.physics.committee.integrals import I2, even

# The half line y > 0 is enough, and on it every activation is smooth. The inner integrand has poles at a distance
# π/2 from the real axis of the argument of tanh; the trapezoidal rule with step h errs by e^(−2π·distance/h).
_x, _w = np.polynomial.legendre.leggauss(64)
_REACH = 8.5
_Y = 0.5 * _REACH * (_x + 1.0)
_WEIGHT = _REACH * _w * np.exp(-0.5 * _Y * _Y) / math.sqrt(2.0 * math.pi)


@njit
def _smoothed_tanh(shift, width):
    """⟨tanh(shift + width·z)⟩ over a standard normal z, to 1e-13 for a width up to 8."""
    step = 0.5 if width < 0.6 else 0.3 / width
    n = int(_REACH / step)
    out = math.tanh(shift)
    for i in range(1, n + 1):
        z = i * step
        out += math.exp(-0.5 * z * z) * (math.tanh(shift + width * z) + math.tanh(shift - width * z))
    return out * step / math.sqrt(2.0 * math.pi)


@njit
def I2_tanh(ga, gb, caa, cab, cbb):
    """⟨g_a(x_a) g_b(x_b)⟩ for any two activations, to 1e-12 for variances up to 25."""
    if ga != TANH and gb != TANH:
        return I2(ga, gb, caa, cab, cbb)
    if ga != TANH:
        ga, gb, caa, cbb = gb, ga, cbb, caa
    if even(gb):
        return 0.0
    if caa <= 0.0 or cbb <= 0.0:
        return 0.0 * (caa + cbb)
    rest = caa - cab * cab / cbb
    width = math.sqrt(rest) if rest > 0.0 else 0.0
    root = math.sqrt(cbb)
    out = 0.0
    for i in range(_Y.size):
        out += _WEIGHT[i] * g(gb, root * _Y[i]) * _smoothed_tanh(cab / root * _Y[i], width)
    # tanh is odd and sees only the odd half of relu; the sum above has counted both sides of it.
    return 0.5 * out if gb == RELU else out
