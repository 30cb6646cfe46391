"""The race between context and weights."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

import tsphys
from tsphys.odes.weight_race import acquisition, estimate, motion
from tsphys.validation.checks import Check, Finding, Setting, agrees, within


def trained(model: Any, t: Any, replicas: int) -> Any:
    """A check of SGD on the equations."""
    return agrees(model, "beta", replicas, sim={"N": 200}, t=t)


def by_cases(setting: Setting) -> Finding:
    """Motion and loss as sums over all classes, bursts and dynamic labels of what SGD does to each; what is seen."""
    off = []
    for decay in (0.0, 0.3):
        model = tsphys.WeightRace(classes=4, zipf=0.7, bursty=0.6, dynamic=0.5, decay=decay)
        w, beta = np.array([0.9, 0.4, 0.3, -0.2]), 0.7
        p = np.arange(1, 5) ** -0.7
        p /= p.sum()
        moved, gain, loss = np.zeros(4), -2 * decay * beta, 0.0
        for k, c, fresh, other in product(range(4), (0, 1), (False, True), (False, True)):
            m = -1 if c and fresh and other else 1
            weight = p[k] * (0.6 if c else 0.4) * 0.5 * 0.5
            g = 1 / (1 + np.exp(m * w[k] + c * beta))
            moved[k] += weight * g * m
            gain += weight * 2 * g * c * beta
            loss -= weight * np.log(1 - g)
        found = motion(model, np.append(w, np.log(beta)))
        off += [*(found[:4] - moved), found[4] * beta - gain]
        seen = model.seen(np.array([beta]), w[None], False)
        conflict = sum(p / (1 + np.exp(w - beta)))
        # Of queries, the most frequent first, the first half and the second.
        until = np.minimum(np.cumsum(p), 0.5)
        head = 2 * np.diff(until, prepend=0) @ w
        told = {"train_loss": loss, "conflict": conflict, "memory": p @ w, "head": head, "tail": 2 * (p @ w) - head}
        off += [seen[name][0] - value for name, value in told.items()]
    # Rounding.
    return within(off, 1e-14, "rates")


def before_context(setting: Setting) -> Finding:
    """ln(β/β₀) = 2p_B Σ w_k while β is small, of which the relative error is; and β = 1 at the time that is told."""
    from scipy.optimize import brentq

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
        # w + e^w = 1 + pt of each class until the time that is guessed.
        p = model.frequencies()
        known = [brentq(lambda w, x=x: w + np.exp(w) - 1 - x, 0, 60, xtol=1e-14) for x in p * estimate(model)]
        off.append(np.log(1 / model.start) - 2 * model.bursty * sum(known))
        bound.append(1e-8)
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
