"""Sparse students for N → ∞: closed equations in the classes of coordinates that the same units have.

Class g is a fraction f_g of the coordinates, m_kg ∈ {0, 1} tells whether unit k has them. What the fields are made of
in it, R^g and Q^g, obey with T^g = f_g T and the Γ, Λ, E of `tsphys.odes.equations.modes` at the sums over all
classes::

    dR^g_kn/dt = m_kg [Γ R^g + Λ T^g]_kn
    dQ^g_kl/dt = m_kg m_lg ([Γ Q^g + Λ R^gᵀ]_kl + [Γ Q^g + Λ R^gᵀ]_lk + f_g E_kl)

A class is thus a mode of white inputs, e = 1, in which some units do not move. For students with all coordinates they
are those of Saad & Solla, PRE 52, 4225 (1995); the equations in classes are our own.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import number
from tsphys.models.pruned import Pruned
from tsphys.odes.equations.modes import Modes, equations
from tsphys.physics.order_parameters import OrderParameters
from tsphys.runs import frames

#: Most classes: 2^K for independent masks.
MOST_CLASSES = 2**12
#: Examples in a step whose noise is below rounding.
NOISELESS = 10**17


def in_classes(model: Pruned, start: OrderParameters) -> Modes:
    """The classes of a student that had these overlaps before it was pruned."""
    if model.masks == "independent" and (model.unit_densities() < 1).sum() > np.log2(MOST_CLASSES):
        raise ModelError(
            "K", model.K, f"must leave at most {MOST_CLASSES} classes of coordinates, 2^K for sparse units"
        )
    weight, seen = model.classes()
    n = len(weight)
    return Modes(
        e=np.ones(n),
        weight=weight,
        t=np.broadcast_to(start.T, (n, *start.T.shape)),
        r=seen[:, :, None] * start.R,
        q=seen[:, :, None] * seen[:, None, :] * start.Q,
        T=np.array(start.T),
        seen=seen,
    )


@frames.solved(Pruned)
def solve(model: Pruned, start: OrderParameters) -> frames.Equations:
    """Solve the equations of motion for N → ∞, and observe the order parameters at the times t = steps/N.

    Starts have the overlaps before pruning, spread evenly over all coordinates. What masks make of them differs from
    the mean by O(1/√N), which is left out here. The tolerances are 1e-10 and 1e-12 by default.

    Returns
    -------
    dict
        ``eps_g`` (len(t),), ``R`` (len(t), K, M), ``Q`` (…, K, K), ``v`` (…, K) of the pruned student, and constant
        ``T``, ``v_star``. ``meta["classes"]``: fractions and who has them.

    Raises
    ------
    ModelError
        If an argument is out of range, or there are more than 4096 classes.
    DivergedError, ConvergenceError
        If an order parameter exceeds 1e16, or the tolerance cannot be met.
    """
    modes = in_classes(model, start)
    classes = {"fraction": modes.weight.tolist(), "seen": np.asarray(modes.seen).tolist()}
    model_now = replace(model, v=tuple(start.v), v_star=tuple(start.v_star))
    return replace(equations(model_now, modes, 1e-10, 1e-12), record={"classes": classes})


def attainable_error(model: Pruned, start: OrderParameters, until: float = 1e4, rtol: float = 1e-6) -> float:
    """eps_g at the end of gradient flow, the limit η → 0 of SGD at fixed ηt and η_v/η: what the masks leave.

    Parameters
    ----------
    model : Pruned
    start : OrderParameters
        Overlaps before pruning. The flow ends in the minimum that it leads to.
    until : float
        Latest ηt.
    rtol : float
        The error must change by less than this, relative to its first value, over the second half of the flow.

    Raises
    ------
    ModelError
        If an argument is out of range.
    ConvergenceError
        If it changes by more.
    """
    rtol, until = (number(name, value, low=0, open_low=True) for name, value in (("rtol", rtol), ("until", until)))
    flow = replace(model, lr=1.0, lr_v=model.lr_v / model.lr, minibatch=NOISELESS)
    # What is left of the first tolerance decays with the flow itself.
    error = solve(flow, start=start, t=[0.0, until / 2, until], rtol=1e-8, atol=1e-9)["eps_g"]
    if abs(error[2] - error[1]) > rtol * error[0]:
        raise ConvergenceError(f"gradient flow still moves at ηt = {until:g}", residual=abs(error[2] - error[1]))
    return float(error[2])
