"""The first order in 1/N of a process whose small random steps have a motion for N → ∞ (van Kampen's expansion).

A state y that moves by u/N a step, ⟨u⟩ = f(y) + f₁(y)/N and Cov u = D(y), has at time t = steps/N the mean y + m/N and
the covariance C/N, up to O(1/N²), with J = ∂f/∂y and::

    dy/dt = f(y),   dC/dt = J C + C Jᵀ + D,   dm/dt = J m + ½ (∂²f):C + f₁ − ½ J f

The last term is that of discrete steps. The linear equations have coefficients along y(t) only, which cost all the time
there is: they are sampled where they change, on nodes that halve until the polynomial through five foretells the next
four. Over a step the coefficients are averaged to fourth order (Magnus' series), and the exponential of the average is
taken by doubling, which no stiffness harms.

References
----------
van Kampen, Stochastic Processes in Physics and Chemistry (1981); Kurtz, J. Appl. Probab. 7, 49 (1970) and 8, 344
(1971); Blanes, Casas, Oteo & Ros, Phys. Rep. 470, 151 (2009), for Magnus' series.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tsphys.errors import ConvergenceError

#: Error of what a piece foretells, relative to the largest value on it, at which it is no longer halved. Polynomials
#: through all nine nodes, which are then used, are better by about 2⁵.
FORETOLD = 0.1
#: Most pieces.
MOST_PIECES = 500
#: Deviations that are none.
LEAST = 1e-140
#: Steps of first and of second differences of f, in units of the state.
FIRST, SECOND = 1e-5, 1e-3
#: Largest |Ω| of an exponential taken by its Taylor series, and the terms of that, which leave 1e-6.
SHORT, TERMS = 0.5, 7


@dataclass(frozen=True)
class Process:
    """What the expansion wants to know of a process.

    Parameters
    ----------
    drift : callable
        ``drift(y)`` is f (n,).
    noise : callable
        ``noise(y)`` is (D (n, n), f₁ (n,), an estimate of the error of D (n, n)).
    units : callable
        ``units(y)`` (n,): sizes over which f changes, of which differences take a small part.
    """

    drift: Callable[[np.ndarray], np.ndarray]
    noise: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]
    units: Callable[[np.ndarray], np.ndarray]


class Expansion(NamedTuple):
    """Mean and covariance of y to first order in 1/N at the times t (p,).

    y, its units, m and dy/dt (p, n); C and an estimate of its error (p, n, n); and Φ (p, n, n), by which deviations at
    the time before become those of this one, NaN where it is not known.
    """

    t: np.ndarray
    y: np.ndarray
    units: np.ndarray
    bias: np.ndarray
    speed: np.ndarray
    cov: np.ndarray
    doubt: np.ndarray
    link: np.ndarray


class Coefficients(NamedTuple):
    """y, its units, f, f₁ − ½ J f (…, n), J, D and an estimate of the error of D (…, n, n)."""

    y: np.ndarray
    units: np.ndarray
    f: np.ndarray
    source: np.ndarray
    J: np.ndarray
    D: np.ndarray
    doubt: np.ndarray


def jacobian(f: Callable[[np.ndarray], np.ndarray], y: np.ndarray, units: np.ndarray) -> np.ndarray:
    """J (len(f), n) by central differences."""
    h = np.diag(FIRST * units)
    up, down = y + h, y - h
    return (_each(f, up) - _each(f, down)).T / np.diag(up - down)


def _each(f: Callable[[np.ndarray], np.ndarray], states: np.ndarray) -> np.ndarray:
    return np.array([f(y) for y in states])


def axes(C: np.ndarray) -> np.ndarray:
    """Rows a_i with C = Σ a_i a_iᵀ: the principal axes of the correlations, the longest first."""
    scale = np.sqrt(np.maximum(np.diag(C), 0.0))
    # What is less would leave the range of numbers when it is divided by.
    scale = np.where(scale > LEAST, scale, 0.0)
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
    values, vectors = np.linalg.eigh(C * inverse[:, None] * inverse)
    kept = values > 1e-12 * max(values[-1], 1e-300)
    return ((vectors[:, kept] * np.sqrt(values[kept])).T * scale)[::-1]


def bend(f: Callable[[np.ndarray], np.ndarray], y: np.ndarray, units: np.ndarray, C: np.ndarray) -> np.ndarray:
    """½ (∂²f):C by second differences along the axes of C."""
    ways, here = axes(C), f(y)
    if not len(ways):
        return np.zeros_like(here)
    step = SECOND / np.max(np.abs(ways) / units, axis=1)[:, None]
    above, below = _each(f, y + step * ways) - here, _each(f, y - step * ways) - here
    return 0.5 * ((above + below) / step**2).sum(axis=0)


def coefficients(process: Process, y: np.ndarray) -> Coefficients:
    """The coefficients at a state."""
    f, units = process.drift(y), process.units(y)
    J = jacobian(process.drift, y, units)
    D, first, doubt = process.noise(y)
    return Coefficients(y, units, f, first - 0.5 * J @ f, J, D, doubt)


def carried(g: Callable[[np.ndarray], np.ndarray], rows: Expansion) -> Expansion:
    """The expansion of a function g(y) with values (k,), its units left as they are; links are those from y to g."""
    out = []
    for t, y, units, bias, speed, cov, doubt, _ in zip(*rows):
        J = jacobian(g, y, units)
        out.append((t, g(y), units, J @ bias + bend(g, y, units, cov), J @ speed, J @ cov @ J.T, J @ doubt @ J.T, J))
    return Expansion(*(np.array(column) for column in zip(*out)))


#: Weights of the nodes 0, …, 4 in the coefficients of the polynomial through them.
_MONOMIALS = np.linalg.inv(np.arange(5.0)[:, None] ** np.arange(5))


@dataclass(frozen=True)
class Piece:
    """Coefficients at five equidistant times."""

    t: np.ndarray
    known: tuple[Coefficients, ...]

    def weights(self, t: np.ndarray) -> np.ndarray:
        """Weights (len(t), 5) of the polynomials through the nodes."""
        x = 4.0 * (t - self.t[0]) / (self.t[-1] - self.t[0])
        return x[:, None] ** np.arange(5) @ _MONOMIALS

    def at(self, t: np.ndarray) -> Coefficients:
        """The polynomials, at times."""
        weights = self.weights(t)
        return Coefficients(*(np.tensordot(weights, np.stack(same), 1) for same in zip(*self.known)))


def pieces(process: Process, curve: Callable[[float], np.ndarray], begin: float, end: float) -> list[Piece]:
    """Pieces of the time from `begin` to `end` whose polynomials follow the coefficients along the curve.

    Raises
    ------
    ConvergenceError
        If that takes more than `MOST_PIECES`.
    """
    t = np.linspace(begin, end, 5)
    todo, done = [Piece(t, tuple(coefficients(process, curve(x)) for x in t))], []
    while todo:
        piece = todo.pop()
        between = 0.5 * (piece.t[1:] + piece.t[:-1])
        found = [coefficients(process, curve(x)) for x in between]
        foretold = _surprise(piece, between, found) <= FORETOLD
        t = np.sort(np.concatenate([piece.t, between]))
        known = (*(c for pair in zip(piece.known, found) for c in pair), piece.known[-1])
        halves = [Piece(t[:5], known[:5]), Piece(t[4:], known[4:])]
        if foretold:
            done += halves
        else:
            todo += halves[::-1]
        if len(todo) + len(done) > MOST_PIECES:
            raise ConvergenceError(f"the coefficients of the expansion in 1/N change too fast at t = {t[4]:.4g}")
    return done


def _surprise(piece: Piece, t: np.ndarray, found: list[Coefficients]) -> float:
    """Largest difference from what a piece foretells, relative to the largest value on the piece."""
    units = piece.known[2].units
    deviation = np.sqrt(np.max([np.diag(c.D) for c in (*piece.known, *found)], axis=0))
    # A bias far below what fluctuates, and a motion as slow, need not be known better.
    least = 0.1 * float(np.max(deviation / units, initial=1e-300))
    scales = {
        "y": (units, 1.0),
        "f": (units, least),
        "source": (units, least),
        "J": (np.outer(units, 1.0 / units), 1e-300),
        "D": (np.outer(deviation, deviation), 1e-300),
    }
    told, out = piece.at(t), 0.0
    for name, (scale, floor) in scales.items():
        inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
        new, known = (np.stack([getattr(c, name) for c in one]) * inverse for one in (found, piece.known))
        largest = max(float(np.abs(new).max()), float(np.abs(known).max()), floor)
        out = max(out, float(np.abs(getattr(told, name) * inverse - new).max()) / largest)
    return out


def _averaged(h: float, J: np.ndarray, D: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ω_J and Ω_D of a step of length h from J (3, n, n) and D (3, …, n, n) at its begin, middle and end.

    dC/dt = JC + CJᵀ + D is linear with the matrix [[J, D], [0, −Jᵀ]], whose commutators keep its form.
    """
    dJ, dD, w = J[2] - J[0], D[2] - D[0], np.array([1, 4, 1]) / 6
    turn = J[1] @ dD - dJ @ D[1]
    return (
        h * np.tensordot(w, J, 1) - h * h / 12 * (J[1] @ dJ - dJ @ J[1]),
        h * np.tensordot(w, D, 1) - h * h / 12 * (turn + turn.swapaxes(-1, -2)),
    )


