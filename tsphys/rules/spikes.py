"""Online ascent of the correlation y g(λ), and the laws of inputs whose classes differ by spikes in few directions.

Of the noises, standard normals, the first becomes the label, the others are the latent variables. The codes of their
laws follow the order rademacher, uniform, laplace, normal.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from tsphys._jit import njit
from tsphys.physics.activations import dg

RADEMACHER, UNIFORM, LAPLACE = range(3)

_SQRT_HALF = math.sqrt(0.5)
_SQRT_THREE = math.sqrt(3.0)


class Params(NamedTuple):
    """Codes of the activation and of the law of latent variables, learning rate η, strengths β, β_m and β_u."""

    activation: int
    lr: float
    latent: int
    beta: float
    beta_m: float
    beta_u: float
    correlated: int


@njit
def rule(lam, nu, v, v_star, noise, p, c, dv):
    """One example: c = η y g'(λ), with the label y = noise[0]."""
    c[0] = p.lr * noise[0] * dg(p.activation, lam[0])


@njit
def latent(kind, z):
    """A variable of zero mean and unit variance, as an increasing function of a standard normal z."""
    if kind == RADEMACHER:
        return 1.0 if z > 0.0 else -1.0
    if kind == UNIFORM:
        return _SQRT_THREE * math.erf(z * _SQRT_HALF)
    if kind == LAPLACE:
        size = -math.log(math.erfc(abs(z) * _SQRT_HALF)) * _SQRT_HALF
        return size if z > 0.0 else -size
    return z


@njit
def spiked(s, noise, p):
    """The spiked cumulant: s stays normal for y = −1, and is (√β g + s)/√(1 + β) for y = 1, g latent."""
    y = 1.0 if noise[0] > 0.0 else -1.0
    noise[0] = y
    if y > 0.0:
        s[0] = (math.sqrt(p.beta) * latent(p.latent, noise[1]) + s[0]) / math.sqrt(1.0 + p.beta)


@njit
def mixed(s, noise, p):
    """Mixed cumulants: for y = 1 a mean β_m along the first axis, a normal spike √β_u l along the second, and a spiked
    cumulant along the third, whose latent variable is a function of l if correlated."""
    y = 1.0 if noise[0] > 0.0 else -1.0
    noise[0] = y
    if y > 0.0:
        s[0] += p.beta_m
        s[1] += math.sqrt(p.beta_u) * noise[1]
        g = latent(p.latent, noise[1] if p.correlated > 0 else noise[2])
        s[2] = (math.sqrt(p.beta) * g + s[2]) / math.sqrt(1.0 + p.beta)
