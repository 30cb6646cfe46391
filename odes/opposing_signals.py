"""Gradient descent of opposing signals on the whole population: an exact map of three numbers, c, b along β, b_o."""

from __future__ import annotations

import numpy as np

from tsphys.errors import ModelError
from tsphys.models.opposing_signals import OpposingSignals
from tsphys.numerics.quadrature import panels
from tsphys.numerics.roots import crossing
from tsphys.runs import frames


def step(model: OpposingSignals, x: np.ndarray) -> np.ndarray:
    """(c, b, b_o) after a step of gradient descent."""
    (c, b, b_o), gamma, missing = x, model.gamma, model.beta - x[0] * x[1]
    return x + model.lr * np.array([b * missing - gamma * c * b_o**2, c * missing, -gamma * c**2 * b_o])


@frames.iterated(OpposingSignals, start=lambda model: np.array([model.c, model.b, model.b_o]), step=step)
def solve(model: OpposingSignals, x: np.ndarray) -> dict[str, float]:
    """Weights and losses for infinitely many data.

    Returns
    -------
    dict
        Over the steps t: ``c``, ``b``, ``b_o``; ``loss``, ½⟨(y − f)²⟩ above the least that a student has, ½κ²γ;
        ``loss_up`` and ``loss_down``, that of the outliers of either sign; ``curvature`` γc², that along b_o;
        ``sharpness``, the largest eigenvalue of the Hessian.
    """
    (c, b, b_o), gamma, missing = x, model.gamma, model.beta - x[0] * x[1]
    answered = {"loss_up": model.kappa - c * b_o, "loss_down": model.kappa + c * b_o}
    losses = {name: 0.5 * (missing**2 + (model.outlier * off) ** 2) for name, off in answered.items()}
    cross = c * b - missing, 2 * gamma * c * b_o
    hessian = np.array([[b**2 + gamma * b_o**2, *cross], [cross[0], c**2, 0], [cross[1], 0, gamma * c**2]])
    sharpness = np.linalg.eigvalsh(hessian)[-1] if np.isfinite(hessian).all() else np.inf
    loss = 0.5 * (missing**2 + gamma * (c * b_o) ** 2)
    return {"c": c, "b": b, "b_o": b_o, "loss": loss, **losses, "curvature": gamma * c**2, "sharpness": sharpness}


def catapult(model: OpposingSignals) -> tuple[float, float]:
    """c² behind a catapult, and the largest b_o² in it, to first order in how far G c², G = ηγ, gets beyond 2.

    Slow descent with b_o = 0 keeps c² − b² and ends at cb = β. From there s = c² falls with
    d(b_o²)/ds = −ln(Gs − 1)(1 + β²/s²)/(Gs): b_o² grows until Gs = 2, and is used up at the end, however small it was.
    Below the edge c² stays.

    Raises
    ------
    ModelError
        If c² would end below 1/G, where steps no longer alternate: the excess is too large for a law of small ones.
    """
    G, kept = model.lr * model.gamma, model.c**2 - model.b**2
    first = 0.5 * (kept + np.hypot(kept, 2 * model.beta))

    def gained(low: float, high: float) -> float:
        """Of b_o², over u = Gs − 1."""
        u, weights = panels(low, high, [(0.0, 1e-16)])
        return float(weights @ (np.log(u) * (1 + (model.beta * G / (1 + u)) ** 2) / (G + G * u)))

    if G * first <= 2:
        return float(first), 0.0
    peak = gained(1, G * first - 1)
    if peak + gained(0, 1) >= 0:
        edge = 2 * model.lr / (G * first)
        raise ModelError("lr", model.lr, f"must be closer to {edge:.4g}, where it begins, for a law of small excesses")
    return (1 + crossing(lambda u: peak + gained(u, 1), 0, 1)) / G, peak
