"""Outliers with opposing signals."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq

import tsphys
from tsphys.validation.checks import Check, Finding, Setting, on_theory, within


def adiabatic(beta: float, G: float, s0: float) -> tuple[float, float]:
    """c² behind a catapult from c² = s0 with cb = β, and the largest b_o² in it, for a small excess Gs0 − 2 > 0.

    With G = ηγ, from ∫ ln(Gs − 1)(1 + β²/s²)/(Gs) ds, which gains until s = 2/G what it then loses.
    """

    def gained(low: float) -> float:
        return float(quad(lambda s: np.log(G * s - 1) * (1 + beta**2 / s**2) / (G * s), low, s0, epsabs=1e-14)[0])

    edge = 2 / G
    return float(brentq(gained, edge - 2 * (s0 - edge), edge)), gained(edge)


def trained(lr: float, t: Any, replicas: int) -> Any:
    """A check of training sets on the map of the population."""

    def run(setting: Setting) -> Finding:
        model, many = tsphys.OpposingSignals(lr=lr), setting.replicas(replicas)
        sim = tsphys.simulate(model, t=t, replicas=many, seed=setting.seed, threads=setting.threads)
        return on_theory(sim, tsphys.solve(model, t=t), "curvature", ("c", "b", "curvature"))

    return run


def catapults(setting: Setting) -> Finding:
    """The law of small excesses: its error is of their square, relative to the peak of first order."""
    off, bound = [], []
    for lr in (0.202, 0.205, 0.21):
        model = tsphys.OpposingSignals(lr=lr, c=1, b=1, b_o=1e-6)
        found = tsphys.solve(model, t=range(0, 4001, 2 if setting.quick else 1))
        (end, peak), excess = adiabatic(1.0, 10 * lr, 1.0), 10 * lr - 2
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


def checks(quick: bool) -> list[Check]:
    """What is checked of opposing signals: below the edge, behind a catapult, and its laws."""
    return [
        Check("simulation", "below the edge", trained(0.15, [0, 5, 10, 20, 40], 16)),
        Check("simulation", "before and behind a catapult", trained(0.25, [0, 10, 20, 200], 16)),
        Check("identity", "adiabatic catapults", catapults),
        Check("identity", "conservation", conserved),
        Check("identity", "steps of descent", descends),
    ]
