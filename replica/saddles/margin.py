"""Maximal margin of a perceptron with a teacher's labels, as a Gaussian comparison (Gordon) problem."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsphys.ground.parameters import number, word
from tsphys.numerics.quadrature import panels
from tsphys.solvers.fixed_point import crossing

SELECTIONS = ("all", "hard", "easy")
#: Least and largest load: of others squares are no numbers.
SMALLEST, LARGEST = 1e-100, 1e100


@dataclass(frozen=True)
class Margin:
    """Overlap R with the unit teacher, the margin κ of the unit student, and the angle arccos R, right as R → 1."""

    R: float
    kappa: float
    angle: float
    residual: float


def overshoot(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """E (x − t)₊² over t ~ N(0, 1), and its derivative."""
    from scipy.special import ndtr

    phi = np.exp(-0.5 * np.minimum(x * x, 1500.0)) / np.sqrt(2 * np.pi)
    return (x * x + 1) * ndtr(x) + x * phi, 2 * (x * ndtr(x) + phi)


def fields(selection: str, fraction: float, feature: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of |z|, the teacher's margin: all, the `fraction` of smallest (hard) or largest (easy)."""
    from scipy.special import erfinv, ndtri

    low, high = 0.0, 12.0
    if selection == "hard":
        high = min(float(np.sqrt(2) * erfinv(fraction)), 12.0)
    elif selection == "easy":
        low = max(float(-ndtri(0.5 * fraction)), 0.0)
        high += low
    # Relative to the density at its highest, which may be far out.
    z, w = panels(low, high, [(low, feature[1]), feature], most=min(1.0, high))
    w = w * np.exp(-0.5 * (z - low) * (z + low))
    return z, w / w.sum()


def shortfall(alpha: float, R: float, kappa: float, selection: str = "all", fraction: float = 1.0) -> float:
    """F(R, κ) = α E[κ − R|z| − √(1 − R²) t]₊² − (1 − R²): a student with this R has the margin κ where F ≤ 0."""
    s = np.sqrt(1 - R * R)
    z, w = fields(selection, fraction, (kappa / max(R, 1e-9), s / max(R, 1e-9)))
    return float(s * s * (alpha * (w @ overshoot((kappa - R * z) / s)[0]) - 1))


def maximal_margin(alpha: float, selection: str = "all", fraction: float = 1.0) -> Margin:
    """The largest κ for which some R has F(R, κ) = 0, and that R, n = αN examples after selection.

    In k = κ/s and c = R/s, with s² = 1 − R², F = 0 reads α E g(k − c|z|) = 1, with g(x) = E(x − t)₊². Along this curve
    κ = k/√(1 + c²) is largest where (1 + c²) E[|z| g'] = kc E g'; both are equations of one unknown with one root, so
    that nothing is lost to the flatness of the maximum, nor to R → 1.

    Parameters
    ----------
    alpha : float
        Load, from 1e-100 to 1e100.
    selection : {"all", "hard", "easy"}
        Which examples were kept: those of the teacher's smallest or largest margin (Sorscher et al., NeurIPS 2022).
    fraction : float
        Which fraction of all was kept, at least 1e-12.

    Raises
    ------
    ModelError
        If an argument is out of range.
    ConvergenceError
        If there is no such point.
    """
    alpha = number("alpha", alpha, low=SMALLEST, high=LARGEST)
    fraction = number("fraction", fraction, low=1e-12, high=1)
    word("selection", selection, SELECTIONS)

    def scaled(k: float, c: float) -> tuple[float, float, float]:
        """E g, E g' and E |z| g'."""
        z, w = fields(selection, fraction, (k / c, 1 / c))
        g, slope = overshoot(k - c * z)
        return float(w @ g), float(w @ slope), float(w @ (z * slope))

    def reached(c: float) -> float:
        """k with α E g = 1; E g grows with k."""
        low, high = -1.0, 1.0
        while alpha * scaled(high, c)[0] < 1:
            high *= 2
        while alpha * scaled(low, c)[0] > 1:
            low *= 2
        return crossing(lambda k: np.log(max(alpha * scaled(k, c)[0], 1e-300)), low, high, "the margin")

    def turn(log: float) -> float:
        c = np.exp(log)
        k = reached(c)
        _, slope, tilted = scaled(k, c)
        return float((1 / c + c) * tilted / slope - k)

    low, high = -1.0, 1.0
    while turn(low) < 0:
        low *= 2
    while turn(high) > 0:
        high *= 2
    c = float(np.exp(crossing(turn, low, high, "the maximal margin")))
    k = reached(c)
    length = np.hypot(1, c)
    return Margin(float(c / length), float(k / length), float(np.arctan2(1, c)), abs(alpha * scaled(k, c)[0] - 1))
