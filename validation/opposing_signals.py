"""Outliers with opposing signals."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

import tsphys
from tsphys.odes.opposing_signals import catapult
from tsphys.validation.checks import Check, Finding, Setting, on_theory, within

#: Where b_o and losses fall to 0 they are what single sets make of them.
BEHIND = ("c", "b", "curvature", "sharpness")
BELOW = ("loss_up", "loss_down", *BEHIND)


def trained(lr: float, t: Any, replicas: int, names: Any, finite_size: bool = True) -> Any:
    """A check of training sets on the map of the population."""

    def run(setting: Setting) -> Finding:
        model, many = tsphys.OpposingSignals(lr=lr), setting.replicas(replicas)
        sim = tsphys.simulate(model, t=t, replicas=many, seed=setting.seed, threads=setting.threads)
        return on_theory(sim, tsphys.solve(model, t=t), names[-1], names, finite_size)

    return run


def catapults(setting: Setting) -> Finding:
    """The law of small excesses: its error is of their square, relative to the peak of first order."""
    off, bound = [], []
    for lr in (0.202, 0.205, 0.21):
        model = tsphys.OpposingSignals(lr=lr, c=1, b=1, b_o=1e-6)
        found = tsphys.solve(model, t=range(0, 4001, 2 if setting.quick else 1))
        (end, peak), excess = catapult(model), 10 * lr - 2
        off += [found["c"][-1] ** 2 - end, (found["b_o"] ** 2).max() / peak - 1]
        bound += [excess**2, 2 * excess]
    return within(off, bound, "behind catapults")


def descends(setting: Setting) -> Finding:
    """A step is −η times the slopes of the loss, which is what all examples lose on average above ½κ²γ.

    Of slopes by central differences of a polynomial of fourth order, in steps of 1e-4, 1e-8 is left.
    """
    at, lr = {"c": 0.8, "b": 0.5, "b_o": 0.3}, 0.05
    model = tsphys.OpposingSignals(lr=lr, **at)
    found = tsphys.solve(model, t=[0, 1])
    pair = 0.5 * (found["loss_up"][0] + found["loss_down"][0])
    mean = model.share * pair + (1 - model.share) * 0.5 * (model.beta - at["c"] * at["b"]) ** 2
    off = [mean - found["loss"][0] - 0.5 * model.kappa**2 * model.share * model.outlier**2]
    for name, value in at.items():
        near = [dataclasses.replace(model, **{name: value + h}) for h in (-1e-4, 1e-4)]
        low, high = (tsphys.solve(m, t=[0])["loss"][0] for m in near)
        off.append(found[name][1] - value + lr * (high - low) / 2e-4)
    return within(off, 1e-7, "steps of descent")


def conserved(setting: Setting) -> Finding:
    """c² − b² − b_o² of slow descent, which steps of size η move by at most η² times the squares of all gradients."""
    lr, beta = 1e-3, 1.0
    found = tsphys.solve(tsphys.OpposingSignals(lr=lr, c=0.3), t=range(0, 5001, 50))
    moved = found["c"] ** 2 - found["b"] ** 2 - found["b_o"] ** 2 - (0.3**2 - 0.1**2 - 1e-3**2)
    # Σ |∇|² over steps is what the loss has lost over η, to first order.
    return within(moved, 2 * lr * beta**2, "c² − b² − b_o²")


def hessian(setting: Setting) -> Finding:
    """The sharpness of the map against second differences of its loss, their error of order h² and rounding over h²."""
    off, h = [], 1e-4
    for at in ((0.1, 0.1, 1e-3), (0.9, 1.1, 0.1), (0.8, 1.2, -0.3)):

        def loss(move: np.ndarray, at: Any = at) -> float:
            c, b, b_o = np.array(at) + h * move
            return float(tsphys.solve(tsphys.OpposingSignals(c=c, b=b, b_o=b_o), t=[0])["loss"][0])

        e = np.eye(3)
        mixed = [[sum(s * r * loss(s * i + r * j) for s in (1, -1) for r in (1, -1)) for i in e] for j in e]
        foretold = np.linalg.eigvalsh(np.array(mixed) / (4 * h**2))[-1]
        c, b, b_o = at
        off.append(tsphys.solve(tsphys.OpposingSignals(c=c, b=b, b_o=b_o), t=[0])["sharpness"][0] - foretold)
    return within(off, 1e-5, "largest eigenvalue")


def checks(quick: bool) -> list[Check]:
    """What is checked of opposing signals: below the edge, behind a catapult, and its laws."""
    return [
        Check("simulation", "below the edge", trained(0.15, [0, 5, 10, 20, 40], 16, BELOW)),
        Check("simulation", "before and behind a catapult", trained(0.25, [0, 10, 20, 200], 16, BEHIND)),
        # Symmetry keeps it at 0 on average, with no bias to allow for.
        Check("simulation", "outliers of either sign", trained(0.15, [20, 40], 48, ("b_o",), finite_size=False)),
        Check("identity", "adiabatic catapults", catapults),
        Check("identity", "conservation", conserved),
        Check("identity", "steps of descent", descends),
        Check("identity", "sharpness", hessian),
    ]
