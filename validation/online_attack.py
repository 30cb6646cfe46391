"""Attacks on online learners."""

from __future__ import annotations

import numpy as np

import tsphys
from tsphys.validation.checks import Check
from tsphys.validation.one_step import N, both
from tsphys.validation.online import averaged, simulated, sized
from tsphys.validation.plain_rules import Plain, attack

START = tsphys.OrderParameters(R=[[0.3, -0.3]], Q=[[0.8]], T=[[1, -1], [-1, 1]])
T = np.linspace(0, 10, 6)
GREEDY = tsphys.OnlineAttack(lr=0.6, minibatch=2)
MODELS = {
    "greedy": GREEDY,
    "greedy, within bounds": tsphys.OnlineAttack(lr=0.6, minibatch=3, a_min=0, a_max=1),
    "optimal": tsphys.OnlineAttack(lr=0.6, minibatch=2, strategy="optimal", discount=0.2),
}


def checks(quick: bool) -> list[Check]:
    """What is checked of attacks."""
    out = [
        Check("simulation", f"{name}, engine exact", simulated(model, START, T, "exact", 1000, 32))
        for name, model in MODELS.items()
    ]
    out.append(Check("simulation", "greedy, engine direct", simulated(GREEDY, START, T, "direct", 300, 32)))
    out.append(Check("size", "greedy, eps_g at t = 4", sized(GREEDY, START, 4.0, (200, 400, 800), 300)))
    out.append(Check("integral", "equations, greedy", averaged(GREEDY, START, [0.5, 2.0], 2**14)))
    for name, low, high in (("greedy step", -2.0, 3.0), ("greedy step within bounds", 0.0, 1.0)):
        model = tsphys.OnlineAttack(lr=1.2, minibatch=3, a_min=low, a_max=high)
        out += both(name, model, Plain(attack(1.2, 1.0, low, high, N), noises=0, b=3), START, steps=1)
    return out
