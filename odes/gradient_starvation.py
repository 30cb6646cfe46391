"""Core and spurious features for N → ∞: closed equations of both students' overlaps, averages by quadrature.

In an environment with means μ = (μ_c, εμ_s) the outputs times y are f_k = μ·M_k + ξ_k, ξ of covariance Q. Stein's lemma
takes the features' noise off, so that with ⟨⟩ over ε and ξ, and g, g' at f of the student that learns,

    dM/dt = η⟨μ h g + ∇⟩,   dQ/dt = 2η⟨h g f⟩ + η²⟨h²g²⟩,   ∇ = M g'  (first),   dQ_12/dt = η⟨h g f_1⟩

for the second, whose weights h jump where f_1 = 0, only along what its field has beside ξ_1,

    ∇ = (M_1/Q_1) ξ_1 h g + (M_2 − M_1 Q_12/Q_1) h g'.

All share ⟨g⟩: as the spurious feature makes f large in the majority, nothing is left that drives the core feature. The
equations are our own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np

from tsphys.errors import ModelError
from tsphys.models.gradient_starvation import GradientStarvation
from tsphys.odes.equations import online
from tsphys.odes.equations.expansion import Process
from tsphys.odes.equations.phases import Leg, through_phases
from tsphys.physics.order_parameters import OrderParameters
from tsphys.rules.phases import Phase
from tsphys.runs import frames

#: Step h of the trapezoidal rule for what is smooth in a normal variable: logistic slopes have poles at ±iπ/√Q, which
#: leave exp(−2π²/(h√Q)); Gauss's nodes on either side of a jump; where both end.
STEP, SIDE, END = 0.15, 48, 8.5
#: A norm that is none.
TINY = 1e-300


@cache
def _nodes() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    z = np.arange(-END, END, STEP)
    w = np.exp(-0.5 * z**2)
    return (z, w / w.sum()), np.polynomial.legendre.leggauss(SIDE)


def split(at: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of a normal variable, of functions that jump at a place."""
    x, w = _nodes()[1]
    edges = (-END, min(max(at, -END), END), END)
    u = np.concatenate([0.5 * (a + b) + 0.5 * (b - a) * x for a, b in pairwise(edges)])
    weight = np.concatenate([0.5 * (b - a) * w for a, b in pairwise(edges)])
    return u, weight * np.exp(-0.5 * u**2) / math.sqrt(2 * math.pi)


