"""Attacks on online learners: the engines of learning rules, with what the attacker does and pays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys.errors import DivergedError, ModelError
from tsphys.ground.parameters import array, number
from tsphys.ground.times import times, whole_steps
from tsphys.models.online_attack import OnlineAttack
from tsphys.numerics.random import generator
from tsphys.runs.frames.options import Replicas
from tsphys.runs.replicas import over_replicas, thread_count
from tsphys.runs.result import Result
from tsphys.sims.engines.online import simulation as online
from tsphys.sims.engines.online.local import SCALARS

__all__ = ["on_inputs", "simulate"]


@online.learned(OnlineAttack)
def simulate(model: OnlineAttack, options: online.Options, frame: Replicas) -> Result:
    """Simulate an attack at size N, and observe it at the times t = steps/N.

    Of any strategy; the clairvoyant one has a simulation of its own, see `tsphys.sims.clairvoyant`. Greedy and optimal
    attacks see the whole minibatch and run on the engines ``exact`` and ``direct``.

    Returns
    -------
    Result
        ``eps_g``, ``R`` (…, K, 2K), overlaps with teacher and target, ``Q``, ``v``, K ones and the integrals over time
        of action, its square and cost, and the `OnlineAttack.measured`.
    """
    if model.strategy == "clairvoyant":
        from tsphys.sims.clairvoyant import planned

        return planned(model, options, frame)
    return online.trained(model, options, frame)


def on_inputs(
    model: OnlineAttack,
    inputs: Any,
    teacher: Any,
    *,
    t: Any,
    replicas: int = 1,
    seed: int = 0,
    threads: int | None = None,
) -> np.ndarray:
    """Attack one student on given inputs, drawn with replacement, and return its weights at the times t = steps/N.

    Parameters
    ----------
    model : OnlineAttack
        One unit, target opposite to the teacher, any strategy but the clairvoyant. The attacker takes the second
        moments of the inputs for those of white noise.
    inputs : (n, N) array_like
        The inputs x.
    teacher : (N,) array_like
        Weights w_t, scaled here to |w_t|² = N; the student starts from them.

    Returns
    -------
    ndarray (replicas, len(t), N)

    Raises
    ------
    ModelError
        If an argument is out of range.
    DivergedError
        If a replica left every bound.
    """
    from tsphys.sims.engines.online.direct import iterate

    X, w = array("inputs", inputs, (None, None), "a row for each input"), array("teacher", teacher, (None,))
    if model.K > 1 or model.overlap > -1 or model.strategy == "clairvoyant":
        raise ModelError("model", model, "must have one unit, overlap = −1, and no clairvoyant attacker")
    n, N = X.shape
    if n == 0 or w.shape != (N,) or not w.any():
        raise ModelError("teacher", f"array of shape {w.shape}", f"must be ({N},) as the inputs, and not zero")
    w *= np.sqrt(N / (w @ w))
    rule, steps = model.learning_rule(), whole_steps(times("t", t), N)
    out = np.empty((number("replicas", replicas, kind=int, low=1), len(steps), N))

    def work(replica: int, report: Callable[[float], None]) -> None:
        rng = generator(seed, replica, "attacked inputs")

        def examples(step: int, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            rows = rng.integers(n, size=(min(most, SCALARS), model.minibatch))
            return X, rows, np.empty((*rows.shape, 0))

        run: Any = iterate(rule, w[None].copy(), np.array([w, -w]), np.array(rule.v), np.array(rule.v_star), examples)
        step = 0
        for i, stop in enumerate(steps.tolist()):
            step = run(step, stop)[0]
            if step < stop:
                raise DivergedError(f"replica {replica} diverged at t = {step / N:.4g}", t=step / N)
            out[replica, i] = run.W[0]
            report((i + 1) / len(steps))

    over_replicas(work, range(len(out)), threads=thread_count(threads))
    return out
