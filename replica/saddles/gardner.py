"""How many random labels a perceptron can realise (Gardner 1988; Krauth & Mézard 1989)."""

from __future__ import annotations

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.ground.parameters import number
from tsphys.physics.inference.channels import hazard
from tsphys.solvers.fixed_point import crossing, fixed_point

_Z = np.linspace(-10.0, 10.0, 2001)
_W = np.exp(-0.5 * _Z**2) / np.sqrt(2 * np.pi) * (_Z[1] - _Z[0])


def spherical_capacity(kappa: float = 0.0) -> float:
    """Largest load of weights on the sphere at the margin κ: 1/α_c = (1 + κ²)Φ(κ) + κφ(κ); 2 at κ = 0."""
    from scipy.special import ndtr

    kappa = number("kappa", kappa)
    phi = np.exp(-0.5 * kappa * kappa) / np.sqrt(2 * np.pi)
    return float(1 / ((1 + kappa**2) * ndtr(kappa) + kappa * phi))


def ising_entropy(alpha: float, q: float, q_hat: float, kappa: float = 0.0) -> float:
    """Replica-symmetric entropy per weight of ±1 students with overlap q between them, stationary in q and q̂."""
    from scipy.special import log_ndtr

    u = (kappa + np.sqrt(q) * _Z) / np.sqrt(1 - q)
    x = np.abs(np.sqrt(q_hat) * _Z)
    return float(-0.5 * q_hat * (1 - q) + _W @ (x + np.log1p(np.exp(-2 * x))) + alpha * (_W @ log_ndtr(-u)))


def ising_overlap(alpha: float, kappa: float = 0.0, start: float = 0.5) -> tuple[float, float]:
    """q and q̂ of ±1 students at a load.

    Raises
    ------
    ConvergenceError
        If the saddle point is not reached.
    """

    def conjugate(q: float) -> float:
        u = (kappa + np.sqrt(q) * _Z) / np.sqrt(1 - q)
        return alpha / (1 - q) * float(_W @ hazard(-u)[0] ** 2)

    def step(x: np.ndarray) -> np.ndarray:
        return np.array([_W @ np.tanh(np.sqrt(conjugate(float(x[0]))) * _Z) ** 2])

    found = fixed_point(step, [start], tol=1e-13, bounds=([0.0], [1 - 1e-9]), damping=0.7, what="the overlap")
    q = float(found.x[0])
    return q, conjugate(q)


def ising_capacity(kappa: float = 0.0) -> tuple[float, float, float]:
    """Load at which the entropy of ±1 students vanishes, with q and q̂ there; 0.833079 at κ = 0.

    Raises
    ------
    ConvergenceError
        If a saddle point is not reached.
    """
    kappa = number("kappa", kappa, low=-2, high=5)
    high = spherical_capacity(kappa)
    while True:
        try:
            if ising_entropy(high, *ising_overlap(high, kappa), kappa) < 0:
                break
        except ConvergenceError:
            pass
        high *= 0.9
        if high < 1e-3:
            raise ConvergenceError("the capacity was not bracketed", residual=float("nan"), last=high)
    low = high
    while ising_entropy(low, *ising_overlap(low, kappa), kappa) < 0:
        low *= 0.8
    alpha = crossing(lambda a: ising_entropy(a, *ising_overlap(a, kappa), kappa), low, high, "the capacity")
    return alpha, *ising_overlap(alpha, kappa)
