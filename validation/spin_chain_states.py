"""Networks as states of spin chains."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.numerics.random import stream
from tsphys.physics.spins.chains import fermions, heisenberg, ising, j1_j2
from tsphys.sims.engines.quantum.reconfiguration import Chain, Network, Walkers
from tsphys.validation.checks import Check, Finding, Setting, on_theory, threshold, within

#: Of sampled networks.
SMALL = {"samples": 200, "sweeps": 40}


def reached(model: Any, **axis: Any) -> Any:
    """A check of trained and sampled networks on exact energies."""

    def run(setting: Setting) -> Finding:
        many = setting.replicas(4)
        sim = tsphys.simulate(model, replicas=many, seed=setting.seed, threads=setting.threads, **SMALL, **axis)
        return on_theory(sim, tsphys.solve(model, **axis), "energy")

    return run


def summed(setting: Setting) -> Finding:
    """Trained on all configurations; no energy is below the exact one."""
    off = []
    for model in (
        tsphys.SpinChainStates(N=8, field=0.7),
        tsphys.SpinChainStates(N=8, train="output", pretrained=1.0, field=1.3),
        tsphys.SpinChainStates(chain="heisenberg", N=8, J2=0.3),
    ):
        sim = tsphys.simulate(model, replicas=2, samples=0, seed=setting.seed, threads=setting.threads)
        excess = 1 - sim["energy"][:, 0] / tsphys.solve(model)["energy"][0]
        off += np.where(excess < -1e-12, np.inf, excess).tolist()
    # Output layers alone end within 1e-3.
    return within(off, 1e-3, "all configurations")


def sampled(setting: Setting) -> Finding:
    """Energy and magnetisation of a network that knows nothing, by chains and by all configurations."""
    chain, network = Chain(8, (-1.0, 0.3), (0, 1, 2), (-0.7, -0.4, 0.2)), Network(8, 3, 2)
    theta = 3 * network.drawn(np.random.default_rng(setting.seed))
    every = Walkers(chain, network, chain.all_states(), None)
    weights, local, _ = every.see(theta)
    count = setting.replicas(2000)
    chains = Walkers(
        chain, network, chain.drawn(count, np.random.default_rng(setting.seed)), stream(setting.seed, 0, "check")
    )
    chains.go(theta, 400)
    z = []
    for values, exact in (
        (chains.see(theta, derivatives=False)[1], weights @ local),
        (chains.S.sum(axis=1) ** 2.0, weights @ every.S.sum(axis=1) ** 2.0),
        (chains.S[:, 0] * chains.S[:, 3] * 1.0, weights @ (every.S[:, 0] * every.S[:, 3])),
    ):
        z.append((values.mean() - exact) / (values.std() / np.sqrt(count)))
    worst = float(np.abs(z).max())
    return Finding(
        worst, threshold(len(z)), f"local energies, total and pairs of {count} chains, {worst:.1f} errors off"
    )


def exactly(setting: Setting) -> Finding:
    """Endless chains against integrals over fermions, the Bethe ansatz and fermions against all states."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    k = 0.5 * np.pi * (1 + nodes)
    off = [ising(None, h) + 0.5 * weights @ fermions(h, k) for h in (0.3, 0.7, 2.0)]
    off += [heisenberg(N) - j1_j2(N, 0.0) for N in (4, 8, 12)] + [j1_j2(N, 0.5) + 0.375 for N in (6, 10)]
    for h in (0.4, 1.0, 1.7):
        off.append(ising(6, h) - lowest(6, h) / 6)
    return within(off, 1e-10, "exact energies")


def lowest(N: int, h: float) -> float:
    """The lowest energy of an Ising chain, from the matrix of all its states."""
    bits = np.arange(2**N)[:, None] >> np.arange(N) & 1
    s = 1 - 2 * bits
    H = np.diag(-(s * np.roll(s, 1, axis=1)).sum(axis=1).astype(float))
    for i in range(N):
        H[np.arange(2**N), np.arange(2**N) ^ (1 << i)] -= h
    return float(np.linalg.eigvalsh(H)[0])


def checks(quick: bool) -> list[Check]:
    """What is checked of states of spin chains: both chains, sampled and summed, and the exact energies."""
    return [
        Check("simulation", "Ising", reached(tsphys.SpinChainStates(N=8), field=[0.6, 1.0, 1.5])),
        Check("simulation", "Heisenberg", reached(tsphys.SpinChainStates(chain="heisenberg", N=8), J2=[0.0, 0.3])),
        Check("identity", "all configurations", summed),
        Check("step", "sampler", sampled),
        Check("integral", "exact energies", exactly),
    ]
