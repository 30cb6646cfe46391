"""One student taught by the votes of many clients: the weights, and every example of every client."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import DivergedError
from tsphys.ground.parameters import param
from tsphys.ground.progress import tell
from tsphys.ground.times import course, whole_steps
from tsphys.models.votes import Votes
from tsphys.physics.order_parameters import DIVERGED
from tsphys.runs import frames


@dataclass(frozen=True, kw_only=True)
class Options(frames.Times):
    t: Any = course("times: START:STOP:POINTS[:lin|log] or a list a,b,c (t = steps/N)", default="0.1:100:40")
    N: int = param(400, "input dimension", kind=int, low=2, short="-N")


@frames.courses(
    Votes, Options, memory=frames.room(lambda N, M: (3 * M + 4) * N, "N", "clients", what="the examples of a step")
)
def simulate(model: Votes, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw a teacher of independent weights and a student with exactly these overlaps, and let it learn.

    Observables as in the theory.
    """
    from scipy.special import erf

    N, M, rng = options.N, model.clients, replica.rng("examples")
    g = (lambda x: x) if model.activation == "linear" else (lambda x: erf(x / math.sqrt(2)))
    basis = np.linalg.qr(replica.rng("start").standard_normal((N, 2)))[0].T * math.sqrt(N)
    teacher, w = basis[0], model.R * basis[0] + math.sqrt(max(model.Q - model.R**2, 0.0)) * basis[1]
    honest = np.where(np.arange(M) < model.malicious, -1.0, 1.0)
    weight, root = np.where(honest > 0, 1.0, -model.loudness) / M, math.sqrt(N)
    rows, step, steps = [], 0, whole_steps(options.t, N)
    for stop in steps:
        # Of a student that leaves every bound, which is told below.
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(step, stop):
                x = rng.standard_normal((M, N))
                lam = x @ w / root
                e = g(x @ teacher / root) + model.noise * rng.standard_normal(M) - g(lam)
                if model.server == "vote":
                    w = w + model.lr / root * np.sign((honest * np.sign(e)) @ np.sign(x))
                else:
                    slope = 1.0 if model.activation == "linear" else math.sqrt(2 / math.pi) * np.exp(-0.5 * lam**2)
                    w = w + model.lr / root * (weight * e * slope) @ x
            R, Q = w @ teacher / N, w @ w / N
        step = int(stop)
        tell(step / max(int(steps[-1]), 1))
        if not Q < DIVERGED:
            raise DivergedError(f"the student left every bound before t = {step / N:.4g}", t=step / N, partial=None)
        rows.append({"eps_g": _error(model, R, Q), "R": R, "Q": Q})
    return frames.stack(rows)


def _error(model: Votes, R: float, Q: float) -> float:
    """Half the mean squared difference from the teacher."""
    if model.activation == "linear":
        return 0.5 * (Q - 2 * R + 1)
    own, cross = math.asin(Q / (1 + Q)), math.asin(R / math.sqrt(2 * (1 + Q)))
    return (own + math.asin(0.5) - 2 * cross) / math.pi
