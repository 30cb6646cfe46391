"""Zeroth-order SGD."""

from __future__ import annotations

import numpy as np

import tsphys
from tsphys.validation.checks import Check
from tsphys.validation.online import averaged, simulated

START = tsphys.OrderParameters(R=[[0.3, 0.1], [0.05, 0.35]], Q=[[0.4, 0.1], [0.1, 0.5]], T=np.eye(2))
T = np.linspace(0, 8, 9)
FEW = tsphys.ZerothOrder(lr=0.5, noise=0.1, kappa=0.5)
PARTIAL = tsphys.ZerothOrder(lr=0.5, noise=0.1, estimator="sparse", fraction=0.25)


def checks(quick: bool) -> list[Check]:
    """What is checked of zeroth-order SGD."""
    return [
        Check("simulation", "random directions, engine exact", simulated(FEW, START, T, "exact", 500, 24)),
        Check("simulation", "random directions, direct", simulated(FEW, START, T, "direct", 150, 16)),
        Check("simulation", "some coordinates, direct", simulated(PARTIAL, START, T, "direct", 150, 16)),
        Check("integral", "equations, random directions", averaged(FEW, START, [0.5, 2.0])),
    ]
