"""An activation of a Gaussian field: its values on arrays, and what of it is constant, linear and the rest."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from tsphys._jit import njit
from tsphys.physics.activations import code, g


class Parts(NamedTuple):
    """φ(z) = κ_0 + κ_1 z + κ_* ξ with z ~ N(0, 1) and ξ of mean 0 and variance 1, uncorrelated with z.

    Attributes
    ----------
    mean : float
        κ_0 = ⟨φ⟩.
    slope : float
        κ_1 = ⟨zφ⟩.
    rest : float
        κ_*² = ⟨φ²⟩ − κ_0² − κ_1².
    """

    mean: float
    slope: float
    rest: float


@njit
def _apply(kind, x):
    for i in range(x.size):
        x[i] = g(kind, x[i])


def activate(activation: str, x: np.ndarray) -> np.ndarray:
    """φ of each entry of a contiguous float64 array, in place."""
    _apply(code(activation), x.reshape(-1))
    return x


@cache
def parts(activation: str) -> Parts:
    """Constant, linear part and rest of an activation, to 1e-14.

    Gauss–Legendre on either side of the kink at 0, up to |z| = 13, beyond which a Gaussian holds 1e-38.

    Raises
    ------
    ModelError
        If there is no such activation.
    """
    x, w = np.polynomial.legendre.leggauss(40)
    half = (np.arange(13)[:, None] + (x + 1) / 2).ravel()
    z = np.concatenate([-half, half])
    weight = np.tile(np.tile(w / 2, 13) * np.exp(-(half**2) / 2) / np.sqrt(2 * np.pi), 2)
    values = activate(activation, z.copy())
    mean, slope = float(weight @ values), float(weight @ (z * values))
    rest = float(weight @ (values - mean - slope * z) ** 2)
    # Of a linear activation nothing is left but rounding, which a vanishing ridge would magnify.
    return Parts(mean, slope, rest if rest > 1e-24 else 0.0)
