"""Inductive bias in bits: −log₂ of the probability of a small error, by cumulants and by the volume of version spaces.

An error of sign(w·v) is at most ε where Z = cos²(πε) wᵀΩw − (u·w)² ≤ 0 and u·w > 0, Ω = E vvᵀ, u = E vν: a quadratic
form of Gaussian weights, for features with the spectrum of Marchenko & Pastur, for a perceptron Ω = 1, |u| = 1. Of a
Gaussian process with n examples E e^(−σE) in the posterior is a ratio of two evidences, that with the eigenvalues and
the target λ/(1 + 2σλ), v/(1 + 2σλ) over that with λ, v, each of which follows from an effective ridge.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from tsphys.models.inductive_bias import InductiveBias
from tsphys.physics.kernels.eigenframework import effective_ridges
from tsphys.physics.kernels.hermite import parts
from tsphys.physics.kernels.spectra import marchenko_pastur
from tsphys.replica.saddles.tails import exponent, log_probability, slope
from tsphys.replica.saddles.version_space import log_mass, typical, volume
from tsphys.runs import frames
from tsphys.solvers.fixed_point import crossing

_LN2 = math.log(2)
Cumulants = Callable[[np.ndarray], np.ndarray]


@frames.static(InductiveBias)
def solve(model: InductiveBias) -> dict[str, float]:
    """Bits at finite size, but for what one set of features or examples has that others have not.

    Returns
    -------
    dict
        Over the axis: ``bits``, −log₂ of the probability of an error of at most ε; ``exponent``, its part that grows
        with the size; ``eps_g``, the mean error of a hypothesis that is drawn; of a perceptron ``information``, −log₂
        of the share of all students that have the n labels right. Bits are infinite where no hypothesis is as good.

    Raises
    ------
    ConvergenceError
        If a saddle point is not reached.
    """
    if model.hypotheses == "gaussian_process":
        return process(model)
    return features(model) if model.hypotheses == "features" else perceptron(model)


def perceptron(model: InductiveBias) -> dict[str, float]:
    """A student of the version space: exact without examples, to O(1) with them."""
    N, alpha, theta = model.inputs, model.examples / model.inputs, math.pi * model.error
    whole, mean = log_mass(alpha, N)
    bits = (whole - log_mass(alpha, N, theta)[0]) / _LN2
    peak = 0.5 * math.pi if alpha == 0 else typical(alpha)
    rare = (volume(alpha, peak) - volume(alpha, theta)) / _LN2 if theta < peak else 0.0
    known = (log_mass(0.0, N)[0] - whole) / _LN2
    return {"bits": bits, "exponent": N * rare, "eps_g": mean / math.pi, "information": known}


def features(model: InductiveBias) -> dict[str, float]:
    """Weights drawn before examples, with the mean spectrum of features of this size."""
    F, end = features_cumulants(model)
    if end == math.inf:
        return {"bits": math.inf, "exponent": math.inf, "eps_g": 0.5}
    # Of w and −w one has u·w > 0.
    bits = 1 - log_probability(F, 0.0, end) / _LN2
    return {"bits": bits, "exponent": -F(np.array([end * (1 - 1e-12) + 0j]), True)[0].real / _LN2, "eps_g": 0.5}


def features_cumulants(model: InductiveBias) -> tuple[Callable[..., np.ndarray], float]:
    """ln E e^(−σZ), or of it what is of order K; and where it becomes infinite, at no σ if no student is as good."""
    part, ratio = parts(model.activation), model.features / model.inputs
    nodes, weight = marchenko_pastur(ratio)
    square, omega = math.cos(math.pi * model.error) ** 2, part.slope**2 * nodes + part.rest
    pull = part.slope**2 * ratio * weight * nodes

    def along(sigma: np.ndarray) -> np.ndarray:
        """2σ uᵀ(1 + 2σ cos² Ω)⁻¹u."""
        return np.asarray((2 * sigma[:, None] / (1 + 2 * sigma[:, None] * square * omega)) @ pull)

    def F(sigma: np.ndarray, large: bool = False) -> np.ndarray:
        whole = -0.5 * model.features * (np.log(1 + 2 * sigma[:, None] * square * omega) @ weight)
        return whole if large else whole - 0.5 * np.log(1 - along(sigma))

    def gap(log: float) -> float:
        return float(along(np.array([math.exp(log)]))[0]) - 1

    high = 60.0
    return F, math.exp(crossing(gap, -60.0, high, "the best student")) if gap(high) > 0 else math.inf


def process(model: InductiveBias) -> dict[str, float]:
    """A Gaussian process, exact without examples; with them ln P has the mean cumulants of the posterior."""
    i = np.arange(1.0, model.modes + 1)
    eigenvalues, target = i**-model.decay, i ** (-0.5 * model.target_decay)
    F = partial(process_cumulants, eigenvalues, target / np.linalg.norm(target), model)
    mean, e = -slope(F, 0.0), 2 * model.error
    bits, rare = (abs(log) / _LN2 for log in (log_probability(F, e), exponent(F, e, mean)))
    return {"bits": bits, "exponent": rare, "eps_g": 0.5 * mean}


def process_cumulants(
    eigenvalues: np.ndarray, target: np.ndarray, model: InductiveBias, sigma: np.ndarray
) -> np.ndarray:
    """Mean ln E e^(−σE) over examples, in the posterior, E = Σ(√λ g − v)², at a path of σ."""
    grown = 1 + 2 * sigma[:, None] * eigenvalues
    prior = (-0.5 * np.log(grown) - sigma[:, None] * target**2 / grown).sum(axis=1)
    if model.examples == 0:
        return np.asarray(prior)
    at_rest = evidence(eigenvalues[None] + 0j, target[None], model)[0]
    return np.asarray(prior - 0.5 * (evidence(eigenvalues / grown, target / grown, model) - at_rest))


def evidence(eigenvalues: np.ndarray, target: np.ndarray, model: InductiveBias) -> np.ndarray:
    """−2 ln of it, on average over n examples and up to a constant, at a path of complex λ and v, (path, modes)."""
    n, delta = model.examples, model.variance
    log = math.log(effective_ridges(eigenvalues[0].real, n, math.inf, delta)[1])
    out = np.zeros(len(eigenvalues), dtype=complex)
    last = complex(log)
    for k, (lam, v) in enumerate(zip(eigenvalues, target, strict=True)):
        # Σ λ/(λ + κ) + δ/κ = n, by Newton's method in ln κ.
        for _ in range(60):
            kappa = np.exp(last)
            learned = lam / (lam + kappa)
            left = learned.sum() + delta / kappa - n
            step = left / ((learned * (1 - learned)).sum() + delta / kappa)
            last += step
            if abs(step) < 1e-14:
                break
        kappa = np.exp(last)
        out[k] = (
            np.log1p(lam / kappa).sum() + n * last + delta / kappa
            + (v * v / (lam + kappa)).sum() + model.noise**2 / kappa
        )  # fmt: skip
    return out
