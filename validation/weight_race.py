"""The race between context and weights."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

import tsphys
from tsphys.odes.weight_race import acquisition, motion
from tsphys.validation.checks import Check, Finding, Setting, on_theory, within


def trained(model: Any, t: Any, replicas: int) -> Any:
    """A check of SGD on the equations."""

    def run(setting: Setting) -> Finding:
        many = setting.replicas(replicas)
        sim = tsphys.simulate(model, N=200, t=t, replicas=many, seed=setting.seed, threads=setting.threads)
        return on_theory(sim, tsphys.solve(model, t=t), "beta")

    return run


def by_cases(setting: Setting) -> Finding:
    """The motion as the sum over all classes, bursts and dynamic labels of what SGD does to each."""
    off = []
    for decay in (0.0, 0.3):
        model = tsphys.WeightRace(classes=4, zipf=0.7, bursty=0.6, dynamic=0.5, decay=decay)
        w, beta, p = np.array([0.9, 0.4, 0.3, -0.2]), 0.7, model.frequencies()
        moved, gain = np.zeros(4), -2 * decay * beta
        for k, c, fresh, other in product(range(4), (0, 1), (False, True), (False, True)):
            m = -1 if c and fresh and other else 1
            weight = p[k] * (0.6 if c else 0.4) * 0.5 * 0.5
            g = 1 / (1 + np.exp(m * w[k] + c * beta))
            moved[k] += weight * g * m
            gain += weight * 2 * g * c * beta
        found = motion(model, np.append(w, np.log(beta)))
        off += [*(found[:4] - moved), found[4] * beta - gain]
    # Rounding.
    return within(off, 1e-14, "rates")


def before_context(setting: Setting) -> Finding:
    """ln(β/β₀) = 2p_B Σ w_k while β is small, of which the relative error is; and β = 1 at the time that is told."""
    off, bound = [], []
    for model in (tsphys.WeightRace(zipf=0.0, bursty=0.4), tsphys.WeightRace(start=1e-8)):
        until = acquisition(model)
        found = tsphys.solve(model, t=[until / 3, until / 2, until], each=True)
        weights = found["w"].sum(axis=1)
        off += (np.log(found["beta"] / model.start) - 2 * model.bursty * weights)[:2].tolist()
        bound += (found["beta"] * weights)[:2].tolist()
        off.append(found["beta"][2] - 1)
        # The tolerance of the equations along an exponential growth.
        bound.append(1e-5)
    return within(off, bound, "context and weights")


def checks(quick: bool) -> list[Check]:
    """What is checked of the race: Zipf's and equal classes, dynamic labels, decay, its rates and its first part."""
    model, t = tsphys.WeightRace, [2, 5, 10, 30]
    return [
        Check("simulation", "Zipf's law", trained(model(), t, 32)),
        Check("simulation", "dynamic labels", trained(model(zipf=0.5, classes=20, dynamic=0.4), t, 32)),
        Check("simulation", "few classes, decay", trained(model(zipf=1.0, classes=4, bursty=0.5, decay=0.05), t, 32)),
        Check("integral", "sum over prompts", by_cases),
        Check("identity", "until the context counts", before_context),
    ]
