"""Attacks on online learners: the engines of learning rules, with what the attacker does and pays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tsphys.models.online_attack import OnlineAttack
from tsphys.physics.order_parameters import OrderParameters
from tsphys.runs.result import Result
from tsphys.sims.engines import online

__all__ = ["simulate"]


def simulate(
    model: OnlineAttack,
    *,
    N: int,
    t: Any,
    start: OrderParameters | None = None,
    replicas: int = 1,
    seed: int = 0,
    engine: str = "auto",
    threads: int | None = None,
    dtype: str = "float64",
    progress: Callable[[float], None] | None = None,
    checkpoint: Callable[[Result], Any] | None = None,
    resume: Result | None = None,
) -> Result:
    """Simulate an attack at size N, and observe it at the times t = steps/N.

    Parameters
    ----------
    model : OnlineAttack
        With any strategy; the clairvoyant one has a simulation of its own, see `tsphys.sims.clairvoyant`.
    N, t, start, replicas, seed, engine, threads, dtype, progress, checkpoint, resume
        As in `tsphys.sims.engines.online.simulate`. Greedy and optimal attacks see the whole minibatch and run on the
        engines ``exact`` and ``direct``.

    Returns
    -------
    Result
        ``eps_g``, ``R`` (…, K, 2K), overlaps with teacher and target, ``Q``, ``v``, K ones and the integrals over time
        of action, its square and cost, and the `OnlineAttack.measured`.

    Raises
    ------
    ModelError
        If an argument is out of range.
    DivergedError
        If a replica left every bound; ``partial`` has no further observables then.
    """
    kept = None if checkpoint is None else lambda found: checkpoint(_observed(model, found))
    options = {"N": N, "t": t, "start": start, "replicas": replicas, "seed": seed, "engine": engine}
    options |= {"threads": threads, "dtype": dtype, "progress": progress, "checkpoint": kept, "resume": resume}
    if model.strategy == "clairvoyant":
        from tsphys.sims.clairvoyant import simulate as foreseen

        return _observed(model, foreseen(model, **options))
    return _observed(model, online.simulate(model, **options))


def _observed(model: OnlineAttack, found: Result) -> Result:
    more = model.measured(found["t"], found["R"], found["Q"], found["v"])
    return dataclasses.replace(found, data={**found.data, **more})
