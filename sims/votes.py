"""One student taught by the votes of many clients: the weights, and every example of every client."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys._jit import njit
from tsphys.errors import DivergedError
from tsphys.ground.parameters import param
from tsphys.ground.progress import tell
from tsphys.ground.times import course, whole_steps
from tsphys.models.votes import Votes
from tsphys.numerics.sigmoids import erf
from tsphys.physics.order_parameters import DIVERGED
from tsphys.runs import frames

#: Numbers that are drawn at once, so that they are still in the cache when they are learned.
AT_ONCE = 2**15


@njit
def sign(x):
    """Of a number; 0 of 0, and none of none."""
    return 1.0 if x > 0.0 else (-1.0 if x < 0.0 else x)


@njit(fast=True)
def learn(w, teacher, drawn, honest, weight, vote, linear, noise, lr):
    """So many steps of w (N,), in place, as there are rows of numbers: the inputs (M, N) of one, then M for the labels.

    `honest` and `weight` (M,) are what the signs of each client, and its gradient, are multiplied by.
    """
    N, M = w.size, honest.size
    root, change = math.sqrt(N), np.empty(N)
    for step in range(len(drawn)):
        x = drawn[step, : M * N].reshape(M, N)
        change[:] = 0.0
        for m in range(M):
            row, lam, nu = x[m], 0.0, 0.0
            for i in range(N):
                lam += row[i] * w[i]
                nu += row[i] * teacher[i]
            lam, nu = lam / root, nu / root
            e = (nu if linear else erf(nu)) + noise * drawn[step, M * N + m] - (lam if linear else erf(lam))
            if vote:
                own = honest[m] * sign(e)
                for i in range(N):
                    change[i] += (own if row[i] > 0.0 else 0.0) - (own if row[i] < 0.0 else 0.0)
            else:
                own = weight[m] * e * (1.0 if linear else math.sqrt(2 / math.pi) * math.exp(-0.5 * lam**2))
                for i in range(N):
                    change[i] += own * row[i]
        for i in range(N):
            w[i] += lr / root * (sign(change[i]) if vote else change[i])


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
    N, M, rng = options.N, model.clients, replica.rng("examples")
    basis = np.linalg.qr(replica.rng("start").standard_normal((N, 2)))[0].T * math.sqrt(N)
    teacher, w = basis[0], model.R * basis[0] + math.sqrt(max(model.Q - model.R**2, 0.0)) * basis[1]
    honest = np.where(np.arange(M) < model.malicious, -1.0, 1.0)
    weight = np.where(honest > 0, 1.0, -model.loudness) / M
    law = honest, weight, model.server == "vote", model.activation == "linear", model.noise, model.lr
    room = np.empty((max(1, AT_ONCE // (M * N)), M * (N + 1)))
    rows, step, steps = [], 0, whole_steps(options.t, N)
    for stop in steps:
        for done in range(step, stop, len(room)):
            drawn = room[: stop - done]
            rng.standard_normal(out=drawn)
            learn(w, teacher, drawn, *law)
        # Of a student that leaves every bound, which is told below.
        with np.errstate(over="ignore", invalid="ignore"):
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
