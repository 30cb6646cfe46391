"""The sign perceptron."""

from __future__ import annotations

import numpy as np

import tsphys
from tsphys.models.perceptron import RULES
from tsphys.odes.perceptron import asymptote
from tsphys.validation.checks import Check, Finding, Setting, within
from tsphys.validation.one_step import answer, rates, stepped
from tsphys.validation.online import averaged, engines, simulated, sized
from tsphys.validation.plain_rules import Plain, optimal, perceptron

START = tsphys.OrderParameters(R=[[0.3]], Q=[[0.8]], T=[[1.0]])
T = np.linspace(0, 10, 6)


def late(setting: Setting) -> Finding:
    """What errors tend to; at t = 10⁶ they still differ by about 1/t, Rosenblatt's by t^(−1/3)."""
    gaps = []
    for rule in RULES:
        model = tsphys.Perceptron(rule=rule, lr=1.0 if rule == "optimal" else 0.7, minibatch=2)
        gaps.append(tsphys.solve(model, start=START, t=[1e6])["eps_g"][0] / asymptote(model, 1e6) - 1)
    return within(np.array(gaps), np.full(len(gaps), 1e-3), "asymptotes")


def checks(quick: bool) -> list[Check]:
    """What is checked of the perceptron: each rule."""
    out = [
        Check(
            "simulation", f"{rule}, engine exact", simulated(tsphys.Perceptron(rule=rule), START, T, "exact", 1000, 32)
        )
        for rule in RULES
    ]
    adatron = tsphys.Perceptron(rule="adatron")
    for engine in engines()[1:]:
        out.append(Check("simulation", f"adatron, engine {engine}", simulated(adatron, START, T, engine, 500, 32)))
    out.append(Check("identity", "asymptotes", late))
    out.append(Check("size", "adatron, eps_g at t = 4", sized(adatron, START, 4.0, (200, 400, 800), 300)))
    out += [
        Check("integral", f"equations, {rule}", averaged(tsphys.Perceptron(rule=rule), START, [0.5, 2.0]))
        for rule in RULES
    ]
    for rule in RULES:
        for b in (1, 6):
            model = tsphys.Perceptron(rule=rule, minibatch=b, lr=1.0 if rule == "optimal" else 1.3)
            told = optimal(0.3, 0.8) if rule == "optimal" else perceptron(rule, 1.3)
            plain = Plain(told, noises=0, b=b)
            out.append(Check("rate", f"{rule}, b = {b}", rates(model, plain, START, points=2**13)))
            if b == 1:
                out.append(Check("identity", f"{rule}, the rule", answer(model, plain, START)))
            else:
                # What the optimal rule knows of the overlaps changes with the first step.
                steps = 1 if rule == "optimal" else 4
                out.append(Check("step", f"{rule}, exact", stepped(model, plain, START, "exact", steps)))
    binary = tsphys.Perceptron(rule="adatron", inputs="binary", lr=1.3)
    plain = Plain(perceptron("adatron", 1.3), noises=0, binary=True)
    return [*out, Check("step", "inputs ±1", stepped(binary, plain, START, "direct"))]
