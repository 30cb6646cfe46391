"""What a study will take, from trying a few of its tasks for a moment."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tsphys.errors import ConvergenceError, DivergedError, ModelError
from tsphys.studies.store import Store, folder_of
from tsphys.studies.study import Study, Task


class _Enough(Exception):
    pass


@dataclass(frozen=True)
class Estimate:
    """What is left of a study.

    Parameters
    ----------
    tasks, left : int
        All of them, and those not done yet.
    seconds : float
        For those that are left, on one core; from tasks at the beginning, in the middle and at the end.
    memory : float
        Bytes that a process has needed at most; NaN where the system does not tell.
    """

    tasks: int
    left: int
    seconds: float
    memory: float


def estimate(study: Study, store: Path, budget: float = 1.5) -> Estimate:
    """Try up to three tasks of each kind for so many seconds, each after its kernels are compiled; nothing is kept."""
    tasks = study.tasks()
    kept = Store(folder_of(store))
    left = [task for task in tasks if kept.state(task.key) not in ("done", "failed")]
    total = 0.0
    for verb in dict.fromkeys(task.verb for task in left):
        some = [task for task in left if task.verb == verb]
        tried = [some[i] for i in sorted({0, len(some) // 2, len(some) - 1})]
        _seconds(tried[0], budget)
        total += len(some) * sum(_seconds(task, budget) for task in tried) / len(tried)
    return Estimate(len(tasks), len(left), total, _memory())


def _seconds(task: Task, budget: float) -> float:
    """Time of a task, extrapolated from the share that fits the budget."""
    start = time.perf_counter()
    reached = 0.0

    def report(fraction: float) -> None:
        nonlocal reached
        reached = fraction
        if fraction > 0 and time.perf_counter() - start > budget:
            raise _Enough

    try:
        task.run(report)
    except _Enough:
        return (time.perf_counter() - start) / reached
    except (ModelError, ConvergenceError, DivergedError):
        pass
    return time.perf_counter() - start


def _memory() -> float:
    try:
        import resource
    except ModuleNotFoundError:
        return float("nan")
    import sys

    # Linux counts in KiB, macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1.0 if sys.platform == "darwin" else 1024.0)
