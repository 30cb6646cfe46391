"""Loss of plasticity."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.odes.plasticity import after, crossing, growth
from tsphys.validation.checks import Check, Finding, Setting, within

NAMES = ("relearning", "strength", "rank")


def trained(model: Any, tasks: int) -> Any:
    """A check of nets, whose flow is followed to 1e-10 a step, on each direction by itself."""

    def run(setting: Setting) -> Finding:
        t = range(tasks)
        sim = tsphys.simulate(model, t=t, replicas=2, inputs=model.modes + 2, seed=setting.seed)
        theory = tsphys.solve(model, t=t)
        off = np.concatenate([np.ravel(sim[name] - theory[name]) for name in NAMES])
        return replace(within(off, 1e-7, "nets on their directions"), curves=(sim, theory, "relearning"))

    return run


def on_batches(setting: Setting) -> Finding:
    """Relearning times of steps of 1/500 on 50 fresh examples: to 2 %."""
    model = tsphys.Plasticity(penalty="spectral", duration=6)
    sim = tsphys.simulate(model, t=[0, 2], batch=50, replicas=setting.replicas(4), seed=setting.seed)
    theory = tsphys.solve(model, t=[0, 2])
    ratio = sim.mean("relearning") / theory["relearning"]
    return replace(within(ratio - 1, 0.02, "relearning on batches"), curves=(sim, theory, "relearning"))


def spent(model: Any, x: float, y: float, s: float) -> float:
    """Time from x to y, by quadrature over ln a, of which x is the square."""
    from scipy.integrate import quad

    return float(quad(lambda z: 1 / growth(model, np.array(z), s), np.log(x) / 2, np.log(y) / 2, epsabs=1e-12)[0])


def both_ways(setting: Setting) -> Finding:
    """Closed forms against the equation of motion: the time to where a task leads is its length."""
    off = []
    for penalty in ("none", "l2", "spectral"):
        model = tsphys.Plasticity(penalty=penalty, duration=2.0, strength=0.1)
        for x, s in ((0.01, 1.0), (0.9, 0.0)):
            off.append(spent(model, x, after(model, x, s), s) - model.duration)
        off.append(crossing(replace(model, duration=6.0), 0.01) - spent(model, 0.01, 0.5, 1.0))
    return within(off, 1e-9, "times by quadrature")


def checks(quick: bool) -> list[Check]:
    """What is checked of plasticity: every penalty, more layers, batches, and closed forms."""
    P = tsphys.Plasticity
    return [
        Check("simulation", "no penalty", trained(P(penalty="none", duration=5), 4)),
        Check("simulation", "l2", trained(P(modes=3, duration=5, strength=0.1), 5)),
        Check("simulation", "spectral", trained(P(penalty="spectral", duration=5), 4)),
        Check("simulation", "init", trained(P(penalty="init", duration=5, start=0.05), 4)),
        Check("simulation", "three layers", trained(P(penalty="spectral", depth=3, duration=5), 4)),
        Check("simulation", "four layers, l2", trained(P(depth=4, duration=4, start=0.1), 3)),
        Check("simulation", "batches", on_batches),
        Check("integral", "closed forms", both_ways),
    ]
