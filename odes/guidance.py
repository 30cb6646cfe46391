"""A helped linear network, mode by mode: the layers a, b of one, of variance λ, target t and guide g.

da/dt = λb(t − ab) − γa(a² − g),  db/dt = λa(t − ab). Without a guide c = a² − b² is conserved, and s = ab has
ds/dt = λ√(c² + 4s²)(t − s).
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import number
from tsphys.models.guidance import Guidance
from tsphys.physics.flows.linear_layers import logistic
from tsphys.runs import frames
from tsphys.solvers.ode import integrate

#: Local errors of the equations of motion, relative to each layer.
RTOL, ATOL = 1e-11, 1e-14
#: Time beyond which nobody waits for a mode.
LATEST = 1e8


@frames.course(Guidance, frames.Times, dims={"strength": ("mode",), "gram": ("mode",)})
def solve(model: Guidance, options: frames.Times) -> dict[str, np.ndarray]:
    """Modes over the time on the task.

    Returns
    -------
    dict
        ``strength`` (t, mode) of W₂W₁, ``gram`` (t, mode) of W₁ᵀW₁, and ``loss`` ½⟨|Sx − W₂W₁x|²⟩.

    Raises
    ------
    ConvergenceError
        If the equations of motion could not be integrated to their tolerance.
    """
    targets, variances, _ = model.modes()
    t, y, now = options.t, np.concatenate([encoder(model), np.full(len(targets), math.sqrt(model.start))]), 0.0
    rows = []
    for strength, end in model.stages(float(t[-1])):
        here = t[(t > now) & (t <= end)] if now else t[t <= end]
        # The end of a stage is where the next begins, whether it is seen or not.
        asked = np.unique(np.append(here, end))
        found, _ = integrate(partial(rates, model, strength), y, asked - now, rtol=RTOL, atol=ATOL)
        rows.append(found[np.isin(asked, here)])
        y, now = found[-1], end
    a, b = np.split(np.concatenate(rows), 2, axis=1)
    return {"strength": a * b, "gram": a * a, "loss": 0.5 * (targets - a * b) ** 2 @ variances}


def rates(model: Guidance, strength: float, _: float, y: np.ndarray) -> np.ndarray:
    """da/dt and db/dt of all modes."""
    targets, variances, guide = model.modes()
    a, b = np.split(y, 2)
    left = variances * (targets - a * b)
    return np.concatenate([b * left - strength * a * (a * a - guide), a * left])


def encoder(model: Guidance) -> np.ndarray:
    """a of each mode at the start of the task: the square root of what the autoencoder has of it."""
    _, variances, _ = model.modes()
    return np.sqrt(logistic(1.0, model.start, variances * model.pretraining))


def learning_times(model: Guidance, share: float = 0.5) -> np.ndarray:
    """Times at which each mode has the share of its target, inf if that is not before 1e8."""
    share = number("share", share, low=0, high=1, open_low=True, open_high=True)
    return np.array([_learned(model, i, share) for i in range(len(model.target))])


def _learned(model: Guidance, i: int, share: float) -> float:
    target, variance, g = (float(x[i]) for x in model.modes())
    alone = Guidance((target,), (variance,), model.start, model.pretraining, model.strength, (g,), model.until)
    y, now = np.array([encoder(alone)[0], math.sqrt(model.start)]), 0.0
    for strength, end in alone.stages(LATEST):
        if y[0] * y[1] >= share * target:
            return now
        if strength == 0:
            return now + waiting(float(y[0]), float(y[1]), variance, target, share * target)
        found, told = integrate(
            partial(rates, alone, strength), y, [end - now], rtol=RTOL, atol=ATOL,
            event=lambda _, y: share * target - y[0] * y[1],
        )  # fmt: skip
        if "event" in told:
            return now + float(told["event"])
        y, now = found[-1], end
    return math.inf


def waiting(a: float, b: float, variance: float, target: float, level: float) -> float:
    """Time that a mode takes without a guide from s = ab to a level below its target."""
    from scipy.integrate import quad

    c = a * a - b * b
    # Along ln s, in which the plateau is as long as it takes.
    return float(quad(lambda u: math.exp(u) / (math.hypot(c, 2 * math.exp(u)) * (target - math.exp(u)) * variance),
                      math.log(a * b), math.log(level), epsabs=1e-13, epsrel=1e-12, limit=200)[0])  # fmt: skip


def escape_rate(model: Guidance) -> np.ndarray:
    """Rates at which modes leave a small start: ½[γg + √(γ²g² + 4λ²t²)]."""
    targets, variances, guide = model.modes()
    pull = model.strength * guide
    return np.asarray(0.5 * (pull + np.hypot(pull, 2 * variances * targets)))


def starved(model: Guidance, t: Any) -> np.ndarray:
    """What a guide that has none of a mode, g = 0, leaves of it at late times, (t, mode): γt³(6γt⁴t')^(−2/3)/λ.

    Its readout grows like (6γt⁴t')^(1/6), for ever.

    Raises
    ------
    ModelError
        If there is no guide.
    """
    if model.strength == 0:
        raise ModelError("strength", 0.0, "must be > 0: without a guide no mode is starved")
    targets, variances, _ = model.modes()
    readout = 6 * model.strength * targets**4 * np.asarray(t, dtype=float)[..., None]
    return np.asarray(model.strength * targets**3 * readout ** (-2 / 3) / variances)
