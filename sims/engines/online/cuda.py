"""Engine `cuda`: many replicas at once on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tsphys._cuda import require
from tsphys.rules.engines import choose
from tsphys.rules.learning_rule import LearningRule

#: Seconds a launch is to take: long against its cost, short for progress, an interrupt and a display's watchdog.
PIECE = 0.1
#: Steps of the first launch.
FIRST = 16


def kernel_of(rule: LearningRule) -> str:
    """Which of the CPU's engines the device runs: `exact` where its law allows it, otherwise `direct`."""
    return choose(rule, "auto", "float64")


def run(
    rule: LearningRule,
    N: int,
    starts_of: Callable[[Sequence[int]], Sequence[Any]],
    seed: int,
    todo: Sequence[int],
    steps: np.ndarray,
    finished: Callable[[int, Any], None],
    progress: Callable[[float], None] | None = None,
) -> None:
    """Run replicas on the device, as many at once as it holds.

    Parameters
    ----------
    rule : LearningRule
        What is iterated, at size `N`.
    starts_of : callable
        The starts of some replicas.
    seed, todo : int, sequence of int
        Seed and replicas; together they determine every random number.
    steps : (n,) ndarray of int
        Steps after which to observe.
    finished : callable
        Called with a replica and (R, Q, v, step of divergence or None), their first axis `steps`.
    progress : callable, optional
        Called with the fraction done after each launch.

    Raises
    ------
    ModelError
        If there is no device.
    """
    require()
    Replicas: Any
    if kernel_of(rule) == "exact":
        from tsphys.sims.engines.online.cuda_chain import Chains as Replicas
    else:
        from tsphys.sims.engines.online.cuda_weights import Weights as Replicas
    most, last = Replicas.most(rule, N), max(int(steps[-1]), 1)
    for low in range(0, len(todo), most):
        ids = todo[low : low + most]
        group = Replicas(rule, N, starts_of(ids), seed, ids)

        def report(step: int, low: int = low, n: int = len(ids)) -> None:
            if progress is not None:
                progress((low + n * step / last) / len(todo))

        R, Q, v, diverged = _observe(group, steps, report)
        for i, replica in enumerate(ids):
            finished(replica, (R[i], Q[i], v[i, :, : group.V], diverged.get(i), []))


def _observe(group: Any, steps: np.ndarray, report: Callable[[int], None]) -> tuple[Any, Any, Any, dict[int, int]]:
    """R, Q, v (replicas, times, …) of a group, NaN from its divergence on, and the step of it."""
    shapes = [(a.shape[0], len(steps), *a.shape[1:]) for a in (group.R, group.Q, group.v)]
    out = [np.full(shape, np.nan) for shape in shapes]
    diverged: dict[int, int] = {}
    step, piece = 0, FIRST
    for i, stop in enumerate(steps.tolist()):
        while True:
            target = min(stop, step + piece)
            begun = time.monotonic()
            group.advance(step, target)
            reached = group.reached.copy_to_host()
            took = time.monotonic() - begun
            if target == step + piece:
                piece = 2 * piece if took < 0.5 * PIECE else max(1, piece // 2) if took > 2 * PIECE else piece
            step = target
            diverged |= {r: int(reached[r]) for r in np.flatnonzero(reached < step).tolist() if r not in diverged}
            report(step)
            if step == stop:
                break
        well = reached == step
        for values, now in zip(out, (group.R, group.Q, group.v), strict=True):
            values[well, i] = now.copy_to_host()[well]
        if not well.any():
            break
    R, Q, v = out
    return R, Q, v, diverged
