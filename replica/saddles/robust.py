"""Regression with bounded forces, Huber's loss and the absolute one, on noise with outliers: the saddle point, N → ∞.

On isotropic inputs an example is seen through its residual δ = y − ω alone, a mixture of Gaussians of variances
e + Δ_k with e = |w* − w|²/N. With f = clip(δ/(γ + V), −c, c), γ = 1 for Huber and 0 with c = 1 for ``absolute``::

    1/V = λ + α E f',     e = (λV)² + αV² E f²,     m = 1 − λV

For a given e the first has one solution V, so that everything is a crossing of one unknown (El Karoui et al., PNAS 110,
14557 (2013); Donoho & Montanari, Probab. Theory Relat. Fields 166, 935 (2016)).
"""

from __future__ import annotations

import numpy as np

from tsphys.physics.inference.losses import BOUNDED
from tsphys.replica.saddles.gaussian_covariates import Minimum
from tsphys.solvers.fixed_point import crossing


def robust_regression(
    name: str, corner: float, noises: tuple[tuple[float, float], ...], alpha: float, lam: float
) -> Minimum:
    """The minimiser of Σ ℓ(y − h) + (λ/2)|w|² for y = z + noise.

    Parameters
    ----------
    name : {"huber", "absolute"}
    corner : float
        c of Huber's loss.
    noises : pairs (probability, variance)
        Of the mixture that the noise is drawn from.
    alpha, lam : float
        n/N and λ > 0.
    """
    soft = BOUNDED[name]
    c = corner if soft else 1.0
    p, variances = (np.array(x) for x in zip(*noises, strict=True))

    def averages(e: float, V: float) -> tuple[float, float, float]:
        """E f', E f² and E ℓ."""
        from scipy.special import erf, erfc

        s = np.sqrt(e + variances)
        a = c * (soft + V) / s
        inside, outside = erf(a / np.sqrt(2)), erfc(a / np.sqrt(2))
        density = np.exp(-0.5 * np.minimum(a * a, 1500)) * np.sqrt(2 / np.pi)
        # E δ² within, and E|δ| beyond.
        within = s**2 * np.where(a < 1e-2, np.sqrt(2 / np.pi) * a**3 / 3 * (1 - 0.3 * a**2), inside - a * density)
        square = within / (soft + V) ** 2 + c**2 * outside
        cost = 0.5 * soft * within / (soft + V) ** 2 + c * s * density - c**2 * (V + 0.5 * soft) * outside
        return float(p @ inside) / (soft + V), float(p @ square), float(p @ cost)

    def response(e: float) -> float:
        """V λ + α V E f' = 1, of which the left side grows with V."""

        def gap(log: float) -> float:
            V = float(np.exp(log))
            return lam * V + alpha * V * averages(e, V)[0] - 1

        high = -np.log(lam)
        low = high - 1.0
        while gap(low) > 0:
            low -= 5.0
        return float(np.exp(crossing(gap, low, high, "the response")))

    def excess(log: float) -> float:
        e = float(np.exp(log))
        V = response(e)
        return float(np.log((lam * V) ** 2 + alpha * V * V * averages(e, V)[1]) - log)

    # Below, rounding decides; above, forces that are all at their bound move w by (αc)²/λ² at most.
    low, high = -70.0, float(np.log(2 + 2 * (alpha + alpha**2) * (c / lam) ** 2))
    e = float(np.exp(crossing(excess, low, high, "the error"))) if excess(low) > 0 else 0.0
    V = response(max(e, float(np.exp(low))))
    slope, square, trained = averages(max(e, float(np.exp(low))), V)
    m, rest = 1 - lam * V, alpha * V * V * square
    return Minimum(
        V, m * m + rest, m, rest, alpha * slope, alpha * square, alpha * slope, m * m + rest, trained, 0.0, 0
    )
