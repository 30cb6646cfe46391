"""Dense Hebbian networks."""

from __future__ import annotations

from dataclasses import replace
from math import comb, erf
from typing import Any

import numpy as np

import tsphys
from tsphys.replica.dense_hebbian import (
    error_free_patterns,
    exponential_load,
    exponential_noise,
    majority,
    noisy_tensor_step,
    one_step,
    spins,
    stored,
    transition_load,
)
from tsphys.replica.saddles.spins import noise, replicon
from tsphys.validation import free_energies
from tsphys.validation.checks import Check, Finding, Setting, on_theory, stationary, threshold, within
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
        distinct = given.get("interaction") != "power"
        factor = float(np.prod([1 - k / N for k in range(1, given["P"])])) if distinct else 1.0
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


def powers(given: dict[str, Any], T: float, F: Any = None, N: int = 8, K: int = 3) -> Any:
    """As `enumerated`, of energies that are functions of the overlaps, coincident indices and all, P = 3."""

    def run(setting: Setting) -> Finding:
        n, rng = setting.replicas(1000), np.random.default_rng([setting.seed, 9])
        xi = rng.choice([-1.0, 1.0], (K, N))
        model = tsphys.DenseHebbian(P=3, T=T, **given)
        options: dict[str, Any] = {} if F is None else {"F": F}
        energy = tsphys.simulate(
            model, N=N, patterns=xi, start="random", equilibration=30, sweeps=200, replicas=n, seed=setting.seed,
            threads=setting.threads, **options,
        )["energy"][:, 0]  # fmt: skip
        M, r = model.M, model.r
        chi = np.where(rng.random((4000 if M > 1 else 1, M, K, N)) < (1 + r) / 2, 1.0, -1.0)
        states = 2.0 * ((np.arange(2**N)[:, None] >> np.arange(N)) & 1) - 1
        # Every example is a vector, weighted so that the noise of all is that of the archetypes; or their average is.
        vectors, c = (xi * chi).reshape(len(chi), M * K, N), 1.0
        if model.storage == "supervised":
            vectors = (xi * chi).mean(axis=1) / np.sqrt(r**2 + (1 - r**2) / M)
        elif M > 1:
            c = 1 / (M * r**3 * np.sqrt(1 + (1 - r**6) / (M * r**6)))
        m = vectors @ states.T / N
        if model.interaction == "exponential":
            E = -np.log(np.exp(N * m).sum(axis=1))
        else:
            E = -N * c * (m**3 / 3 if F is None else F(m)).sum(axis=1)
        w = np.exp(-(E - E.min(axis=1, keepdims=True)) / T)
        means = (w * E).sum(axis=1) / w.sum(axis=1) / N
        error = np.sqrt(means.var() / len(means) + energy.var(ddof=1) / n)
        detail = f"energy {energy.mean():.5f} ± {error:.1e}, by enumeration {means.mean():.5f}"
        return Finding(float(abs(energy.mean() - means.mean()) / error), threshold(1), detail)

    return run


def apart(setting: Setting) -> Finding:
    """How fast differences between examples grow, by a step of all overlaps, over all columns and normals."""
    from itertools import product
    from math import factorial

    off, z = [], np.linspace(-9, 9, 4001)
    w = np.exp(-(z**2) / 2)
    w /= w.sum()
    for P, M, r, alpha, T in ((4, 3, 0.6, 0.0015, 0.12), (3, 4, 0.8, 0.002, 0.3)):
        model = tsphys.DenseHebbian(P=P, M=M, r=r, alpha=alpha, T=T, storage="unsupervised")
        found = tsphys.solve(model, branch="symmetric")
        chi = np.array([*product((-1, 1), repeat=M)])
        p = np.prod((1 + r * chi) / 2, axis=1)
        size = M * r**P * np.sqrt(1 + (1 - r ** (2 * P)) / (M * r ** (2 * P)))
        width = np.sqrt(alpha * factorial(P - 1) * found["q"][0] ** (P - 1))

        def step(x: np.ndarray) -> float:
            """The first example's next overlap."""
            mean = np.tanh(((chi @ x ** (P - 1) / size)[:, None] + width * z) / T) @ w  # noqa: B023
            return float((p * mean) @ chi[:, 0])  # noqa: B023

        x, h = np.full(M, r * found["n"][0]), 1e-4
        push = h * (np.eye(M)[0] - np.eye(M)[1])
        off.append((step(x + push) - step(x - push)) / (2 * h) / found.meta["breaking"][0] - 1)
    # Third derivatives of order 1e3 times h².
    return within(off, 1e-4, "growth of differences")


