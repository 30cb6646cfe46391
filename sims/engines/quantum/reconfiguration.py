"""Stochastic reconfiguration: a network's descent to the lowest energy, in the metric of the states it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import DivergedError
from tsphys.ground.progress import tell
from tsphys.sims.engines.quantum.kernels import observe, sweeps

#: Shift of the metric at the first step and at most, its fall with a step and its rise where the energy rises, by more
#: than so many standard errors above its running average, of which each step is a part.
FIRST, FALL, RISE, ERRORS, NEW = 0.1, 0.9, 4.0, 1.5, 0.1
#: Longest step, in the metric.
LONGEST = 0.1
#: Largest exponent of a product of shares.
RANGE = 600.0


@dataclass(frozen=True, eq=False)
class Chain:
    """H = Σ_i [bonds₁ s_i s_{i+1} + bonds₂ s_i s_{i+2}] + Σ_d amplitudes_d · (moves of span d), with spins s = ±1.

    Parameters
    ----------
    N : int
        Spins, on a ring.
    bonds : tuple of float
        Coefficients at distances 1 and 2.
    spans : tuple of int
        0: a spin is flipped; otherwise one and its opposite so many sites further on are exchanged.
    amplitudes : tuple of float
        ⟨s'|H|s⟩ of such moves, in a basis of signs where the ground state has none.
    """

    N: int
    bonds: tuple[float, float]
    spans: tuple[int, ...]
    amplitudes: tuple[float, ...]

    def drawn(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Spins (n, N) at random, without a total where they are exchanged."""
        if 0 in self.spans:
            return rng.choice(np.array([-1, 1], np.int8), (n, self.N))
        return rng.permuted(np.tile(np.array([-1, 1], np.int8), (n, self.N // 2)), axis=1)

    def all_states(self) -> np.ndarray:
        """Every configuration (n, N), without a total where spins are exchanged."""
        states = np.arange(2**self.N)[:, None] >> np.arange(self.N) & 1
        return (2 * states - 1).astype(np.int8)[slice(None) if 0 in self.spans else states.sum(axis=1) == self.N // 2]


@dataclass(frozen=True)
class Network:
    """Sizes of the network of `tsphys.sims.engines.quantum.kernels`: N spins, F features, K units of output."""

    N: int
    F: int
    K: int

    @property
    def features(self) -> int:
        """Parameters of the features, W (F, N) and b (F,); those of the output, w (K, F) and β (K,), come later."""
        return self.F * (self.N + 1)

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self.features + self.K * (self.F + 1)

    def drawn(self, rng: np.random.Generator) -> np.ndarray:
        """Parameters at the start."""
        N, F, K = self.N, self.F, self.K
        return rng.standard_normal(self.size) * np.repeat([0.1, 0.05, 0.3, 0.1], [F * N, F, K * F, K])

    def arrays(self, theta: np.ndarray) -> list[np.ndarray]:
        """W, b, w, β."""
        N, F, K = self.N, self.F, self.K
        W, b, w, beta = np.split(theta, np.cumsum([F * N, F, K * F]))
        return [W.reshape(F, N), b, w.reshape(K, F), beta]


class Walkers:
    """Configurations, drawn from ψ² by chains or all there are with their weights, and what is seen of them."""

    def __init__(self, chain: Chain, network: Network, S: np.ndarray, noise: np.ndarray | None):
        self.chain, self.network, self.S, self.noise = chain, network, S, noise
        self.at = np.arange(2 * chain.N)

    def _moves(self, theta: np.ndarray) -> tuple[Any, ...]:
        W, b, w, beta = self.network.arrays(theta)
        spans = np.array(self.chain.spans)
        V = np.stack([W - np.roll(W, -d, axis=1) if d else W for d in self.chain.spans])
        V = V[:, :, (self.chain.N - 1 - self.at) % self.chain.N]
        block = int(np.clip(RANGE / (2 * np.abs(V).max() + 1e-300), 1, self.chain.N))
        return W, b, w, beta, spans, np.exp(np.stack([2 * V, -2 * V])), block

    def go(self, theta: np.ndarray, updates: int) -> None:
        """So many updates of each chain."""
        if self.noise is not None:
            W, b, w, beta, spans, factor, block = self._moves(theta)
            sweeps(self.S, W, b, w, beta, spans, factor, block, self.noise, updates)

    def see(self, theta: np.ndarray, derivatives: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weights (n,), local energies (n,) and derivatives (n, P) of ln ψ."""
        W, b, w, beta, spans, factor, block = self._moves(theta)
        n, chain = len(self.S), self.chain
        log, local, O = np.empty(n), np.empty(n), np.empty((n, len(theta) if derivatives else 0))
        H = np.array(chain.amplitudes), np.array(chain.bonds)
        observe(self.S, W, b, w, beta, spans, *H, factor, block, log, local, O)
        if self.noise is not None:
            return np.full(n, 1 / n), local, O
        weights = np.exp(2 * (log - log.max()))
        return weights / weights.sum(), local, O


def direction(X: np.ndarray, e: np.ndarray, shift: float) -> np.ndarray:
    """(XᵀX + shift)⁻¹ Xᵀe; of fewer rows than columns, through XXᵀ (Chen & Heyl 2023; Rende et al. 2023)."""
    n, P = X.shape
    if n < P:
        return np.asarray(X.T @ np.linalg.solve(X @ X.T + shift * np.eye(n), e))
    return np.asarray(np.linalg.solve(X.T @ X + shift * np.eye(P), X.T @ e))


def train(walkers: Walkers, theta: np.ndarray, free: slice, steps: int, lr: float, shift: float) -> np.ndarray:
    """Parameters after so many steps −lr (S + ε)⁻¹F of those that are free; S covariance, F force of the energy.

    The shift ε falls to `shift` as long as the energy falls, and where that rises is raised: in directions that the
    state hardly depends on, second derivatives are all there is, and steps by S alone are too long. A step is no
    longer than `LONGEST` in the metric S.

    Raises
    ------
    DivergedError
        If parameters are no numbers any more.
    """
    theta, now, usual = theta.copy(), FIRST, np.inf
    for step in range(steps):
        tell(step / steps)
        walkers.go(theta, walkers.chain.N)
        weights, local, O = walkers.see(theta)
        root, energy = np.sqrt(weights), weights @ local
        O = O[:, free]
        X, e = root[:, None] * (O - weights @ O), root * (local - energy)
        error = 0.0 if walkers.noise is None else np.linalg.norm(e) / np.sqrt(len(e))
        now = min(FIRST, RISE * now) if energy > usual + ERRORS * error else max(shift, FALL * now)
        usual = energy if step == 0 else usual + NEW * (energy - usual)
        move = direction(X, e, now) if np.isfinite(e).all() else np.full(O.shape[1], np.nan)
        length = lr * float(np.linalg.norm(X @ move))
        theta[free] -= lr * min(1.0, LONGEST / max(length, 1e-300)) * move
        if not np.isfinite(theta).all():
            raise DivergedError("descent of the energy diverged (lr too large?)", t=float(step))
    return theta
