"""What theory of a fixed training set costs, and what direct runs would for the same error."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import tsphys
from tsphys.benchmarks.setting import Setting
from tsphys.benchmarks.table import Row, row

#: Size of the direct runs, and how many tell how far one is off.
N, RUNS = 1000, 8
#: Most rounds: each is some seconds.
MOST_ROUNDS = 3
TIMES = [1, 3, 10, 30, 100]
START = tsphys.OrderParameters(R=[[0.3, 0], [0, 0.1]], Q=[[0.3, 0.05], [0.05, 0.2]], T=np.eye(2))
CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "logistic loss, α = 2, 100 steps": (tsphys.TrainingSet(alpha=2, lr=2), {}),
    "committee K = M = 2, α = 3, 100 steps": (tsphys.TwoLayer(alpha=3, lr=1.5, noise=0.3, batch=1), {"start": START}),
}


def training_sets(setting: Setting) -> list[Row]:
    """CPU seconds and error of eps_g, root mean square over the times, by theory and by one run of N = 1000.

    Runs for the same error are as many as the square of the ratio of errors says. Sizes are those of the cases.
    """
    rows = []
    for name, (model, more) in CASES.items():
        tsphys.solve(model, t=[1], paths=2**8, scramblings=2, **more)
        tsphys.simulate(model, N=20, t=[1], replicas=1, threads=1, **more)
        found: dict[str, list[float]] = {k: [] for k in ("theory", "run", "off", "scatter")}
        for i in range(min(setting.rounds, MOST_ROUNDS)):
            seconds, theory = spent(tsphys.solve, model, t=TIMES, **more)
            found["theory"].append(seconds)
            found["off"].append(mean_square(theory.sem("eps_g")))
            seconds, sim = spent(tsphys.simulate, model, N=N, t=TIMES, replicas=RUNS, threads=1, seed=i, **more)
            found["run"].append(seconds / RUNS)
            found["scatter"].append(mean_square(sim["eps_g"].std(axis=0, ddof=1)))
        theory_time, run_time, off, scatter = (np.array(found[k]) for k in ("theory", "run", "off", "scatter"))
        section = f"fixed training set, {name}"
        rows += [
            row(section, "theory", theory_time, "CPU s"),
            row(section, "theory: error of eps_g", 1e3 * off, "1e-3"),
            row(section, f"a run at N = {N}", run_time, "CPU s"),
            row(section, f"a run at N = {N}: error of eps_g", 1e3 * scatter, "1e-3"),
            row(section, "theory: times fewer CPU seconds for the same error",
                run_time * (scatter / off) ** 2 / theory_time, "x"),
        ]  # fmt: skip
    return rows


def spent(work: Callable[..., Any], *given: Any, **more: Any) -> tuple[float, Any]:
    """CPU seconds of the process, and what was made in them."""
    begin = time.process_time()
    found = work(*given, **more)
    return time.process_time() - begin, found


def mean_square(x: Any) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.mean(np.square(x))))
