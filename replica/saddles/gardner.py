"""How many random labels a perceptron can realise (Gardner 1988; Krauth & Mézard 1989), of few levels too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import array, number
from tsphys.numerics.gaussian import density
from tsphys.physics.inference.channels import hazard
from tsphys.solvers.fixed_point import crossing, fixed_point

_Z = np.linspace(-10.0, 10.0, 2001)
_W = density(_Z) * (_Z[1] - _Z[0])


def spherical_capacity(kappa: float = 0.0) -> float:
    """Largest load of weights on the sphere at the margin κ: 1/α_c = (1 + κ²)Φ(κ) + κφ(κ); 2 at κ = 0."""
    from scipy.special import ndtr

    kappa = number("kappa", kappa)
    return float(1 / ((1 + kappa**2) * ndtr(kappa) + kappa * density(kappa)))


def ising_entropy(alpha: float, q: float, q_hat: float, kappa: float = 0.0) -> float:
    """Replica-symmetric entropy per weight of ±1 students with overlap q between them, stationary in q and q̂."""
    from scipy.special import log_ndtr

    u = (kappa + np.sqrt(q) * _Z) / np.sqrt(1 - q)
    x = np.abs(np.sqrt(q_hat) * _Z)
    return float(-0.5 * q_hat * (1 - q) + _W @ (x + np.log1p(np.exp(-2 * x))) + alpha * (_W @ log_ndtr(-u)))


def ising_overlap(alpha: float, kappa: float = 0.0, start: float = 0.5) -> tuple[float, float]:
    """q and q̂ of ±1 students at a load.

    Raises
    ------
    ConvergenceError
        If the saddle point is not reached.
    """

    def conjugate(q: float) -> float:
        u = (kappa + np.sqrt(q) * _Z) / np.sqrt(1 - q)
        return alpha / (1 - q) * float(_W @ hazard(-u)[0] ** 2)

    def step(x: np.ndarray) -> np.ndarray:
        return np.array([_W @ np.tanh(np.sqrt(conjugate(float(x[0]))) * _Z) ** 2])

    found = fixed_point(step, [start], tol=1e-13, bounds=([0.0], [1 - 1e-9]), damping=0.7, what="the overlap")
    q = float(found.x[0])
    return q, conjugate(q)


def ising_capacity(kappa: float = 0.0) -> tuple[float, float, float]:
    """Load at which the entropy of ±1 students vanishes, with q and q̂ there; 0.833079 at κ = 0.

    Raises
    ------
    ConvergenceError
        If a saddle point is not reached.
    """
    kappa = number("kappa", kappa, low=-2, high=5)
    high = spherical_capacity(kappa)
    while True:
        try:
            if ising_entropy(high, *ising_overlap(high, kappa), kappa) < 0:
                break
        except ConvergenceError:
            pass
        high *= 0.9
        if high < 1e-3:
            raise ConvergenceError("the capacity was not bracketed", residual=float("nan"), last=high)
    low = high
    while ising_entropy(low, *ising_overlap(low, kappa), kappa) < 0:
        low *= 0.8
    alpha = crossing(lambda a: ising_entropy(a, *ising_overlap(a, kappa), kappa), low, high, "the capacity")
    return alpha, *ising_overlap(alpha, kappa)


@dataclass(frozen=True)
class Storage:
    """Students of few levels that realise random labels, in replica symmetry.

    Attributes
    ----------
    entropy : float
        Logarithm of their number, over N; negative beyond capacity, where there are none.
    q, Q : float
        Overlap of two of them, and their mean square.
    q_hat, K : float
        Conjugates of both.
    """

    entropy: float
    q: float
    Q: float
    q_hat: float
    K: float


def storage_entropy(
    levels: Sequence[float], alpha: float, q: float, Q: float, q_hat: float, K: float, kappa: float = 0.0
) -> float:
    """Entropy per weight of students w ∈ levels with x·w/√N ≥ κ at their own labels, stationary in all four."""
    from scipy.special import log_ndtr

    x = (kappa + np.sqrt(q) * _Z) / np.sqrt(Q - q)
    sites = _W @ _site(np.asarray(levels, dtype=float), q_hat, K)[0]
    return float(0.5 * (q * q_hat + K * Q) + sites + alpha * (_W @ log_ndtr(-x)))


def _site(w: np.ndarray, q_hat: float, K: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ln Z, mean and mean square of a weight with exp[−½(K + q̂)w² + √q̂ zw], at the nodes z."""
    log = -0.5 * (K + q_hat) * w**2 + np.sqrt(q_hat) * _Z[:, None] * w
    most = log.max(axis=1, keepdims=True)
    p = np.exp(log - most)
    Z = p.sum(axis=1)
    return most[:, 0] + np.log(Z), p @ w / Z, p @ w**2 / Z


