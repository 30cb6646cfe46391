"""Online learning of the two-layer network for N → ∞: the closed equations of motion of its order parameters.

The state is (R, S, v) with S = Q − R T⁺ Rᵀ; see `tsphys.physics.committee.motion`.

Saad & Solla, PRE 52, 4225 (1995); Biehl & Schwarze, J. Phys. A 28, 643 (1995); Riegler & Biehl, J. Phys. A 28, L507
(1995); Goldt et al., NeurIPS 2019, for any K and M and a trained second layer.
"""

from __future__ import annotations

import numpy as np

from tsphys.models.two_layer import TwoLayer
from tsphys.odes.equations import online, stored
from tsphys.odes.equations.motion import Motion, has_closed_equations
from tsphys.odes.equations.stored import Stored
from tsphys.physics.order_parameters import OrderParameters
from tsphys.runs import frames


@frames.solved(TwoLayer, Stored)
def solve(model: TwoLayer, start: OrderParameters, options: Stored) -> frames.Equations:
    """Solve the equations of motion for N → ∞, and observe the order parameters at the times t.

    With `alpha` on sample paths of an example, see `tsphys.odes.equations.stored`, and ``result.sem(name)`` is the
    error. Otherwise pairs of activations without closed integrals go by quadrature, see `tsphys.odes.learning_rule`.
    The tolerances are those of R and v in `integrate`; that of S is finer. By default they are 1e-12 and 1e-13, for
    relu, quad and he2, whose equations are known to rounding only, 1e-11 and 1e-12, for quadratures 1e-8 and 1e-10.
    The relative error of eps_g is then below 1e-6 at eps_g = 1e-8, for erf also at 1e-12.

    Returns
    -------
    dict
        ``eps_g`` (len(t),), ``R`` (len(t), K, M), ``Q`` (…, K, K), ``v`` (…, K), and constant ``T``, ``v_star``.

    Raises
    ------
    ModelError
        If an argument is out of range, or with `alpha` the solution does not fit into memory or needs more paths.
    """
    if model.alpha is not None:
        return stored.equations(model, start, options)
    if not has_closed_equations(model):
        from tsphys.odes import learning_rule

        return learning_rule.equations(model, start)
    return Motion(model, np.array(start.T), np.array(start.v_star)).equations(start)


def chain(model: TwoLayer, start: OrderParameters) -> online.Chain:
    """What the expansion in 1/N wants to know."""
    if not has_closed_equations(model):
        from tsphys.odes import learning_rule

        return learning_rule.chain(model, start)
    motion = Motion(model, np.array(start.T), np.array(start.v_star))
    rhs = motion.rhs()
    atol = motion.tolerances(0.0, 1e-11)(motion.state(start))
    return online.chain(model, start, drift=lambda y: rhs(0.0, y), observe=motion.observe, atol=atol)
