"""Deep linear networks that lose layers."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.odes.removed_layers import waiting
from tsphys.validation.checks import Check, Finding, Setting, agrees, within

TIMES = [0.2, 0.5, 1.0, 3.0]


def trained(**given: Any) -> Any:
    """A check of a network on its modes."""
    model = tsphys.RemovedLayers(**given)
    return agrees(model, "loss", 2, t=TIMES)


def times(setting: Setting) -> Finding:
    """Times to half of the target by quadrature, against modes at those times; in closed form of one layer and two."""
    off: list[float] = []
    for layers in (1, 2, 3, 6):
        T = waiting(layers, 0.01, 0.6, 1.2)
        model = tsphys.RemovedLayers((1.2,), layers, start=0.01)
        off.append(float(tsphys.solve(model, t=[T])["strength"][0, 0]) - 0.6)
    off.append(waiting(1, 0.1, 0.7, 1.5) - np.log(1.4 / 0.8))
    off.append(waiting(2, 0.1, 0.7, 1.5) - np.log(0.7 * 1.4 / (0.1 * 0.8)) / 3)
    # Local errors of 1e-11 grow over some time constants.
    return within(off, 1e-8, "times of learning")


def plainly(setting: Setting) -> Finding:
    """Equal matrices, step by step: descent on the product of five, of which two are left, by steps of 1e-4."""
    y, gain, h, layers = np.array([1.5, 0.6]), 0.4, 1e-4, 5
    factors = [np.full(2, gain) for _ in range(layers)]
    seen = []
    for step in range(30_000):
        if step == 10_000:
            seen.append(np.prod(factors, axis=0))
            factors = factors[:2]
        product = np.prod(factors, axis=0)
        factors = [a + h * (y - product) * product / a for a in factors]
    seen.append(np.prod(factors, axis=0))
    model = tsphys.RemovedLayers((1.5, 0.6), 5, 2, 1.0, gain**5)
    found = tsphys.solve(model, t=[1.0, 3.0])["strength"]
    # Steps of h leave h/2 times second derivatives of order ten.
    return within(np.concatenate(seen) - found.ravel(), 2e-3, "modes by plain descent")


def checks(quick: bool) -> list[Check]:
    """What is checked of removed layers: before training, in its midst, none; one layer; times."""
    return [
        Check("simulation", "in mid-run", trained(left=2, at=0.5, start=0.2)),
        Check("simulation", "before", trained(left=3, start=0.2)),
        Check("simulation", "none", trained(layers=3, target=(2.0, 0.5))),
        Check("simulation", "one is left", trained(layers=4, left=1, at=1.0, start=0.3)),
        Check("identity", "times of learning", times),
        Check("integral", "modes by plain descent", plainly),
    ]
