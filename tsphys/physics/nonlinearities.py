"""Nonlinearities f that fold the latent fields into inputs x = f(u) − ⟨f⟩, and their first Gaussian moments."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.given import reals
from tsphys.ground.parameters import number, word

NONLINEARITIES = ("sign", "relu", "erf", "tanh", "linear")
#: Gauss-Hermite nodes of the moments of tanh; its error falls like exp(−π√(2n)/2), to 1e-13 with these.
_NODES = 200
#: Accuracy that the moments of a function must reach, of order of that of the solvers.
_ACCURATE = 1e-9
#: A normal variable is beyond it with probability 1e-33.
_FAR = 12.0


class Moments(NamedTuple):
    """a = ⟨f(z)⟩, b = ⟨z f(z)⟩, c2 = ⟨f(z)²⟩ for z ~ N(0, 1).

    An input is equivalent to a + b u + κζ with a Gaussian ζ that knows nothing of u (Goldt et al. 2020).
    """

    a: float
    b: float
    c2: float

    @property
    def kappa2(self) -> float:
        """κ² = c2 − a² − b², the variance of an input that is not linear in its latent field."""
        return max(self.c2 - self.a * self.a - self.b * self.b, 0.0)


@cache
def moments(name: Any) -> Moments:
    """Moments of a nonlinearity, a name or a function; a ModelError if there is none of that name."""
    if callable(name):
        return _moments(name)
    word("f", name, NONLINEARITIES)
    if name == "sign":
        return Moments(0.0, math.sqrt(2 / math.pi), 1.0)
    if name == "relu":
        return Moments(1 / math.sqrt(2 * math.pi), 0.5, 0.5)
    if name == "erf":
        return Moments(0.0, 1 / math.sqrt(math.pi), 1 / 3)
    if name == "linear":
        return Moments(0.0, 1.0, 1.0)
    z, w = np.polynomial.hermite_e.hermegauss(_NODES)
    w, y = w / w.sum(), np.tanh(z)
    return Moments(0.0, float(w @ (z * y)), float(w @ (y * y)))


def _moments(f: Callable[[np.ndarray], Any]) -> Moments:
    """Moments by adaptive quadrature, which finds kinks and jumps by bisection; a ModelError if it fails."""
    from scipy.integrate import quad

    def average(g: Callable[[float, float], float]) -> float:
        def weighted(z: float) -> float:
            return g(z, float(reals("f", f, (1,), np.array([z]))[0])) * math.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)

        total = 0.0
        for low, high in ((-_FAR, 0.0), (0.0, _FAR)):
            value, error, *_ = quad(weighted, low, high, epsabs=1e-12, epsrel=1e-11, limit=1000, full_output=1)
            if not error < _ACCURATE * max(1.0, abs(value)):
                raise ModelError("f", f, f"must have averages over N(0, 1) that are found to {_ACCURATE:g}")
            total += value
        return total

    reals("f", f, (2, 3), np.zeros((2, 3)))
    out = Moments(average(lambda z, y: y), average(lambda z, y: z * y), average(lambda z, y: y * y))
    if not out.c2 - out.a**2 > _ACCURATE:
        raise ModelError("f", f, "must not be constant")
    return out


def apply(name: Any, u: np.ndarray) -> None:
    """u ← f(u) − ⟨f⟩, in place."""
    if callable(name):
        u[...] = reals("f", name, u.shape, u)
    else:
        _FUNCTIONS[name](u)
    a = moments(name).a
    if a != 0.0:
        u -= u.dtype.type(a)


def _erf(u: np.ndarray) -> None:
    from scipy.special import erf

    u *= u.dtype.type(math.sqrt(0.5))
    erf(u, out=u)


_FUNCTIONS: dict[str, Callable[[np.ndarray], object]] = {
    "sign": lambda u: np.copysign(u.dtype.type(1), u, out=u),
    "relu": lambda u: np.maximum(u, 0, out=u),
    "erf": _erf,
    "tanh": lambda u: np.tanh(u, out=u),
    "linear": lambda u: u,
}


def attainable_information(name: Any, delta: float) -> float:
    """X, the fraction of the variance of ν = θ·c/√D that the best linear function of the inputs explains, N → ∞.

    X = ∫ p(ρ) b²ρ/(κ²δ + b²ρ) dρ over the Marchenko-Pastur law of FᵀF/N, for Gaussian features; in closed form by its
    Stieltjes transform.
    """
    m, delta = moments(name), number("delta", delta, low=0)
    if m.b == 0.0:
        return 0.0
    z = m.kappa2 * delta / m.b**2
    half = 1.0 + z - delta
    root = math.sqrt(half * half + 4.0 * delta * z)
    # The difference root − half without its cancellation.
    return 1.0 - (2.0 * z / (root + half) if half > 0 else (root - half) / (2.0 * delta))
