"""Derivatives of what a theory solves for, which other observables of it must equal: exact, and of no simulation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import tsphys
from tsphys.validation.checks import Finding, Setting, within

#: A solution at the point, and the slopes of its observables there.
Relation = Callable[[Mapping[str, float], Mapping[str, float], float], float]


def identity(model: Any, axis: str, values: Sequence[float], relation: Relation, what: str, **options: Any) -> Any:
    """A check that ``relation(observables, slopes along the axis, value)`` vanishes at each of the values.

    Slopes are central differences of fourth order, in steps of 1 % of the value. The bound is what the relation changes
    with twice the step, 15 times their error, and 1e-7 for what a solution's tolerance makes over a step.
    """

    def run(setting: Setting) -> Finding:
        left, bound = [], []
        for x in values:
            h = 0.01 * x
            given: dict[str, Any] = {axis: [x + i * h for i in (-4, -2, -1, 0, 1, 2, 4)], **options}
            found = tsphys.solve(model, **given)
            y = {name: np.asarray(a) for name, a in found.data.items() if np.shape(a)[:1] == (7,)}
            here = {name: a[3] for name, a in y.items()}
            fine = {name: (8 * (a[4] - a[2]) - a[5] + a[1]) / (12 * h) for name, a in y.items()}
            rough = {name: (8 * (a[5] - a[1]) - a[6] + a[0]) / (24 * h) for name, a in y.items()}
            one, other = relation(here, fine, x), relation(here, rough, x)
            left.append(one)
            bound.append(abs(one - other) + 1e-7)
        return within(np.array(left), np.array(bound), what)

    return run


def at_minimum(value: Any, found: float, what: str) -> Finding:
    """Where value(x) should be least: how far off in ln x the parabola through steps of 3 % has its least, below 0.3 %.

    What the third derivative adds is the square of the step.
    """
    low, here, high = (float(value(found * np.exp(step))) for step in (-0.03, 0.0, 0.03))
    return within([0.015 * (low - high) / (high + low - 2 * here)], [3e-3], what)


def entropy(y: Mapping[str, float], slope: Mapping[str, float], T: float) -> float:
    """S + ∂f/∂T."""
    return y["entropy"] + slope["free_energy"]


def energy(y: Mapping[str, float], slope: Mapping[str, float], T: float) -> float:
    """E − ∂(βf)/∂β."""
    return y["energy"] - y["free_energy"] + T * slope["free_energy"]


def thermal(model: Any, temperatures: Sequence[float], **options: Any) -> Any:
    """A check of E = ∂(βf)/∂β and S = −∂f/∂T over temperatures."""

    def run(setting: Setting) -> Finding:
        found = [
            identity(model, "T", temperatures, relation, what, **options)(setting)
            for relation, what in ((energy, "E − ∂(βf)/∂β"), (entropy, "S + ∂f/∂T"))
        ]
        return max(found, key=lambda finding: finding.score)

    return run