def _flow(X: np.ndarray, D: np.ndarray, units: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Φ and G of C → Φ C Φᵀ + G; Φ as the last of its powers at 2^−k, …, ½, 1 of the step."""
    size = float(np.linalg.norm(X * np.outer(1.0 / units, units), 1))
    halvings = max(0, int(np.ceil(np.log2(max(size, 1e-300) / SHORT))))
    X, T = X * 0.5**halvings, D * 0.5**halvings
    phi, G, power, share = np.eye(len(X)), np.zeros_like(D), X, 1.0
    for k in range(1, TERMS):
        share /= k
        G, phi = G + share * T, phi + share * power
        T, power = X @ T + T @ X.T, power @ X
    out = [phi]
    for _ in range(halvings):
        G = phi @ G @ phi.T + G
        phi = phi @ phi
        out.append(phi)
    return out, G


def _driven(X: np.ndarray, g: np.ndarray, phi: list[np.ndarray]) -> np.ndarray:
    """p of m → Φ m + p, for dm/dt = X m + g over the time one."""
    part = 0.5 ** (len(phi) - 1)
    out, term = np.zeros_like(g), part * g
    for k in range(2, TERMS + 1):
        out, term = out + term, part / k * (X @ term)
    for power in phi[:-1]:
        out = power @ out + out
    return out


def expand(
    process: Process,
    curve: Callable[[float], np.ndarray],
    t: np.ndarray,
    *,
    begin: float = 0.0,
    bias: np.ndarray | None = None,
    cov: np.ndarray | None = None,
    doubt: np.ndarray | None = None,
) -> Expansion:
    """m and C along a curve y(t).

    Parameters
    ----------
    process : Process
    curve : callable
        ``curve(t)`` is y (n,), a solution of dy/dt = f.
    t : ndarray (p,)
        Times, increasing from `begin` or later.
    begin : float
        When it begins.
    bias, cov, doubt : ndarray (n,), (n, n), (n, n)
        m, C and the error of C there; none: zero, a given start.

    Returns
    -------
    Expansion
        At `t` and at all nodes between.

    Raises
    ------
    ConvergenceError
        If the coefficients change too fast along the curve.
    """
    n = len(curve(begin))
    m = np.zeros(n) if bias is None else bias
    C = np.stack([np.zeros((n, n)) if given is None else given for given in (cov, doubt)])
    y = curve(begin)
    rows = [(begin, y, process.units(y), m, process.drift(y), *C, np.eye(n))]
    for piece in pieces(process, curve, begin, t[-1]) if t[-1] > begin else []:
        marks = np.unique(np.concatenate([t[(t > piece.t[0]) & (t < piece.t[-1])], piece.t]))
        times = np.sort(np.concatenate([marks, 0.5 * (marks[1:] + marks[:-1])]))
        at, units = piece.at(times), piece.known[2].units
        covs, flows, D = [C], [], np.stack([at.D, at.doubt], axis=1)
        for i in range(0, len(times) - 1, 2):
            X, noise = _averaged(times[i + 2] - times[i], at.J[i : i + 3], D[i : i + 3])
            phi, G = _flow(X, noise, units)
            C = phi[-1] @ C @ phi[-1].T + G
            covs.append(C)
            flows.append((X, phi))
        nodes = np.searchsorted(marks, piece.t)
        bends = [bend(process.drift, c.y, c.units, covs[i][0]) for i, c in zip(nodes, piece.known)]
        source = at.source + piece.weights(times) @ np.stack(bends)
        for i, (X, phi) in enumerate(flows):
            h, J, g = marks[i + 1] - marks[i], at.J[2 * i : 2 * i + 3], source[2 * i : 2 * i + 3]
            mean = h * (g[0] + 4 * g[1] + g[2]) / 6
            turn = J[1] @ (g[2] - g[0]) - (J[2] - J[0]) @ g[1]
            m = phi[-1] @ m + _driven(X, mean - h * h / 12 * turn, phi)
            rows.append((marks[i + 1], at.y[2 * i + 2], at.units[2 * i + 2], m, at.f[2 * i + 2], *covs[i + 1], phi[-1]))
    return Expansion(*(np.array(column) for column in zip(*rows)))
