"""Sparse students."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.odes import learning_rule
from tsphys.validation.checks import Check, Finding, Setting, within
from tsphys.validation.one_step import at_start, stepped
from tsphys.validation.online import simulated
from tsphys.validation.plain_rules import Plain, masked, regression

START = tsphys.OrderParameters(R=[[0.3, 0.1], [0.05, 0.35]], Q=[[0.4, 0.1], [0.1, 0.5]], T=np.eye(2))
T = np.linspace(0, 8, 9)
MODELS = {
    "masks of their own": tsphys.Pruned(lr=0.5, noise=0.1, density=0.5),
    "masks in each other": tsphys.Pruned(lr=0.5, lr_v=0.3, noise=0.1, densities=[0.4, 0.9], masks="common"),
}
TICKET = tsphys.Pruned(lr=0.5, noise=0.3, density=0.3, masks="magnitude", prune_at=4, rewind_to=1, teacher_density=0.3)
TICKETS = {
    "ticket": TICKET,
    "ticket, all units together": replace(TICKET, masks="global", rewind_to=0.0, lr_v=0.3),
}


def whole(setting: Setting) -> Finding:
    """Students that have all coordinates against averages of the two-layer rule by quadrature.

    Bounds: four times the quadrature's estimate of its error, and 1e-7 of the largest value for both integrations.
    """
    t, names = [0.5, 2.0], ("R", "Q", "eps_g")
    theory = tsphys.solve(tsphys.Pruned(lr=0.5, noise=0.1, density=1.0), start=START, t=t)
    other = learning_rule.solve(tsphys.TwoLayer(lr=0.5, noise=0.1), start=START, t=t, points=2**13)
    estimate = other.meta["quadrature_error"]
    difference = [np.abs(theory[name] - other[name]).max() for name in names]
    bound = [4 * estimate[name] + 1e-7 * np.abs(theory[name]).max() for name in names]
    return within(difference, bound, f"{other.meta['quadrature']['kind']} quadrature")


def checks(quick: bool) -> list[Check]:
    """What is checked of sparse students."""
    out = [Check("simulation", name, simulated(model, START, T, "direct", 300, 16)) for name, model in MODELS.items()]
    model = tsphys.Pruned(lr=1.5, lr_v=1.0, noise=0.5, densities=[0.25, 0.75])
    plain = Plain(regression("erf", 1.5, 1.0, 0.5), masks=[0.25, 0.75])

    def rate(name: str) -> Any:
        """First rates, by classes of coordinates."""

        def run(setting: Setting) -> Finding:
            given = tsphys.OrderParameters(R=START.R, Q=START.Q, T=START.T, v=[1, 1], v_star=[1, 1])
            told = masked(Plain(regression(name, 1.5, 1.0, 0.5)), given, [0.25, 0.75])
            return at_start(replace(model, activation=name), *told, start=START)

        return run

    out += [Check("rate", f"masks of their own, {name}", rate(name)) for name in ("erf", "relu", "linear")]
    out.append(Check("step", "masks of their own, direct", stepped(model, plain, START, "direct")))
    out += [
        Check("simulation", n, simulated(m, START, [2.0, 4, 4.2, 5, 8], "direct", 1000, 24)) for n, m in TICKETS.items()
    ]
    return [*out, Check("integral", "equations, nothing masked", whole)]
