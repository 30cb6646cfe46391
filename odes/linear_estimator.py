"""Linear students by gradient flow: averages of exponentials over the spectrum of their examples.

Along an eigenvalue λ of XᵀX/P what is missing of w* falls like e^{−λt}. Training errors count it with λ, fresh ones do
not, so that what is slow is seen in them alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import number
from tsphys.models.linear_estimator import LinearEstimator
from tsphys.numerics.roots import crossing
from tsphys.physics.flows.resolvents import white_average
from tsphys.runs import frames


@frames.course(LinearEstimator, frames.Times)
def solve(model: LinearEstimator, options: frames.Times) -> dict[str, np.ndarray]:
    """What has been learned for D → ∞.

    Returns
    -------
    dict
        Over the times t: ``mse`` = |w − w*|², the mean squared error without noise, and ``train_mse`` = mean (y − w·x)²
        over the examples; ``accuracy`` and ``train_accuracy``, the shares of fresh inputs and of examples whose answer
        is off by at most √κ.

    Raises
    ------
    ConvergenceError
        If an average over the spectrum did not converge.
    """
    from scipy.special import erf

    found = frames.stack([errors(model, t) for t in options.t.tolist()])

    def right(square: np.ndarray) -> np.ndarray:
        """Of normal deviations with this mean square."""
        with np.errstate(divide="ignore", over="ignore"):
            return np.asarray(erf(np.sqrt(model.tolerance / (2 * square))))

    return {**found, "accuracy": right(found["mse"]), "train_accuracy": right(found["train_mse"])}


def errors(model: LinearEstimator, t: float) -> dict[str, float]:
    """Both mean squared errors at a time."""
    gamma, noise = 1 / model.alpha, model.noise**2

    def powers(eigenvalue: np.ndarray) -> np.ndarray:
        missing, learned = np.exp(-2 * eigenvalue * t), -np.expm1(-eigenvalue * t)
        followed = np.divide(learned**2, eigenvalue, out=np.zeros_like(learned), where=eigenvalue > 0)
        return np.stack([missing, eigenvalue * missing, followed])

    missing, seen, followed = white_average(powers, gamma).tolist()
    # Of P directions in the space of examples D are the inputs'; no other noise is learned.
    left = noise * max(1 - gamma + gamma * missing, 0.0)
    return {"mse": missing + noise * gamma * followed, "train_mse": seen + left}


def delay(model: LinearEstimator, threshold: float) -> float:
    """How much later the error on fresh inputs falls below a threshold than that on the examples.

    For a threshold → 0 it grows up to ln(1/λ₋)/(2λ₋), λ₋ = (1 − α^(−1/2))² the smallest eigenvalue.

    Raises
    ------
    ModelError
        If an error never falls that low, of noisy labels or too few examples, or is there from the start.
    """
    low = number("threshold", threshold, low=1e-100, high=1.0, open_high=True)
    if model.noise > 0:
        raise ModelError("noise", model.noise, "must be 0: labels that are noisy are never learned in full")
    if model.alpha <= 1 - low:
        raise ModelError("alpha", model.alpha, f"must be > {1 - low:g}, or fresh inputs are never told to {low:g}")

    def when(error: Callable[[float], float]) -> float:
        # The slowest direction is at least that fast, and none is left at the most.
        slowest = max((1 - model.alpha**-0.5) ** 2, 1e-12)
        last = math.log(1 / low) / slowest + 10

        def off(log: float) -> float:
            return error(math.exp(log)) - low

        return math.exp(crossing(off, math.log(1e-9), math.log(last), "the time of a threshold"))

    return when(lambda t: errors(model, t)["mse"]) - when(lambda t: errors(model, t)["train_mse"])