def slopes(loss: str, f: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """g = −dℓ/df, and dg/df."""
    from scipy.special import expit

    if loss == "square":
        return 1 - f, -np.ones_like(f)
    g = expit(-f)
    return g, -g * expit(f)


def first_rates(model: GradientStarvation, R: np.ndarray, Q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """dR/dt (K, 2) and dQ/dt (K, K) while the first student learns."""
    dR, dQ, (z, w) = np.zeros_like(R), np.zeros_like(Q), _nodes()[0]
    for share, mu in model.environments:
        means = R @ mu
        f = means[0] + math.sqrt(max(Q[0, 0], 0.0)) * z
        g, slope = slopes(model.loss, f)
        pull, curvature = share * model.lr * (w @ g), share * model.lr * (w @ slope)
        dR[0] += pull * mu + curvature * R[0]
        dQ[0] += pull * means + curvature * Q[0]
        dQ[:, 0] += pull * means + curvature * Q[0]
        dQ[0, 0] += share * model.lr**2 * (w @ g**2)
    return dR, dQ


def second_rates(model: GradientStarvation, R: np.ndarray, Q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same while the second one does."""
    dR, dQ, (z, wz) = np.zeros_like(R), np.zeros_like(Q), _nodes()[0]
    root = math.sqrt(max(Q[0, 0], TINY))
    along, beside = Q[0, 1] / root, math.sqrt(max(Q[1, 1] - (Q[0, 1] / root) ** 2, 0.0))
    for share, mu in model.environments:
        one, two = R @ mu
        u, w = split(-one / root)
        h = np.where(u < -one / root, model.weight, 1.0)
        f = two + along * u[:, None] + beside * z
        g, slope = slopes(model.loss, f)
        pull, curvature, eta = w * h * (g @ wz), w * h @ (slope @ wz), share * model.lr
        dR[1] += eta * (pull.sum() * mu + pull @ u * R[0] / root + curvature * (R[1] - R[0] * along / root))
        dQ[0, 1] += eta * (pull @ (one + root * u))
        dQ[1, 1] += eta * (2 * (w * h) @ ((g * f) @ wz) + model.lr * (w * h**2) @ (g**2 @ wz))
    dQ[1, 0] = dQ[0, 1]
    return dR, dQ


def _motion(model: GradientStarvation, second: bool, overlaps: online.Overlaps) -> Callable[[np.ndarray], np.ndarray]:
    """Rates of states (R, S)."""
    rates = second_rates if second else first_rates

    def moved(y: np.ndarray) -> np.ndarray:
        R, S, v = overlaps.split(y)
        dR, dQ = rates(model, R, S + R @ R.T)
        turn = dR @ R.T
        return overlaps.join(dR, dQ - turn - turn.T, v)

    return moved


@frames.solved(GradientStarvation)
def solve(model: GradientStarvation, start: OrderParameters) -> frames.Equations:
    """Solve the equations of motion for N → ∞, and observe the students at the times t = steps/N.

    The tolerances are 1e-9 and 1e-11 by default.

    Returns
    -------
    dict
        ``eps_g``, ``majority``, ``minority`` (len(t), K), see `GradientStarvation.observables`; ``R`` (…, K, 2) with
        core and spurious feature, ``Q`` (…, K, K), an empty ``v``, and constant ``T``, ``v_star``.
        ``meta["phases"]`` has t, R, Q at the beginning of each, of which a second student makes another.
    """
    overlaps, seen = online.Overlaps(np.eye(2), model.K), online.seen(model, start)

    def follow(t: np.ndarray, *, rtol: float, atol: float, method: str) -> frames.Solution:
        def leg(phase: Phase, y: np.ndarray) -> Leg:
            motion = _motion(model, phase.params["student"] == 1, overlaps)
            return Leg(lambda _, y: motion(y), y, atol, lambda y: y)

        y0, at = overlaps.state(start), overlaps.at(start.v_star)
        return through_phases(model.phase, leg, at, y0, t, rtol=rtol, method=method)

    return frames.Equations((follow,), seen, 1e-9, 1e-11)


def chain(model: GradientStarvation, start: OrderParameters) -> online.Chain:
    """What the expansion in 1/N wants to know."""
    rule, overlaps = online.expandable(model.learning_rule()), online.Overlaps(np.eye(2), model.K)

    def process(phase: Phase) -> Process:
        motion = _motion(model, phase.params["student"] == 1, overlaps)
        return online.process_of([(1.0, phase.of(rule))], overlaps, start.v_star, motion)

    def stage(i: int, t: float, y: np.ndarray) -> online.Stage:
        phase = online.fixed_phase(model.phase, overlaps, start, i, t, y)
        return online.Stage(process(phase), end=phase.end(t))

    units = process(Phase({"student": 0})).units
    return online.Chain(overlaps.state(start), stage, online.seen(model, start), units)


def resting(model: GradientStarvation) -> np.ndarray:
    """Overlaps (2,) with core and spurious feature to which a single student tends with the square loss, at any η.

    Raises
    ------
    ModelError
        If the loss is not the square.
    """
    if model.loss != "square":
        raise ModelError("loss", model.loss, "must be square: others are at rest nowhere, or not in closed form")
    H = np.eye(2) + sum(share * np.outer(mu, mu) for share, mu in model.environments)
    return np.asarray(np.linalg.solve(H, sum(share * mu for share, mu in model.environments)))
