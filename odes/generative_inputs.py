"""Online SGD on the inputs of a generator, or of any covariance, N → ∞: equations of motion in the modes of Ω."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.errors import DivergedError
from tsphys.ground.parameters import number
from tsphys.ground.times import times
from tsphys.models.generative_inputs import GenerativeInputs, Instance, instance
from tsphys.odes.equations.modes import Modes, follow, result
from tsphys.runs.result import Result


def solve(
    model: GenerativeInputs, *, t: Any, seed: int = 0, rtol: float = 1e-8, atol: float = 1e-10, method: str = "auto"
) -> Result:
    """Solve the equations of motion from the teacher and the initial weights of a simulation with this `seed`.

    Parameters
    ----------
    model : GenerativeInputs
    t : sequence of float
        Times, increasing from 0 or later.
    seed : int
        Of the simulation (with ``disorder="common"``).
    rtol, atol, method
        As for `tsphys.solvers.ode.integrate`; above 1500 variables, which are N·K(K + M), ``auto`` is DOP853.

    Returns
    -------
    Result
        ``eps_g`` (len(t),), ``R`` (…, K, M), ``Q``, ``W`` (…, K, K), ``v`` (…, K).

    Raises
    ------
    ModelError
        If an argument is out of range.
    DivergedError, ConvergenceError
        If an order parameter exceeds 1e16, or the tolerance cannot be met.
    """
    t = times("t", t)
    seed = number("seed", seed, kind=int, low=0, high=2**63 - 1)
    start, record = of_instance(model, instance(model, seed, 0)), {"seed": seed, "N": model.sizes[0]}
    try:
        data, _, q, info = follow(model, start, t, rtol=rtol, atol=atol, method=method)
    except DivergedError as error:
        raise DivergedError(str(error), t=error.t, partial=result(model, t, error.partial, record)) from None
    return result(model, t, {**data, "W": np.einsum("i,tikl->tkl", start.weight, q)}, {**record, **info})


def of_instance(model: GenerativeInputs, drawn: Instance) -> Modes:
    """The modes of Ω, each by itself."""
    values, vectors = np.linalg.eigh(model.covariances[0])
    N = len(values)
    w, gamma = (drawn.W @ vectors).T, vectors.T @ drawn.seen
    return Modes(
        e=np.maximum(values, 0.0),
        weight=np.full(N, 1 / N),
        t=N * gamma[:, :, None] * gamma[:, None, :],
        r=np.sqrt(N) * w[:, :, None] * gamma[:, None, :],
        q=w[:, :, None] * w[:, None, :],
        T=drawn.T,
    )
