"""Random features for N → ∞ at fixed p/N and n/N: the Gaussian model with the same covariances.

The features may be replaced by v = κ_1 Fx/√N + κ_* ξ with ξ ~ N(0, I) (Gerace et al. 2020; Goldt et al. 2022; Hu & Lu
2023), whose covariance Ω = κ_1² FFᵀ/N + κ_*² I has the Marchenko–Pastur law. For the square loss all is closed; for
others it is the saddle point of `tsphys.replica.saddles.gaussian_covariates`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tsphys.errors import ModelError
from tsphys.models.random_features import RandomFeatures
from tsphys.physics.inference.channels import channel
from tsphys.physics.kernels.eigenframework import effective_ridge as effective
from tsphys.physics.kernels.eigenframework import surplus
from tsphys.physics.kernels.hermite import parts
from tsphys.physics.kernels.spectra import marchenko_pastur
from tsphys.replica.saddles.gaussian_covariates import LARGEST, Covariates, minimum
from tsphys.runs import frames
from tsphys.solvers.fixed_point import maximum


@frames.static(RandomFeatures)
def solve(model: RandomFeatures) -> dict[str, float]:
    """Errors of a trained readout over the number of features, of examples, the ridge or the noise.

    Returns
    -------
    dict
        Over the axis: ``eps_g``, ½⟨(h − ν)²⟩ for a linear teacher, the probability of a sign other than the
        teacher's, without its noise, for a teacher ``sign``; ``train_loss``, the mean of ℓ over the examples, without
        penalty; ``m`` = ⟨hν⟩ and ``q`` = ⟨h²⟩ on fresh inputs.

    Raises
    ------
    ModelError
        If an argument is out of range, or the error is infinite: without a ridge, where the examples just fix w.
    ConvergenceError
        If the saddle point of another loss than the square is not reached.

    References
    ----------
    Mei & Montanari, Commun. Pure Appl. Math. 75, 667 (2022); Loureiro et al., NeurIPS 2021, eqs. (2.11)-(2.13).
    """
    return square(model) if model.loss == "square" else risk(model)


def optimal_ridge(model: RandomFeatures) -> float:
    """The ridge λ of the least eps_g, between 1e-12 and 1e12 in units of the mean of the features' squares.

    For a loss other than the square between 1e-6 and 1e6, since it is found by iteration there.
    """
    _, slope, rest = parts(model.activation)
    unit = slope**2 + rest
    most = np.log(1e12 if model.loss == "square" else 1e6)
    found, _ = maximum(
        lambda log: -solve(replace(model, ridge=unit * float(np.exp(log))))["eps_g"][0],
        -most,
        most,
        97 if model.loss == "square" else 25,
    )
    return unit * float(np.exp(found))


class Law(NamedTuple):
    """Averages over the eigenvalues ω = κ_1² s + κ_*² of the features' covariance at an effective ridge g.

    Attributes
    ----------
    first, second : float
        ⟨ω/(ω + g)⟩ and ⟨ω²/(ω + g)²⟩.
    signal, kept : float
        ⟨T/(ω + g)⟩ and ⟨Tω/(ω + g)²⟩, where T is the teacher's weight on an eigenvector.
    left, spread : float
        1 minus `first` and 1 minus `second`, which hold their digits as g → 0.
    bias : float
        1 − 2 signal + kept, what of the teacher is not learned, likewise.
    """

    first: float
    second: float
    signal: float
    kept: float
    left: float
    spread: float
    bias: float


def law(width: float, slope: float, rest: float, g: float) -> Law:
    """The averages in closed form, from Marchenko and Pastur's law of the s, those of FFᵀ/N.

    u = (p/N)⟨s/(s + z)⟩ solves u² − (1 + p/N + z)u + p/N = 0 at z = (g + κ_*²)/κ_1², and T = (p/N)κ_1² s; written as
    sums of positive terms, since differences would lose their digits at large and at small g.
    """
    a, b = slope**2, g + rest
    # In units of which no square is out of range.
    unit = max((1 + width) * a, b)
    D = unit * np.sqrt(((1 - width) * a / unit) ** 2 + (b / unit) ** 2 + 2 * (1 + width) * (a / unit) * (b / unit))
    u = 2 * width * a / ((1 + width) * a + b + D)
    y = u / width
    # b = 0 is the limit g → 0 of features without a rest.
    x = g / b if b > 0 else 1.0
    r = rest / b if b > 0 else 0.0
    # 1 − u, and the derivative of the root.
    missed = (
        (1 - width) * a + b + D if width < 1 else b + b * ((b + 2 * a * (1 + width)) / (D + (width - 1) * a or 1.0))
    )
    missed /= (1 + width) * a + b + D
    t = 1.0
    if D > 0:
        t = (1 - width) * a / D * ((1 - width) * a / (D + g))
        t += (rest * ((2 * g + rest) / D) + 2 * a * (1 + width) * (b / D)) / (D + g)
    return Law(
        first=r + x * y,
        second=r**2 + x * y * (r + t),
        signal=u,
        kept=u * t,
        left=x * (1 - y),
        spread=x * ((1 + r) - y * (r + t)),
        bias=missed * (r + x * (missed * a + b) / D) if D > 0 else 0.0,
    )


def effective_ridge(model: RandomFeatures) -> float:
    """g with g(n/p − ⟨ω/(ω + g)⟩) = λ; 0 where the examples determine w without a ridge."""
    _, slope, rest = parts(model.activation)

    def learned(g: float) -> tuple[float, float]:
        mean = law(model.width, slope, rest, g)
        return mean.first, mean.left

    return effective(learned, model.alpha / model.width, model.ridge, slope**2 + rest)


def square(model: RandomFeatures) -> dict[str, float]:
    """Observables of the square loss, in closed form but for the effective ridge g.

    Labels sign(ν + σζ) count as cν with c = ⟨y ν⟩ and noise of the rest of their variance.
    """
    labels = 1 + model.noise**2
    c = 1.0 if model.teacher == "linear" else np.sqrt(2 / (np.pi * labels))
    noise = model.noise**2 if model.teacher == "linear" else 1 - c**2
    _, slope, rest = parts(model.activation)
    g = effective_ridge(model)
    mean = law(model.width, slope, rest, g)
    examples = model.alpha / model.width
    margin = surplus(examples, mean.second, mean.spread)
    if margin <= 0:
        raise ModelError("ridge", model.ridge, "must be > 0 where the examples just fix w: the error is infinite")
    bias = c**2 * mean.bias
    # ⟨(h − cν)²⟩ and its sum with the noise, the squared deviation from fresh labels.
    deviation = (examples * bias + mean.second * noise) / margin
    error = examples * (bias + noise) / margin
    m = c * mean.signal
    q = (mean.second * (c**2 * (1 - 2 * mean.signal) + noise) + examples * c**2 * mean.kept) / margin
    unfit = (surplus(examples, mean.first, mean.left) if model.ridge == 0 else model.ridge / g) / examples
    wrong = deviation / 2 if model.teacher == "linear" else np.arccos(min(m / np.sqrt(q), 1.0)) / np.pi
    return {"eps_g": wrong, "train_loss": error * max(unfit, 0.0) ** 2 / 2, "m": m, "q": q}


def risk(model: RandomFeatures) -> dict[str, float]:
    """Observables of a convex loss other than the square, on labels sign(ν + σζ)."""
    _, slope, rest = parts(model.activation)
    if not 1 / LARGEST <= model.alpha / model.width <= LARGEST:
        words = f"must be {1 / LARGEST:g} to {LARGEST:g} times alpha = {model.alpha:g} with loss = {model.loss!r}"
        raise ModelError("width", model.width, words)
    s, weights = marchenko_pastur(model.width)
    covariates = Covariates(slope**2 * s + rest, model.width * slope**2 * s, weights, 1.0)
    found = minimum(model.loss, channel("sign", model.noise**2), covariates, model.alpha / model.width, model.ridge)
    wrong = float(np.arctan2(np.sqrt(found.rest), found.m) / np.pi)
    return {"eps_g": wrong, "train_loss": found.train_loss, "m": found.m, "q": found.q}
