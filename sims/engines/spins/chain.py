"""A Hebbian network with its patterns, and its state in motion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.numerics.random import generator, stream
from tsphys.sims.engines.spins.drive import FORMS, driver

#: Nanoseconds of work between two reports.
PIECE = 2e8


@dataclass(frozen=True)
class Network:
    """An instance of a Hebbian network with its patterns.

    Parameters
    ----------
    form : str
        One of `FORMS`.
    cues : ndarray of int8, shape (n, N)
        The first patterns, as states of the spins.
    probes : ndarray, shape (c, N)
        Σ_i probes_ai s_i are the overlaps that are followed.
    span : int
        Difference of the two values of a spin: 2 for ±1, 1 for 0/1.
    attach : callable
        ``attach(s) -> net``, the arrays of the form for a state (N,).
    finish : callable
        ``finish(s, net, mean_1, mean_2) -> dict``: further observables from the last state and the spins' mean states
        in two halves of the run.
    cost : float
        Nanoseconds a sweep, about.
    named : tuple of str
        Names of the last probes, those that are not overlaps with the cues.
    weights : ndarray, optional
        Weights of the mean states in an average over the spins.
    """

    form: str
    cues: np.ndarray
    probes: np.ndarray
    span: int
    attach: Callable[[np.ndarray], tuple[Any, ...]]
    finish: Callable[..., dict[str, Any]]
    cost: float
    named: tuple[str, ...] = ()
    weights: np.ndarray | None = None

    def initial(self, p: Any, replica: int, point: int) -> np.ndarray:
        """The spins (N,) at the start that a `tsphys.sims.engines.spins.hebbian.Plan` asks for, int8."""
        rng = generator(p.seed, replica, f"start {point}")
        up = np.int8(1)
        down = np.int8(up - self.span)
        if not isinstance(p.start, str):
            s = p.start if p.start.ndim == 1 else p.start[replica]
            if not np.isin(s, (up, down)).all():
                raise ModelError("start", p.start, f"must hold only {up} and {down}")
            return s.astype(np.int8)
        if p.start == "random":
            # Neurons 0/1 keep the mean activity of a pattern.
            share = 0.5 if self.span == 2 else float(self.cues[0].mean())
            return np.where(rng.random(p.N) < share, up, down)
        if p.start == "mixture":
            if p.mixture > len(self.cues):
                raise ModelError("mixture", p.mixture, f"must be at most the number of patterns, {len(self.cues)}")
            votes = (2 * self.cues[: p.mixture].astype(np.int64) - (up + down)).sum(axis=0)
            return np.where(votes + (rng.random(p.N) - 0.5) > 0, up, down)
        s = self.cues[0].copy()
        if p.start == "noisy":
            flipped = rng.permutation(p.N)[: round(0.5 * (1.0 - p.overlap) * p.N)]
            s[flipped] = up + down - s[flipped]
        return s

    def chain(self, s: np.ndarray, T: float, key: tuple[int, int, str]) -> Chain:
        """The state s in motion at temperature T, with the random numbers of a key (seed, replica, purpose)."""
        return Chain(self, s, T, stream(*key))


class Chain:
    """One network in motion."""

    def __init__(self, network: Network, s: np.ndarray, T: float, noise: np.ndarray):
        self.network, self.s, self.noise = network, s, noise
        self.net = network.attach(s)
        self.order = np.arange(len(s))
        self.uniforms = np.empty(2 * len(s))
        self.set_temperature(T)

    def set_temperature(self, T: float) -> None:
        """Go on at another temperature."""
        self.gamma = np.inf if T == 0 else self.network.span / T

    def probes(self) -> np.ndarray:
        """The overlaps of the state."""
        return self.network.probes @ self.s

    def energy(self) -> float:
        """H of the state."""
        return float(FORMS[self.network.form][1](self.s, self.net))

    def sweeps(self, n: int, report: Callable[[int], None] = lambda done: None) -> tuple[np.ndarray, np.ndarray]:
        """Do n sweeps; returns (energy, flips, overlaps…) after each (n, 2 + c) and the spins' mean states (N,)."""
        out = np.zeros((n, 2 + len(self.network.probes)))
        total = np.zeros(len(self.s), np.int64)
        piece = max(1, int(PIECE / self.network.cost))
        step, sequential = driver(self.network.form), FORMS[self.network.form][2]
        for low in range(0, n, piece):
            rows = out[low : low + piece]
            step(
                self.s, self.net, self.gamma, sequential, self.noise, self.order, self.uniforms, self.network.probes,
                rows, total,
            )  # fmt: skip
            report(low + len(rows))
        return out, total / max(n, 1)
