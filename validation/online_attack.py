"""Attacks on online learners."""

from __future__ import annotations

import numpy as np

import tsphys
from tsphys.physics.linear_control import optimal_gains
from tsphys.validation.checks import Check
from tsphys.validation.one_step import N, both
from tsphys.validation.online import averaged, simulated, sized
from tsphys.validation.plain_rules import Plain, attack, feedback

START = tsphys.OrderParameters(R=[[0.3, -0.3]], Q=[[0.8]], T=[[1, -1], [-1, 1]])
T = np.linspace(0, 10, 6)
#: A student that is (2 + 0.4)/4 of its way to the target.
AWAY = tsphys.OrderParameters(R=[[-0.2, 0.2]], Q=[[0.3]], T=[[1, -1], [-1, 1]])
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
    # Many examples a step and a low price, so that actions hardly differ from their mean, and overlaps make most of it.
    optimal = tsphys.OnlineAttack(
        lr=1.2, minibatch=64, strategy="optimal", discount=0.2, cost=0.01, a_min=None, a_max=None
    )
    plain = Plain(feedback(1.2, 0.01, optimal_gains(optimal), 0.6, -np.inf, np.inf), noises=0, b=64)
    return out + both("optimal step", optimal, plain, AWAY, steps=1, replicas=1000)
