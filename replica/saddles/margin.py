"""Maximal margin of a perceptron with a teacher's labels, as a Gaussian comparison (Gordon) problem."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.models.fields import number

SELECTIONS = ("all", "hard", "easy")


@dataclass(frozen=True)
class Margin:
    """Overlap R with the unit teacher, and the margin κ of the unit student."""

    R: float
    kappa: float
    residual: float


@cache
def fields(selection: str, fraction: float, nodes: int = 160) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of |z|, the teacher's margin: all, the `fraction` of smallest (hard) or largest (easy)."""
    from scipy.special import ndtri

    low, high = 0.0, 12.0
    if selection == "hard":
        high = min(float(ndtri(0.5 + 0.5 * fraction)), 12.0) if fraction < 1 else 12.0
    elif selection == "easy":
        low = float(ndtri(1 - 0.5 * fraction))
    x, w = np.polynomial.legendre.leggauss(nodes)
    # Quadratic in the node, which puts many next to z = 0, where students that know the teacher err.
    s = 0.5 * (1 + x)
    z = low + (high - low) * s**2
    weight = w * (high - low) * s * np.exp(-0.5 * z * z)
    return z, weight / weight.sum()


def shortfall(alpha: float, R: float, kappa: float, selection: str = "all", fraction: float = 1.0) -> float:
    """F(R, κ) = α E[κ − R|z| − √(1 − R²) t]₊² − (1 − R²): a student with this R has the margin κ where F ≤ 0."""
    from scipy.special import ndtr

    z, w = fields(selection, fraction)
    s = np.sqrt(1 - R * R)
    a = kappa - R * z
    phi = np.exp(-0.5 * (a / s) ** 2) / np.sqrt(2 * np.pi)
    return float(alpha * (w @ ((a * a + s * s) * ndtr(a / s) + a * s * phi)) - s * s)


def maximal_margin(alpha: float, selection: str = "all", fraction: float = 1.0) -> Margin:
    """The largest κ for which some R has F(R, κ) = 0, and that R, n = αN examples after selection.

    Parameters
    ----------
    alpha : float
        Load.
    selection : {"all", "hard", "easy"}
        Which examples were kept: those of the teacher's smallest or largest margin (Sorscher et al., NeurIPS 2022).
    fraction : float
        Which fraction of all was kept.

    Raises
    ------
    ModelError
        If an argument is out of range.
    ConvergenceError
        If there is no such point.
    """
    from scipy.optimize import minimize_scalar

    from tsphys.solvers.fixed_point import crossing

    alpha = number("alpha", alpha, low=0, open_low=True)
    fraction = number("fraction", fraction, low=0, high=1, open_low=True)
    if selection not in SELECTIONS:
        raise ModelError("selection", selection, "must be one of " + ", ".join(SELECTIONS))

    # R = tanh u, so that students close to the teacher are resolved.
    def best(kappa: float) -> tuple[float, float]:
        f = lambda u: shortfall(alpha, np.tanh(u), kappa, selection, fraction)  # noqa: E731
        grid = np.linspace(0.0, 8.0, 81)
        values = np.array([f(u) / (1 - np.tanh(u) ** 2) for u in grid])
        at = int(np.argmin(values))
        found = minimize_scalar(
            lambda u: f(u) / (1 - np.tanh(u) ** 2), bounds=(grid[max(at - 1, 0)], grid[min(at + 1, 80)]),
            method="bounded", options={"xatol": 1e-10},
        )  # fmt: skip
        return float(np.tanh(found.x)), float(found.fun)

    top = 1.0
    while best(top)[1] < 0:
        top *= 2
        if top > 1e8:
            raise ConvergenceError("no maximal margin was found", residual=abs(best(top)[1]), last=top)
    kappa = crossing(lambda k: best(k)[1], 0.0, top, "the maximal margin")
    R, residual = best(kappa)
    return Margin(R, kappa, abs(residual))
