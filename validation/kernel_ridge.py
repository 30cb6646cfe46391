"""Kernel and random-feature ridge regression."""

from __future__ import annotations

from typing import Any

import tsphys
from tsphys.validation.checks import Check, Finding, Setting, on_theory


def learned(model: Any, axis: dict[str, Any], replicas: int) -> Any:
    """A check of instances on the eigenframework over an axis."""

    def run(setting: Setting) -> Finding:
        sim = tsphys.simulate(
            model, replicas=setting.replicas(replicas), seed=setting.seed, threads=setting.threads, **axis
        )
        return on_theory(sim, tsphys.solve(model, **axis), "eps_g")

    return run


def checks(quick: bool) -> list[Check]:
    """What is checked of ridge regression of a given spectrum."""
    model = tsphys.KernelRidge(noise=0.3, modes=500)
    features = tsphys.KernelRidge(noise=0.3, modes=500, k=60)
    return [
        Check("simulation", "kernel over n", learned(model, {"n": [10, 30, 100, 200]}, 40)),
        Check("simulation", "features over k", learned(model, {"k": [20, 60, 200, 400]}, 40)),
        Check("simulation", "features over ridges", learned(features, {"ridge": [0, 1e-2, 1, 100]}, 40)),
    ]
