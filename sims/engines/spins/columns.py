"""Engine `exact`: parallel dynamics of few patterns by the numbers of up spins among those with the same patterns.

Spins with the same column (ξ_i^1, …, ξ_i^P) and the same state have the same field, so that in a step with independent
updates the number of them that go up is binomial. This is the law of the network itself, at any N, for 2^P numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from tsphys.numerics.random import generator

MOST_PATTERNS = 16
#: Largest N for which NumPy draws without replacement.
LARGEST = 10**9 - 1


@dataclass(frozen=True)
class Grouped:
    """A Hopfield network of N spins with P patterns, as groups of spins with the same patterns.

    Parameters
    ----------
    columns : ndarray, shape (G, P)
        The patterns of a group, ±1.
    sizes : ndarray of int64, shape (G,)
        Spins in a group.
    followed : int
        Overlaps that are kept.
    """

    columns: np.ndarray
    sizes: np.ndarray
    followed: int
    named: tuple[str, ...] = ()

    @property
    def weights(self) -> np.ndarray:
        """Weights of the groups in an average over the spins."""
        return self.sizes

    def initial(self, p: Any, replica: int, point: int) -> np.ndarray:
        """The numbers of up spins (G,) at the start that a `tsphys.sims.engines.spins.hebbian.Plan` asks for."""
        rng = generator(p.seed, replica, f"start {point}")
        if p.start == "random":
            return rng.binomial(self.sizes, 0.5)
        if p.start == "mixture":
            votes = self.columns[:, : p.mixture].sum(axis=1)
            return np.where(votes == 0, rng.binomial(self.sizes, 0.5), np.where(votes > 0, self.sizes, 0))
        up = np.where(self.columns[:, 0] > 0, self.sizes, 0)
        if p.start == "noisy":
            flipped = round(0.5 * (1.0 - p.overlap) * p.N)
            where = rng.multivariate_hypergeometric(self.sizes, flipped, method="marginals")
            up = np.where(self.columns[:, 0] > 0, up - where, where)
        return up

    def chain(self, s: np.ndarray, T: float, key: tuple[int, int, str]) -> GroupedChain:
        """The numbers s in motion at temperature T, with the random numbers of a key (seed, replica, purpose)."""
        return GroupedChain(self, s, T, generator(*key))

    def finish(self, s: np.ndarray, net: Any, first: np.ndarray, second: np.ndarray) -> dict[str, Any]:
        """The largest overlap."""
        return {"m_max": np.abs(self.overlaps(s)).max() / self.sizes.sum()}

    def overlaps(self, s: np.ndarray) -> np.ndarray:
        """M_μ (P,) = Σ_i ξ_i^μ s_i, integers."""
        return self.columns.T @ (2 * s - self.sizes)


class GroupedChain:
    """Numbers of up spins in motion; as `tsphys.sims.engines.spins.chain.Chain`, with groups in the place of spins."""

    net = None

    def __init__(self, network: Grouped, s: np.ndarray, T: float, rng: np.random.Generator):
        self.network, self.s, self.rng = network, s, rng
        self.N = int(network.sizes.sum())
        self.set_temperature(T)

    def set_temperature(self, T: float) -> None:
        """Go on at another temperature."""
        self.gamma = np.inf if T == 0 else 2.0 / T

    def probes(self) -> np.ndarray:
        """The overlaps of the state."""
        return self.network.overlaps(self.s)[: self.network.followed] / self.N

    def energy(self) -> float:
        """H = −(1/2N) Σ_μ M_μ² + P/2."""
        M = self.network.overlaps(self.s).astype(np.float64)
        return float(-0.5 * (M @ M) / self.N + 0.5 * len(M))

    def step(self) -> int:
        """One parallel step; returns the number of flips."""
        columns, sizes, up = self.network.columns, self.network.sizes, self.s
        raw = columns @ self.network.overlaps(up)
        stay = self.rng.binomial(up, self._up(raw - columns.shape[1], 1.0))
        rise = self.rng.binomial(sizes - up, self._up(raw + columns.shape[1], 0.0))
        flips = int((up - stay + rise).sum())
        self.s = stay + rise
        return flips

    def _up(self, field: np.ndarray, at_zero: float) -> np.ndarray:
        """Probability that a spin with the field N h goes up; at T = 0 it stays where the field vanishes."""
        if self.gamma == np.inf:
            return np.where(field == 0, at_zero, field > 0)
        return 1.0 / (1.0 + np.exp(np.clip(-self.gamma * field / self.N, -700.0, 700.0)))

    def sweeps(self, n: int, report: Callable[[int], None] = lambda done: None) -> tuple[np.ndarray, np.ndarray]:
        """Do n steps; returns (energy, flips, overlaps…) after each (n, 2 + c) and the groups' mean states (G,)."""
        out = np.zeros((n, 2 + self.network.followed))
        total = np.zeros(len(self.s))
        for t in range(n):
            flips = self.step()
            out[t] = (self.energy() / self.N, flips / self.N, *self.probes())
            total += (2 * self.s - self.network.sizes) / self.network.sizes
            if t % 256 == 255:
                report(t + 1)
        return out, total / max(n, 1)


def drawn(N: int, P: int, followed: int, seed: int, replica: int, point: int) -> Grouped:
    """P random patterns of N spins."""
    columns = np.array(list(product((1, -1), repeat=P)), dtype=np.int64)
    sizes = generator(seed, replica, f"columns {point}").multinomial(N, np.full(len(columns), 1.0 / len(columns)))
    return Grouped(columns[sizes > 0], sizes[sizes > 0], followed)
