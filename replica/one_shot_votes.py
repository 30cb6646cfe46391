"""Votes of clients that each learned from a set of their own, for N → ∞: clients are independent given the teacher.

Hebb's weights are √(2/π) b + z/√α with z ~ N(0, 1) of each client, so that a weight has the right sign with the
probability Φ(|b|√(2α/π)), and right votes are two binomial numbers, of honest and of malicious clients. A rank
over N tends to the law's F(|w|), and the sum of ranks has the law of a sum of independent numbers given b. The
equations are our own.
"""

from __future__ import annotations

import math

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.models.one_shot_votes import OneShotVotes
from tsphys.runs import frames

SLOPE = math.sqrt(2 / math.pi)
#: Where weights of teachers end, and nodes of Gauss and Legendre on each of the panels between.
END, NODES = 9.0, 12
#: Bins of a rank, times the root of the number of clients, first and most; the change by twice as many that is none.
BINS, CHANGE = (128, 2**15), 1e-6


@frames.static(OneShotVotes)
def solve(model: OneShotVotes) -> dict[str, float]:
    """What the server makes of the votes.

    Returns
    -------
    dict
        Over the axis: ``eps_g``, the probability of a label other than the teacher's; by signs ``eps_mean``, that of
        the mean of all weights; by ranks ``power``, the part of |b|² that is kept, where ``eps_g`` is that of the
        teacher with this mask.

    Raises
    ------
    ConvergenceError
        If the law of ranks changes with the most bins.
    """
    if model.ballots == "ranks":
        power = kept_power(model)
        return {"eps_g": math.acos(math.sqrt(min(power, 1.0))) / math.pi, "power": power}
    f, c = model.malicious / model.clients, model.loudness
    along = (1 - (1 + c) * f) * SLOPE
    across = math.sqrt((1 - (1 - c * c) * f) / (model.alpha * model.clients))
    # Of clients who all send nothing there is no mean that knows anything.
    angle = math.atan2(across, along) if across or along else 0.5 * math.pi
    return {"eps_g": math.acos(vote_cosine(model)) / math.pi, "eps_mean": angle / math.pi}


def right(model: OneShotVotes, b: np.ndarray) -> np.ndarray:
    """2P − 1 (…) of the probability P that the majority has the right sign at weights b of the teacher."""
    from scipy.special import ndtr

    p = ndtr(SLOPE * math.sqrt(model.alpha) * np.abs(b))
    out = []
    for one in p.tolist():
        # Right votes minus wrong ones: twice their number less M.
        law = np.convolve(binomial(model.clients - model.malicious, one), binomial(model.malicious, 1 - one))
        lead = np.sign(2 * np.arange(model.clients + 1) - model.clients)
        out.append(float(law @ lead))
    return np.array(out)


def binomial(n: int, p: float) -> np.ndarray:
    """Probabilities of 0 to n successes."""
    from scipy.special import gammaln, xlog1py, xlogy

    k = np.arange(n + 1)
    return np.asarray(np.exp(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + xlogy(k, p) + xlog1py(n - k, -p)))


def vote_cosine(model: OneShotVotes) -> float:
    """Cosine of the majority's signs and the teacher."""
    if model.teacher == "binary":
        return float(right(model, np.ones(1))[0])
    # Many votes turn close to 0.
    b, weights = normal(np.append(0.0, np.geomspace(1e-4, END, 32)))
    return float(weights @ (b * right(model, b)))


def normal(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """|b| of a normal b, and weights of sum 1, on panels between these edges."""
    x, w = np.polynomial.legendre.leggauss(NODES)
    half = 0.5 * np.diff(edges)[:, None]
    b = edges[:-1, None] + half * (1 + x)
    return b.ravel(), (half * w * np.exp(-(b**2) / 2) * math.sqrt(2 / math.pi)).ravel()


def kept_power(model: OneShotVotes) -> float:
    """E[b² 1(kept)]."""
    # Weights that all are ±1 tell nothing by their sizes.
    if model.teacher == "binary":
        return model.kept
    bins = max(BINS[0] // math.isqrt(model.clients), 16)
    before, last = by_bins(model, bins // 2), math.inf
    while bins <= BINS[1]:
        found = by_bins(model, bins)
        # What is left falls like the square of a bin: each uniform within one, which widens the sum.
        better = found + (found - before) / 3
        change = abs(better - last)
        if change <= CHANGE:
            return better
        bins, before, last = 2 * bins, found, better
    raise ConvergenceError("the law of ranks did not converge", residual=change, iterations=bins // 2, last=last)


def by_bins(model: OneShotVotes, bins: int) -> float:
    """The same, of ranks in so many bins: the law of their sum by Fourier transform."""
    from scipy.interpolate import CubicSpline
    from scipy.special import ndtr, ndtri

    M, root = model.clients, math.sqrt(model.alpha)
    # Teachers turn over a width 1/√α.
    b, weights = normal(np.linspace(0, END, 16 + math.ceil(4 * root)))
    # Edges of bins in |w|, of the law of all weights.
    x = -ndtri(0.5 * (1 - np.arange(bins + 1) / bins)) * math.sqrt(SLOPE**2 + 1 / model.alpha)
    law: np.ndarray = np.zeros((2, M * bins // 2 + 1), dtype=complex)
    for one, weight in zip(b.tolist(), weights.tolist(), strict=True):
        masses = np.diff(ndtr((x - SLOPE * one) * root) - ndtr((-x - SLOPE * one) * root))
        honest, malicious = np.fft.rfft(masses, M * bins), np.fft.rfft(masses[::-1], M * bins)
        total = raised(honest, M - model.malicious) * raised(malicious, model.malicious)
        law += np.array([[weight], [weight * one**2]]) * total
    # From the highest sum on: how many are kept, and of what power, at the edges between sums.
    every, power = (np.append(0.0, np.cumsum(np.fft.irfft(row, M * bins)[::-1])) for row in law)
    every, power = every / every[-1], power / power[-1]
    if model.kept == 1:
        return 1.0
    # Both are smooth between, but for tails that rounding leaves flat.
    some = np.append(True, np.diff(every) > 1e-12)
    every, power = every[some], power[some]
    at = int(np.searchsorted(every, model.kept))
    near = slice(max(at - 6, 0), at + 6)
    return float(CubicSpline(every[near], power[near])(model.kept))


def raised(z: np.ndarray, n: int) -> np.ndarray:
    """zⁿ by squares."""
    out = np.ones_like(z)
    while n:
        out, z, n = out * z if n % 2 else out, z * z, n // 2
    return out
