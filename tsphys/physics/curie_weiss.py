"""The Curie–Weiss Potts model: N sites of C colours, all coupled alike, and a field h on the first colour.

    Prob(s) = e^{−H}/Z        −H = (β/N) Σ_{i<j} δ(s_i, s_j) + h Σ_i δ(s_i, 0)

In a phase the first colour has the share x_0 = (1 + (C − 1)m)/C of the sites and each of the others (1 − m)/C. With
y = ln((C − 1) x_0/(1 − x_0)) and tanh(y/2) = 2x_0 − 1 = u,

    m = m* + κu        m* = (C − 2)/(2(C − 1))        κ = C/(2(C − 1))        y = h − ln(C − 1) + β(m* + κ tanh(y/2)),

which is a magnet of two states, with the field h − ln(C − 1) + βm*, that has the entropy of the others in it: hence the
first-order line h + βm* = ln(C − 1), on which both phases are as far from u = 0, and its end, βκ = 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import number

#: Sites of an exact sum, of which it takes C N² steps.
MOST_SITES = 5000


@dataclass(frozen=True)
class CurieWeiss:
    """Where the phases of C colours meet, over β at one field.

    Parameters
    ----------
    ordered : float
        β where the state with more of the first colour appears, a spinodal; with two colours the transition itself.
    transition : float
        β_c, where both have the same free energy: 2(C − 1)(ln(C − 1) − h)/(C − 2).
    jump : float
        By how much m differs there; without a field (C − 2)/(C − 1).
    disordered : float
        β where the other state ends, the second spinodal; without a field C.
    """

    ordered: float
    transition: float
    jump: float
    disordered: float


def curie_weiss_end(C: int) -> tuple[float, float]:
    """β = 4(C − 1)/C and h = ln(C − 1) − 2(C − 2)/C, where the line of first-order transitions ends."""
    C = number("C", C, kind=int, low=2)
    return 4 * (C - 1) / C, math.log(C - 1) - 2 * (C - 2) / C


def curie_weiss_lines(C: int, field: float = 0.0) -> CurieWeiss:
    """The transition of C colours, and how far either phase reaches beyond it.

    Raises
    ------
    ModelError
        If the field is so strong that there is none.

    References
    ----------
    Wu, Rev. Mod. Phys. 54, 235 (1982); Costeniuc, Ellis & Touchette, J. Math. Phys. 46, 063301 (2005).
    """
    from scipy.optimize import brentq

    C, end = number("C", C, kind=int, low=2), curie_weiss_end(C)[1]
    field = number("field", field, low=0)
    if C == 2 and field == 0:
        return CurieWeiss(2.0, 2.0, 0.0, 2.0)
    if field >= end:
        raise ModelError("field", field, f"must be < {end:.6g}, where the line of transitions of {C} colours ends")
    middle, slope, log = _magnet(C)

    def gap(u: float) -> float:
        """κ times the field that turns β(u), less the field, of which one root is a spinodal on either side of 0."""
        return 2 * (middle + slope * u) / ((1 - u * u) * slope) - 2 * math.atanh(u) - log + field

    # Where u is −1 + 2/C, m is 0.
    low = 0.0 if field == 0 else brentq(gap, -middle / slope, 0.0, xtol=1e-15)
    high = brentq(gap, 0.0, 1 - 1e-9, xtol=1e-15)
    transition = (log - field) / middle
    y = curie_weiss_phase(C, transition, field, ordered=True) or 0.0
    first, last = (2 / (slope * (1 - u * u)) for u in (high, low))
    return CurieWeiss(first, transition, 2 * slope * math.tanh(0.5 * y), last if field else float(C))


def curie_weiss(C: int, beta: float) -> tuple[float, float]:
    """m and the energy a site of the ordered state at β without a field; m = 0 where there is none.

    It is the stable one beyond β_c, and below metastable down to a spinodal, of which `curie_weiss_lines` tells. The
    energy is in units of the coupling, H/(βN).
    """
    y = curie_weiss_phase(C, number("beta", beta, low=0), 0.0, ordered=True)
    m = 0.0 if y is None else magnetisation(C, y)
    return m, -(1 + (C - 1) * m * m) / (2 * C)


def curie_weiss_phase(C: int, beta: float, field: float, ordered: bool) -> float | None:
    """y of the state with more of the first colour, x_0 > ½, or with less; none where it is not even metastable."""
    from scipy.optimize import brentq

    middle, slope, log = _magnet(C)
    if not ordered and field == 0:
        return -log if beta <= C else None
    if not ordered and beta >= C:
        # There are others, in which another colour is the most frequent.
        return None

    def gap(y: float) -> float:
        return y - field + log - beta * (middle + slope * math.tanh(0.5 * y))

    # Between ±turn the free energy bends down.
    turn = 2 * math.atanh(math.sqrt(max(0.0, 1 - 2 / (beta * slope)))) if beta > 0 else 0.0
    sign = 1 if ordered else -1
    if sign * gap(sign * turn) > 0:
        return None
    end = field - log + beta * (middle + sign * slope) + sign
    return float(brentq(gap, *sorted((sign * turn, end)), xtol=1e-15, rtol=1e-15))


def magnetisation(C: int, y: float) -> float:
    """m of a state."""
    middle, slope, log = _magnet(C)
    return middle + slope * math.tanh(0.5 * y) if y != -log else 0.0


def shares(C: int, y: float) -> np.ndarray:
    """Those of the colours (C,) in a state."""
    from scipy.special import expit

    return np.array([expit(y), *[expit(-y) / (C - 1)] * (C - 1)])


@dataclass(frozen=True)
class CurieWeissSums:
    """Sums over all C^N states.

    Parameters
    ----------
    log_Z : float
        ln Z.
    q, m, energy : float
        ⟨(C Σ_a x_a² − 1)/(C − 1)⟩ and ⟨(C x_0 − 1)/(C − 1)⟩ of the shares x of colours, and ⟨H⟩/N.
    first : ndarray, shape (N + 1,)
        Probability that so many sites have the first colour.
    """

    log_Z: float
    q: float
    m: float
    energy: float
    first: np.ndarray


def curie_weiss_sums(C: int, beta: float, N: int, field: float = 0.0) -> CurieWeissSums:
    """Exact sums for N sites, at most 5000: over how many have each colour, one colour after the other.

    n_a sites of colour a weigh N! Π_a w(n_a) e^{hn_0}, w(n) = e^{βn²/2N}/n!, and e^{−β/2} for the pairs i = j.
    """
    C, N = number("C", C, kind=int, low=2), number("N", N, kind=int, low=1, high=MOST_SITES)
    beta, field = number("beta", beta, low=0), number("field", field)
    n = np.arange(N + 1)
    factorials = np.array([math.lgamma(k + 1) for k in n])
    one = 0.5 * beta * n**2 / N - factorials
    first = one + field * n
    others = np.where(n == 0, 0.0, -np.inf)
    for _ in range(C - 2):
        others = _summed(others, one)
    of_first = first + _summed(others, one)[::-1]
    of_another = one + _summed(others, first)[::-1]
    top = of_first.max()
    weight = np.exp(of_first - top)
    Z = weight.sum()
    p, another = weight / Z, np.exp(of_another - top) / Z
    x, squares = n @ p / N, (n**2 @ p + (C - 1) * (n**2 @ another)) / N**2
    energy = -0.5 * beta * (squares - 1 / N) - field * x
    log_Z = top + math.log(Z) + factorials[-1] - 0.5 * beta
    return CurieWeissSums(float(log_Z), float(C * squares - 1) / (C - 1), float(C * x - 1) / (C - 1), float(energy), p)


def _summed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """ln Σ_k e^{a_k + b_{n−k}} for each n."""
    out = np.empty(len(a))
    for n in range(len(a)):
        terms = a[: n + 1] + b[n::-1]
        top = terms.max()
        out[n] = top + math.log(np.exp(terms - top).sum())
    return out


def _magnet(C: int) -> tuple[float, float, float]:
    """m*, κ and ln(C − 1)."""
    C = number("C", C, kind=int, low=2)
    return 0.5 * (C - 2) / (C - 1), 0.5 * C / (C - 1), math.log(C - 1)
