"""Labels that are partly wrong, learned by gradient flow: averages over the spectrum of two classes of data.

The Gram matrix XXᵀ/n of the data has a Marchenko–Pastur bulk and the spike of the classes. Its resolvent in the
direction of the true classes, crossed with that of the noise along v, and in all others are rational in the κ of
`tsphys.physics.flows.resolvents`: −(κ − 1)/(κ(κ − 1 − ν²)), −ν²/(κ(κ − 1 − ν²)), and −1/κ.
"""

from __future__ import annotations

import numpy as np

from tsphys.errors import ModelError
from tsphys.models.label_noise import LabelNoise
from tsphys.physics.flows.resolvents import Spectrum
from tsphys.runs import frames


@frames.course(LabelNoise, frames.Times)
def solve(model: LabelNoise, options: frames.Times) -> dict[str, np.ndarray]:
    """What has been learned for N → ∞.

    Returns
    -------
    dict
        Over the times t: ``m`` = v·w; ``q`` = |w|²; ``accuracy``, the share of fresh examples of which the student
        tells the class; ``clean`` and ``flipped``, that of the training examples with true and, if Δ > 0, with wrong
        labels: 1 − ``flipped`` of the latter are known by heart; ``train_loss`` = ½ mean (y − u)² over all examples.

    Raises
    ------
    ConvergenceError
        If an average over the spectrum did not converge.
    """
    from scipy.special import ndtr

    found = frames.stack([state(model, t) for t in options.t])
    true, own, spread, m, q = (found[name] for name in ("true", "own", "spread", "m", "q"))
    rho = 1 - 2 * model.flips
    row = {"m": m, "q": q, "accuracy": ndtr(over(m, q)), "clean": ndtr(over(true + own * (1 - rho), spread))}
    if model.flips > 0:
        row["flipped"] = ndtr(over(true - own * (1 + rho), spread))
    return {**row, "train_loss": found["train_loss"]}


def over(mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Mean over standard deviation: ±∞ where all are alike, and 0, a guess, where nothing has been learned at all."""
    # What is known by heart has no variance but rounding, which leaves infinitely many deviations, or very many.
    with np.errstate(divide="ignore"):
        return mean / np.sqrt(np.where((mean == 0) & (variance == 0), np.inf, variance))


def state(model: LabelNoise, t: float) -> dict[str, float]:
    """Moments at a time: the student's, and those of its answers u = A y* + τ(y − ρy*) + N(0, V) to its examples."""
    nu2, rho, data = model.distance**2, 1 - 2 * model.flips, Spectrum.white(1 / model.alpha)
    # Complex exponents have to be numbers, long after all is over; squares too, where all still grows like t.
    t = min(max(t, 1e-140), 1e300) if t > 0 else 0.0

    def integrand(z: np.ndarray, kappa: np.ndarray) -> np.ndarray:
        along, rest = -(kappa - 1) / (kappa * (kappa - 1 - nu2)), -1 / kappa
        learned, rate = -np.expm1(-z * t), -np.expm1(-z * t) / z
        labels = rho**2 * along + (1 - rho**2) * rest
        # The mean of v over the examples, along their true classes, is ν² of these and their noise along v.
        v = -nu2 / (kappa - 1 - nu2)
        return np.stack([rho * rate * v, z * rate**2 * labels, rho * learned * along, learned * rest,
                         learned**2 * labels])  # fmt: skip

    low, high = data.edges()
    # What does not move at z = 0 is no matter; e^(−zt) must be none on the contour.
    least = float(data.z(np.array(low)))
    left = 0.5 * least if least * t > 1 else -min(0.5, 1 / max(t, 1e-300))
    m, q, true, own, square = data.average(integrand, data.kappa(left), 1.5 * max(high, 1 + nu2)).tolist()
    spread, loss = square - true**2 - (1 - rho**2) * own**2, 1 - 2 * (rho * true + (1 - rho**2) * own) + square
    return {
        "m": m,
        "q": max(q, 0.0),
        "true": true,
        "own": own,
        "spread": max(spread, 0.0),
        "train_loss": 0.5 * max(loss, 0.0),
    }


def onset(model: LabelNoise) -> float:
    """The time at which half of the wrong labels are known by heart; 0 if they are from the start, infinite if never.

    Raises
    ------
    ModelError
        If no label is wrong.
    """
    from scipy.optimize import brentq

    rho = 1 - 2 * model.flips
    if model.flips == 0:
        raise ModelError("flips", 0, "must be > 0: no label is wrong")

    def ahead(log: float) -> float:
        found = state(model, float(np.exp(log)))
        return found["true"] - found["own"] * (1 + rho)

    # Both grow like t at first; at α = 1, where modes are slowest, the noise is learned like 1 − O(t^(−1/2)).
    first, last = np.log(1e-6), np.log(1e6)
    if ahead(first) <= 0:
        return 0.0
    return float(np.exp(brentq(ahead, first, last))) if ahead(last) < 0 else float("inf")
