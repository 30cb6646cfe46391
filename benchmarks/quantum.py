"""Benchmark of the Metropolis sampler of spin chains against plain NumPy, over all chains at once and one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tsphys.benchmarks.setting import Setting
from tsphys.benchmarks.table import Row, ratio, row
from tsphys.benchmarks.timing import interleaved
from tsphys.numerics.random import stream
from tsphys.sims.engines.quantum.reconfiguration import Chain, Network, Walkers

#: Spins, features and units, and chains.
SIZES, CHAINS = ((20, 4, 4), (80, 4, 4)), 400


def log_cosh(x: np.ndarray) -> np.ndarray:
    x = np.abs(x)
    return x + np.log1p(np.exp(-2 * x)) - np.log(2)


def log_psi(theta: np.ndarray, w: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """ln ψ of fields θ (…, F, N)."""
    z = log_cosh(theta).sum(axis=-1) / np.sqrt(theta.shape[-1])
    return log_cosh(z @ w.T + beta).sum(axis=-1)


def plain_numpy(network: Network, parameters: np.ndarray, s: np.ndarray) -> Callable[[int], None]:
    """Sweeps of chains of spins s (n, N) side by side, in place, which keep the fields of their hidden units."""
    W, b, w, beta = network.arrays(parameters)
    rng, n, N = np.random.default_rng(0), len(s), network.N
    turned = np.stack([np.roll(W, t, axis=1) for t in range(N)], axis=1)
    theta = np.einsum("fti,ni->nft", turned, s) + b[:, None]
    now = log_psi(theta, w, beta)
    rows = np.arange(n)

    def advance(sweeps: int) -> None:
        nonlocal now
        for _ in range(sweeps * N):
            i = rng.integers(0, N, n)
            new = theta - 2 * s[rows, i, None, None] * turned.transpose(2, 0, 1)[i]
            then = log_psi(new, w, beta)
            taken = np.log(rng.random(n)) < 2 * (then - now)
            theta[taken], now = new[taken], np.where(taken, then, now)
            s[taken, i[taken]] *= -1

    return advance


def sampler(setting: Setting, sizes: tuple[tuple[int, int, int], ...] = SIZES) -> list[Row]:
    """Time of an update of a chain, and its ratio to both plain loops."""
    rows = []
    rng = np.random.default_rng(0)
    for N, F, K in sizes:
        network = Network(N, F, K)
        parameters = network.drawn(np.random.default_rng(1))
        chain = Chain(N, (-1.0, 0.0), (0,), (-1.0,))
        walkers = Walkers(chain, network, chain.drawn(CHAINS, np.random.default_rng(2)), stream(0, 0, "benchmark"))
        cases = {
            "plain NumPy, a chain": plain_numpy(network, parameters, rng.choice([-1.0, 1.0], (1, N))),
            f"plain NumPy, {CHAINS} chains": plain_numpy(network, parameters, rng.choice([-1.0, 1.0], (CHAINS, N))),
            "tsphys": lambda sweeps: walkers.go(parameters, sweeps * N),  # noqa: B023
        }
        times = interleaved(cases, setting.seconds, setting.rounds, setting.steps)
        times = {name: t / N / (1 if name.endswith("a chain") else CHAINS) for name, t in times.items()}
        section = f"States of spin chains, Metropolis, time of an update, N = {N}, F = {F}, K = {K}, one thread"
        rows += [row(section, name, 1e9 * t, "ns") for name, t in times.items()]
        rows += [
            ratio(section, f"tsphys: times faster than {name}", times[name], times["tsphys"])
            for name in cases
            if name != "tsphys"
        ]
    return rows
