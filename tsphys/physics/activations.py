"""Activations and their derivatives, chosen by an integer code inside of kernels."""

from __future__ import annotations

import math

from tsphys._jit import njit
from tsphys.numerics.choice import where
from tsphys.numerics.sigmoids import erf, gaussian, tanh
from tsphys.physics.names import ACTIVATIONS, code

__all__ = ["ACTIVATIONS", "ERF", "HE2", "LINEAR", "QUAD", "RELU", "SIGN", "TANH", "code", "dg", "g"]

ERF = ACTIVATIONS["erf"]
RELU = ACTIVATIONS["relu"]
LINEAR = ACTIVATIONS["linear"]
TANH = ACTIVATIONS["tanh"]
QUAD = ACTIVATIONS["quad"]
HE2 = ACTIVATIONS["he2"]
SIGN = ACTIVATIONS["sign"]

_SQRT_HALF = math.sqrt(0.5)
_SQRT_TWO = math.sqrt(2.0)
_SQRT_TWO_OVER_PI = math.sqrt(2.0 / math.pi)


@njit
def g(code, x):
    """Activation `code` at the field x."""
    if code == ERF:
        return erf(x)
    if code == RELU:
        return where(x > 0.0, x, 0.0)
    if code == LINEAR:
        return x
    if code == TANH:
        return tanh(x)
    if code == QUAD:
        return x * x
    if code == HE2:
        return (x * x - 1.0) * _SQRT_HALF
    return where(x > 0.0, 1.0, where(x < 0.0, -1.0, 0.0))


@njit
def dg(code, x):
    """Derivative of activation `code` at the field x; 0 for sign, whose derivative has no use in a learning rule."""
    if code == ERF:
        return _SQRT_TWO_OVER_PI * gaussian(x)
    if code == RELU:
        return where(x > 0.0, 1.0, 0.0)
    if code == LINEAR:
        return 1.0
    if code == TANH:
        y = tanh(x)
        return 1.0 - y * y
    if code == QUAD:
        return 2.0 * x
    if code == HE2:
        return _SQRT_TWO * x
    return 0.0
