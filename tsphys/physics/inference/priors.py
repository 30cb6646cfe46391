"""Priors of a weight in inference: one log-partition function that AMP, state evolution and the free energy share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import number
from tsphys.physics.inference.mixtures import combine, spread_grid

#: Nodes of the quadrature over the field of a weight; with half of them the averages in the tests move by < 1e-12.
NODES = 1201


class Seen(NamedTuple):
    """Fields b of the weights of one component of a prior, as nodes of an average.

    Attributes
    ----------
    share : float
        p_k.
    weights : ndarray (nodes,)
        Of the nodes.
    truth : ndarray (nodes,)
    rest : float
        Mean and variance of the weight itself given b and its component.
    pieces : tuple
        Posterior at b; see `Prior.pieces`.
    """

    share: float
    weights: np.ndarray
    truth: np.ndarray
    rest: float
    pieces: tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Prior:
    """A mixture of Gaussians P(w) = Σ_k p_k N(w; μ_k, s_k), where s_k = 0 is a point.

    ln Z(A, b) = ln ∫ P(w) exp(bw − Aw²/2) dw. Its derivatives with respect to b are the mean and the variance of the
    posterior. The scalar channel behind it is b = A w + √A z, z ~ N(0, 1): A is the signal-to-noise ratio.

    Parameters
    ----------
    weights, means, variances : tuple of float
        p_k, μ_k, s_k.
    """

    weights: tuple[float, ...]
    means: tuple[float, ...]
    variances: tuple[float, ...]

    @property
    def second_moment(self) -> float:
        """ρ = E w²."""
        return float(sum(p * (m**2 + s) for p, m, s in zip(self.weights, self.means, self.variances)))

    def draw(self, rng: np.random.Generator, size: Any) -> np.ndarray:
        """Independent weights."""
        k = rng.choice(len(self.weights), size=size, p=self.weights)
        return np.take(self.means, k) + np.sqrt(np.take(self.variances, k)) * rng.standard_normal(size)

    def pieces(self, A: Any, b: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log-weight, mean and variance of each component of the posterior, with the component as first axis."""
        A, b = np.asarray(A, dtype=float), np.asarray(b, dtype=float)
        axes = max(A.ndim, b.ndim)
        p, m, s = (np.reshape(x, (-1, *(1,) * axes)) for x in (self.weights, self.means, self.variances))
        size = 1.0 + A * s
        mean, variance = (m + s * b) / size, s / size
        # Only what depends on b has its size.
        log = (np.log(p) - 0.5 * np.log(size) - 0.5 * A * m * m / size) + b * (0.5 * variance * b + m / size)
        return log, mean, variance

    def mean(self, A: Any, b: Any) -> np.ndarray:
        """Posterior mean, for those who need no more."""
        log, mean, _ = self.pieces(A, b)
        share = np.exp(log - log.max(axis=0))
        return np.asarray((share * mean).sum(axis=0) / share.sum(axis=0))

    def log_partition(self, A: Any, b: Any) -> np.ndarray:
        """ln Z(A, b)."""
        return combine(*self.pieces(A, b))[0]

    def moments(self, A: Any, b: Any) -> tuple[np.ndarray, np.ndarray]:
        """Posterior mean and variance, ∂ ln Z/∂b and ∂² ln Z/∂b²."""
        return combine(*self.pieces(A, b))[1:]

    def seen(self, q: float, m: float | None = None, nodes: int = NODES) -> Iterator[Seen]:
        """The scalar channel b = m w + √q z at the precision A = q > 0, one component of w after the other.

        Bayes-optimal by default, m = q. The nodes vary on the scale of the noise √q within the spread of b.
        """
        m = q if m is None else m
        for p, mean, s in zip(self.weights, self.means, self.variances):
            spread = q + m * m * s
            x, weights = spread_grid(np.sqrt(spread / q), nodes)
            x = np.sqrt(q) * x
            slope = m * s / spread
            yield Seen(p, weights, mean + slope * x, s * (1.0 - slope * m), self.pieces(q, m * mean + x))

    def mmse(self, snr: float) -> float:
        """Mean posterior variance E Var(w | b) at a signal-to-noise ratio; ρ less it is the overlap."""
        if snr == 0:
            return float(self.moments(0.0, 0.0)[1])
        return float(sum(k.share * (k.weights @ combine(*k.pieces)[2]) for k in self.seen(snr)))

    def information(self, snr: float) -> float:
        """Mutual information I(w; b) in nats; ½ mmse is its derivative (Guo, Shamai & Verdú 2005).

        It is that of the component's label and that within a component, in which nothing cancels at large `snr`;
        E ln Z(A, b) = ρA/2 − I.
        """
        if snr == 0:
            return 0.0
        total = 0.0
        for k, here in enumerate(self.seen(snr)):
            log = here.pieces[0][k] - combine(*here.pieces)[0]
            label = here.weights @ np.maximum(log, -1e300) - np.log(here.share)
            total += here.share * (0.5 * np.log1p(snr * self.variances[k]) + label)
        return float(total)

    def snr(self, overlap: float) -> float:
        """Signal-to-noise ratio at which the posterior has this overlap with the truth, ρ − mmse = `overlap`."""
        from scipy.optimize import brentq

        low, rho = float(self.moments(0.0, 0.0)[0]) ** 2, self.second_moment
        overlap = number("overlap", overlap, low=low, high=rho, open_high=True)
        if overlap == low:
            return 0.0
        top = 1.0
        while rho - self.mmse(top) < overlap:
            top *= 4.0
        return float(brentq(lambda a: rho - self.mmse(a) - overlap, 0.0, top, xtol=1e-14 * top))


def gaussian(variance: float = 1.0) -> Prior:
    """N(0, variance)."""
    return Prior((1.0,), (0.0,), (number("variance", variance, low=0, open_low=True),))


def rademacher() -> Prior:
    """±1 with equal probability."""
    return Prior((0.5, 0.5), (1.0, -1.0), (0.0, 0.0))


def gauss_bernoulli(density: float, variance: float | None = None) -> Prior:
    """Gaussian with probability `density`, else zero; `variance` 1/density by default, so that E w² = 1."""
    density = number("density", density, low=0, high=1, open_low=True)
    variance = 1.0 / density if variance is None else number("variance", variance, low=0, open_low=True)
    return gaussian(variance) if density == 1 else Prior((1.0 - density, density), (0.0, 0.0), (0.0, variance))


def sparse_rademacher(density: float) -> Prior:
    """±1/√density with probability `density` in all, else zero, so that E w² = 1."""
    density = number("density", density, low=0, high=1, open_low=True)
    if density == 1:
        return rademacher()
    value = density**-0.5
    return Prior((1.0 - density, 0.5 * density, 0.5 * density), (0.0, value, -value), (0.0, 0.0, 0.0))


#: Names of the priors of unit second moment.
PRIORS = ("gaussian", "rademacher", "gauss_bernoulli", "sparse_rademacher")


def prior(name: str, density: float = 1.0) -> Prior:
    """A prior of unit second moment by name.

    Raises
    ------
    ModelError
        If there is none of that name.
    """
    made = {
        "gaussian": gaussian,
        "rademacher": rademacher,
        "gauss_bernoulli": lambda: gauss_bernoulli(density),
        "sparse_rademacher": lambda: sparse_rademacher(density),
    }
    if name not in made:
        raise ModelError("prior", name, "must be one of " + ", ".join(made))
    return made[name]()
