"""Networks of quadratic features."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import tsphys
from tsphys.validation.checks import Check, Finding, Setting, on_theory, within


def followed(model: Any) -> Any:
    """A check of networks on the flow of their mean and covariance, with the same data: to their tolerances."""

    def run(setting: Setting) -> Finding:
        t, sets = [0.2, 1, 4], 2 if setting.quick else 8
        sim = tsphys.simulate(model, t=t, replicas=sets, seed=setting.seed, threads=setting.threads, rtol=1e-9)
        theory = tsphys.solve(model, t=t, sets=sets, seed=setting.seed)
        off = [sim.mean(name) - theory[name] for name in theory.observables]
        # A hundred times what a step of the theory may be off.
        return replace(within(off, 1e-5, "network on the same data"), curves=(sim, theory, "mse"))

    return run


def fresh(setting: Setting) -> Finding:
    """Networks on theory of other data."""
    model, t, many = tsphys.QuadraticFeature(), [0.2, 1, 4], setting.replicas(32)
    sim = tsphys.simulate(model, t=t, replicas=many, seed=setting.seed + 1, threads=setting.threads)
    return on_theory(sim, tsphys.solve(model, t=t, sets=32, seed=setting.seed), "mse")


def limits(setting: Setting) -> Finding:
    """The population in the limit of a large scale, which is lazy, and of long times; the lazy limit like 1/α."""
    flow, off = tsphys.QuadraticFeature(alpha=2000.0), []
    for t in (0.5, 5.0):
        near, far, lazy = (
            tsphys.solve(model, t=[t], sets=1)["mse"][0]
            for model in (flow, tsphys.QuadraticFeature(alpha=1000.0), tsphys.QuadraticFeature(alpha=None))
        )
        off += [2 * near - far - lazy]
    found = tsphys.solve(tsphys.QuadraticFeature(examples=None), t=[0, 200])
    # The teacher's square is 3/4.
    off += [found["mse"][0] - 0.75, found["mse"][1], found["learned"][1] - 1]
    return within(off, 1e-5, "lazy, first and last")


def checks(quick: bool) -> list[Check]:
    """What is checked of quadratic features: rich, lazy, other data, and limits."""
    return [
        Check("simulation", "rich", followed(tsphys.QuadraticFeature())),
        Check(
            "simulation", "misaligned", followed(tsphys.QuadraticFeature(alpha=0.3, eps=0.2, inputs=10, examples=40))
        ),
        Check("simulation", "lazy", followed(tsphys.QuadraticFeature(alpha=None))),
        Check("simulation", "other data", fresh),
        Check("identity", "limits", limits),
    ]
