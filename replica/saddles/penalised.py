"""Risks with (λ/2)|w|² + λ₁|w|₁ on normal inputs, N → ∞: of what examples say, b = m̂w* + √q̂z, a weight is cut by λ₁.

With ŵ = sign(b) max(|b| − λ₁, 0)/(λ + V̂) all averages over the weights, V = E ∂ŵ/∂b, q = E ŵ² and m = E ŵw*, are sums
over the components of their prior; examples answer as they do to any student (Zou & Hastie, J. R. Stat. Soc. B 67, 301
(2005); Bayati & Montanari, IEEE Trans. Inf. Theory 58, 1997 (2012)).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tsphys.numerics.gaussian import density
from tsphys.numerics.quadrature import panels
from tsphys.physics.inference.channels import Channel
from tsphys.physics.inference.priors import Prior
from tsphys.replica.saddles.gaussian_covariates import Minimum, minimum
from tsphys.solvers.fixed_point import crossing

#: Share of q that has nothing to do with the teacher, below which the difference that it is has lost its digits.
SMALL = 1e-3
#: Share of weights that are not zero, below which none is.
LEAST = 1e-250


@dataclass(frozen=True)
class Cut:
    """Weights of a prior under λ₁.

    Parameters
    ----------
    prior : Prior
    l1 : float
        λ₁.
    """

    prior: Prior
    l1: float

    @property
    def rho(self) -> float:
        """E w*²."""
        return self.prior.second_moment

    @property
    def scale(self) -> float:
        """λV without examples and without λ₁."""
        return 1.0

    def moments(self, q_hat: float, m_hat: float) -> tuple[float, float, float]:
        """P(|b| > λ₁), and E f² and E fw* of f = sign(b) max(|b| − λ₁, 0)."""
        from scipy.special import ndtr

        active = square = overlap = 0.0
        for p, mean, s in self._components():
            width = np.sqrt(q_hat + m_hat**2 * s)
            sides = np.array([self.l1 - m_hat * mean, self.l1 + m_hat * mean]) / width
            beyond, phi = ndtr(-sides), density(sides)
            up, down = width * (phi - sides * beyond)
            active += p * float(beyond.sum())
            square += p * width**2 * float(np.maximum((1 + sides**2) * beyond - sides * phi, 0.0).sum())
            # By parts: the mean of (w* − μ)f is m̂s times the mean slope.
            overlap += p * float(mean * (up - down) + m_hat * s * beyond.sum())
        return active, square, overlap

    def primal(self, lam: float, V_hat: float, q_hat: float, m_hat: float) -> tuple[float, float, float]:
        """V, q − m²/ρ and m."""
        D = lam + V_hat
        active, square, overlap = self.moments(q_hat, m_hat)
        rest = square - overlap**2 / self.rho
        if rest < SMALL * square:
            rest = self._off(q_hat, m_hat, overlap / self.rho)
        return active / D, rest / D**2, overlap / D

    def norm(self, lam: float, V_hat: float, q_hat: float, m_hat: float) -> float:
        """|w|²/N."""
        return self.moments(q_hat, m_hat)[1] / (lam + V_hat) ** 2

    def _components(self) -> Iterator[tuple[float, float, float]]:
        return zip(self.prior.weights, self.prior.means, self.prior.variances, strict=True)

    def _off(self, q_hat: float, m_hat: float, share: float) -> float:
        """E (f − share·w*)², as a sum of what is positive."""
        total = 0.0
        for p, mean, s in self._components():
            width = np.sqrt(q_hat + m_hat**2 * s)
            x, w = panels(-10.0, 10.0, [((side - m_hat * mean) / width, 0.0) for side in (-self.l1, self.l1)])
            b, slope = m_hat * mean + width * x, m_hat * s / width
            f = np.sign(b) * np.maximum(np.abs(b) - self.l1, 0.0)
            weight = w * np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)
            total += p * float(weight @ (f - share * (mean + slope * x)) ** 2 + share**2 * s * q_hat / width**2)
        return total


def penalised(
    name: str, teacher: Channel, prior: Prior, l1: float, alpha: float, lam: float, tol: float = 1e-12
) -> tuple[Minimum, float]:
    """The minimiser of Σ ℓ(y, h) + (λ/2)|w|² + λ₁|w|₁, and the share of its weights that are not zero.

    Parameters
    ----------
    name : {"square", "logistic"}
    teacher : Channel
        Of labels but for ``square``.
    prior : Prior
        The teacher's.
    l1, alpha, lam : float
        λ₁ > 0, n/N and λ > 0.
    tol : float
        Largest relative residual of the saddle point of the logistic loss.

    Raises
    ------
    ConvergenceError
        If the saddle point is not reached.
    """
    weights = Cut(prior, l1)
    if name == "square":
        found = squares(teacher, weights, alpha, lam)
    else:
        # Of students that know nothing labels pull with ½.
        pull = 0.25 * alpha, 0.5 * alpha * teacher.linear_part(weights.rho)[0]
        none = Minimum(0.0, 0.0, 0.0, 0.0, pull[0], *pull, 0.0, float(np.log(2)), 0.0, 0)
        found = none
        if weights.moments(*pull)[0] > LEAST:
            found = minimum(name, teacher, weights, alpha, lam, tol=tol)
    return found, found.V * (lam + found.V_hat)


def squares(teacher: Channel, weights: Cut, alpha: float, lam: float) -> Minimum:
    """Of the square loss: V for a given error, of which its own is another crossing."""
    rho, (c, noise) = weights.rho, teacher.linear_part(weights.rho)

    def seen(E: float, V: float) -> tuple[float, float, float]:
        """V̂, q̂ and m̂ where (y − h)² of a fresh example is E."""
        return alpha / (1 + V), alpha * E / (1 + V) ** 2, alpha * c / (1 + V)

    def response(E: float) -> float:
        """V(λ + V̂) = P(|b| > λ₁), of which the left side grows with V and the right side falls."""

        def gap(log: float) -> float:
            V = float(np.exp(log))
            return V * (lam + alpha / (1 + V)) - weights.moments(*seen(E, V)[1:])[0]

        high, low = -np.log(lam), -690.0
        return float(np.exp(crossing(gap, low, high, "the response"))) if gap(low) < 0 else 0.0

    def state(E: float) -> tuple[float, float, float, float]:
        """V, m, q − m²/ρ and E again."""
        V = response(E)
        V, rest, m = weights.primal(lam, *seen(E, V)) if V > 0 else (0.0, 0.0, 0.0)
        return V, m, rest, noise + (c * rho - m) ** 2 / rho + rest

    def excess(log: float) -> float:
        return float(np.log(max(state(float(np.exp(log)))[3], 1e-300)) - log)

    low = float(np.log(max(noise, 1e-30)))
    high = low + 1.0
    while excess(high) > 0:
        high += 2.0
    E = float(np.exp(crossing(excess, low, high, "the error"))) if excess(low) > 0 else float(np.exp(low))
    V, m, rest, _ = state(E)
    V_hat, q_hat, m_hat = seen(E, V)
    q = rest + m * m / rho
    return Minimum(V, q, m, rest, V_hat, q_hat, m_hat, q, 0.5 * E / (1 + V) ** 2, 0.0, 0)
