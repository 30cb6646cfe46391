"""Energies of a single overlap as tables over M = −N … N, for `spins.sweep_table`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys.errors import ModelError


def power(N: int, P: int) -> tuple[list[int], float]:
    """P·N^{P−1} G = M^P as exact integers at M = −N − 2 … N + 2, and the scale 1/(P N^{P−1})."""
    return [M**P for M in range(-N - 2, N + 3)], 1.0 / (P * float(N) ** (P - 1))


def distinct(N: int, P: int) -> tuple[list[int], float]:
    """P! e_P, the polynomial of degree P in N signs with the sum M, without coincident indices; scale as for `power`.

    a_k = k! e_k obeys a_{k+1} = M a_k − k (N − k + 1) a_{k−1} (Newton's identities with S_even = N, S_odd = M).
    """
    out = []
    for M in range(-N - 2, N + 3):
        before, a = 0, 1
        for k in range(P):
            before, a = a, M * a - k * (N - k + 1) * before
        out.append(a)
    return out, 1.0 / (P * float(N) ** (P - 1))


def table(g: list[int], scale: float, vectors: int) -> tuple[np.ndarray, float, float]:
    """The rows (A, B, G) over M = −N … N, the unit of A and B, and the field below which a sum of them may be rounding.

    The integers g, at M = −N − 2 … N + 2, are G in units of `scale`; A and B are divided by their common divisor.
    """
    high, low, here = g[4:], g[:-4], g[2:-2]
    A = [a - b for a, b in zip(high, low, strict=True)]
    B = [a + b - 2 * c for a, b, c in zip(high, low, here, strict=True)]
    divisor = math.gcd(*A, *B) or 1
    rows = np.array([[a // divisor for a in A], [b // divisor for b in B], here], dtype=np.float64)
    unit = 0.25 * scale * divisor
    largest = np.abs(rows[:2]).max() * 2.0 * vectors
    return rows, unit, 0.0 if largest < 2.0**53 else largest * unit * 1e-16


def of_function(F: Callable[[float], float], N: int, vectors: int) -> tuple[np.ndarray, float, float]:
    """As `table` for G = N F(M/N) of a user's F, which is called on numbers from −1 to 1.

    Raises
    ------
    ModelError
        If F does not give finite numbers.
    """
    try:
        g = np.array([N * float(F(M / N)) for M in range(-N, N + 1)])
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ModelError("F", F, f"must be a function of an overlap, -1 to 1 ({error})") from None
    if not np.isfinite(g).all():
        raise ModelError("F", F, "must be finite for overlaps from -1 to 1")
    # Beyond |M| = N no state exists; the continuation drops out of A − B and A + B where they are used.
    g = np.concatenate([[2 * g[0] - g[2], 2 * g[0] - g[1]], g, [2 * g[-1] - g[-2], 2 * g[-1] - g[-3]]])
    rows = np.array([g[4:] - g[:-4], g[4:] + g[:-4] - 2 * g[2:-2], g[2:-2]])
    return rows, 0.25, float(np.abs(rows[:2]).max()) * vectors * 1e-16


def exponential(N: int) -> tuple[np.ndarray, float, float]:
    """The rows of `spins.sweep_logarithm`: A = B = exp(M − N)."""
    M = np.arange(-N, N + 1)
    weight = np.exp((M - N).astype(np.float64))
    return np.array([weight, weight, weight]), 1.0, 1e-12


def tables(kind: str, N: int, P: int, vectors: int, F: Any = None) -> tuple[np.ndarray, float, float, float]:
    """The table of an interaction, the units of its fields and of its energies, and the smallest certain field."""
    if kind == "exponential":
        rows, unit, tie = exponential(N)
        return rows, unit, 1.0, tie
    if kind == "custom":
        rows, unit, tie = of_function(F, N, vectors)
        return rows, unit, 1.0, tie
    g, scale = (distinct if kind == "distinct" else power)(N, P)
    rows, unit, tie = table(g, scale, vectors)
    return rows, unit, scale, tie
