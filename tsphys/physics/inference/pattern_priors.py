"""Neurons in P patterns: the posterior of a vector of components, by enumeration or in mean field.

The components of a neuron are iid from a `tsphys.physics.inference.priors.Prior`. In the field B with the precision A
its law is

    w(x) ∝ P(x) exp(B·x − ½ xᵀAx),    ∂ ln Z/∂B = ⟨x⟩,    ∂² ln Z/∂B² = ⟨xxᵀ⟩ − ⟨x⟩⟨x⟩ᵀ

(Lesieur, Krzakala & Zdeborová 2017, eq. 17). All weights are handled as logarithms.
"""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ModelError
from tsphys.physics.inference.priors import Prior

#: Largest number of configurations that `exact` enumerates.
MOST_CONFIGURATIONS = 4096
#: Logarithms of weights that are handled at once, 8 MiB.
_AT_ONCE = 2**20
#: Largest move of a sweep, in that of the first, at which sweeps leave the rest to the iteration around them.
REST = 0.03


class Posterior(NamedTuple):
    """Laws of n neurons in P patterns.

    Attributes
    ----------
    log_z : ndarray (n,)
        Logarithms of the partition functions.
    mean : ndarray (n, P)
    covariance : ndarray (P, P)
        Averaged over the neurons.
    """

    log_z: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray


def pattern_prior(patterns: str, rho: float) -> Prior:
    """The prior of a kind of patterns, without mean.

    ``binary`` ±1; ``sparse`` ±1 with probability ρ/2 each, else 0; ``tsodyks`` 1 − ρ with probability ρ, else −ρ;
    ``gauss`` N(0, 1) with probability ρ, else 0.
    """
    parts = {
        "binary": ((0.5, 1.0, 0.0), (0.5, -1.0, 0.0)),
        "sparse": ((rho / 2, 1.0, 0.0), (rho / 2, -1.0, 0.0), (1 - rho, 0.0, 0.0)),
        "tsodyks": ((rho, 1 - rho, 0.0), (1 - rho, -rho, 0.0)),
        "gauss": ((rho, 0.0, 1.0), (1 - rho, 0.0, 0.0)),
    }
    if patterns not in parts:
        raise ModelError("patterns", patterns, "must be one of " + ", ".join(parts))
    return Prior(*zip(*(part for part in parts[patterns] if part[0] > 0)))


def is_symmetric(prior: Prior) -> bool:
    """Whether −x has the law of x, so that the sign of a pattern cannot be told."""
    parts = sorted(zip(prior.weights, prior.means, prior.variances))
    return parts == sorted((w, -m, s) for w, m, s in parts)


def is_gaussian(prior: Prior) -> bool:
    """Whether x is Gaussian, so that no rotation of the patterns can be told from another."""
    return len(prior.means) == 1


def fourth_moment(prior: Prior) -> float:
    """E x⁴."""
    return float(
        sum(w * (m**4 + 6 * m**2 * s + 3 * s**2) for w, m, s in zip(prior.weights, prior.means, prior.variances))
    )


def mirrored(prior: Prior) -> Prior:
    """Half the prior, half that of −x."""
    weights = tuple(w / 2 for w in prior.weights)
    return Prior(weights * 2, (*prior.means, *(-m for m in prior.means)), prior.variances * 2)


def configurations(prior: Prior, P: int) -> float:
    """How many choices of a Gaussian for each of P components there are."""
    return float(len(prior.means)) ** P


