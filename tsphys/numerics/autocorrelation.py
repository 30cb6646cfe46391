"""How many independent samples a Markov chain is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import number


@dataclass(frozen=True)
class Autocorrelation:
    """Integrated autocorrelation time of a series.

    Attributes
    ----------
    tau : float
        τ = 1 + 2 Σ_t ρ(t) in steps of the series: the variance of a mean over n steps is τ/n times that of a step.
    error : float
        Its standard error, max(τ, 1) √(2(2W + 1)/n) (Sokal 1997, with n over all chains).
    ess : float
        Effective sample size n/τ of all chains together.
    window : int
        W, the last t in the sum.
    """

    tau: float
    error: float
    ess: float
    window: int


def autocovariance(series: np.ndarray) -> np.ndarray:
    """Autocovariance (n,) of a series (chains, n) about its mean over all chains, averaged over the chains.

    Each lag is divided by its number of pairs.
    """
    chains, n = series.shape
    x = series - series.mean()
    size = 1 << (2 * n - 1).bit_length()
    power = np.abs(np.fft.rfft(x, size, axis=1)) ** 2
    return np.fft.irfft(power.sum(axis=0), size)[:n] / (chains * np.arange(n, 0, -1))


def autocorrelation(series: Any, *, width: float = 5.0, shortest: float = 20.0) -> Autocorrelation:
    """Integrated autocorrelation time with an automatic window: the sum ends at the first W ≥ `width`·max(τ(W), 1).

    The bias that is left is of relative order exp(−2·width) for one exponential.

    Parameters
    ----------
    series : array_like, shape (n,) or (chains, n)
        An observable along one or several chains of the same law, in equilibrium.
    width : float
        Of the window, in units of τ.
    shortest : float
        Chains shorter than so many τ are refused.

    Raises
    ------
    ModelError
        If the series is empty, not finite or constant, or another argument out of range.
    ConvergenceError
        If the chains are too short for their own autocorrelation time.

    References
    ----------
    A. D. Sokal, Monte Carlo methods in statistical mechanics (1997), section 3.
    """
    width, shortest = number("width", width, low=1), number("shortest", shortest, low=0)
    try:
        x = np.atleast_2d(np.asarray(series, dtype=float))
    except (TypeError, ValueError):
        raise ModelError("series", type(series).__name__, "must be an array of numbers") from None
    if x.ndim != 2 or x.shape[1] < 2 or not np.isfinite(x).all():
        raise ModelError("series", f"array of shape {x.shape}", "must be finite, of shape (n,) or (chains, n), n > 1")
    covariance = autocovariance(x)
    if not covariance[0] > 1e-28 * max(1.0, float(np.abs(x).max()) ** 2):
        raise ModelError("series", "constant", "must vary for its autocorrelation to be known")
    tau = 2.0 * np.cumsum(covariance / covariance[0]) - 1.0
    n = x.shape[1]
    ends = np.flatnonzero(np.arange(n) >= width * np.maximum(tau, 1.0))
    window = int(ends[0]) if ends.size else n - 1
    found = max(float(tau[window]), 1.0 / x.size)
    if not ends.size or n < shortest * found:
        words = f"chains of {n} steps are too short for an autocorrelation time of about {found:.3g}"
        raise ConvergenceError(words, residual=found / n, iterations=n, last=found)
    error = max(found, 1.0) * float(np.sqrt(2 * (2 * window + 1) / x.size))
    return Autocorrelation(found, error, x.size / found, window)
