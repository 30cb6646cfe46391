"""Gradient descent of opposing signals on the whole population: an exact map of three numbers, c, b along β, b_o."""

from __future__ import annotations

import numpy as np

from tsphys.models.opposing_signals import OpposingSignals
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
        ``loss_up`` and ``loss_down``, that of the outliers of either sign; ``curvature`` γc².
    """
    (c, b, b_o), gamma = x, model.share * model.outlier**2
    fitted = (model.beta - c * b) ** 2
    up, down = (0.5 * (fitted + (model.outlier * (model.kappa - s * c * b_o)) ** 2) for s in (1, -1))
    losses = {"loss": 0.5 * (fitted + gamma * (c * b_o) ** 2), "loss_up": up, "loss_down": down}
    return {"c": c, "b": b, "b_o": b_o, **losses, "curvature": gamma * c**2}
