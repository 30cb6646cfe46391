"""Kernel and random-feature ridge regression."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.replica.kernel_ridge import optimal_ridge
from tsphys.validation import free_energies
from tsphys.validation.checks import Check, Finding, Setting, agrees, on_theory, stationary, within
from tsphys.validation.identities import at_minimum
from tsphys.validation.plain_ridge import kernel


def learned(model: Any, axis: dict[str, Any], replicas: int) -> Any:
    """A check of instances on the eigenframework over an axis."""
    return agrees(model, "eps_g", replicas, **axis)


def saddles(setting: Setting) -> Finding:
    """Stationarity of the kernel's errors and effective ridge over examples."""
    model = tsphys.KernelRidge(noise=0.3, ridge=0.05, modes=300)
    n = [20, 60, 200]
    found = tsphys.solve(model, n=n)
    eigenvalues, target = model.spectrum()
    law = (eigenvalues, eigenvalues * target**2, np.ones(model.modes))
    out = []
    for examples, loss, wrong, kappa in zip(n, *(found[name].tolist() for name in ("train_loss", "eps_g", "kappa"))):
        response = model.ridge / kappa
        m = float(np.sum(law[1] / (eigenvalues + kappa)))
        point = [examples / response - 1, 2 * wrong - 1 + 2 * m, m, response, 2 * examples * loss, response]

        def cost(*x: float, examples: float = examples) -> float:
            return free_energies.square_loss(x, examples, model.ridge, 1 + model.noise**2, law)

        out.append(stationary(cost, [point]))
    return max(out, key=lambda finding: finding.score)


def eigenframework(k: int | None) -> Any:
    """Errors as printed (Simon, Karkada, Ghosh & Belkin 2024, eqs. 3-6) at the effective ridges that are given."""

    def run(setting: Setting) -> Finding:
        model = tsphys.KernelRidge(noise=0.6, ridge=0.05, modes=300, k=k)
        counts, some, noise, features = [20, 60, 150], 400, 0.36, np.inf if k is None else k
        found = tsphys.solve(model, n=counts, inputs=some)
        values, target = model.spectrum()
        gaps = []
        for i, n in enumerate(counts):
            gamma, kappa = found["gamma"][i], found["kappa"][i]
            kept = values / (values + gamma)
            z, q = kept.sum(), np.sum(kept**2)
            own = 0.0 if k is None else kappa * values / (values + gamma) ** 2 * q / (k - q)
            learned = gamma / (values + gamma) - kappa * values / (values + gamma) ** 2 - own
            share = q / n if k is None else (q * (k - 2 * z) + z**2) / (n * (k - q))
            total = (learned @ target**2 + noise) / (1 - share)
            ratio = model.ridge / (n * kappa)
            seen = (1 - ratio) ** 2 * noise + ratio**2 * (total - noise)
            gaps += [z + model.ridge / kappa - n, 0.0 if k is None else z + k * kappa / gamma - features]
            gaps += [2 * found["eps_g"][i] + noise - total, 2 * found["train_loss"][i] - ratio**2 * total]
            gaps += [2 * found["eps_held"][i] - (some * (total - noise) - n * seen) / (some - n)]
        return within(np.array(gaps), np.full(len(gaps), 1e-8), "errors as printed")

    return run


def held_out(setting: Setting) -> Finding:
    """Examples from 1500 inputs whose features are orthonormal over all of them, and the error at the others."""
    M, P, n = 60, 1500, setting.replicas(100)
    population = np.linalg.qr(np.random.default_rng([setting.seed, 8]).standard_normal((P, M)))[0] * P**0.5
    model = tsphys.KernelRidge(noise=0.4, ridge=0.1, modes=M)
    axis: dict[str, Any] = {"n": [30, 90]}
    sim = tsphys.simulate(model, population=population, replicas=n, seed=setting.seed, threads=setting.threads, **axis)
    theory = tsphys.solve(model, inputs=P, **axis)
    return on_theory(sim, theory, "eps_held", ["eps_held", "train_loss"])


def interpolated(setting: Setting) -> Finding:
    """Without noise and ridge fewer examples than modes are fitted, so that all of the error is at the other inputs."""
    P, n = 50, 20
    population = np.random.default_rng(11).standard_normal((P, 30))
    sim = tsphys.simulate(
        tsphys.KernelRidge(noise=0.0, ridge=0.0, modes=30, n=n), population=population, replicas=4, seed=setting.seed,
        threads=setting.threads,
    )  # fmt: skip
    return within(sim["eps_held"] * (P - n) / (sim["eps_g"] * P) - 1, np.full((4, 1), 1e-6), "error of those held out")


def best(setting: Setting) -> Finding:
    """The ridge of the least error, of few features and noisy labels."""
    model = tsphys.KernelRidge(noise=0.5, modes=200, n=60, k=100)
    return at_minimum(lambda x: tsphys.solve(model, ridge=[x])["eps_g"][0], optimal_ridge(model), "best ridge")


def checks(quick: bool) -> list[Check]:
    """What is checked of ridge regression of a given spectrum."""
    model = tsphys.KernelRidge(noise=0.3, modes=500)
    features = tsphys.KernelRidge(noise=0.3, modes=500, k=60)
    return [
        Check("simulation", "kernel over n", learned(model, {"n": [10, 30, 100, 200]}, 40)),
        Check("simulation", "features over k", learned(model, {"k": [20, 60, 200, 400]}, 40)),
        Check("simulation", "features over ridges", learned(features, {"ridge": [0, 1e-2, 1, 100]}, 40)),
        Check("simulation", "inputs held out", held_out),
        Check("identity", "best ridge", best),
        Check("identity", "inputs held out", interpolated),
        Check("identity", "errors, kernel", eigenframework(None)),
        Check("identity", "errors, features", eigenframework(80)),
        Check("step", "kernel, NumPy", kernel(None)),
        Check("step", "features, NumPy", kernel(10)),
        # Where the noise is most of what is left, and the ridge most of the scale of few features.
        Check("step", "noise, NumPy", kernel(None, n=40, modes=8, noise=2.0)),
        Check("step", "few features, NumPy", kernel(4, ridge=3.0, replicas=6000)),
        Check("saddle", "kernel", saddles),
    ]
