"""Outliers with opposing signals."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.odes.opposing_signals import catapult
from tsphys.validation.checks import Check, Finding, Setting, agrees, gradient, within

#: Where b_o and losses fall to 0 they are what single sets make of them.
BEHIND = ("c", "b", "curvature", "sharpness")
BELOW = ("loss_up", "loss_down", *BEHIND)


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
    """A step is −η times the slopes of the loss, and the sharpness of its second derivatives.

    Of what all examples lose on average that is what is above ½κ²γ. Differences of polynomials of fourth order have
    rounding alone, 1e-16 over the square of their step.
    """

    def run(c: float, b: float, b_o: float) -> tsphys.Result:
        return tsphys.solve(tsphys.OpposingSignals(lr=0.05, c=c, b=b, b_o=b_o), t=[0, 1])

    def loss(*at: float) -> Any:
        return run(*at)["loss"][0]

    off = []
    for at in ((0.8, 0.5, 0.3), (0.1, 0.1, 1e-3), (0.9, 1.1, 0.1)):
        found, second = run(*at), gradient(lambda *near: gradient(loss, near), at)
        mean = 0.05 * (found["loss_up"][0] + found["loss_down"][0]) + 0.45 * (1 - at[0] * at[1]) ** 2
        moved = np.array([found[name][1] for name in ("c", "b", "b_o")]) - at
        top = found["sharpness"][0] - np.linalg.eigvalsh(second)[-1]
        off += [mean - found["loss"][0] - 1.25, top, *(moved + 0.05 * gradient(loss, at))]
    return within(off, 1e-9, "steps, losses and sharpness")


def conserved(setting: Setting) -> Finding:
    """c² − b² − b_o² of slow descent, which steps of size η move by at most η² times the squares of all gradients."""
    lr, beta = 1e-3, 1.0
    found = tsphys.solve(tsphys.OpposingSignals(lr=lr, c=0.3), t=range(0, 5001, 50))
    moved = found["c"] ** 2 - found["b"] ** 2 - found["b_o"] ** 2 - (0.3**2 - 0.1**2 - 1e-3**2)
    # Σ |∇|² over steps is what the loss has lost over η, to first order.
    return within(moved, 2 * lr * beta**2, "c² − b² − b_o²")


def checks(quick: bool) -> list[Check]:
    """What is checked of opposing signals: below the edge, behind a catapult, and its laws."""
    below, beyond = tsphys.OpposingSignals(lr=0.15), tsphys.OpposingSignals(lr=0.25)
    # Symmetry keeps b_o at 0 on average, with no bias to allow for.
    signs = agrees(below, "b_o", 48, ("b_o",), finite_size=False, t=[20, 40])
    return [
        Check("simulation", "below the edge", agrees(below, "sharpness", 16, BELOW, t=[0, 5, 10, 20, 40])),
        Check("simulation", "around a catapult", agrees(beyond, "sharpness", 16, BEHIND, t=[0, 10, 20, 200])),
        Check("simulation", "outliers of either sign", signs),
        Check("identity", "adiabatic catapults", catapults),
        Check("identity", "conservation", conserved),
        Check("identity", "steps of descent and sharpness", descends),
    ]
