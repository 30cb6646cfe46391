"""Online SGD on the inputs of a generator, or of any covariance, N → ∞: equations of motion in the modes of Ω."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tsphys.ground.parameters import LARGEST_INTEGER, param
from tsphys.models.generative_inputs import GenerativeInputs, Instance, instance
from tsphys.odes.equations.modes import OBSERVED, Modes, equations
from tsphys.runs import frames


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What the theory is asked for."""

    seed: int = param(
        0, "seed of the simulation whose teacher and initial weights these are (with disorder common)", kind=int, low=0,
        high=LARGEST_INTEGER, short="-s",
    )  # fmt: skip


@frames.flow(GenerativeInputs, Options, dims=OBSERVED)
def solve(model: GenerativeInputs, options: Options) -> frames.Equations:
    """Solve the equations of motion, and observe the order parameters at the times t = steps/N.

    The tolerances are 1e-8 and 1e-10 by default; above 1500 variables, which are N·K(K + M), the method ``auto`` is
    DOP853.

    Returns
    -------
    dict
        ``eps_g`` (len(t),), ``R`` (…, K, M), ``Q``, ``W`` (…, K, K), ``v`` (…, K).
    """
    start = of_instance(model, instance(model, options.seed, 0))
    found = equations(model, start, 1e-8, 1e-10, lambda Q, q: {"W": np.einsum("i,tikl->tkl", start.weight, q)})
    return replace(found, record={"seed": options.seed, "N": model.sizes[0]})


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
