"""A deep linear network that loses layers, mode by mode: ds/dt = L s^(2 − 2/L) (y − s), and s^(L'/L) at once."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from tsphys.ground.parameters import number
from tsphys.models.removed_layers import RemovedLayers
from tsphys.runs import frames
from tsphys.solvers.ode import integrate

#: Local errors of ln s.
RTOL, ATOL = 1e-11, 1e-12


@frames.course(RemovedLayers, frames.Times, dims={"strength": ("mode",)})
def solve(model: RemovedLayers, options: frames.Times) -> dict[str, np.ndarray]:
    """Modes over time; when layers go, those of just before.

    Returns
    -------
    dict
        ``strength`` (t, mode) of the product of all layers, and ``loss`` ½ Σ (y − s)².

    Raises
    ------
    ConvergenceError
        If the equations of motion could not be integrated to their tolerance.

    References
    ----------
    Saxe, McClelland & Ganguli, ICLR 2014, of any depth.
    """
    target, t, now = np.array(model.target, dtype=float), options.t, 0.0
    s, before, rows = np.full(len(target), model.start), model.layers, []
    for layers, end in model.stages(float(t[-1])):
        s, before = s ** (layers / before), layers
        here = t[(t > now) & (t <= end)] if now else t[t <= end]
        asked = np.unique(np.append(here, end))
        found, _ = integrate(partial(rates, layers, target), np.log(s), asked - now, rtol=RTOL, atol=ATOL)
        rows.append(np.exp(found[np.isin(asked, here)]))
        s, now = np.exp(found[-1]), end
    strength = np.concatenate(rows)
    return {"strength": strength, "loss": 0.5 * np.sum((target - strength) ** 2, axis=1)}


def rates(layers: int, target: np.ndarray, _: float, log: np.ndarray) -> np.ndarray:
    """d ln s/dt."""
    return np.asarray(layers * np.exp((1 - 2 / layers) * log) * (target - np.exp(log)))


def waiting(layers: int, start: float, end: float, target: float = 1.0) -> float:
    """Time that a mode takes from one strength to another one below its target, T = ∫ds / L s^(2 − 2/L) (y − s).

    Raises
    ------
    ModelError
        If the strengths are not 0 < start <= end < target.
    """
    from scipy.integrate import quad

    layers = number("layers", layers, kind=int, low=1)
    target = number("target", target, low=0, open_low=True)
    end = number("end", end, low=0, high=target, open_low=True, open_high=True)
    start = number("start", start, low=0, high=end, open_low=True)

    def slowness(log: float) -> float:
        return math.exp(-(1 - 2 / layers) * log) / (layers * (target - math.exp(log)))

    return float(quad(slowness, math.log(start), math.log(end), epsabs=1e-13, epsrel=1e-12, limit=500)[0])
