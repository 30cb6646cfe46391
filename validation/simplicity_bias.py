"""Classes and their clones, learned online."""

from __future__ import annotations

import numpy as np

import tsphys
from tsphys.models.simplicity_bias import DATA
from tsphys.validation.checks import Check
from tsphys.validation.online import averaged, simulated, sized

START = tsphys.OrderParameters(R=[[0.01, -0.01]], Q=[[0.2502]], T=np.eye(2))
TWO = tsphys.OrderParameters(R=[[0.3, -0.1], [0.2, 0.35]], Q=[[0.5, 0.1], [0.1, 0.4]], T=np.eye(2))
T = np.linspace(0, 10, 6)


def checks(quick: bool) -> list[Check]:
    """What is checked of students of classes: each data set, and a committee."""
    original, committee = tsphys.SimplicityBias(), tsphys.SimplicityBias(K=2, minibatch=3, v=(1.0, -0.6))
    out = [
        Check(
            "simulation",
            f"{data}, engine exact",
            simulated(tsphys.SimplicityBias(trained_on=data), START, T, "exact", 1000, 32),
        )
        for data in DATA
    ]
    return [
        *out,
        Check("simulation", "original, engine direct", simulated(original, START, T, "direct", 300, 16)),
        Check("simulation", "committee, engine exact", simulated(committee, TWO, T, "exact", 1000, 32)),
        Check("size", "original, eps_g at t = 4", sized(original, START, 4.0, (200, 400, 800), 300)),
        Check("integral", "equations, two units", averaged(committee, TWO, [0.5, 2.0])),
    ]