def exact(prior: Prior, A: np.ndarray, B: np.ndarray, start: np.ndarray | None = None) -> Posterior:
    """Posterior of neurons in the fields B (n, P) with one precision A (P, P), by enumeration; `start` has no effect.

    Raises
    ------
    ModelError
        If there are more than `MOST_CONFIGURATIONS`.
    """
    n, P = B.shape
    if configurations(prior, P) > MOST_CONFIGURATIONS:
        words = f"must have at most {MOST_CONFIGURATIONS} configurations to be enumerated, not {len(prior.means)}^{P}"
        raise ModelError("P", P, words)
    choice = np.array(list(product(range(len(prior.means)), repeat=P)))
    means, widths = np.array(prior.means)[choice], np.array(prior.variances)[choice]
    offset = np.log(prior.weights)[choice].sum(axis=1) - 0.5 * np.einsum("ck,kl,cl->c", means, A, means)
    log_z, mean, second = np.empty(n), np.empty((n, P)), np.zeros((P, P))
    at_once = max(1, _AT_ONCE // len(choice))
    spread = _spread(A, widths) if any(prior.variances) else None
    for low in range(0, n, at_once):
        b = B[low : low + at_once]
        rows = slice(low, low + len(b))
        logits = b @ means.T + offset
        if spread is None:
            w = _normalised(logits, log_z[rows])
            mean[rows] = w @ means
            second += means.T @ (w.sum(axis=0)[:, None] * means)
        else:
            second += _smeared(b, A, means, logits, spread, log_z[rows], mean[rows])
    return Posterior(log_z, mean, (second - mean.T @ mean) / n)


def _normalised(logits: np.ndarray, log_z: np.ndarray) -> np.ndarray:
    """Weights from their logarithms (n, c), which are overwritten; ln Z is put into `log_z`."""
    top = logits.max(axis=1)
    logits -= top[:, None]
    w = np.exp(logits, out=logits)
    total = w.sum(axis=1)
    w /= total[:, None]
    log_z[:] = top + np.log(total)
    return w


def _spread(A: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Posterior covariance of each configuration, S^½ (1 + S^½ A S^½)⁻¹ S^½, and −½ ln det(1 + S^½ A S^½)."""
    root = np.sqrt(widths)
    inner = np.eye(len(A)) + root[:, :, None] * A * root[:, None, :]
    return root[:, :, None] * np.linalg.inv(inner) * root[:, None, :], -0.5 * np.linalg.slogdet(inner)[1]


def _smeared(b: np.ndarray, A: np.ndarray, means: np.ndarray, logits: np.ndarray, spread: Any, log_z: np.ndarray,
             mean: np.ndarray) -> np.ndarray:  # fmt: skip
    """`exact` for Gaussians of finite width; returns Σ_i ⟨x xᵀ⟩."""
    covariances, entropies = spread
    for c, C in enumerate(covariances):
        r = b - A @ means[c]
        logits[:, c] += entropies[c] + 0.5 * np.einsum("ik,ik->i", r @ C, r)
    w = _normalised(logits, log_z)
    mean[:] = 0.0
    second = np.zeros_like(A)
    for c, C in enumerate(covariances):
        centre = means[c] + (b - A @ means[c]) @ C
        weighted = w[:, c, None] * centre
        mean += weighted
        second += weighted.T @ centre + w[:, c].sum() * C
    return second


def mean_field(
    prior: Prior,
    A: np.ndarray,
    B: np.ndarray,
    start: np.ndarray | None = None,
    *,
    sweeps: int = 10,
    tol: float = 1e-7,
) -> Posterior:
    """Posterior in which the components of a neuron are independent: ln Z is the variational lower bound.

    Each component feels the mean of the others, b_k = B_k − Σ_{l≠k} A_kl ⟨x_l⟩; one after the other they are updated,
    which only lifts the bound, at a cost of nP² a sweep. Off the diagonal the covariance is that of linear response to
    first order in A, −A_kl c_k c_l. Where patterns are told apart, A_kl is small and the result close to the exact one.

    Parameters
    ----------
    start : ndarray (n, P), optional
        Means of an iteration around it, from which to start and which carries on: sweeps end, too, where the means move
        by less than `REST` of what they did in the first. By default that of the prior.
    sweeps : int
        Most sweeps.
    tol : float
        They end where the means move by less.
    """
    from tsphys.physics.inference.independent import independent

    n, P = B.shape
    own = np.diag(A).copy()
    off = A - np.diag(own)
    size, slope, bend = prior.pieces(own, 0.0)
    mean = np.zeros((n, P)) if start is None else np.array(start, dtype=np.float64)
    bound, variances, pairs = np.empty(n), np.zeros(P), np.zeros((P, P))
    pieces = np.stack(np.broadcast_arrays(size, slope, bend))
    independent(pieces, off, B, mean, sweeps, tol, REST * (start is not None), bound, variances, pairs)
    return Posterior(bound, mean, (np.diag(variances) - off * pairs) / n)
