"""Self-distillation of ridge regression."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.physics.flows.resolvents import Spectrum
from tsphys.replica.self_distillation import best_mixing, errors, for_ever
from tsphys.validation.checks import Check, Finding, Setting, agrees, within


def taught(model: Any, rounds: Any, replicas: int) -> Any:
    """A check of instances on averages over the spectrum."""
    return agrees(model, "eps_g", replicas, sim={"N": 300}, rounds=rounds)


def ends(setting: Setting) -> Finding:
    """Infinitely many rounds are a ridge of λ/(1 − ξ); the best ridge σ²/α has nothing to mix, and m = q."""
    off = []
    for alpha in (0.5, 1.0, 3.0):
        model = tsphys.SelfDistillation(alpha=alpha, mixing=0.6)
        last, end = tsphys.solve(model, rounds=[400]), for_ever(model)
        off += [last[name][0] - value for name, value in end.items()]
        best = tsphys.SelfDistillation(alpha=alpha, ridge=0.25 / alpha)
        off.append(best_mixing(best)[0])
        found = errors(best, [])
        off += [found["m"] - found["q"], found["eps_g"] - 0.5 * (1 - found["q"])]
    # The tolerance of averages, 1e-10 of their size, and where ξ is best to what they tell of a slope.
    return within(off, 1e-8, "ends")


def around(setting: Setting) -> Finding:
    """Errors by Cauchy's formula around the spectrum."""
    off = []
    for gamma in (0.4, 1.0, 2.5):
        data, model = Spectrum.white(gamma), tsphys.SelfDistillation(alpha=1 / gamma, ridge=0.2)

        def integrand(z: np.ndarray, kappa: np.ndarray) -> np.ndarray:
            g = 1 / (z + 0.2)
            for xi in (0.7, -1.5):
                g = (1 - xi + xi * z * g) / (z + 0.2)
            return np.stack([(1 - z * g) ** 2, z * g**2, z * g]) * kappa / (z * (1 - kappa))

        missing, variance, m = data.average(integrand, data.kappa(-0.1), 1.5 * data.edges()[1])
        found = errors(model, [0.7, -1.5])
        off += [found["eps_g"] - 0.5 * (missing + 0.25 * gamma * variance), found["m"] - m]
    return within(off, 1e-8, "on the real axis and around it")


def checks(quick: bool) -> list[Check]:
    """What is checked of self-distillation: more and fewer examples than dimensions, either sign, and its ends."""
    model = tsphys.SelfDistillation
    return [
        Check("simulation", "α = 2", taught(model(mixing=1.0, noise=0.7, ridge=0.05), [0, 1, 3], 48)),
        Check("simulation", "α = 2/3, no noise", taught(model(alpha=2 / 3, noise=0.0, ridge=0.3), [0, 1, 2], 48)),
        Check("simulation", "α = 1, ξ < 0", taught(model(alpha=1, mixing=-0.5, ridge=0.5), [1, 2], 32)),
        Check("identity", "ends of rounds and the best ridge", ends),
        Check("identity", "around the spectrum", around),
    ]
