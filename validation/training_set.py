"""One layer on a fixed training set."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.validation.checks import Check, Finding, Setting, on_theory, within

#: How far a flow, whose steps of half of 0.1 are extrapolated, is from its limit, and averages of samples from theirs.
FLOW = 2e-4


def learned(model: Any, t: Any, replicas: int, N: int = 500) -> Any:
    """A check of descent on drawn examples on sample paths."""

    def run(setting: Setting) -> Finding:
        many = setting.replicas(replicas)
        sim = tsphys.simulate(model, N=N, t=t, replicas=many, seed=setting.seed, threads=setting.threads)
        return on_theory(sim, tsphys.solve(model, t=t), "eps_g")

    return run


def exact(model: Any, t: Any, nodes: int = 4000) -> dict[str, np.ndarray]:
    """Least squares from w = 0, whose modes go by themselves: averages over Marchenko and Pastur's spectrum."""
    alpha, lam, t = model.alpha, model.regularization, np.asarray(t, dtype=float)[:, None]
    low, high = (1 - alpha**-0.5) ** 2, (1 + alpha**-0.5) ** 2
    theta = (np.arange(nodes) + 0.5) * np.pi / nodes
    h = 0.5 * (low + high) - 0.5 * (high - low) * np.cos(theta)
    weight = np.sin(theta) ** 2 / h
    weight *= min(1.0, alpha) / weight.sum()
    left = np.exp(-(h + lam) * t) if model.flow else (1 - model.lr * (h + lam)) ** t
    f = (1 - left) / (h + lam)
    linear = model.channel == "linear"
    rho, square = (1.0, 1 + model.noise**2) if linear else (np.sqrt(2 / np.pi / (1 + model.noise**2)), 1.0)
    rest = square - rho**2
    m = rho * (h * f) @ weight
    q = rho**2 * (h**2 * f**2) @ weight + rest / alpha * (h * f**2) @ weight
    loss = rho**2 * (h * (1 - h * f) ** 2) @ weight
    loss = loss + rest * ((1 - h * f) ** 2 @ weight / alpha + max(1 - 1 / alpha, 0.0))
    return {"m": m, "q": q, "train_loss": 0.5 * loss}


def modes(setting: Setting) -> Finding:
    """Steps and flows of least squares against their spectrum, in units of the errors that sample paths tell."""
    found = []
    for model in (
        tsphys.TrainingSet(loss="square", alpha=0.8, lr=0.3, regularization=0.05, noise=0.3),
        tsphys.TrainingSet(loss="square", channel="linear", alpha=2.0, noise=0.5, flow=True),
    ):
        t = [1, 5, 20]
        theory, truth = tsphys.solve(model, t=t), exact(model, t)
        error = FLOW if model.flow else 0.0
        found += [(theory[k] - truth[k], 4 * theory.sem(k) + error + 1e-4) for k in truth]
    off, bounds = np.concatenate(found, axis=1)
    return within(off, bounds, "least squares and its spectrum")


def ends(setting: Setting) -> Finding:
    """Where descent ends is the minimum, that replicas know."""
    model = tsphys.TrainingSet(alpha=2.0, lr=2.0, regularization=0.1, noise=0.3)
    found = tsphys.solve(model, t=[80])
    glm = tsphys.GLM(alpha=2.0, estimator="logistic", noise=model.noise**2, regularization=2.0 * model.regularization)
    least = tsphys.solve(glm)
    names = ("m", "q", "eps_g")
    off = [found[k][0] - least[k][0] for k in names]
    bounds = [4 * found.sem(k)[0] + 3e-4 * least[k][0] for k in names]
    return within(off, bounds, "the end of descent and replicas")


def checks(quick: bool) -> list[Check]:
    """What is checked of training sets: all losses, all at once and in parts, and what is known by other ways."""
    t, make = [1, 3, 8, 20], tsphys.TrainingSet
    parts: dict[str, Any] = {"loss": "square", "channel": "linear", "noise": 0.5, "lr": 0.3, "alpha": 2.0}
    return [
        Check("simulation", "logistic, momentum", learned(make(noise=0.3, momentum=0.6), t, 24)),
        Check(
            "simulation", "hinge", learned(make(loss="hinge", alpha=1.5, lr=0.3, regularization=0.1, init=1.0), t, 24)
        ),
        Check("simulation", "perceptron", learned(make(loss="perceptron", alpha=3.0, lr=0.5, init=1.0), [1, 3, 8], 24)),
        Check("simulation", "batch = 1/4", learned(make(**parts, batch=0.25), t, 24)),
        Check("simulation", "mixture", learned(make(channel="mixture", separation=0.8, alpha=1.5), t, 24)),
        Check("simulation", "epochs of 4", learned(make(**parts, batch=0.25, order="shuffle"), t, 24)),
        Check("integral", "least squares and its spectrum", modes),
        Check("integral", "the end of descent and replicas", ends),
    ]
