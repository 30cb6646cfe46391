"""Nested dropout in a linear autoencoder: modes over time, and all rates at which it comes to rest, in closed form.

A unit along its mode, with equal weights, has ds/dt = 2 π_j λ_j s(1 − s): dropout slows it by π_j. At rest unit j is
mode j, which without dropout only the span of all units is. The equations are our own.
"""

from __future__ import annotations

import numpy as np

from tsphys.ground.parameters import number
from tsphys.models.nested_dropout import NestedDropout
from tsphys.physics.flows.linear_layers import logistic
from tsphys.runs import frames


@frames.course(NestedDropout, frames.Times, dims={"strength": ("mode",)})
def solve(model: NestedDropout, options: frames.Times) -> dict[str, np.ndarray]:
    """Units along their modes over time.

    Returns
    -------
    dict
        ``strength`` (t, mode) of each unit, the product of its weights, and ``loss`` ½ Σ_b p_b ⟨|x − A_{:b}B_{b:}x|²⟩.
    """
    present, variance = model.present, np.array(model.variance)
    K = len(present)
    s = logistic(1.0, model.start, present * variance[:K] * options.t[:, None])
    kept = present * (1 - s) ** 2 + 1 - present
    return {"strength": s, "loss": 0.5 * (kept @ variance[:K] + variance[K:].sum())}


def pair(model: NestedDropout, i: int, j: int) -> np.ndarray:
    """The four rates, rising, at which units i < j stop to mix; the first two vanish where both are kept as often.

    Units are counted from 0, as the axis of observables is.
    """
    present, variance = model.present, model.variance
    j = number("j", j, kind=int, low=1, high=len(present) - 1)
    i = number("i", i, kind=int, low=0, high=j - 1)
    di, dj, q = variance[i] * present[i], variance[j] * present[i], present[j]
    matrix = [
        [di, -dj + q * variance[j], 0.0, q * variance[i]],
        [-dj + q * variance[j], dj, q * variance[j], 0.0],
        [0.0, q * variance[j], q * variance[j], 0.0],
        [q * variance[i], 0.0, 0.0, q * variance[i]],
    ]
    return np.linalg.eigvalsh(np.array(matrix))


def rates(model: NestedDropout) -> np.ndarray:
    """All rates at which the ordered autoencoder with equal weights comes to rest, rising, (2KN,).

    As many are 0 as there are units, of which the weights may be multiplied and divided by a number.
    """
    present, variance = model.present, model.variance
    K, N = len(present), len(variance)
    out = [np.zeros(K), 2 * present * np.array(variance[:K])]
    for i in range(K):
        for j in range(K, N):
            block = np.array([[variance[i], -variance[j]], [-variance[j], variance[j]]])
            out.append(present[i] * np.linalg.eigvalsh(block))
        out += [pair(model, i, j) for j in range(i + 1, K)]
    return np.sort(np.concatenate(out))


def ordering(model: NestedDropout) -> float:
    """The rate of the slowest pair of units, which is what putting them in order takes; 0 where nothing orders them."""
    K = len(model.keep)
    slow = [pair(model, i, j)[0] for i in range(K) for j in range(i + 1, K)]
    return max(float(min(slow)), 0.0) if slow else np.inf
