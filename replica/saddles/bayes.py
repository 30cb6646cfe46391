"""Bayes-optimal inference of a generalised linear model: state evolution, its fixed points on one curve, thresholds.

V = ρ − q is what is not known of a weight. State evolution is q̂ = αI(V), V ← mmse(q̂); with V = mmse(q̂) each q̂ is a
fixed point at exactly one load α = q̂/I(V), so that branches are sections of a curve and spinodals its extrema.
Free entropy, the largest of which is the equilibrium state's (Barbier et al., PNAS 116, 5451 (2019))::

    Φ = −i(q̂) + V q̂/2 + αΨ(V)        i mutual information of the prior, Ψ(V) = E ln Z of the channel
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.physics.inference.channels import Channel, Interval
from tsphys.physics.inference.priors import Prior
from tsphys.solvers.fixed_point import crossing, turns

#: Ends of the curve: below, q is zero; above, V is (perfect recovery).
LOWEST, SMALLEST_V = 1e-7, 1e-13


@dataclass(frozen=True)
class State:
    """A fixed point: V = ρ − q, its conjugate q̂ (infinite for perfect recovery) and the free entropy Φ."""

    V: float
    q_hat: float
    free_entropy: float


@dataclass(frozen=True)
class Thresholds:
    """Loads at which recovery changes; NaN where there is no such load.

    Attributes
    ----------
    weak : float
        Above, q = 0 is no stable state; 0 if q > 0 at every load.
    informed : float
        Above, the state next to the truth exists.
    transition : float
        Above, it is the equilibrium state (information-theoretic threshold).
    algorithmic : float
        Above, it is reached from no knowledge. The four coincide, or are empty, without a first-order transition.
    """

    weak: float
    informed: float
    transition: float
    algorithmic: float


def evolve(prior: Prior, channel: Channel, alpha: float, V: float, steps: int) -> np.ndarray:
    """V after 0, 1, …, `steps` iterations of state evolution, (steps + 1,)."""
    out = [V]
    for _ in range(steps):
        V = prior.mmse(alpha * channel.information(V, prior.second_moment)) if V > SMALLEST_V else V
        out.append(V)
    return np.array(out)


@cache
def _mmse(prior: Prior, q_hat: float) -> float:
    return prior.mmse(q_hat)


@cache
def load(prior: Prior, channel: Channel, log_snr: float) -> float:
    """Load at which ln q̂ belongs to a fixed point."""
    q_hat = float(np.exp(log_snr))
    return q_hat / max(channel.information(_mmse(prior, q_hat), prior.second_moment), 1e-300)


def is_even(prior: Prior, channel: Channel) -> bool:
    """Whether q = 0 is a fixed point, so that nothing is learned without a first hint."""
    y, weight = channel.outcomes(np.zeros(1), prior.second_moment)
    g, _ = channel.moments(y, np.zeros(1), prior.second_moment)
    return bool(np.sum(weight * g * g) < 1e-20)


def weak_recovery(prior: Prior, channel: Channel) -> float:
    """Load above which q = 0 is unstable: 1/(ρ²E[∂g_out(y, 0, ρ)²]), and 0 where it is no fixed point."""
    if not is_even(prior, channel):
        return 0.0
    rho = prior.second_moment
    y, weight = channel.outcomes(np.zeros(1), rho)
    _, slope = channel.moments(y, np.zeros(1), rho)
    return float(1.0 / (rho**2 * np.sum(weight * slope**2)))


@cache
def curve(prior: Prior, channel: Channel, points: int = 161) -> tuple[np.ndarray, np.ndarray]:
    """ln q̂ and the loads along it, up to V = 1e-13 ρ or q̂ = 1e12, whichever is first.

    In units of where rare weights are learned, the density ρ of sparse ones of size 1/√ρ, if that is less than 1.
    """
    unit = np.log(prior.second_moment / max(m**2 + s for m, s in zip(prior.means, prior.variances)))
    low, high = np.log(LOWEST) + unit, np.log(1e12)
    floor = SMALLEST_V * prior.second_moment
    if prior.mmse(1e12) < floor:
        high = crossing(
            lambda x: np.log(max(prior.mmse(float(np.exp(x))), 1e-300) / floor), unit, high, "the curve's end"
        )
    x = np.linspace(low, high, points)
    # Most happens where the prior is learned; the rest only has to be followed.
    x = np.unique(np.concatenate([x, np.linspace(np.log(0.05) + unit, min(np.log(200.0) + unit, high), points // 2)]))
    # Extrema belong to the grid, so that no branch that ends at one is missed close to its end.
    extrema = [at for _, at, _ in turns(lambda v: load(prior, channel, v), x)]
    x = np.unique(np.concatenate([x, extrema]))
    return x, np.array([load(prior, channel, v) for v in x])


def free_entropy(prior: Prior, channel: Channel, alpha: float, V: float, q_hat: float) -> float:
    """Φ(V, q̂), stationary in both at a fixed point."""
    return -prior.information(q_hat) + 0.5 * V * q_hat + alpha * channel.free_entropy(V, prior.second_moment)


def perfect(prior: Prior, channel: Channel, alpha: float) -> State:
    """The state without error. Its free entropy is infinite for noiseless real outputs, which outweigh any prior.

    With points and labels it is minus the entropy of both, that of the prior alone where the labels are certain.

    Raises
    ------
    ModelError
        If V never vanishes, and is only below what the curve follows.
    """
    floor = SMALLEST_V * prior.second_moment
    if not channel.labels and getattr(channel, "noise", 0.0) == 0:
        return State(0.0, np.inf, np.inf)
    if max(prior.variances) > 0:
        most = float(curve(prior, channel)[1][-1])
        raise ModelError("alpha", alpha, f"must be <= {most:.4g}, beyond which mse < 1e-12 is not resolved")
    entropy = -sum(p * np.log(p) for p in prior.weights)
    if isinstance(channel, Interval) and getattr(channel, "noise", 0.0) == 0:
        return State(0.0, np.inf, float(-entropy))
    q_hat = alpha * channel.information(floor, prior.second_moment)
    return State(0.0, q_hat, float(alpha * channel.free_entropy(floor, prior.second_moment) - entropy))


def _made(prior: Prior, channel: Channel, alpha: float, q_hat: float) -> State:
    V = _mmse(prior, q_hat)
    return State(V, q_hat, free_entropy(prior, channel, alpha, V, q_hat))


def states(prior: Prior, channel: Channel, alpha: float) -> list[State]:
    """All stable fixed points at a load, from no knowledge to most of it.

    Fixed points are stable where the load grows along the curve. The curve is scanned at 240 points and its
    extrema: folds narrower than that are not seen.

    Raises
    ------
    ModelError
        If the most that is known is more than the curve resolves.
    """
    x, loads = curve(prior, channel)
    above = loads >= alpha
    found: list[State] = []
    if above[0]:
        rho = prior.second_moment
        if is_even(prior, channel):
            prior_only = alpha * channel.free_entropy(rho, rho)
            found.append(State(rho, 0.0, prior_only))
        else:
            # Below the curve V = ρ − O(q̂), of which this is the fixed point to the order q̂² < 1e-14.
            q_hat = alpha * channel.information(rho, rho)
            found.append(_made(prior, channel, alpha, alpha * channel.information(_mmse(prior, q_hat), rho)))
    for i in np.flatnonzero(~above[:-1] & above[1:]):
        at = crossing(lambda v: load(prior, channel, v) - alpha, x[i], x[i + 1], "the fixed point")
        found.append(_made(prior, channel, alpha, float(np.exp(at))))
    if not above[-1]:
        found.append(perfect(prior, channel, alpha))
    return found


def reached(prior: Prior, channel: Channel, alpha: float, V: float) -> State:
    """The fixed point that state evolution runs into from V: the next one below if V falls, above if it grows."""
    there = states(prior, channel, alpha)
    if V <= SMALLEST_V:
        return there[-1]
    q_hat = alpha * channel.information(V, prior.second_moment)
    falls = prior.mmse(q_hat) < V
    slack = 1e-9 * prior.second_moment
    if falls:
        return next((s for s in there if V + slack >= s.V), there[-1])
    return next((s for s in reversed(there) if V - slack <= s.V), there[0])


def equilibrium(prior: Prior, channel: Channel, alpha: float) -> State:
    """The fixed point of largest free entropy."""
    return max(states(prior, channel, alpha), key=lambda s: s.free_entropy)


def spinodals(prior: Prior, channel: Channel) -> tuple[float, float] | None:
    """Loads at which the upper branch begins and the lower ends, at the deepest fold; None if the curve only grows."""
    x, loads = curve(prior, channel)
    highest = np.maximum.accumulate(loads)
    drop = 1 - loads / highest
    if drop.max() <= 1e-6:
        return None
    valley = int(np.argmax(drop))
    top = float(loads[: valley + 1].max())
    if valley == len(x) - 1 and loads[-1] < 1e-3:
        return 0.0, top
    return float(loads[valley]), top


def thresholds(prior: Prior, channel: Channel) -> Thresholds:
    """Weak recovery, spinodals and first-order transition.

    Loads at which V vanishes continuously are those at the end of the curve, right to 3e-5.

    Raises
    ------
    ConvergenceError
        If the free entropies of two branches do not cross between the spinodals.
    """
    weak = weak_recovery(prior, channel)
    loads = curve(prior, channel)[1]
    ends = spinodals(prior, channel)
    if ends is None:
        # Where the loads level off, V vanishes continuously.
        last = float(loads[-1])
        level = last if last - loads[-10] < 1e-3 * last else np.nan
        return Thresholds(weak, level, level, level)
    low, high = ends

    def gap(alpha: float) -> float:
        there = states(prior, channel, alpha)
        if len(there) == 1:
            return -1e6 if alpha < 0.5 * (low + high) else 1e6
        difference = there[-1].free_entropy - there[0].free_entropy
        return float(np.clip(difference, -1e6, 1e6))

    inner = (low + 1e-9 * (high - low) + 1e-12, high - 1e-9 * (high - low))
    if gap(inner[0]) > 0:
        return Thresholds(weak, low, low, high)
    if gap(inner[1]) < 0:
        raise ConvergenceError("the free entropies of the two branches do not cross", residual=abs(gap(inner[1])))
    return Thresholds(weak, low, crossing(gap, *inner, "the transition"), high)
