"""Two students of the same examples, each of which counts p times, with p drawn anew for every student, N → ∞.

Of a student alone an example has the loss pℓ, whose proximal map has pV in place of V. Two of them answer to the same
fields of the teacher, ω₁ and ω₂ of covariances q and q₁₂, and have nothing to do with each other but the data:

    q̂₁₂ = α E_y,ω f̄(y, ω₁) f̄(y, ω₂),   f̄ = E_p f,   q₁₂ − m²/ρ = q̂₁₂⟨(ω/D)²⟩ + m̂² spread

The mean of B students has |w|²/N = q₁₂ + (q − q₁₂)/B. Of Poisson's p that is the bootstrap (Efron 1979; Breiman 1996;
Clarté, Vandenbroucque, Dalle, Loureiro, Krzakala & Zdeborová, AISTATS 2024), of p = 0 or 1 a part of the data.
"""

from __future__ import annotations

import math

import numpy as np

from tsphys.numerics.quadrature import panels
from tsphys.physics.inference.channels import Channel
from tsphys.physics.inference.losses import corners, proximal
from tsphys.replica.saddles.gaussian_covariates import Counts, Covariates, Minimum, minimum
from tsphys.solvers.fixed_point import crossing

#: Least probability of a count that is counted.
RARE = 1e-15
#: Widths of what differs between two students in the range of their fields, from which on kinks are smoothed by nodes.
WIDE = 400


def law(resampling: str, fraction: float) -> Counts:
    """How often an example is drawn: by Poisson's law for ``bootstrap``, else once or not at all."""
    if resampling == "subsample":
        return ((0.0, 1 - fraction), (1.0, fraction))
    chances = [math.exp(-fraction + p * math.log(fraction) - math.lgamma(p + 1)) for p in range(60)]
    return tuple((float(p), chance) for p, chance in enumerate(chances) if chance > RARE)


def pair(
    name: str, teacher: Channel, covariates: Covariates, alpha: float, lam: float, counts: Counts, tol: float = 1e-12
) -> tuple[Minimum, float]:
    """A student, and q₁₂ − m²/ρ of two.

    Parameters
    ----------
    name : {"square", "logistic", "hinge"}
    teacher : Channel
        Of labels, y → −y with z → −z, but for ``square``.
    covariates, alpha, lam
        As in `gaussian_covariates.minimum`.
    counts : pairs (p, probability)

    Raises
    ------
    ConvergenceError
        If a saddle point is not reached.
    """
    if name == "square":
        return squares(teacher, covariates, alpha, lam, counts)
    one = minimum(name, teacher, covariates, alpha, lam, tol=tol, counts=counts)
    D = lam + one.V_hat * covariates.omega
    gain = float(covariates.weights @ (covariates.omega / D) ** 2)
    known = one.m_hat**2 * covariates.spread(covariates.omega / D)

    def excess(log: float) -> float:
        rest = float(np.exp(log))
        return float(np.log(known + gain * alpha * _forces(name, teacher, covariates.rho, one, rest, counts)) - log)

    high = float(np.log(one.rest)) - 1e-9
    if excess(high) >= 0:
        # The same examples: the same student.
        return one, one.rest
    low = high - 1.0
    while excess(low) < 0:
        low -= 4.0
    return one, float(np.exp(crossing(excess, low, high, "the overlap of two students")))


def _forces(name: str, teacher: Channel, rho: float, one: Minimum, rest: float, counts: Counts) -> float:
    """E f̄(y, ω₁) f̄(y, ω₂) of q₁₂ = m²/ρ + `rest`: ω = u + √(q − q₁₂)η, of which y knows u alone."""
    q, u = rest + one.m**2 / rho, np.arcsinh(one.m / np.sqrt(rho * rest))
    root, slope, left = np.sqrt(q), np.sqrt(rho) * np.tanh(u), rho / np.cosh(u) ** 2
    width = float(np.sqrt(one.rest - rest))
    bends = [at for p, _ in counts if p > 0 for at, _ in corners(name, p * one.V)] if name == "hinge" else []
    step = (0.0, np.sqrt(left) / max(abs(slope), 1e-300))
    z, w = panels(-9.0, 9.0, [step, *((at / root, width / root) for at in bends)])
    y = np.ones(z.shape)
    weight = 2 * w * np.exp(teacher.log_partition(y, slope * z, left) - 0.5 * z * z) / np.sqrt(2 * np.pi)

    def force(omega: np.ndarray) -> np.ndarray:
        parts = [c * p * proximal(name, 1.0, omega, p * one.V)[1] for p, c in counts if p > 0]
        return np.asarray(np.sum(parts, axis=0))

    # On a grid of its own the mean over η is a product of matrices, with kinks where panels meet.
    if 18 * root < WIDE * width:
        x, dx = panels(-9 * (root + width), 9 * (root + width), [(at, 0.0) for at in bends], 1.5 * width)
        kernel = np.exp(-0.5 * ((x - root * z[:, None]) / width) ** 2) / (np.sqrt(2 * np.pi) * width)
        mean = kernel @ (dx * force(x))
    else:
        eta, chance = np.polynomial.hermite_e.hermegauss(40)
        mean = force(root * z[:, None] + width * eta) @ (chance / chance.sum())
    return float(weight @ mean**2)


def squares(
    teacher: Channel, covariates: Covariates, alpha: float, lam: float, counts: Counts
) -> tuple[Minimum, float]:
    """`pair` of the square loss: one unknown V, all else is linear in the errors."""
    omega, weights, rho = covariates.omega, covariates.weights, covariates.rho
    c, noise = teacher.linear_part(rho)
    p, chance = (np.array(x) for x in zip(*counts, strict=True))

    def stiffness(V: float) -> tuple[float, float]:
        """E p/(1 + pV) and the mean of its square."""
        return float(chance @ (p / (1 + p * V))), float(chance @ (p / (1 + p * V)) ** 2)

    def gap(log: float) -> float:
        V = float(np.exp(log))
        return 1 - float(weights @ (omega / (lam * V + alpha * V * stiffness(V)[0] * omega)))

    high = float(np.log(covariates.scale / lam)) + 1e-9
    low = float(np.log(weights @ (omega / (lam + alpha * (chance @ p) * omega)))) - 1e-9
    V = float(np.exp(crossing(gap, low, high, "the response")))
    first, second = stiffness(V)
    V_hat, m_hat = alpha * first, c * alpha * first
    D = lam + V_hat * omega
    gain, m = float(weights @ (omega / D) ** 2), float(weights @ (m_hat * covariates.teacher / D))
    known = m_hat**2 * covariates.spread(omega / D)
    fixed = noise + (c * rho - m) ** 2 / rho + known
    error, common = fixed / (1 - alpha * second * gain), fixed / (1 - alpha * first**2 * gain)
    q_hat = alpha * second * error
    rest = known + q_hat * gain
    norm = covariates.norm(lam, V_hat, q_hat, m_hat)
    trained = 0.5 * error * float(chance @ (p / (1 + p * V) ** 2))
    one = Minimum(V, rest + m * m / rho, m, rest, V_hat, q_hat, m_hat, norm, trained, 0.0, 0)
    return one, known + alpha * first**2 * common * gain
