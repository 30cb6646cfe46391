"""Replica-symmetric saddle point of 0/1 neurons with patterns of activity f and the covariance rule.

With x_ξ = (ξ − f)m − θ' + √(αr) z, θ' = θ − ½αC/(1 − C), and p_ξ = ⟨1/(1 + e^(−βx_ξ))⟩, the unknowns are
m = p_1 − p_0, the activity Q = f p_1 + (1 − f) p_0, and C = β(Q − q), with r = q/(1 − C)²
(Tsodyks & Feigel'man, EPL 6, 101 (1988); Amit, Gutfreund & Sompolinsky, PRA 35, 2293 (1987)).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.numerics.gaussian import density
from tsphys.physics.spins.averages import SpinAverages, spin_averages
from tsphys.solvers.fixed_point import BranchEnd, FixedPoint, continuation, fixed_point

#: Temperature from which on nothing is retrieved, at any activity, threshold and load.
HOTTEST = 0.25


@dataclass(frozen=True)
class Neurons:
    """Load, temperature, activity f of the patterns, and threshold θ."""

    alpha: float
    T: float
    f: float
    theta: float

    def at(self, **changes: float) -> Neurons:
        """The same with another load, temperature or threshold."""
        return replace(self, **changes)


def _spins(net: Neurons, x: np.ndarray) -> tuple[np.ndarray, SpinAverages]:
    """Fields of ξ = 1, 0, and averages of the spins 2V − 1 in them; a neuron at T is a spin at 2T."""
    m, Q, C = x[0], net.f * x[1], x[2]
    r = (Q - net.T * C) / (1 - C) ** 2
    shift = net.theta - net.alpha * C / (2 * (1 - C))
    h = np.array([(1 - net.f) * m - shift, -net.f * m - shift])
    return h, spin_averages(h, np.sqrt(net.alpha * max(r, 0.0)), 2 * net.T)


def _mean(net: Neurons, values: np.ndarray) -> float:
    return float(net.f * values[0] + (1 - net.f) * values[1])


def step(net: Neurons, x: np.ndarray) -> np.ndarray:
    """The map (m, Q/f, C) → (m, Q/f, C) whose fixed points are the states."""
    a = _spins(net, x)[1]
    p = (1 + a.tanh) / 2
    return np.array([p[0] - p[1], _mean(net, p) / net.f, _mean(net, a.chi) / 2])


def firing(net: Neurons, x: np.ndarray) -> tuple[float, float]:
    """Mean activity p_1 and p_0 of the neurons that fire, and that rest, in the pattern."""
    p = (1 + _spins(net, x)[1].tanh) / 2
    return float(p[0]), float(p[1])


def bounds(net: Neurons) -> tuple[np.ndarray, np.ndarray]:
    """Where the map is defined."""
    return np.zeros(3), np.array([1.0, 1 / net.f, 1 - 1e-9])


def free_energy(net: Neurons, x: np.ndarray) -> float:
    """Free energy per neuron as a function of (m, Q/f, C), stationary at the states (at T > 0)."""
    m, Q, C = float(x[0]), net.f * float(x[1]), float(x[2])
    q, alpha = Q - net.T * C, net.alpha
    h, a = _spins(net, x)
    own = net.f * (1 - net.f) * m**2 / 2 - _mean(net, h + a.log2cosh) / 2
    noise = net.T * np.log1p(-C) + (Q - q) / (1 - C) + q * C / (1 - C) ** 2
    return own + alpha / 2 * noise


def energy(net: Neurons, x: np.ndarray) -> float:
    """Energy per neuron at a state."""
    m, Q, C = float(x[0]), net.f * float(x[1]), float(x[2])
    q, alpha = Q - net.T * C, net.alpha
    noise = net.T * C / (1 - C) + q / (1 - C) ** 2 - Q
    return -net.f * (1 - net.f) * m**2 / 2 - alpha / 2 * noise + net.theta * Q


def entropy(net: Neurons, x: np.ndarray) -> float:
    """Entropy per neuron at a state."""
    C = float(x[2])
    return _mean(net, _spins(net, x)[1].entropy) - net.alpha / 2 * (np.log1p(-C) + C / (1 - C))


def retrieved(net: Neurons, tol: float = 1e-12) -> FixedPoint | None:
    """The retrieval state, followed in the load from α = 0, where pattern and neurons agree; none if not even there, or
    if its overlap has vanished on the way.

    Raises
    ------
    BranchEnd
        If it ends before the load is reached; its value is the spinodal.
    ConvergenceError
        If it was not reached.
    """
    # The slope of 1/(1 + e^(−x/T)) is at most 1/4T, and so p_1 − p_0 < m/4T; at T = 0 neurons follow their fields.
    if net.T >= HOTTEST or (net.T == 0 and not -net.f < net.theta < 1 - net.f):
        return None

    def at(x: np.ndarray, alpha: float) -> np.ndarray:
        return step(net.at(alpha=alpha), x)

    with np.errstate(over="ignore", invalid="ignore"):
        return _followed(net, at, tol)


def _followed(net: Neurons, at: Callable[[np.ndarray, float], np.ndarray], tol: float) -> FixedPoint | None:
    low, high = bounds(net)
    # Without other patterns C decides nothing, and may be more than 1: then they grow on their own, however few.
    first = fixed_point(lambda x: at(x, 0.0), [1.0, 1.0, 0.0], tol=tol, bounds=(low, np.append(high[:2], np.inf)),
                        what="the retrieval state at alpha = 0")  # fmt: skip
    if first.x[0] < 1e-6 or first.x[2] > high[2]:
        return None
    if net.alpha == 0:
        return first
    branch = continuation(at, [0.0, net.alpha], first.x, tol=tol, jump=0.02, bounds=bounds(net), axis="alpha")
    if branch.x[-1, 0] < 1e-3:
        return None
    return FixedPoint(branch.x[-1], float(branch.residual[-1]), branch.iterations)


def spinodal(net: Neurons) -> float:
    """Largest load with a retrieval state at the temperature and threshold of `net`; 0 if there is none at all."""
    load = 1 / (net.f * (1 - net.f))
    try:
        # Gardner's bound for sparse patterns is of order 1/(2f|ln f|) < 1/f, so that the branch ends before.
        found = retrieved(net.at(alpha=4 * load))
    except BranchEnd as end:
        return end.value
    except ConvergenceError:
        return 0.0
    if found is None:
        return 0.0
    raise ConvergenceError("the retrieval state did not end", residual=np.inf, last=4 * load)


def best_capacity(f: float) -> tuple[float, float, float]:
    """Largest load at T = 0 over all thresholds, the threshold θ that it needs, and θ' = θ − ½αC/(1 − C).

    The noise of both kinds of neurons, u_ξ = x_ξ/√(αr), gives everything else in closed form:
    m = Φ(u_1) − Φ(u_0), √(αr) = m/(u_1 − u_0), so that α is maximised over two free numbers.
    """
    from scipy import optimize
    from scipy.special import ndtr

    def load(u: np.ndarray) -> tuple[float, float, float]:
        p = ndtr(u)
        m, Q = p[0] - p[1], f * p[0] + (1 - f) * p[1]
        if u[0] <= u[1] or m <= 0:
            return 0.0, 0.0, 0.0
        sigma = m / (u[0] - u[1])
        phi = density(u)
        C = (f * phi[0] + (1 - f) * phi[1]) / sigma
        if C >= 1:
            return 0.0, 0.0, 0.0
        alpha = sigma**2 * (1 - C) ** 2 / Q
        shift = (1 - f) * m - u[0] * sigma
        return alpha, shift + alpha * C / (2 * (1 - C)), shift

    start = np.array([2.0, -max(2.0, np.sqrt(2 * np.log(1 / f)))])
    options = {"xatol": 1e-10, "fatol": 1e-15, "maxiter": 2000}
    found = optimize.minimize(lambda u: -load(u)[0], start, method="Nelder-Mead", options=options)
    if not found.success:
        raise ConvergenceError("the capacity was not reached", residual=np.nan, iterations=found.nit, last=found.x)
    alpha, threshold, shift = load(found.x)
    return float(alpha), float(threshold), float(shift)
