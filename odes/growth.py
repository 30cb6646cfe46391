"""A growing student for N → ∞: the closed equations of two-layer networks before and after it grows.

At t_g the overlaps are mapped as the weights are, without an error: with W ← G W + Z of `tsphys.rules.phases.Units`
R → G R and S → G S Gᵀ + ZZᵀ/N, where S = Q − R T⁺ Rᵀ; then the same equations go on with the new number of units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsphys.models.growth import Growth
from tsphys.odes.equations import online
from tsphys.odes.equations.exchange import keeping_overlaps
from tsphys.odes.equations.motion import Motion
from tsphys.odes.equations.phases import Leg, through_phases
from tsphys.physics.order_parameters import OrderParameters
from tsphys.rules.phases import Phase
from tsphys.runs import frames


@dataclass(frozen=True)
class Part(Motion):
    """The motion of the units that there are, the first of all."""

    whole: Motion

    def among(self, z: np.ndarray) -> np.ndarray:
        """States (…, n) of all units, where those that there are have the states z."""
        more = self.whole.K - self.K
        R, S, v = self.split(z)
        none, wider = [(0, 0)] * (z.ndim - 1), (0, more)
        return self.whole.join(
            np.pad(R, [*none, wider, (0, 0)]), np.pad(S, [*none, wider, wider]), np.pad(v, [*none, wider])
        )

    def alone(self, y: np.ndarray) -> np.ndarray:
        """The states of those that there are, of states (…, n) of all."""
        R, S, v = self.whole.split(y)
        return self.join(R[..., : self.K, :], S[..., : self.K, : self.K], v[..., : self.K])

    def begun(self, phase: Phase, y: np.ndarray) -> np.ndarray:
        """Their states as a phase begins."""
        R, S, v = self.whole.split(y)
        if phase.units is not None:
            R, S = phase.units.of(R, S)
        return self.alone(self.whole.join(R, S, v if phase.v is None else phase.v))


def parts(model: Growth, start: OrderParameters) -> tuple[Motion, list[Part]]:
    """The states of all units, and the motion of those that there are in each phase."""
    T, v_star = np.array(start.T), np.array(start.v_star)
    whole = Motion(model.of(model.most), T, v_star)
    return whole, [Part(model.of(K), T, v_star, whole) for K in (model.K, model.later)]


@frames.solved(Growth)
def solve(model: Growth, start: OrderParameters) -> frames.Equations:
    """Solve the equations of motion for N → ∞, and observe the order parameters at the times t = steps/N.

    What is seen at t_g is the student before. Tolerances are as for two-layer networks, see `tsphys.odes.two_layer`.

    Returns
    -------
    dict
        ``eps_g`` (len(t),), ``R`` (len(t), K, M), ``Q`` (…, K, K), ``v`` (…, K) of all units that there ever are, zero
        where there are none, and constant ``T``, ``v_star``. ``meta["phases"]`` has t, R, Q and v at the beginning and
        just after t_g.
    """
    whole, motions = parts(model, start)

    def follow(t: np.ndarray, *, rtol: float, atol: float, method: str) -> frames.Solution:
        def leg(phase: Phase, y: np.ndarray) -> Leg:
            motion = motions[phase.units is not None]
            rates = motion.rhs()
            kept = keeping_overlaps(motion, start.v_star, rates, motion.begun(phase, y))
            tolerances = motion.tolerances(rtol, atol)
            return Leg(kept.rates, kept.start, tolerances, lambda z: motion.among(kept.over(z)), rates)

        y0, at = whole.state(start), whole.at(start.v_star)
        return through_phases(model.phase, leg, at, y0, t, rtol=rtol, method=method)

    fine = model.activation in ("erf", "linear")
    return frames.Equations((follow,), whole.observe, *((1e-12, 1e-13) if fine else (1e-11, 1e-12)))


def chain(model: Growth, start: OrderParameters) -> online.Chain:
    """What the expansion in 1/N wants to know."""
    whole, motions = parts(model, start)

    def stage(i: int, t: float, y: np.ndarray) -> online.Stage:
        phase = online.fixed_phase(model.phase, whole, start, i, t, y)
        motion, begun = motions[i], online.beginning(model.phase, whole, start, i, t)
        rhs = motion.rhs()
        rules = [(1.0, online.expandable(motion.model.learning_rule()))]
        process = online.process_of(rules, motion, start.v_star, lambda z: rhs(0.0, z))
        return online.Stage(process, end=phase.end(t), enter=lambda y: motion.alone(begun(y)), back=motion.among)

    rough = model.activation == "relu"
    return online.Chain(whole.state(start), stage, whole.observe, lambda y: whole.units(y, rough))
