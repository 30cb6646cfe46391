"""Zeroth-order online learning of two-layer networks for N → ∞: the equations of SGD, and the noise of the estimate.

The mean of the estimate is the gradient, so that dR/dt is that of SGD (Saad & Solla 1995), as is all of dQ/dt but::

    dQ_ik/dt = … + ⟨c_i c_k⟩ + δ_ik (1/κ) Σ_l ⟨c_l²⟩        along q = κN random directions
    dQ_ik/dt = … + ⟨c_i c_k⟩ (1 + δ_ik (1/s − 1))           on a fraction s of the coordinates

since ⟨ĜĜᵀ⟩ = (1 + 1/q) GGᵀ + |G|²/q for u ~ N(0, 1).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tsphys.models.zeroth_order import ZerothOrder
from tsphys.odes.equations import online
from tsphys.odes.equations.exchange import keeping_overlaps
from tsphys.odes.equations.motion import Motion, has_closed_equations
from tsphys.physics.committee.motion import kernels
from tsphys.physics.estimation import estimation_noise
from tsphys.physics.order_parameters import OrderParameters
from tsphys.runs import frames


def right_hand_side(model: ZerothOrder, motion: Motion) -> Callable[[float, np.ndarray], np.ndarray]:
    """``rhs(t, y)`` of the state of `motion`."""
    if model.estimator == "cge":
        return motion.rhs()
    kernel, arguments, rates = kernels(model.activation, model.activation)[0], motion.arguments, motion.rates
    # What SGD's noise adds is the part that infinitely many examples a step would take away.
    once, never = np.array(rates), np.array(rates._replace(batch=np.inf))
    k = np.arange(model.K)
    diagonal = model.K * len(motion.T) + k * (k + 3) // 2

    def rhs(t: float, y: np.ndarray) -> np.ndarray:
        dy, smooth = np.empty_like(y), np.empty_like(y)
        kernel(y, dy, *arguments, once)
        kernel(y, smooth, *arguments, never)
        dy[diagonal] += estimation_noise((dy - smooth)[diagonal], model.queries, model.share)
        return dy

    return rhs


@frames.solved(ZerothOrder)
def solve(model: ZerothOrder, start: OrderParameters) -> frames.Equations:
    """Solve the equations of motion for N → ∞, and observe the order parameters at the times t.

    With tanh the averages are quadratures, see `tsphys.odes.learning_rule`. The tolerances are 1e-10 and 1e-12 by
    default, for quadratures 1e-8 and 1e-10.

    Returns
    -------
    dict
        ``eps_g`` (len(t),), ``R`` (len(t), K, M), ``Q`` (…, K, K), ``v`` (…, K), and constant ``T``, ``v_star``.

    Raises
    ------
    DivergedError
        If an order parameter exceeds 1e16 (learning rate too large for so few queries); ``partial`` is the Result until
        then.
    """
    plain = model.first_order()
    if not has_closed_equations(plain):
        from tsphys.odes import learning_rule

        return learning_rule.equations(model, start)
    motion = Motion(plain, np.array(start.T), np.array(start.v_star))
    rates = right_hand_side(model, motion)
    kept = keeping_overlaps(motion, start.v_star, rates, motion.state(start))
    follow = frames.ode(kept.rates, kept.start, motion.tolerances, free=rates)
    return frames.Equations((follow,), motion.observe, 1e-10, 1e-12)


def chain(model: ZerothOrder, start: OrderParameters) -> online.Chain:
    """What the expansion in 1/N wants to know."""
    plain = model.first_order()
    if not has_closed_equations(plain):
        from tsphys.odes import learning_rule

        return learning_rule.chain(model, start)
    motion = Motion(plain, np.array(start.T), np.array(start.v_star))
    rhs = right_hand_side(model, motion)
    atol = motion.tolerances(0.0, 1e-11)(motion.state(start))
    return online.chain(model, start, drift=lambda y: rhs(0.0, y), observe=motion.observe, atol=atol)
