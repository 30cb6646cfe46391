"""Checks that all models of online learning share."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import numpy as np

import tsphys
from tsphys.odes import learning_rule
from tsphys.validation.checks import Finding, Setting, agrees, in_size, within


@cache
def engines() -> tuple[str, ...]:
    """The engines of this machine: `cuda` only where there is a device, of which Numba's simulator is none."""
    try:
        if os.environ.get("NUMBA_ENABLE_CUDASIM", "0") != "0":
            return ("exact", "direct")
        from tsphys._cuda import require

        require()
    except (ImportError, tsphys.ModelError):
        return ("exact", "direct")
    return ("exact", "direct", "cuda")


def simulated(model: Any, start: Any, t: Any, engine: str, N: int, replicas: int, shown: str = "eps_g") -> Any:
    """A check of an engine on the theory of a model."""
    return agrees(model, shown, replicas, sim={"N": N, "engine": engine}, start=start, t=t)


def sized(model: Any, start: Any, t: float, sizes: tuple[int, ...], replicas: int) -> Any:
    """A check of eps_g at time t for several N, with the engine that is exact at any N."""

    def run(setting: Setting) -> Finding:
        samples = [
            tsphys.simulate(
                model, N=N, start=start, t=[t], replicas=setting.replicas(replicas), seed=setting.seed + N,
                threads=setting.threads,
            )["eps_g"][:, 0]
            for N in sizes
        ]  # fmt: skip
        return in_size(sizes, samples, float(tsphys.solve(model, start=start, t=[t])["eps_g"][0]))

    return run


def averaged(model: Any, start: Any, t: Any, points: int = 2**13) -> Any:
    """A check of the model's own equations against averages of its rule by quadrature.

    Bounds: four times the quadrature's estimate of its error (a standard error, where it is Sobol's), and the relative
    tolerance 1e-8 of both integrations, over a few times unity.
    """

    def run(setting: Setting) -> Finding:
        more = 1 if setting.quick else 8
        theory = tsphys.solve(model, start=start, t=t)
        other = learning_rule.solve(model, start=start, t=t, points=min(points * more, 2**17))
        names = ("R", "Q", "eps_g")
        scale = {name: np.abs(theory[name]).max() for name in names}
        estimate = other.meta["quadrature_error"]
        difference = [np.abs(theory[name] - other[name]).max() for name in names]
        bound = [4 * estimate[name] + 1e-7 * scale[name] for name in names]
        return within(difference, bound, f"{other.meta['quadrature']['kind']} quadrature")

    return run
