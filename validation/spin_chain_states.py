"""Networks as states of spin chains."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.numerics.random import stream
from tsphys.physics.spins.chains import fermions, heisenberg, ising, ising_gap, j1_j2
from tsphys.sims.engines.quantum.reconfiguration import Chain, Network, Walkers
from tsphys.validation.checks import Check, Finding, Setting, agrees, threshold, within

#: Of sampled networks.
SMALL = {"samples": 200, "sweeps": 40}


def reached(model: Any, **axis: Any) -> Any:
    """A check of trained and sampled networks on exact energies."""
    return agrees(model, "energy", 4, sim=SMALL, **axis)


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


def forces(setting: Setting) -> Finding:
    """Local energies make ⟨ψ|H|ψ⟩ with the matrix of H, and 2(⟨E O⟩ − ⟨E⟩⟨O⟩) its slopes in all parameters."""
    N = 6
    chain, network = Chain(N, (-1.0, 0.3), (0, 1, 2), (-0.7, -0.4, 0.2)), Network(N, 3, 2)
    theta = 2 * network.drawn(np.random.default_rng(setting.seed))
    every = Walkers(chain, network, chain.all_states(), None)
    weights, local, O = every.see(theta)
    s, at = every.S.astype(int), np.arange(2**N)
    H = np.diag(np.sum(-s * np.roll(s, -1, axis=1) + 0.3 * s * np.roll(s, -2, axis=1), axis=1).astype(float))
    for span, amplitude in ((0, -0.7), (1, -0.4), (2, 0.2)):
        for i in range(N):
            j = (i + span) % N
            moved = at ^ (1 << i) ^ (1 << j if span else 0)
            can = (s[:, i] != s[:, j]) | (span == 0)
            H[at[can], moved[can]] += amplitude
    psi = np.sqrt(weights)
    off = [weights @ local - psi @ H @ psi]
    h = 1e-5
    for k in range(network.size):
        here = theta.copy()
        energies = []
        for sign in (1, -1):
            here[k] = theta[k] + sign * h
            w, e, _ = every.see(here, derivatives=False)
            energies.append(w @ e)
        slope = 2 * (weights * (local - weights @ local)) @ O[:, k]
        off.append((energies[0] - energies[1]) / (2 * h) - slope)
    # Third derivatives of order 10 times h², and rounding of energies over h.
    return within(off, 1e-8, "energy and its slopes")


def told(setting: Setting) -> Finding:
    """A network that knows nothing, sampled and summed: energies by the errors that are told, variances to a tenth."""
    model, many = tsphys.SpinChainStates(N=8, train="none", field=0.7), setting.replicas(12)
    run: dict[str, Any] = {"replicas": many, "seed": setting.seed, "threads": setting.threads}
    exact, drawn = (tsphys.simulate(model, samples=n, sweeps=10, **run) for n in (0, 800))
    z = (drawn["energy"] - exact["energy"]) / drawn["sampling"]
    ratio = (drawn.mean("variance") / exact.mean("variance") - 1)[0]
    worst = max(float(np.abs(z).max()), threshold(many) * abs(ratio) / 0.1)
    return Finding(worst, threshold(many), f"energies, {worst:.1f} errors off, and variances {ratio:.1%}")


def exactly(setting: Setting) -> Finding:
    """Endless chains against integrals over fermions, the Bethe ansatz and fermions against all states."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    k = 0.5 * np.pi * (1 + nodes)
    off = [ising(None, h) + 0.5 * weights @ fermions(h, k) for h in (0.3, 0.7, 2.0)]
    off += [heisenberg(N) - j1_j2(N, 0.0) for N in (4, 8, 12)] + [j1_j2(N, 0.5) + 0.375 for N in (6, 10)]
    for h in (0.4, 1.0, 1.7):
        first, second = lowest(6, h)
        off += [ising(6, h) - first / 6, ising_gap(6, h) - (second - first)]
    return within(off, 1e-10, "exact energies")


def lowest(N: int, h: float) -> tuple[float, float]:
    """The two lowest energies of an Ising chain, from the matrix of all its states."""
    bits = np.arange(2**N)[:, None] >> np.arange(N) & 1
    s = 1 - 2 * bits
    H = np.diag(-(s * np.roll(s, 1, axis=1)).sum(axis=1).astype(float))
    for i in range(N):
        H[np.arange(2**N), np.arange(2**N) ^ (1 << i)] -= h
    first, second = np.linalg.eigvalsh(H)[:2]
    return float(first), float(second)


def checks(quick: bool) -> list[Check]:
    """What is checked of states of spin chains: both chains, sampled and summed, and the exact energies."""
    return [
        Check("simulation", "Ising", reached(tsphys.SpinChainStates(N=8), field=[0.6, 1.5])),
        Check("simulation", "Heisenberg", reached(tsphys.SpinChainStates(chain="heisenberg", N=8), J2=[0.0, 0.3])),
        Check("identity", "all configurations", summed),
        Check("step", "sampler", sampled),
        Check("identity", "energy and its slopes", forces),
        Check("step", "sampled and summed", told),
        Check("integral", "exact energies", exactly),
    ]
