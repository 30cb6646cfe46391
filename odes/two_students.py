"""Two students of one teacher for N → ∞: closed equations of their overlaps with the teacher and with each other.

With Γ, Λ, E of `tsphys.odes.equations.modes`, where the error of a unit is that of its own student,

    dU/dt = Γ_A U + U Γ_Bᵀ + Λ_A R_Bᵀ + R_A Λ_Bᵀ + f E_AB

beside the equations of each student alone. Noise that both have in common is what makes them the same network: without
it U relaxes to R_A T⁻¹ R_Bᵀ. The equations are our own.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tsphys.models.two_students import TwoStudents
from tsphys.odes.equations.modes import Modes, equations
from tsphys.physics.matching import matched
from tsphys.physics.order_parameters import OrderParameters
from tsphys.runs import frames


@frames.solved(TwoStudents)
def solve(model: TwoStudents, start: OrderParameters) -> frames.Equations:
    """Solve the equations of motion for N → ∞, and observe the order parameters at the times t = steps/N.

    The tolerances are 1e-10 and 1e-12 by default.

    Returns
    -------
    dict
        ``eps_g`` (len(t), 2) of both; ``score``, ``contrast`` and ``distance`` (len(t),) of their units, see
        `tsphys.physics.matching.matched`; ``R`` (…, K + K', M), ``Q`` (…, K + K', K + K'), ``v`` (…, K + K'), and
        constant ``T``, ``v_star``.
    """
    begun = Modes(
        e=np.ones(1), weight=np.ones(1), t=start.T[None], r=start.R[None], q=start.Q[None], T=np.array(start.T),
        net=(np.arange(model.units) >= model.K).astype(float), shared=model.shared,
    )  # fmt: skip
    now = replace(model, v=tuple(start.v), v_star=tuple(start.v_star))
    return equations(now, begun, 1e-10, 1e-12, lambda Q, _: matched(model.activation, Q, model.K))
