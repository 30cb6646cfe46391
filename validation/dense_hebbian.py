"""Dense Hebbian networks."""

from __future__ import annotations

from math import comb
from typing import Any

import numpy as np

import tsphys
from tsphys.validation import free_energies
from tsphys.validation.checks import Check, Finding, Setting, on_theory, stationary, threshold
from tsphys.validation.identities import thermal

EXAMPLES = {"P": 3, "M": 5, "r": 0.7, "storage": "supervised"}


def retrieval(
    given: dict[str, Any], alpha: float, T: list[float], N: int, replicas: int, names: tuple[str, ...]
) -> Any:
    """A check of simulated retrieval over temperatures.

    Couplings of distinct spins are weaker than the theory's by Π_k (1 − k/N), k < P, which is put into the theory as a
    larger load and temperature. The bias that is left, below 1/N, is less than the statistical error.
    """

    def run(setting: Setting) -> Finding:
        factor = float(np.prod([1 - k / N for k in range(1, given["P"])]))
        sim = tsphys.simulate(
            tsphys.DenseHebbian(**given, alpha=alpha), T=T, N=N, replicas=setting.replicas(replicas),
            seed=setting.seed, threads=setting.threads, sweeps=60, equilibration=40,
        )  # fmt: skip
        theory = tsphys.solve(tsphys.DenseHebbian(**given, alpha=alpha / factor), T=[x / factor for x in T])
        same = tsphys.Result(
            kind="theory", model=theory.model, parameters=theory.parameters, axis="T",
            data={**theory.data, "T": np.array(T)}, meta=theory.meta,
        )  # fmt: skip
        return on_theory(sim, same, "m", list(names), finite_size=False)

    return run


def saddles(given: dict[str, Any], alpha: float, T: list[float]) -> Any:
    """A check that n and q are stationary over temperatures."""

    def run(setting: Setting) -> Finding:
        P, M, r = given["P"], given.get("M", 1), given.get("r", 1.0)
        found = tsphys.solve(tsphys.DenseHebbian(**given, alpha=alpha), T=T)
        k = np.arange(M + 1)
        v = (2 * k - M) / (M * r)
        w = np.array([comb(M, i) for i in k]) * ((1 + r) / 2) ** k * ((1 - r) / 2) ** (M - k)
        scale = (1 + (1 - r**2) / (M * r**2)) ** (P / 2)
        findings = [
            stationary(lambda n, q, t=t: free_energies.dense(n, q, alpha, t, P, scale, v, w), [(n, q)])
            for t, n, q in zip(T, found["n"], found["q"])
        ]
        return max(findings, key=lambda finding: finding.score)

    return run


def enumerated(given: dict[str, Any], T: float, N: int = 8, K: int = 3) -> Any:
    """A check of the energy of a few spins, P = 3, against the sum over all of their states.

    Examples are drawn anew in each replica.
    """

    def run(setting: Setting) -> Finding:
        n, rng = setting.replicas(1500), np.random.default_rng([setting.seed, 6])
        xi = rng.choice([-1.0, 1.0], (K, N))
        energy = tsphys.simulate(
            tsphys.DenseHebbian(**given, T=T), N=N, patterns=xi, start="random", equilibration=30, sweeps=200,
            replicas=n, seed=setting.seed, threads=setting.threads,
        )["energy"][:, 0]  # fmt: skip
        M, r = given.get("M", 1), given.get("r", 1.0)
        chi = np.where(rng.random((4000 if M > 1 else 1, K, N, M)) < (1 + r) / 2, 1.0, -1.0)
        eta = xi * chi.mean(axis=-1) / np.sqrt(r**2 + (1 - r**2) / M)
        states = 2.0 * ((np.arange(2**N)[:, None] >> np.arange(N)) & 1) - 1
        one, three = eta @ states.T, eta**3 @ states.T
        # Σ_{i<j<k} x_i x_j x_k from sums of powers.
        E = -np.sum(one**3 - 3 * one * np.sum(eta**2, axis=-1, keepdims=True) + 2 * three, axis=1) / (3 * N**2)
        w = np.exp(-(E - E.min(axis=1, keepdims=True)) / T)
        means = (w * E).sum(axis=1) / w.sum(axis=1) / N
        error = np.sqrt(means.var() / len(means) + energy.var(ddof=1) / n)
        detail = f"energy {energy.mean():.5f} ± {error:.1e}, by enumeration {means.mean():.5f}"
        return Finding(float(abs(energy.mean() - means.mean()) / error), threshold(1), detail)

    return run


def checks(quick: bool) -> list[Check]:
    """What is checked of dense networks."""
    return [
        Check("simulation", "P = 3", retrieval({"P": 3}, 0.03, [0.2, 0.4], 150, 24, ("m",))),
        Check("simulation", "P = 3, examples", retrieval(EXAMPLES, 0.01, [0.1, 0.25], 250, 24, ("m", "n"))),
        Check("step", "P = 3, enumerated", enumerated({"P": 3}, 0.4)),
        Check("step", "P = 3, examples, enumerated", enumerated(EXAMPLES, 0.4)),
        Check("saddle", "P = 3", saddles({"P": 3}, 0.03, [0.2, 0.4])),
        Check("saddle", "P = 4", saddles({"P": 4}, 0.01, [0.2, 0.4])),
        Check("saddle", "P = 3, examples", saddles(EXAMPLES, 0.01, [0.2, 0.3])),
        *(
            Check("identity", f"{name}, thermodynamics", thermal(tsphys.DenseHebbian(**given, alpha=alpha), T))
            for name, given, alpha, T in (
                ("P = 2, supervised", {"P": 2, "M": 5, "r": 0.7, "storage": "supervised"}, 0.03, [0.15, 0.3]),
                ("P = 2, unsupervised", {"P": 2, "M": 5, "r": 0.7, "storage": "unsupervised"}, 0.005, [0.2]),
                ("P = 3", {"P": 3}, 0.03, [0.2, 0.4]),
                ("P = 4", {"P": 4}, 0.01, [0.2, 0.4]),
                ("P = 3, examples", EXAMPLES, 0.01, [0.2, 0.3]),
            )
        ),
    ]
