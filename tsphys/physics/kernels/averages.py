"""Averages ⟨φ(u)…⟩ over Gaussian fields of any activation φ, by quadrature that finds where φ is not smooth.

φ is the name of an activation or a function of arrays. With field u = √q z, z ~ N(0, 1), it has coefficients
a_k = ⟨φ(√q z) h_k(z)⟩ in the normalised Hermite polynomials, and two fields of correlation c have the mean product
Σ_k a_k a'_k c^k (Mehler). What a sum of K terms leaves is at most √(r r')|c|^K with r = ⟨φ²⟩ − Σ a_k², which is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from tsphys._jit import njit
from tsphys.errors import ModelError
from tsphys.ground.given import reals
from tsphys.physics.activations import code, dg
from tsphys.physics.kernels.hermite import activate

#: |z| beyond which a Gaussian holds 1e-38, and so does its root times a Hermite polynomial of any order.
FAR = 13.0
NODES = 16
#: Part of φ in the last coefficients on a panel from which on φ is smooth there.
SMOOTH = 1e-11
#: Size below which numbers lose their digits, and next to 0 of what is no part of an average.
TINY = 1e-290
#: Width of a panel about a corner or a jump, in units of its place or 1; and most panels.
NARROW, MOST = 1e-9, 5000
#: Most terms of the Hermite series.
LONGEST = 1024

_X, _W = np.polynomial.legendre.leggauss(NODES)
_LEGENDRE = np.polynomial.legendre.legvander(_X, NODES - 1)
#: Values at the nodes of a panel -> coefficients in Legendre polynomials; -> slopes at the nodes.
_COEFFICIENTS = (_LEGENDRE * _W[:, None]).T * (np.arange(NODES) + 0.5)[:, None]
#: Places close to the ends of a panel, beyond its outermost nodes, which would not see a step there.
_ENDS = 1 - 0.005 * 0.25 ** np.arange(12)
_ENDS = np.concatenate([_ENDS, -_ENDS])
_AT_ENDS = np.polynomial.legendre.legvander(_ENDS, NODES - 1)
_SLOPES = (
    np.polynomial.legendre.legval(_X, np.polynomial.legendre.legder(np.eye(NODES), axis=0), tensor=True).T
    @ _COEFFICIENTS
)


@njit
def _derivative(kind, x):
    for i in range(x.size):
        x[i] = dg(kind, x[i])


def values(phi: Any, u: np.ndarray) -> np.ndarray:
    """φ(u), of the same shape."""
    if callable(phi):
        return reals("activation", phi, u.shape, u).astype(float)
    return activate(phi, np.array(u, dtype=float))


def slopes(phi: str, u: np.ndarray) -> np.ndarray:
    """φ'(u) of an activation with a name; 0 at jumps."""
    out = np.array(u, dtype=float)
    _derivative(code(phi), out.reshape(-1))
    return out


class Pieces(NamedTuple):
    """Edges between which φ is smooth, and whether it jumps anywhere."""

    edges: np.ndarray
    jumps: bool


@lru_cache(maxsize=1024)
def pieces(phi: Any, reach: float) -> Pieces:
    """Edges on [−reach, reach] found by bisection.

    Raises
    ------
    ModelError
        If φ does not give numbers, or is smooth nowhere.
    """
    cuts = np.linspace(-reach, reach, 9)
    done: list[np.ndarray] = []
    waiting = np.stack([cuts[:-1], cuts[1:]], axis=1)
    # Of the size where fields are: far out φ may be as large as it likes.
    while len(waiting):
        centre, half = waiting.mean(axis=1), 0.5 * np.diff(waiting, axis=1)[:, 0]
        y = values(phi, centre[:, None] + half[:, None] * _X)
        coefficients = y @ _COEFFICIENTS.T
        parts, finest = np.abs(coefficients), NARROW * np.maximum(1.0, np.abs(centre))
        size = np.maximum(parts.max(axis=1), TINY)
        rough = parts[:, -2:].max(axis=1) > SMOOTH * size
        missed = np.abs(coefficients @ _AT_ENDS.T - values(phi, centre[:, None] + half[:, None] * _ENDS))
        seen = half[:, None] * (1 - np.abs(_ENDS)) > finest[:, None]
        rough |= np.where(seen, missed, 0.0).max(axis=1) > 100 * SMOOTH * size
        split = rough & (half >= finest)
        done.append(waiting[~split].ravel())
        middle = centre[split, None]
        waiting = np.concatenate([np.hstack([waiting[split, :1], middle]), np.hstack([middle, waiting[split, 1:]])])
        if len(waiting) + sum(map(len, done)) / 2 > MOST:
            raise ModelError("activation", phi, "must be smooth but for a few corners and jumps")
    edges = np.unique(np.concatenate(done))
    # On either side of what bisection found; a slope makes more of a step that is ten times as wide.
    wide, sides = (
        values(phi, edges + far * NARROW * np.maximum(1.0, np.abs(edges)) * np.array([[-4.0], [4.0]]))
        for far in (10.0, 1.0)
    )
    steps = np.abs(np.diff(sides, axis=0)[0])
    jump = steps > 1e-4 * np.maximum(np.abs(sides).max(axis=0), 1e-3)
    return Pieces(edges, bool((jump & (steps > 0.5 * np.abs(np.diff(wide, axis=0)[0]))).any()))


def jumps(phi: Any) -> bool:
    """Whether φ jumps, so that it has no derivative that fields of any width see."""
    return phi == "sign" if isinstance(phi, str) else pieces(phi, FAR).jumps


