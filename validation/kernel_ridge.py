"""Kernel and random-feature ridge regression."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.validation import free_energies
from tsphys.validation.checks import Check, Finding, Setting, on_theory, stationary


def learned(model: Any, axis: dict[str, Any], replicas: int) -> Any:
    """A check of instances on the eigenframework over an axis."""

    def run(setting: Setting) -> Finding:
        sim = tsphys.simulate(
            model, replicas=setting.replicas(replicas), seed=setting.seed, threads=setting.threads, **axis
        )
        return on_theory(sim, tsphys.solve(model, **axis), "eps_g")

    return run


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


def checks(quick: bool) -> list[Check]:
    """What is checked of ridge regression of a given spectrum."""
    model = tsphys.KernelRidge(noise=0.3, modes=500)
    features = tsphys.KernelRidge(noise=0.3, modes=500, k=60)
    return [
        Check("simulation", "kernel over n", learned(model, {"n": [10, 30, 100, 200]}, 40)),
        Check("simulation", "features over k", learned(model, {"k": [20, 60, 200, 400]}, 40)),
        Check("simulation", "features over ridges", learned(features, {"ridge": [0, 1e-2, 1, 100]}, 40)),
        Check("saddle", "kernel", saddles),
    ]