def storage(levels: Sequence[float], alpha: float, kappa: float = 0.0) -> Storage:
    """Students w of given levels that realise αN random labels with the margin x·w/√N ≥ κ; their norm is free.

    Of ±1 weights this is the entropy of the binary perceptron below its capacity (Krauth & Mézard 1989).

    Parameters
    ----------
    levels : sequence of float
        As 1, −1; 0, 1, −1; or 1, −1, 2, −2: as many of either sign, two at least.
    alpha : float
        Labels over weights.
    kappa : float
        Margin, in units of the levels.

    Raises
    ------
    ModelError
        If the levels are not symmetric, or fewer than two.
    ConvergenceError
        If the saddle point is not reached.
    """
    w = _levels(levels)
    alpha, kappa = number("alpha", alpha, low=0, open_low=True), number("kappa", kappa)
    # Followed upwards: from afar the iteration runs into q = Q, which is no solution.
    first, *more = np.linspace(0, alpha, int(np.ceil(alpha / 0.1)) + 1)[1:].tolist()
    found = _stored(w, first, kappa, None)
    for load in more:
        found = _stored(w, load, kappa, found)
    return found


def _levels(levels: Sequence[float]) -> np.ndarray:
    w = np.unique(array("levels", levels, (None,), "as many of either sign"))
    if len(w) < 2 or not np.allclose(w, -w[::-1], rtol=1e-12, atol=0):
        raise ModelError("levels", list(levels), "must be two or more numbers, as many of either sign")
    return w


def _stored(w: np.ndarray, alpha: float, kappa: float, near: Storage | None) -> Storage:
    """The saddle point next to one at a load that is close, or to q = 0."""
    largest = float(w[-1] ** 2)

    def conjugates(share: float, Q: float) -> tuple[float, float]:
        rest = Q * (1 - share)
        x = (kappa + np.sqrt(share * Q) * _Z) / np.sqrt(rest)
        pull = hazard(-x)[0]
        return alpha / rest * float(_W @ pull**2), -alpha / rest * float(_W @ (pull * x))

    def step(y: np.ndarray) -> np.ndarray:
        _, mean, square = _site(w, *conjugates(float(y[0]), float(y[1]) * largest))
        Q = _W @ square
        return np.array([_W @ mean**2 / Q, Q / largest])

    first = [0.05, float(np.mean(w**2)) / largest] if near is None else [near.q / near.Q, near.Q / largest]
    bounds = ([0.0, 1e-6], [1 - 1e-6, 1.0])
    found = fixed_point(step, first, tol=1e-11, max_iterations=0, bounds=bounds, what="the overlap of stored weights")
    share, Q = float(found.x[0]), float(found.x[1]) * largest
    q_hat, K = conjugates(share, Q)
    return Storage(storage_entropy(w.tolist(), alpha, share * Q, Q, q_hat, K, kappa), share * Q, Q, q_hat, K)


def storage_capacity(levels: Sequence[float], kappa: float = 0.0) -> float:
    """Load at which the entropy of students of these levels vanishes: 0.833 of ±1, 1.174 of 0 and ±1.

    The zero of the replica-symmetric entropy is the capacity where that is stable, as of all sets of up to seven levels
    that have been tried.

    Raises
    ------
    ModelError, ConvergenceError
        As `storage`.
    """
    w, kappa = _levels(levels), number("kappa", kappa, low=-2 * max(map(abs, levels)), high=5 * max(map(abs, levels)))
    alpha, below = 0.01, _stored(w, 0.01, kappa, None)
    if below.entropy < 0:
        raise ModelError("kappa", kappa, "must be less: no hundredth of a label a weight is realised")
    while (above := _stored(w, 1.1 * alpha, kappa, below)).entropy > 0:
        alpha, below = 1.1 * alpha, above
    return crossing(lambda load: _stored(w, load, kappa, below).entropy, alpha, 1.1 * alpha, "the capacity")