def known(setting: Setting) -> Finding:
    """First steps and votes as printed, and the load of the exponential network (Lucibello & Mézard 2024).

    Stability is that of a plain sum; where the global minimum changes both free energies are equal.
    """
    P3, T = tsphys.DenseHebbian(P=3, alpha=0.02), 0.3
    k, M, r = np.arange(8), 7, 0.6
    law = np.array([comb(M, i) for i in k]) * ((1 + r) / 2) ** k * ((1 - r) / 2) ** (M - k)
    here = replace(P3, T=T)
    averaged, size = (
        tsphys.DenseHebbian(interaction="exponential", storage="supervised", M=M, r=r),
        r**2 + (1 - r**2) / M,
    )
    found = tsphys.solve(here)
    n, q = float(found["n"][0]), float(found["q"][0])
    z = np.linspace(-9, 9, 20_001)
    w = np.exp(-(z**2) / 2)
    x = np.clip((n**2 + np.sqrt(2 * P3.alpha * q**2) * z) / T, -150, 150)
    freeze = 1 - P3.alpha * 4 * q / T**2 * np.sum(w / w.sum() / np.cosh(x) ** 4)
    edge = replace(here, alpha=transition_load(here))
    f = [float(tsphys.solve(edge, branch=branch)["free_energy"][0]) for branch in ("retrieval", "paramagnetic")]
    gaps = [
        one_step(P3) - erf(1 / np.sqrt(2 * 0.02 * 2)),
        one_step(replace(P3, P=4)) - erf(1 / np.sqrt(2 * 0.02 * 6)),
        one_step(replace(P3, P=4, interaction="power")) - erf(1 / np.sqrt(2 * 0.02 * 15)),
        error_free_patterns(100, 3) * 2 * 2 * np.log(100) / 100**2 - 1,
        error_free_patterns(100, 4, "power") * 2 * 15 * np.log(100) / 100**3 - 1,
        noisy_tensor_step(50, 7, 0.6) - erf(1 / np.sqrt(2 * (0.36 / 50 + 7 * (6 + 4 * 0.36 + 2 * 0.1296) / 50**3))),
        majority(r, M) - law @ np.sign(2 * k - M), exponential_load(0.0) - (1 - np.log(np.cosh(1))),
        replicon(spins(here), n, (1 - q) / T) - freeze, f[0] - f[1],
        # At loads at which others are not frozen their exponentials have the mean of all.
        exponential_noise(0.6, stored(averaged)) - 0.6 - np.log(law @ np.cosh((2 * k - M) / M / np.sqrt(size))),
    ]  # fmt: skip
    return within(np.array(gaps), np.full(len(gaps), 1e-8), "known values")


def squares(setting: Setting) -> Finding:
    """Energies of squares less those of pairs of distinct spins: the same in theory and in networks."""
    off = []
    some: tuple[dict[str, Any], ...] = ({}, {"storage": "unsupervised", "M": 4, "r": 0.7})
    for examples in some:
        gaps: list[list[float]] = [[], []]
        for interaction in ("power", "distinct"):
            model = tsphys.DenseHebbian(P=2, alpha=0.01, interaction=interaction, **examples)
            gaps[0].append(tsphys.simulate(model, N=400, t=[0], replicas=1, seed=setting.seed)["energy"][0, 0])
            gaps[1].append(tsphys.solve(model)["energy"][0])
        off.append(gaps[0][0] - gaps[0][1] - (gaps[1][0] - gaps[1][1]))
    return within(np.array(off), np.full(len(off), 1e-12), "squares")


