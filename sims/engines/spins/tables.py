"""Energies of a single overlap as tables: over M = −N … N for `updates.sweep_table`, of averages for `averages`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys.ground.given import real

#: Bits of the largest integers in a table of floats.
WIDEST = 1000


def power(N: int, P: int) -> list[int]:
    """P·N^{P−1} G = M^P as exact integers at M = −N − 2 … N + 2."""
    return [M**P for M in range(-N - 2, N + 3)]


def distinct(N: int, P: int) -> list[int]:
    """P! e_P, the polynomial of degree P in N signs with the sum M: no coincident indices, units of `power`.

    a_k = k! e_k obeys a_{k+1} = M a_k − k (N − k + 1) a_{k−1} (Newton's identities with S_even = N, S_odd = M).
    """
    out = []
    for M in range(-N - 2, N + 3):
        before, a = 0, 1
        for k in range(P):
            before, a = a, M * a - k * (N - k + 1) * before
        out.append(a)
    return out


def _floats(rows: list[list[int]]) -> tuple[np.ndarray, int]:
    """Integers as floats in a unit, which is 1 as far as floats go."""
    unit = 2 ** max(0, max(abs(x) for row in rows for x in row).bit_length() - WIDEST)
    return (
        np.array(rows, dtype=np.float64) if unit == 1 else np.array([[x / unit for x in row] for row in rows])
    ), unit


def table(g: list[int], N: int, P: int, vectors: int) -> tuple[np.ndarray, float, float, float]:
    """The rows (A, B, G) over M = −N … N, the units of A and B and of G, and the smallest certain field.

    The integers g, at M = −N − 2 … N + 2, are G in units of 1/(P N^{P−1}); A and B are divided by their common divisor.
    Below the smallest certain field a sum of them may be rounding.
    """
    high, low, here = g[4:], g[:-4], g[2:-2]
    A = [a - b for a, b in zip(high, low, strict=True)]
    B = [a + b - 2 * c for a, b, c in zip(high, low, here, strict=True)]
    divisor = math.gcd(*A, *B) or 1
    fields, field = _floats([[a // divisor for a in A], [b // divisor for b in B]])
    energies, energy = _floats([here])
    rows = np.concatenate([fields, energies])
    if field == energy == 1:
        scale = 1.0 / (P * float(N) ** (P - 1))
        unit = 0.25 * scale * divisor
    else:
        # Quotients of integers are rounded once, however large they are.
        scale = energy / (P * N ** (P - 1))
        unit = field * divisor / (4 * P * N ** (P - 1))
    largest = np.abs(rows[:2]).max() * 2.0 * vectors
    return rows, unit, scale, 0.0 if field == 1 and largest < 2.0**53 else largest * unit * 1e-16


def of_function(F: Callable[[float], float], N: int, vectors: int) -> tuple[np.ndarray, float, float]:
    """As `table` for G = N F(M/N) of a user's F, which is called on numbers from −1 to 1.

    Raises
    ------
    ModelError
        If F does not give finite numbers.
    """
    g = np.array([N * real("F", F, M / N) for M in range(-N, N + 1)])
    # Beyond |M| = N no state exists; the continuation drops out of A − B and A + B where they are used.
    g = np.concatenate([[2 * g[0] - g[2], 2 * g[0] - g[1]], g, [2 * g[-1] - g[-2], 2 * g[-1] - g[-3]]])
    rows = np.array([g[4:] - g[:-4], g[4:] + g[:-4] - 2 * g[2:-2], g[2:-2]])
    return rows, 0.25, float(np.abs(rows[:2]).max()) * vectors * 1e-16


def exponential(N: int) -> tuple[np.ndarray, float, float]:
    """What `spins.sweep_logarithm` looks up: exp(−2N … 0), of which the smallest are 0."""
    return np.exp(np.arange(-2.0 * N, 1.0))[None], 1.0, 1e-12


def tables(kind: str, N: int, P: int, vectors: int, F: Any = None) -> tuple[np.ndarray, float, float, float]:
    """The table of an interaction, the units of its fields and of its energies, and the smallest certain field."""
    if kind == "exponential":
        rows, unit, tie = exponential(N)
        return rows, unit, 1.0, tie
    if kind == "custom":
        rows, unit, tie = of_function(F, N, vectors)
        return rows, unit, 1.0, tie
    return table((distinct if kind == "distinct" else power)(N, P), N, P, vectors)


def of_averages(
    kind: str, N: int, P: int, M: int, R: float, vectors: int, F: Any = None
) -> tuple[np.ndarray, float, float]:
    """G at the overlaps (2L − N·M)/(N M √R), L = 0 … N·M, of averages over M examples, its unit and the smallest field.

    Powers are integers as long as all of them could be added up in 53 bits.
    """
    size = N * M
    x = 2 * np.arange(size + 1) - size
    if kind == "custom":
        table, scale = np.array([real("F", F, m) for m in (x / (size * math.sqrt(R))).tolist()]), float(N)
    elif vectors * size**P < 2**53:
        return (x**P).astype(np.float64), N / P / (size * math.sqrt(R)) ** P, 0.0
    else:
        table, scale = (x / size) ** P, N / P * math.exp(-0.5 * P * math.log(R))
    return table, scale, float(np.abs(table).max()) * scale * vectors * 1e-16


def of_exponential_averages(N: int, M: int, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """exp(−2k/unit) from k = 0 to where it is 0, or to N·M; and exp(2(k − M)/unit) for k = 0 … 2M."""
    last = min(N * M, int(373.0 * unit) + 1)
    return np.exp(-2.0 * np.arange(last + 1) / unit), np.exp(2.0 * np.arange(-M, M + 1) / unit)
