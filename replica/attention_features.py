"""Learning curves of frozen attention: the spectrum of its kernel on products of spheres, in the eigenframework.

The kernel of infinitely many heads is K = (1/L²) Σ_ij κ(r_0 r_ij) r_ij with r = (ρ + β²)/(1 + β²) of products ρ of
tokens. For independent tokens its eigenfunctions are Y_a(x_0) (1/√L) Σ_i Y_b(x_i) and, of what the tokens' mean leaves,
Y_a(x_0). Each head has N features, so that M of them count as MN.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tsphys.models.attention_features import AttentionFeatures
from tsphys.physics.kernels import eigenframework
from tsphys.physics.kernels.eigenframework import Modes
from tsphys.physics.kernels.sphere import harmonics, nodes, relu_kernel, zonal
from tsphys.runs import frames

#: Degrees up to which eigenvalues are told apart.
DEGREES = 10
#: Modes that what the trace holds of higher degrees is spread over: so many that none of them is learned.
MANY = 1e12
#: Parts of the trace that are rounding.
ROUNDING = 1e-14


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues, the last of them that of all higher degrees.

    Attributes
    ----------
    degrees : ndarray, shape (modes, 2)
        (a, b), or (0, p) of a perceptron; (−1, −1) beyond.
    eigenvalues, count : ndarray, shape (modes,)
        λ and how many functions have it.
    """

    degrees: np.ndarray
    eigenvalues: np.ndarray
    count: np.ndarray

    @classmethod
    def beyond(cls, degrees: np.ndarray, trace: np.ndarray, count: np.ndarray, whole: float) -> Spectrum:
        """With parts of a trace, and what is left of the whole."""
        rest = max(whole - float(trace.sum()), 0.0)
        return cls(np.vstack([degrees, [-1, -1]]), np.append(trace / count, rest / MANY), np.append(count, MANY))


@frames.static(AttentionFeatures)
def solve(model: AttentionFeatures) -> dict[str, float]:
    """Errors over the number of sequences or heads, the ridge or the noise.

    Returns
    -------
    dict
        Over the axis: ``eps_g`` = ½⟨(f̂ − f)²⟩ on fresh sequences, and ``train_loss`` = ½ mean (f̂ − y)².
    """
    found, features = spectrum(model), None
    if model.heads is not None:
        each = model.dimension + (model.bias > 0) if model.student == "attention" else 1
        features = float(model.heads * each)
    modes = Modes(found.eigenvalues, _at_target(model, found).astype(float), found.count)
    row = eigenframework.errors(modes, model.n, model.ridge, model.noise**2, features)
    return {name: row[name] for name in ("eps_g", "train_loss")}


def learned_at(model: AttentionFeatures) -> float:
    """The n at which the target is half learned, (κ/(λ + κ))² = ½, by infinitely many heads."""
    found = spectrum(model)
    kappa = float(found.eigenvalues[_at_target(model, found)][0]) / (np.sqrt(2) - 1)
    learned = found.eigenvalues / (found.eigenvalues + kappa)
    return float(np.sum(found.count * learned) + model.ridge / kappa)


def spectrum(model: AttentionFeatures) -> Spectrum:
    """Of the kernel of infinitely many heads or hidden units."""
    if model.student == "mlp":
        return perceptron((model.tokens + 1) * model.dimension)
    return attention(model.dimension, model.tokens, model.bias**2)


def _at_target(model: AttentionFeatures, found: Spectrum) -> np.ndarray:
    a, b = model.query_degree, model.token_degree
    return np.all(found.degrees == ((0, a + b) if model.student == "mlp" else (a, b)), axis=1)


@lru_cache(32)
def weights(N: int, bias: float) -> tuple[np.ndarray, float]:
    """c_ab, a share of ⟨K⟩ at one token each, for degrees (a, b) up to `DEGREES`, and Σ_a c_a0; `bias` is β²."""
    rho, w = nodes(N)
    r = (rho + bias) / (1 + bias)
    functions = zonal(N, rho, DEGREES) * w
    roots = np.sqrt([harmonics(N, degree) for degree in range(DEGREES + 1)])
    c = np.multiply.outer(roots, roots) * (functions @ (relu_kernel(np.multiply.outer(r, r)) * r) @ functions.T)
    # What the symmetry takes away is nothing.
    return np.where(np.abs(c) > ROUNDING * np.multiply.outer(roots, roots), c, 0.0), float(w @ (relu_kernel(r) * r))


@lru_cache(32)
def attention(N: int, L: int, bias: float) -> Spectrum:
    """λ_ab = c_ab/(L N_a N_b), and λ_a0 = c_a0/N_a, which does not fall with L."""
    c, constant = weights(N, bias)
    degree = np.arange(DEGREES + 1)
    a, b = (grid.ravel() for grid in np.meshgrid(degree, degree, indexing="ij"))
    number = np.array([harmonics(N, d) for d in range(DEGREES + 1)])
    count = number[a] * number[b]
    shared = np.where(b > 0, L, 1)
    whole = constant + (float(relu_kernel(np.ones(1))[0]) - constant) / L
    trace = c.ravel() / shared
    return Spectrum.beyond(np.stack([a, b], axis=1), trace, count, whole)


@lru_cache(32)
def perceptron(D: int) -> Spectrum:
    """That of ReLU features of a vector on the sphere in D dimensions, which (L + 1) tokens are close to."""
    rho, w = nodes(D)
    number = np.array([harmonics(D, degree) for degree in range(DEGREES + 1)])
    trace = np.sqrt(number) * (zonal(D, rho, DEGREES) @ (w * relu_kernel(rho)))
    trace = np.where(np.abs(trace) > ROUNDING * number, trace, 0.0)
    degrees = np.stack([np.zeros(DEGREES + 1), np.arange(DEGREES + 1)], axis=1)
    return Spectrum.beyond(degrees, trace, number, 0.5)
