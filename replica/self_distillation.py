"""Self-distillation of ridge regression, by averages over the spectrum of the sample covariance S = XᵀX/n.

The student after k rounds is g_k(S)Xᵀy/n. What it leaves of a label along an eigenvalue l, h_k = 1 − l g_k, is
λ/(l + λ) at first, and (λ + ξ l h_{k−1})/(l + λ) a round later; after infinitely many, if |ξ| < 1, that
of the ridge λ/(1 − ξ).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tsphys.errors import ModelError
from tsphys.models.self_distillation import SelfDistillation
from tsphys.physics.flows.resolvents import white_average
from tsphys.runs import frames


@frames.static(SelfDistillation)
def solve(model: SelfDistillation) -> dict[str, float]:
    """What has been learned for N → ∞.

    Returns
    -------
    dict
        Over the axis: ``eps_g`` = ½|w − w*|², half the mean squared error without noise; ``m`` = w·w*; ``q`` = |w|²;
        ``train_loss`` = ½ mean (y − w·x)² over the examples and their first labels.

    Raises
    ------
    ConvergenceError
        If an average over the spectrum did not converge.
    """
    return errors(model, [model.mixing] * model.rounds)


def errors(model: SelfDistillation, mixings: Sequence[float]) -> dict[str, float]:
    """Those of rounds with a mixing ξ each."""
    gamma, ridge = 1 / model.alpha, model.ridge

    def powers(eigenvalue: np.ndarray) -> np.ndarray:
        learned, left = 1 / (eigenvalue + ridge), ridge / (eigenvalue + ridge)
        for xi in mixings:
            # Where both are positive nothing cancels, which 1 − h would.
            learned = (1 - xi + xi * eigenvalue * learned) / (eigenvalue + ridge)
            left = (ridge + xi * eigenvalue * left) / (eigenvalue + ridge)
        share = eigenvalue * learned
        return np.stack([left**2, share * learned, share, share**2, eigenvalue * left**2])

    missing, variance, m, square, residual = white_average(powers, gamma).tolist()
    scaled = model.noise**2 * gamma
    # Of n directions in the space of examples N are the inputs'; no other label is learned.
    loss = residual + model.noise**2 * (1 - gamma) + scaled * missing
    return {
        "eps_g": 0.5 * (missing + scaled * variance),
        "m": m,
        "q": square + scaled * variance,
        "train_loss": 0.5 * max(loss, 0.0),
    }


def best_mixing(model: SelfDistillation) -> tuple[float, float]:
    """The ξ of the last round that leaves the least eps_g, and that; rounds before have the model's.

    With h of the rounds before, ξ = (σ²/α − λ) ⟨l h/(l + λ)²⟩/⟨l (l + σ²/α) h²/(l + λ)²⟩: of one round
    positive where λ is less than the best ridge σ²/α, and negative where it is more.

    Raises
    ------
    ModelError
        If there is no round.
    ConvergenceError
        If an average over the spectrum did not converge.
    """
    if model.rounds == 0:
        raise ModelError("rounds", 0, "must be >= 1: labels are mixed from the first on")
    before = [model.mixing] * (model.rounds - 1)
    ridge, best_ridge = model.ridge, model.noise**2 / model.alpha

    def powers(eigenvalue: np.ndarray) -> np.ndarray:
        left = ridge / (eigenvalue + ridge)
        for xi in before:
            left = (ridge + xi * eigenvalue * left) / (eigenvalue + ridge)
        mixed = eigenvalue * left / (eigenvalue + ridge) ** 2
        return np.stack([mixed, mixed * left * (eigenvalue + best_ridge)])

    # A square in ξ, and where its slope vanishes: nothing of large terms must cancel.
    slope, bend = white_average(powers, 1 / model.alpha).tolist()
    best = (best_ridge - ridge) * slope / bend
    return best, errors(model, [*before, best])["eps_g"]


def for_ever(model: SelfDistillation) -> dict[str, float]:
    """What infinitely many rounds tend to: ridge regression with λ/(1 − ξ).

    Raises
    ------
    ModelError
        If they tend to nothing, or to least squares without a ridge: |ξ| ≥ 1.
    """
    if abs(model.mixing) >= 1:
        raise ModelError("mixing", model.mixing, "must be > -1 and < 1 for rounds to tend to an end")
    return errors(replace(model, ridge=model.ridge / (1 - model.mixing)), [])
