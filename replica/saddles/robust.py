"""Regression with bounded forces, Huber's loss and the absolute one, on noise with outliers: the saddle point, N → ∞.

An example is seen through its residual δ = y − ω alone, a mixture of Gaussians of variances e + Δ_k with
e = (w* − w)ᵀΩ(w* − w)/N; ω are the eigenvalues of Ω. With f = clip(δ/(γ + V), −c, c), γ = 1 for Huber and 0 with c = 1
for ``absolute``::

    V = ⟨ω/D⟩,  D = λ + ωα E f',     e = ⟨ω(λ² + ωα E f²)/D²⟩,     m = ⟨ω²/D⟩ α E f'

For a given e the first has one solution V, so that everything is a crossing of one unknown (El Karoui et al., PNAS 110,
14557 (2013); Donoho & Montanari, Probab. Theory Relat. Fields 166, 935 (2016)).
"""

from __future__ import annotations

import numpy as np

from tsphys.physics.inference.losses import BOUNDED
from tsphys.replica.saddles.gaussian_covariates import Covariates, Minimum
from tsphys.solvers.fixed_point import crossing


def robust_regression(
    name: str, corner: float, noises: tuple[tuple[float, float], ...], covariates: Covariates, alpha: float, lam: float
) -> Minimum:
    """The minimiser of Σ ℓ(y − h) + (λ/2)|w|² for y = z + noise.

    Parameters
    ----------
    name : {"huber", "absolute"}
    corner : float
        c of Huber's loss.
    noises : pairs (probability, variance)
        Of the mixture that the noise is drawn from.
    covariates : Covariates
        Of a teacher who is alike in all directions.
    alpha, lam : float
        n/N and λ > 0.
    """
    omega, weights = covariates.omega, covariates.weights
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
        """⟨ω/(Vλ + ωα V E f')⟩ = 1, of which the left side falls with V."""

        def gap(log: float) -> float:
            V = float(np.exp(log))
            return 1 - float(weights @ (omega / (lam * V + omega * alpha * V * averages(e, V)[0])))

        high = float(np.log(covariates.scale / lam)) + 1e-9
        low = high - 1.0
        while gap(low) > 0:
            low -= 5.0
        return float(np.exp(crossing(gap, low, high, "the response")))

    def excess(log: float) -> float:
        e = float(np.exp(log))
        slope, square, _ = averages(e, response(e))
        D = lam + omega * alpha * slope
        return float(np.log(weights @ (omega * (lam**2 + omega * alpha * square) / D**2)) - log)

    # Below, rounding decides; above, forces that are all at their bound move w by (αc)²/λ² at most.
    low, high = -70.0, float(np.log(2 * covariates.rho + 2 * (alpha + alpha**2) * (omega.max() * c / lam) ** 2))
    e = float(np.exp(crossing(excess, low, high, "the error"))) if excess(low) > 0 else 0.0
    V = response(max(e, float(np.exp(low))))
    slope, square, trained = averages(max(e, float(np.exp(low))), V)
    hats = alpha * slope, alpha * square, alpha * slope
    _, rest, m = covariates.primal(lam, *hats)
    norm = covariates.norm(lam, *hats)
    return Minimum(V, m * m / covariates.rho + rest, m, rest, *hats, norm, trained, 0.0, 0)
