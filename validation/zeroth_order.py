"""Zeroth-order SGD."""

from __future__ import annotations

import numpy as np

import tsphys
from tsphys.validation.checks import Check
from tsphys.validation.one_step import both, rates, stepped
from tsphys.validation.online import averaged, simulated
from tsphys.validation.plain_rules import Plain, regression
from tsphys.validation.pruned import START

T = np.linspace(0, 8, 9)
FEW = tsphys.ZerothOrder(lr=0.5, noise=0.1, kappa=0.5)
PARTIAL = tsphys.ZerothOrder(lr=0.5, noise=0.1, estimator="sparse", fraction=0.25)


def checks(quick: bool) -> list[Check]:
    """What is checked of zeroth-order SGD."""
    rule = regression("erf", 1.5, sigma=0.5)
    few = tsphys.ZerothOrder(lr=1.5, noise=0.5, kappa=0.5)
    some = tsphys.ZerothOrder(lr=1.5, noise=0.5, estimator="sparse", fraction=0.25)
    directions, coordinates = Plain(rule, queries=0.5), Plain(rule, fraction=0.25)
    # A teacher so long that its output is ±1, and a short student: steps are of one size, and the estimates are seen.
    alike = tsphys.OrderParameters(R=[[0.0]], Q=[[0.01]], T=[[100.0]])
    sure = tsphys.ZerothOrder(K=1, M=1, lr=10.0, kappa=1.5)
    length = Plain(regression("erf", 10.0), queries=1.5)
    share = tsphys.ZerothOrder(K=1, M=1, lr=10.0, estimator="sparse", fraction=0.25)
    chosen = Plain(regression("erf", 10.0), fraction=0.25)
    two = tsphys.ZerothOrder(lr=1.5, noise=0.5, kappa=0.1)
    every = tsphys.ZerothOrder(lr=1.5, noise=0.5, estimator="cge")
    ramps = tsphys.ZerothOrder(lr=1.5, noise=0.5, kappa=0.5, activation="relu")
    return [
        Check("step", "length of estimates, exact", stepped(sure, length, alike, "exact", 1, 30, 8000)),
        Check("step", "share of coordinates, direct", stepped(share, chosen, alike, "direct", 1, 200, 16_000)),
        Check("step", "two directions, exact", stepped(two, Plain(rule, queries=0.1), START, "exact", 1, 20, 20_000)),
        *both("every coordinate", every, Plain(rule), START, steps=2),
        Check("rate", "relu", rates(ramps, Plain(regression("relu", 1.5, sigma=0.5), queries=0.5), START)),
        Check("rate", "random directions", rates(few, directions, START)),
        Check("rate", "some coordinates", rates(some, coordinates, START)),
        Check("step", "random directions, exact", stepped(few, directions, START, "exact", 2, replicas=3000)),
        Check("step", "random directions, direct", stepped(few, directions, START, "direct", 2)),
        Check("step", "some coordinates, direct", stepped(some, coordinates, START, "direct", 2)),
        Check("simulation", "random directions, engine exact", simulated(FEW, START, T, "exact", 500, 24)),
        Check("simulation", "random directions, direct", simulated(FEW, START, T, "direct", 150, 16)),
        Check("simulation", "some coordinates, direct", simulated(PARTIAL, START, T, "direct", 150, 16)),
        Check("integral", "equations, random directions", averaged(FEW, START, [0.5, 2.0])),
    ]
