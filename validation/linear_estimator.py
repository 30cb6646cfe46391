"""Linear students."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.odes.linear_estimator import delay
from tsphys.validation.checks import Check, Finding, Setting, agrees, on_average, within


def learned(model: Any, name: str, t: Any, replicas: int, **more: Any) -> Any:
    """A check of instances on averages over the spectrum."""
    return agrees(model, name, replicas, sim={"N": 200, **more}, t=t)


def first_step(setting: Setting) -> Finding:
    """A step of descent at any size: moments of S = XᵀX/P, 1, 1 + (D+1)/P and (P²+D²+3PD+3P+3D+4)/P² along w*."""
    D, P, eta, noise = 10, 100, 0.5, 1.0
    many, model = setting.replicas(3000), tsphys.LinearEstimator(alpha=P / D, noise=noise)
    sim = tsphys.simulate(
        model, N=D, t=[0, eta], lr=eta, replicas=many, seed=setting.seed, threads=setting.threads
    )  # fmt: skip
    s2, s3, c = 1 + (D + 1) / P, (P * P + D * D + 3 * P * D + 3 * P + 3 * D + 4) / P**2, noise**2
    fresh = 1 - 2 * eta + eta**2 * (s2 + c * D / P)
    seen = 1 - 2 * eta * s2 + eta**2 * s3 + c * (1 - 2 * eta * D / P + eta**2 * D / P * s2)
    told = [sim["train_mse"][:, 0], sim["mse"][:, 1], sim["train_mse"][:, 1]]
    return on_average(told, [1 + c, fresh, seen], "errors before and after a step")


def slope(setting: Setting) -> Finding:
    """Without noise the error on fresh inputs falls by twice that on the examples; moments of the spectrum at first."""
    off, h = [], 1e-4
    for alpha in (0.5, 1.0, 1.1, 3.0):
        model, gamma = tsphys.LinearEstimator(alpha=alpha), 1 / alpha
        for t in (0.3, 2.0, 15.0):
            before, _, after = tsphys.solve(model, t=[t - h, t, t + h])["mse"]
            off.append((after - before) / (2 * h) + 2 * tsphys.solve(model, t=[t])["train_mse"][0])
        t = 1e-3
        found, third = tsphys.solve(model, t=[t]), 1 + 3 * gamma + gamma**2
        off.append(found["mse"][0] - (1 - 2 * t + 2 * t**2 * (1 + gamma) - 4 / 3 * t**3 * third))
        off.append(found["train_mse"][0] - (1 - 2 * t * (1 + gamma) + 2 * t**2 * third))
    # The third derivative times h²/6, and what is of order t³.
    return within(off, 1e-6, "slopes")


def ends(setting: Setting) -> Finding:
    """Least squares at last, what no example sees, and the delay at thresholds that no other direction counts for."""
    off = []
    for alpha, noise in ((2.0, 0.5), (0.4, 0.5), (5.0, 1.0)):
        found = tsphys.solve(tsphys.LinearEstimator(alpha=alpha, noise=noise), t=[1e4])
        gone, spread = max(1 - alpha, 0.0), 1 / (alpha - 1) if alpha > 1 else alpha / (1 - alpha)
        off.append(found["mse"][0] - gone - noise**2 * spread)
        off.append(found["train_mse"][0] - noise**2 * max(1 - 1 / alpha, 0.0))
    model, least = tsphys.LinearEstimator(alpha=2.0), (1 - 0.5**0.5) ** 2
    asymptote = np.log(1 / least) / (2 * least)
    # What is left is of order 1/ln(1/threshold).
    off.append(1e-8 * (delay(model, 1e-90) / asymptote - 1) / 0.05)
    return within(off, 1e-8, "ends")


def checks(quick: bool) -> list[Check]:
    """What is checked of linear students: hardly enough examples, more, fewer, with noise, by steps, and ends."""
    t, model = [0.5, 3, 20], tsphys.LinearEstimator
    return [
        Check("simulation", "hardly enough", learned(model(), "mse", t, 48)),
        Check("simulation", "accuracy of fresh answers", learned(model(alpha=2.0, tolerance=0.01), "accuracy", t, 32)),
        Check("simulation", "training error, noise", learned(model(alpha=1.5, noise=0.5), "train_mse", t, 48)),
        Check("simulation", "fewer, noise", learned(model(alpha=0.6, noise=0.5), "mse", [0.5, 3], 48)),
        Check("simulation", "by steps", learned(model(alpha=2.0, noise=0.5), "train_mse", [0.5, 3], 32, lr=0.002)),
        Check("step", "the first step", first_step),
        Check("identity", "slopes and moments", slope),
        Check("identity", "ends", ends),
    ]
