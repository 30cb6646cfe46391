"""Benchmarks of the Hebbian networks: against a loop over dense couplings, and against NumPy's matrix product."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys._jit import njit
from tsphys.benchmarks.setting import Setting
from tsphys.benchmarks.table import Row, ratio, row
from tsphys.benchmarks.timing import interleaved
from tsphys.models.hopfield import Hopfield
from tsphys.runs.replicas import over_replicas
from tsphys.sims import hopfield
from tsphys.sims.engines.spins import stored

#: Spins and patterns, and the temperature.
N, P, T = 5000, 250, 0.3


@njit(cached=False)
def naive_sweep(J, s, beta):
    """As many heat-bath updates of random spins as there are, with the couplings as a matrix."""
    for _ in range(s.size):
        i = np.random.randint(s.size)  # noqa: NPY002 (what Numba knows)
        h = 0.0
        for j in range(s.size):
            h += J[i, j] * s[j]
        u = np.random.random()  # noqa: NPY002
        s[i] = 1.0 if u < 1.0 / (1.0 + np.exp(-2.0 * beta * h)) else -1.0


def chain(dynamics: str, method: str, n: int, p: int, replica: int = 0) -> Any:
    """A replica of tsphys in the retrieval state."""
    X = stored.drawn(n, p, 0, replica, "patterns 0")
    network = hopfield.network(Hopfield(T=T, dynamics=dynamics), X, p, method, 1, 1)
    return network.chain(X[:, 0].copy(), T, (0, replica, "benchmark"))


def naive(n: int, p: int) -> Callable[[int], None]:
    """The loop over dense couplings, from the same state."""
    X = stored.drawn(n, p, 0, 0, "patterns 0")[:, :p]
    J = (X.astype(np.float64) / n) @ X.T
    np.fill_diagonal(J, 0.0)
    s = X[:, 0].astype(np.float64)

    def advance(sweeps: int) -> None:
        for _ in range(sweeps):
            naive_sweep(J, s, 1.0 / T)

    return advance


def products(n: int, p: int) -> dict[str, Callable[[int], None]]:
    """Parallel dynamics at T = 0 by NumPy, in float32: through the patterns, and through the couplings."""
    X = stored.drawn(n, p, 0, 0, "patterns 0")[:, :p].astype(np.float32)
    J = X @ X.T / n
    np.fill_diagonal(J, 0.0)
    states = {"patterns": X[:, 0].copy(), "couplings": X[:, 0].copy()}

    def by_patterns(steps: int) -> None:
        for _ in range(steps):
            s = states["patterns"]
            states["patterns"] = np.sign(X @ (X.T @ s) - p * s)

    def by_couplings(steps: int) -> None:
        for _ in range(steps):
            states["couplings"] = np.sign(J @ states["couplings"])

    return {"NumPy, patterns": by_patterns, "NumPy, couplings": by_couplings}


def monte_carlo(setting: Setting, n: int = N, p: int = P) -> list[Row]:
    """Time of a spin update of the sequential and the parallel dynamics, and their ratios to the references.

    By the time of the processor, except for the speed-up by threads.
    """
    ours = {name: chain("sequential", name, n, p).sweeps for name in ("overlap", "matrix")}
    cases = {"naive Numba, dense": naive(n, p), **ours}
    times = interleaved(cases, setting.seconds, setting.rounds, setting.steps, clock=time.process_time)
    section = f"Hopfield, heat bath at T = {T}, time of a spin update, N = {n}, P = {p}, one thread"
    rows = [row(section, name, 1e9 * t / n, "ns") for name, t in times.items()]
    rows += [ratio(section, f"{name}: times faster", times["naive Numba, dense"], times[name]) for name in ours]

    steps = {**products(n, p), "tsphys": chain("parallel", "overlap", n, p).sweeps}
    times = interleaved(steps, setting.seconds, setting.rounds, setting.steps, clock=time.process_time)
    section = f"Hopfield, a parallel step, N = {n}, P = {p} (tsphys: heat bath; NumPy: the sign of the product)"
    rows += [row(section, name, 1e6 * t, "µs") for name, t in times.items()]
    rows += [ratio(section, f"times faster than {x}", times[x], times["tsphys"]) for x in steps if x != "tsphys"]

    count = setting.threads
    chains = [chain("sequential", "overlap", n, p, replica) for replica in range(2 * count)]

    def on(threads: int) -> Callable[[int], None]:
        return lambda sweeps: over_replicas(
            lambda replica, _: chains[replica].sweeps(sweeps), range(len(chains)), threads=threads
        )

    times = interleaved({str(k): on(k) for k in (1, count)}, setting.seconds, setting.rounds, setting.steps)
    section = f"Hopfield, speed-up by threads, {2 * count} replicas"
    return [*rows, ratio(section, f"{count} threads", times["1"], times[str(count)])]
