"""Maximal margin of a perceptron with a teacher's labels, as a Gaussian comparison (Gordon) problem."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import number

#: Largest artanh R.
LARGEST = 14.0
SELECTIONS = ("all", "hard", "easy")


@dataclass(frozen=True)
class Margin:
    """Overlap R with the unit teacher, and the margin κ of the unit student."""

    R: float
    kappa: float
    residual: float


@cache
def fields(selection: str, fraction: float, nodes: int = 320) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of |z|, the teacher's margin: all, the `fraction` of smallest (hard) or largest (easy)."""
    from scipy.special import ndtri

    low, high = 0.0, 12.0
    if selection == "hard":
        high = min(float(ndtri(0.5 + 0.5 * fraction)), 12.0) if fraction < 1 else 12.0
    elif selection == "easy":
        low = float(ndtri(1 - 0.5 * fraction))
    x, w = np.polynomial.legendre.leggauss(nodes)
    # Of fourth order in the node, which puts many next to z = 0, where students that know the teacher err.
    s = 0.5 * (1 + x)
    z = low + (high - low) * s**4
    weight = w * (high - low) * s**3 * np.exp(-0.5 * z * z)
    return z, weight / weight.sum()


def shortfall(alpha: float, R: float, kappa: float, selection: str = "all", fraction: float = 1.0) -> float:
    """F(R, κ) = α E[κ − R|z| − √(1 − R²) t]₊² − (1 − R²): a student with this R has the margin κ where F ≤ 0."""
    return _shortfall(alpha, R, np.sqrt(1 - R * R), kappa, selection, fraction)


def _shortfall(alpha: float, R: float, s: float, kappa: float, selection: str, fraction: float) -> float:
    """`shortfall` with s = √(1 − R²) given by itself, since it loses its digits as R → 1."""
    from scipy.special import ndtr

    z, w = fields(selection, fraction)
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
        def f(u: float) -> float:
            s = 1 / np.cosh(u)
            return _shortfall(alpha, np.tanh(u), s, kappa, selection, fraction) / s**2

        grid = np.linspace(0.0, LARGEST, 141)
        at = int(np.argmin([f(u) for u in grid]))
        found = minimize_scalar(
            f, bounds=(grid[max(at - 1, 0)], grid[min(at + 1, 140)]), method="bounded", options={"xatol": 1e-10}
        )
        return float(found.x), float(found.fun)

    top = 1.0
    while best(top)[1] < 0:
        top *= 2
        if top > 1e8:
            raise ConvergenceError("no maximal margin was found", residual=abs(best(top)[1]), last=top)
    kappa = crossing(lambda k: best(k)[1], 0.0, top, "the maximal margin")
    u, residual = best(kappa)
    if u > LARGEST - 1:
        raise ConvergenceError("the overlap is closer to 1 than is resolved, 1e-11", residual=abs(residual), last=kappa)
    return Margin(float(np.tanh(u)), kappa, abs(residual))
