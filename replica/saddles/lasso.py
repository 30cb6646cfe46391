"""The lasso on normal inputs as N → ∞: each weight is seen as r = w* + τz, and cut off by θ; all but zeros are normal.

With τ² = (Δ + E)/α and E the error of f(r) = sign(r) max(|r| − θ, 0), λ = θ(α − P(|r| > θ)) (Bayati & Montanari, IEEE
Trans. Inf. Theory 58, 1997 (2012)). For a given θ/τ the first is one crossing, and λ grows with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tsphys.solvers.fixed_point import crossing


@dataclass(frozen=True)
class Lasso:
    """A lasso: λ and θ/τ, its error, the share of weights that are not zero, and of the teacher's among them."""

    regularization: float
    cut: float
    mse: float
    active: float
    found: float


def minimum(alpha: float, density: float, noise: float, lam: float) -> Lasso:
    """The minimiser of ½|y − Xw|² + λ|w|₁ for X ~ N(0, 1/N), n = αN: λ grows with θ/τ."""
    least = smallest_cut(alpha)

    def excess(log: float) -> float:
        return at_cut(alpha, density, noise, least + math.exp(log)).regularization - lam

    high = math.log(lam / math.sqrt(alpha * noise) + 10)
    return at_cut(alpha, density, noise, least + math.exp(crossing(excess, -25.0, high, "the lasso's threshold")))


def best(alpha: float, density: float, noise: float) -> Lasso:
    """That of the λ at which the error is least."""
    from scipy.optimize import minimize_scalar

    least = smallest_cut(alpha)
    found = minimize_scalar(
        lambda log: at_cut(alpha, density, noise, least + math.exp(log)).mse, bounds=(-12.0, 3.0), method="bounded",
        options={"xatol": 1e-9},
    )  # fmt: skip
    return at_cut(alpha, density, noise, least + math.exp(found.x))


def smallest_cut(alpha: float) -> float:
    """θ/τ below which nothing but noise passes the threshold as much as α of it: no error is finite there."""
    if alpha >= 1:
        return 0.0
    return crossing(lambda k: noise_passed(k) - alpha, 0.0, 40.0, "the smallest threshold")


def noise_passed(cut: float) -> float:
    """E soft(z; κ)² of z ~ N(0, 1)."""
    return (1 + cut * cut) * math.erfc(cut / math.sqrt(2)) - cut * math.sqrt(2 / math.pi) * math.exp(-0.5 * cut * cut)


def at_cut(alpha: float, density: float, noise: float, cut: float) -> Lasso:
    """The lasso with θ = κτ: E(τ) = ατ² − Δ, of which E is concave in τ²."""

    def error(tau: float) -> tuple[float, float, float]:
        """E, and the shares of weights that pass, all and the teacher's."""
        E = active = passing = 0.0
        for share, v in ((1 - density, 0.0), (density, 1 / density)):
            s = math.sqrt(v + tau * tau)
            a = cut * tau / s
            passing = math.erfc(a / math.sqrt(2))
            # E f² − 2 E f w + E w² with E f w = v erfc, and 1 − erfc with its digits.
            cost = s * s * noise_passed(a) + v * (math.erf(a / math.sqrt(2)) - passing)
            E += share * cost
            active += share * passing
        return E, active, passing

    def gap(log: float) -> float:
        tau = math.exp(log)
        return math.log(alpha * tau * tau) - math.log(noise + error(tau)[0])

    low = 0.5 * math.log(noise / alpha) - 1e-9
    high = max(low, 0.0) + 1
    while gap(high) < 0:
        high += 2
        if high > 60:
            return Lasso(-math.inf, cut, math.inf, 1.0, 1.0)
    tau = math.exp(crossing(gap, low, high, "the noise of a weight"))
    E, active, found = error(tau)
    return Lasso(cut * tau * (alpha - active), cut, E, active, found)
