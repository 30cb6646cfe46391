"""Random features."""

from __future__ import annotations

from typing import Any

import tsphys
from tsphys.validation.checks import Check, Finding, Setting, in_size, on_theory


def trained(model: Any, axis: dict[str, Any], N: int, replicas: int, covariates: str) -> Any:
    """A check of trained instances on the theory over an axis."""

    def run(setting: Setting) -> Finding:
        sim = tsphys.simulate(
            model, N=N, covariates=covariates, replicas=setting.replicas(replicas), seed=setting.seed,
            threads=setting.threads, **axis,
        )  # fmt: skip
        return on_theory(sim, tsphys.solve(model, **axis), "eps_g")

    return run


def sizes(setting: Setting) -> Finding:
    """The error of ridge regression on Gaussian covariates."""
    model, N = tsphys.RandomFeatures(noise=0.3, ridge=0.1), (30, 60, 120)
    samples = [
        tsphys.simulate(
            model, N=n, covariates="gaussian", replicas=setting.replicas(100), seed=setting.seed + n,
            threads=setting.threads,
        )["eps_g"][:, 0]
        for n in N
    ]  # fmt: skip
    return in_size(N, samples, float(tsphys.solve(model)["eps_g"][0]))


def checks(quick: bool) -> list[Check]:
    """What is checked of random features."""
    tanh = tsphys.RandomFeatures(noise=0.3, ridge=0.03)
    signs = tsphys.RandomFeatures(activation="relu", noise=0.3, teacher="sign")
    widths, ridges = {"width": [0.5, 1.5, 3, 6]}, {"ridge": [1e-3, 0.1, 10]}
    return [
        Check("simulation", "Gaussian covariates", trained(tanh, widths, 100, 24, "gaussian")),
        Check("simulation", "tanh features", trained(tanh, widths, 100, 16, "features")),
        Check("simulation", "relu features, sign labels", trained(signs, ridges, 100, 16, "features")),
        Check("size", "eps_g", sizes),
    ]
