"""Wave numbers on a torus, counted by their length, and how the power of a random field on it falls with that."""

from __future__ import annotations

from typing import Any

import numpy as np


def decay(squares: np.ndarray, smoothness: float, axes: int, length: float) -> np.ndarray:
    """(1 + (2πℓ)²k²)^(−(α + s)/2) at k², the eigenvalues of a kernel that has the cusp |x|^α on s axes."""
    return (1 + (2 * np.pi * length) ** 2 * squares) ** (-0.5 * (smoothness + axes))


def shells(axes: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The k² of all k ∈ Z^s with |k_i| ≤ `most`, ascending from 0, and how many k have each."""
    one = np.arange(most + 1.0) ** 2
    twice = np.where(one > 0, 2.0, 1.0)
    squares, count = one, twice
    for _ in range(axes - 1):
        sums = np.add.outer(squares, one).ravel().astype(np.int64)
        each = np.bincount(sums, np.multiply.outer(count, twice).ravel())
        squares = np.flatnonzero(each).astype(float)
        count = each[each > 0]
    return squares, count


def new_shells(axes: int, inner: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """k² > 0 and numbers of the k on `axes` axes that do not live on one block of `inner` of them alone, if any."""
    squares, count = shells(axes, most)
    if inner:
        within, few = shells(inner, most)
        count = count.copy()
        count[np.searchsorted(squares, within)] -= axes // inner * few
    some = (squares > 0) & (count > 0)
    return squares[some], count[some]


def waves(axes: int, most: int) -> np.ndarray:
    """One of each pair ±k ≠ 0 of the k ∈ Z^s with |k_i| ≤ `most`, as rows (·, s)."""
    sides: Any = np.meshgrid(*[np.arange(-most, most + 1)] * axes, indexing="ij")
    k = np.stack([side.ravel() for side in sides], axis=1)
    return k[len(k) // 2 + 1 :]
