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
    (c, b, b_o), gamma = x, model.share * model.outlier**2
    missing = model.beta - c * b
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
    (c, b, b_o), gamma = x, model.share * model.outlier**2
    missing = model.beta - c * b
    fitted = missing**2
    up, down = (0.5 * (fitted + (model.outlier * (model.kappa - s * c * b_o)) ** 2) for s in (1, -1))
    losses = {"loss": 0.5 * (fitted + gamma * (c * b_o) ** 2), "loss_up": up, "loss_down": down}
    cross = c * b - missing, 2 * gamma * c * b_o
    hessian = np.array([[b**2 + gamma * b_o**2, *cross], [cross[0], c**2, 0], [cross[1], 0, gamma * c**2]])
    sharpness = np.linalg.eigvalsh(hessian)[-1] if np.isfinite(hessian).all() else np.inf
    return {"c": c, "b": b, "b_o": b_o, **losses, "curvature": gamma * c**2, "sharpness": sharpness}


def catapult(model: OpposingSignals) -> tuple[float, float]:
    """c² behind a catapult, and the largest b_o² in it, to first order in how far ηγc² gets beyond 2.

    Slow descent with b_o = 0 keeps c² − b² and ends at cb = β, with c² = s₀. From there s = c² falls with
    G = ηγ, d(b_o²)/ds = −ln(Gs − 1)(1 + β²/s²)/(Gs): b_o² grows until s = 2/G, and is used up at the end. How large it
    was at first is no matter. Below the edge c² stays, and b_o vanishes.

    Raises
    ------
    ModelError
        If the excess is too large for a law of small ones: c² would end below 1/G, where steps no longer alternate.
    """
    G, kept = model.lr * model.share * model.outlier**2, model.c**2 - model.b**2
    first = 0.5 * (kept + np.hypot(kept, 2 * model.beta))

    def gained(low: float, high: float) -> float:
        """Over u = Gs − 1, at whose logarithm b_o² grows or shrinks."""
        u, weights = panels(low, high, [(0.0, 1e-16)])
        return float(weights @ (np.log(u) * (1 + (model.beta * G / (1 + u)) ** 2) / (G + G * u)))

    if G * first <= 2:
        return float(first), 0.0
    peak = gained(1, G * first - 1)
    if peak + gained(0, 1) >= 0:
        words = f"must be closer to {2 * model.lr / (G * first):.4g}, where catapults begin, for a law of small ones"
        raise ModelError("lr", model.lr, words)
    return (1 + crossing(lambda u: peak + gained(u, 1), 0, 1)) / G, peak
