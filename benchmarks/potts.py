"""Benchmark of the Gibbs sampler of Potts chains against a plain NumPy loop, and of its threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys.benchmarks.setting import Setting
from tsphys.benchmarks.table import Row, ratio, row
from tsphys.benchmarks.timing import interleaved
from tsphys.models.potts_attention import PottsAttention
from tsphys.numerics.random import stream
from tsphys.runs.replicas import over_replicas
from tsphys.sims.engines.potts import sampler as potts

#: Sites and colours, and the strength of the couplings.
SIZES, BETA = ((200, 4), (32, 20)), 1.5
#: Sweeps of a chain between two reports to the pool of threads.
PIECE = 100


def numpy_visit(J: np.ndarray, U: np.ndarray, s: np.ndarray, rng: np.random.Generator) -> None:
    """Draw the colour of a random site anew, the logits summed over all sites as they are defined."""
    i = rng.integers(len(J))
    z = U[:, s] @ J[i]
    p = np.exp(z - z.max())
    s[i] = np.searchsorted(np.cumsum(p), rng.random() * p.sum())


def plain_numpy(J: np.ndarray, U: np.ndarray) -> Callable[[int], None]:
    """Sweeps of such visits."""
    rng = np.random.default_rng(0)
    s = rng.integers(0, len(U), len(J))

    def advance(sweeps: int) -> None:
        for _ in range(sweeps * len(J)):
            numpy_visit(J, U, s, rng)

    return advance


def chain(model: potts.Couplings, index: int) -> Any:
    """A chain of tsphys."""
    noise = stream(0, index, "benchmark")
    N, C = model.h.shape
    return potts.Chain(model, potts.start(N, C, noise), noise)


def visits(setting: Setting, n: int, c: int) -> list[Row]:
    """Time of a visit and its ratio to the plain loop."""
    model = PottsAttention(C=c, beta=BETA)
    J, U = model.draw(n, 0, 0), model.colour_matrix()
    one = chain(potts.couplings(J, U), 0)
    cases = {"plain NumPy": plain_numpy(J, U), "tsphys": lambda sweeps: one.run(1, sweeps)}
    times = interleaved(cases, setting.seconds, setting.rounds, setting.steps)
    section = f"Potts glass, heat bath, time of a visit, N = {n}, C = {c}, beta = {BETA}, one thread"
    rows = [row(section, name, 1e9 * t / n, "ns") for name, t in times.items()]
    return [*rows, ratio(section, "tsphys: times faster", times["plain NumPy"], times["tsphys"])]


def monte_carlo(setting: Setting, sizes: tuple[tuple[int, int], ...] = SIZES) -> list[Row]:
    """Time of a visit at several sizes, and the speed-up by threads over chains."""
    rows = [row for n, c in sizes for row in visits(setting, n, c)]
    n, c = sizes[0]
    model = PottsAttention(C=c, beta=BETA)
    given = potts.couplings(model.draw(n, 0, 0), model.colour_matrix())
    count = setting.threads
    chains = [chain(given, index) for index in range(2 * count)]

    def on(threads: int) -> Callable[[int], None]:
        return lambda pieces: over_replicas(
            lambda index, _: chains[index].run(1, PIECE * pieces), range(len(chains)), threads=threads
        )

    times = interleaved({str(k): on(k) for k in (1, count)}, setting.seconds, setting.rounds, setting.steps)
    section = f"Potts glass, speed-up by threads, {2 * count} chains"
    return [*rows, ratio(section, f"{count} threads", times["1"], times[str(count)])]
