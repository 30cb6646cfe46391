"""Labels that are partly wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.odes.label_noise import onset
from tsphys.validation.checks import Check, Finding, Setting, agrees, within


def learned(model: Any, t: Any, replicas: int) -> Any:
    """A check of instances on averages over the spectrum."""
    return agrees(model, "accuracy", replicas, sim={"N": 400}, t=t)


def ends(setting: Setting) -> Finding:
    """Hebb's student at first, least squares at last, in closed form; half by heart at the onset."""
    from scipy.special import ndtr

    off = []
    for alpha in (1.5, 2.0, 5.0):
        model = tsphys.LabelNoise(alpha=alpha)
        rho, nu2 = 1 - 2 * model.flips, model.distance**2
        found = tsphys.solve(model, t=[1e-8, 1e4])
        off.append(found["accuracy"][0] - ndtr(rho * nu2 / np.sqrt(rho**2 * nu2 + 1 / alpha)))
        off.append(found["train_loss"][1] - 0.5 * (1 - rho**2 * nu2 / (1 + nu2)) * (1 - 1 / alpha))
        off.append(found["m"][1] - rho * nu2 / (1 + nu2))
        off.append(found["q"][1] - rho**2 * nu2 / (1 + nu2) ** 2 - (1 - rho**2 * nu2 / (1 + nu2)) / (alpha - 1))
    off.append(tsphys.solve(tsphys.LabelNoise(), t=[onset(tsphys.LabelNoise())])["flipped"][0] - 0.5)
    # First order in t = 1e-8, and the tolerance of averages.
    return within(off, 1e-7, "first and last")


def checks(quick: bool) -> list[Check]:
    """What is checked of wrong labels: more, as many, and fewer examples than dimensions, and both ends of time."""
    t = [0.1, 0.5, 2, 10]
    return [
        Check("simulation", "α = 2", learned(tsphys.LabelNoise(), t, 48)),
        Check("simulation", "α = 1", learned(tsphys.LabelNoise(alpha=1.0, flips=0.1), [0.1, 0.5, 2], 32)),
        Check(
            "simulation", "α = 0.6, weak", learned(tsphys.LabelNoise(alpha=0.6, distance=1.2, flips=0.3), [0.2, 1], 32)
        ),
        Check("identity", "both ends of time", ends),
    ]
