"""Sparse students."""

from __future__ import annotations

import numpy as np

import tsphys
from tsphys.validation.checks import Check
from tsphys.validation.online import simulated

START = tsphys.OrderParameters(R=[[0.3, 0.1], [0.05, 0.35]], Q=[[0.4, 0.1], [0.1, 0.5]], T=np.eye(2))
T = np.linspace(0, 8, 9)
MODELS = {
    "masks of their own": tsphys.Pruned(lr=0.5, noise=0.1, density=0.5),
    "masks in each other": tsphys.Pruned(lr=0.5, lr_v=0.3, noise=0.1, densities=[0.4, 0.9], masks="common"),
}


def checks(quick: bool) -> list[Check]:
    """What is checked of sparse students."""
    return [Check("simulation", name, simulated(model, START, T, "direct", 300, 16)) for name, model in MODELS.items()]
