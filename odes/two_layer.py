"""Online learning of the two-layer network for N → ∞: the closed equations of motion of its order parameters.

The state is (R, S, v) with S = Q − R T⁺ Rᵀ; see `tsphys.physics.committee.motion`.

Saad & Solla, PRE 52, 4225 (1995); Biehl & Schwarze, J. Phys. A 28, 643 (1995); Riegler & Biehl, J. Phys. A 28, L507
(1995); Goldt et al., NeurIPS 2019, for any K and M and a trained second layer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.errors import DivergedError
from tsphys.ground.parameters import number
from tsphys.ground.times import times
from tsphys.models.two_layer import TwoLayer
from tsphys.odes.equations import online
from tsphys.odes.equations.motion import Motion, has_closed_equations
from tsphys.physics.order_parameters import DIVERGED, OrderParameters
from tsphys.runs.online import theory_result, theory_start
from tsphys.runs.result import Result
from tsphys.solvers.ode import integrate


def solve(
    model: TwoLayer,
    *,
    t: Any,
    start: OrderParameters | None = None,
    N: int = 1000,
    seed: int = 0,
    rtol: float | None = None,
    atol: float | None = None,
    method: str = "auto",
) -> Result:
    """Solve the equations of motion for N → ∞, and observe the order parameters at the times t.

    Parameters
    ----------
    model : TwoLayer
        Online (no `alpha`). Pairs of activations without closed integrals go to `tsphys.odes.learning_rule`.
    t : sequence of float
        Times t = steps/N, increasing from 0 or later.
    start : OrderParameters, optional
        Overlaps at t = 0; none: what replica 0 of a simulation at size N with this seed draws, since the escape from
        the plateau starts from fluctuations of order 1/√N. ``"drawn"``: what the starts of all replicas tend to for
        N → ∞, which with fluctuations are those of these starts as well.
    N, seed : int
        Of that draw; without a meaning when a start is given.
    rtol, atol : float
        Tolerances of R and v in `integrate`; that of S is finer. By default 1e-12 and 1e-13, for relu, quad and he2,
        whose equations are known to rounding only, 1e-11 and 1e-12, for quadratures 1e-8 and 1e-10. The relative
        error of eps_g is then below 1e-6 at eps_g = 1e-8, for erf also at 1e-12.
    method : str
        See `tsphys.solvers.ode.integrate`.

    Returns
    -------
    Result
        ``eps_g`` (len(t),), ``R`` (len(t), K, M), ``Q`` (…, K, K), ``v`` (…, K), and constant ``T``, ``v_star``.

    Raises
    ------
    ModelError
        If an argument is out of range, or the model has a fixed training set.
    DivergedError
        If an order parameter exceeds 1e16 (learning rate too large); ``partial`` is the Result until then.
    ConvergenceError
        If the tolerance cannot be met.
    """
    if not has_closed_equations(model):
        from tsphys.odes import learning_rule

        # The quadrature has an error of its own, below which a tolerance buys nothing.
        rtol, atol = 1e-8 if rtol is None else rtol, 1e-10 if atol is None else atol
        return learning_rule.solve(model, t=t, start=start, N=N, seed=seed, rtol=rtol, atol=atol, method=method)
    t = times("t", t)
    fine = model.activation in ("erf", "linear")
    rtol = (1e-12 if fine else 1e-11) if rtol is None else rtol
    atol = number("atol", (1e-13 if fine else 1e-12) if atol is None else atol, low=0)
    first, record = theory_start(model, start, N, seed)
    motion = Motion(model, np.array(first.T), np.array(first.v_star))

    def result(states: np.ndarray, info: dict[str, Any]) -> Result:
        return theory_result(model, t, first, {**record, **info}, **motion.observe(states))

    try:
        states, info = integrate(
            motion.rhs(),
            motion.state(first),
            t,
            rtol=rtol,
            atol=motion.tolerances(rtol, atol),
            method=method,
            limit=DIVERGED,
        )
    except DivergedError as error:
        raise DivergedError(str(error), t=error.t, partial=result(error.partial, {})) from None
    return result(states, info)


def chain(model: TwoLayer, start: OrderParameters) -> online.Chain:
    """What the expansion in 1/N wants to know."""
    if not has_closed_equations(model):
        from tsphys.odes import learning_rule

        return learning_rule.chain(model, start)
    motion = Motion(model, np.array(start.T), np.array(start.v_star))
    rhs = motion.rhs()
    atol = motion.tolerances(0.0, 1e-11)(motion.state(start))
    return online.chain(model, start, drift=lambda y: rhs(0.0, y), observe=motion.observe, atol=atol)