class Sample(NamedTuple):
    """φ and φ' at nodes z of N(0, 1), with weights of sum 1."""

    z: np.ndarray
    weights: np.ndarray
    values: np.ndarray
    slopes: np.ndarray


def sample(phi: Any, q: float, terms: int = 1) -> Sample:
    """Nodes for averages of φ(√q z), φ' and Hermite polynomials of z up to order `terms`."""
    root = np.sqrt(q)
    finest = min(1.0, 8.0 / np.sqrt(terms))
    edges = np.linspace(-FAR, FAR, 2 * int(np.ceil(FAR / finest)) + 1)
    if q > 0:
        # Reaches by powers of two, so that few are ever searched.
        own = pieces(phi, 2.0 ** np.ceil(np.log2(FAR * root))).edges / root
        edges = np.unique(np.concatenate([edges, own[np.abs(own) < FAR]]))
    half = 0.5 * np.diff(edges)[:, None]
    z = edges[:-1, None] + half * (1 + _X)
    weights = half * _W * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    y = values(phi, root * z)
    if isinstance(phi, str):
        slope = slopes(phi, root * z)
    else:
        slope = y @ _SLOPES.T / (half * root) if q > 0 else np.zeros(z.shape)
    return Sample(z.ravel(), weights.ravel(), y.ravel(), slope.ravel())


class Moments(NamedTuple):
    """Of φ(√q z): ⟨φ²⟩, ⟨φ⁴⟩, ⟨φ'²⟩, and first and second derivative of ⟨φ²⟩ by q."""

    square: float
    fourth: float
    slope: float
    first: float
    second: float


@lru_cache(maxsize=1024)
def moments(phi: Any, q: float) -> Moments:
    """Averages over a field of variance q; see `Moments`. ⟨φ'²⟩ is infinite where φ jumps."""
    # Of less, derivatives by q would be rounding alone.
    q = max(q, 1e-12)
    z, w, y, slope = sample(phi, q)
    square = w * y**2
    return Moments(
        float(square.sum()),
        float(square @ y**2),
        float("inf") if jumps(phi) else float(w @ slope**2),
        float(square @ (z**2 - 1)) / (2 * q),
        float(square @ (z**4 - 6 * z**2 + 3)) / (4 * q**2),
    )


@njit(fast=True)
def _projected(z, weighted, out):
    before, h = np.zeros_like(z), np.ones_like(z)
    for k in range(out.size):
        total, down, up = 0.0, math.sqrt(k), 1.0 / math.sqrt(k + 1.0)
        for i in range(z.size):
            total += weighted[i] * h[i]
            following = (z[i] * h[i] - down * before[i]) * up
            before[i] = h[i]
            h[i] = following
        out[k] = total


def series(s: Sample, y: np.ndarray, terms: int) -> np.ndarray:
    """The first coefficients of y, given at the nodes, in normalised Hermite polynomials, (terms,)."""
    out = np.empty(terms)
    _projected(s.z, s.weights * y, out)
    return out


class Series(NamedTuple):
    """Coefficients a_k, and what they leave of ⟨φ²⟩ and of q⟨φ'²⟩."""

    coefficients: np.ndarray
    rest: float
    slope_rest: float


#: Part of ⟨φ²⟩ that is left by a series that is long enough.
ACCURATE = 1e-13


@lru_cache(maxsize=1024)
def hermite(phi: Any, q: float, terms: int | None = None) -> Series:
    """The Hermite series of φ(√q z), q > 0, of so many terms; of as many as leave `ACCURATE`, or `LONGEST`."""
    size = terms or 32
    while True:
        s = sample(phi, q, size)
        a = series(s, s.values, size)
        whole = float(s.weights @ s.values**2)
        rest = max(whole - float(a @ a), 0.0)
        if terms or rest <= ACCURATE * whole or size >= LONGEST:
            break
        size *= 2
    sloped = q * float(s.weights @ s.slopes**2) - float(np.arange(size) @ a**2)
    return Series(a, rest, np.inf if jumps(phi) else max(sloped, 0.0))


def over(q: np.ndarray, average: Callable[[float], np.ndarray]) -> np.ndarray:
    """What an average over a field of variance q is at many of them: ``average(q)`` (terms,) -> (terms, len(q)).

    Averages over N(0, q) are analytic in q where its real part is positive, whatever is averaged: of many variances a
    polynomial in ln q is found from a few. Its error is what it leaves at variances between, 1e-12.
    """
    own, back = np.unique(q, return_inverse=True)
    some = own[own > 0]
    found = {x: average(x) for x in some[:: max(len(some) // 4, 1)].tolist()}
    nodes = 8
    table = None
    while 2 * nodes < len(some) and table is None:
        low, high = np.log(some[[0, -1]])
        t = np.cos(np.pi * (np.arange(nodes) + 0.5) / nodes)
        at = np.exp(low + 0.5 * (high - low) * (t + 1))
        known = np.stack([average(x) for x in at.tolist()])
        fit = np.polynomial.chebyshev.chebfit(t, known, nodes - 1)
        scaled = 2 * (np.log(some) - low) / (high - low) - 1
        tried = np.polynomial.chebyshev.chebval(scaled, fit).reshape(-1, len(some))
        off = max(np.abs(tried[:, np.searchsorted(some, x)] - y).max() for x, y in found.items())
        table = tried if off < 1e-12 * max(np.abs(known).max(), 1e-300) else None
        nodes *= 2
    if table is None:
        table = np.stack([found[x] if x in found else average(x) for x in some.tolist()], axis=1)
    if len(some) < len(own):
        zero = np.zeros((len(table), 1))
        zero[0] = average(0.0)[0]
        table = np.hstack([zero, table])
    return table[:, back.reshape(-1)]