def coincident(setting: Setting) -> Finding:
    """The noise of powers, α E(xy)^{P−1} of Gaussians of correlation q, less what all states have in common.

    Of examples without a teacher it is the mean over pairs of them, of correlation q or r²q.
    """
    x, w = np.polynomial.hermite_e.hermegauss(24)
    w = w / w.sum()

    def moment(P: int, c: float) -> float:
        y = c * x[:, None] + np.sqrt(1 - c**2) * x
        return float(w @ (x[:, None] * y) ** (P - 1) @ w)

    off, M, r = [], 4, 0.7
    for P, alpha, T in ((3, 0.02, 0.2), (4, 0.001, 0.15), (5, 1e-4, 0.1)):
        for storage in ("given", "supervised", "unsupervised"):
            examples: dict[str, Any] = {} if storage == "given" else {"M": M, "r": r}
            model = tsphys.DenseHebbian(P=P, alpha=alpha, T=T, interaction="power", storage=storage, **examples)
            found = tsphys.solve(model)
            q = float(found["q"][0])
            expected = moment(P, q)
            if storage == "unsupervised":
                both = moment(P, q) / M + (1 - 1 / M) * r**2 * moment(P, r**2 * q)
                expected = both / (1 / M + (1 - 1 / M) * r ** (2 * P))
            off.append(noise(spins(model), (1 - q) / T) / expected - 1)
    return within(np.array(off), np.full(len(off), 1e-9), "noise")


def checks(quick: bool) -> list[Check]:
    """What is checked of dense networks."""
    unsupervised = {"interaction": "power", "storage": "unsupervised", "M": 3, "r": 0.7}
    averages = {"storage": "supervised", "M": 3, "r": 0.9}
    return [
        Check("simulation", "P = 3", retrieval({"P": 3}, 0.03, [0.2, 0.4], 150, 24, ("m",))),
        Check("simulation", "P = 3, examples", retrieval(EXAMPLES, 0.01, [0.1, 0.25], 250, 24, ("m", "n"))),
        Check(
            "simulation",
            "P = 3, powers of averages",
            retrieval({**EXAMPLES, "interaction": "power"}, 0.01, [0.1, 0.25], 250, 24, ("m", "n")),
        ),
        Check("step", "P = 3, enumerated", enumerated({"P": 3}, 0.4)),
        Check("step", "P = 3, examples, enumerated", enumerated(EXAMPLES, 0.4)),
        Check("step", "powers, enumerated", powers({"interaction": "power"}, 0.4)),
        Check("step", "exponential, enumerated", powers({"interaction": "exponential"}, 0.9)),
        Check("step", "custom, enumerated", powers({"interaction": "custom"}, 2.0, F=lambda m: np.cosh(1.5 * m))),
        Check("step", "unsupervised, enumerated", powers(unsupervised, 0.4)),
        Check("step", "powers of averages, enumerated", powers({"interaction": "power", **averages}, 0.4)),
        Check("step", "exponentials of averages, enumerated", powers({"interaction": "exponential", **averages}, 0.9)),
        Check("identity", "squares", squares),
        Check("identity", "noise of coincident indices", coincident),
        Check("identity", "known values", known),
        Check("identity", "differences between examples", apart),
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
                ("one example ahead", {"P": 4, "M": 2, "r": 0.9, "storage": "unsupervised"}, 0.0005, [0.1, 0.2]),
                ("P = 3, powers", {"P": 3, "interaction": "power"}, 0.03, [0.2, 0.3]),
                ("exponentials of averages", {"interaction": "exponential", **EXAMPLES}, 0.02, [0.3, 0.6]),
                ("exponential", {"interaction": "exponential"}, 0.2, [0.3, 0.6]),
            )
        ),
    ]
