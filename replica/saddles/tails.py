"""Probability of a rare event from the cumulants of what has to be small.

With F(σ) = ln E e^(−σE), P(E ≤ e) = (1/2πi) ∫ dσ e^(σe + F(σ))/σ upwards between the singularities of F, or around
those on the negative axis. Through the saddle point of the integrand nothing oscillates that is not small, so that the
logarithm keeps its digits, however rare the event.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.numerics.quadrature import panels

#: Of a panel beyond which nothing counts, relative to the sum; and doublings of its distance at most.
NOTHING, MOST = 1e-15, 400
#: Standard deviations z beyond the mean from which ln P is nothing: of squares P(E > e) < e^(1/8 − z/√8).
FAR = 110
_STEP = 1e-30


def log_probability(F: Callable[[np.ndarray], np.ndarray], e: float, end: float = math.inf) -> float:
    """ln P(E ≤ e).

    Parameters
    ----------
    F : callable
        ln E e^(−σE) at a path of σ (n,), complex, the first next to a real one and each next to the one before.
    e : float
    end : float
        Where F on the real axis becomes infinite.

    Raises
    ------
    ConvergenceError
        If the integral does not end.
    """
    saddle = least(lambda s: value(F, s) + s * e - math.log(s), end)
    top = value(F, saddle) + saddle * e
    width = min(saddle, end - saddle, 1 / math.sqrt(max(_bend(F, saddle), 1 / saddle**2)))
    bent, most, edge, tau, weight = 0.0, math.inf, 0.0, np.zeros(0), np.zeros(0)
    if e > 0:
        # A parabola, on which e^(σe) decays. It may not come close to where F is singular, of many alike modes so much
        # that e^F grows before that: steepest descent from a saddle of σe + F bends by −F‴/6F″, and no more.
        near = 1e-3 * max(saddle, -1 / slope(F, saddle))
        variance = (slope(F, saddle + near) - slope(F, saddle)) / near
        if (FAR * saddle) ** 2 * variance < 1:
            return 0.0
        step = 1 / math.sqrt(variance)
        slopes = [slope(F, saddle + k * step) for k in range(3)]
        turn = max(math.log((slopes[1] - slopes[0]) / (slopes[2] - slopes[1])), 1e-2) / (6 * step)
        # Where P is close to 1 the integrand turns by τ/saddle.
        bent, most = min(0.25 / saddle, turn), 16 * saddle
    for k in range(MOST):
        reach = min(width * max(2.0 ** (k - 3), 1.0), most)
        x, w = panels(edge, edge + reach, most=reach, nodes=32)
        edge, tau, weight = edge + reach, np.append(tau, x), np.append(weight, w)
        sigma = saddle + 1j * tau - bent * tau**2
        terms = weight * (np.exp(F(sigma) + sigma * e - top) / sigma * (1 + 2j * bent * tau)).real
        total, last = float(terms.sum()), float(np.abs(terms[-32:]).sum())
        if last < NOTHING * total:
            return min(top + math.log(total / math.pi), 0.0)
    raise ConvergenceError("the probability was not integrated", residual=last, iterations=MOST, last=total)


def exponent(F: Callable[[np.ndarray], np.ndarray], e: float, mean: float, end: float = math.inf) -> float:
    """min over 0 ≤ σ < end of σe + F(σ), the leading part of ln P(E ≤ e); 0 where e is at least the mean."""
    if e >= mean:
        return 0.0
    s = least(lambda s: value(F, s) + s * e, end)
    return value(F, s) + s * e


def value(F: Callable[[np.ndarray], np.ndarray], sigma: float) -> float:
    """F on the real axis."""
    return float(F(np.array([sigma + 0j]))[0].real)


def slope(F: Callable[[np.ndarray], np.ndarray], sigma: float) -> float:
    """F' on the real axis, by a complex step, which has no rounding."""
    return float(F(np.array([sigma + 1j * _STEP]))[0].imag) / _STEP


def least(function: Callable[[float], float], end: float) -> float:
    """Where a function that is convex between 0 and `end` is smallest."""
    from scipy.optimize import minimize_scalar

    def at(x: float) -> float:
        s = math.exp(x) if end == math.inf else end / (1 + math.exp(-x))
        return function(s) if 0 < s < end else math.inf

    low, high = -3.0, 3.0
    while at(low - 1) < at(low) and low > -600:
        low -= 2
    while at(high + 1) < at(high) and high < 600:
        high += 2
    x = float(minimize_scalar(at, bounds=(low - 2, high + 2), method="bounded", options={"xatol": 1e-10}).x)
    return math.exp(x) if end == math.inf else end / (1 + math.exp(-x))


def _bend(F: Callable[[np.ndarray], np.ndarray], sigma: float) -> float:
    h = 1e-4 * sigma
    return (slope(F, sigma + h) - slope(F, sigma - h)) / (2 * h) if sigma > 0 else math.inf
