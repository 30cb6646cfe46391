"""Units that are alike stay so: motion that exchanging them leaves as it is, which rounding must not.

Students of the same overlaps with everybody, or teachers, have them for N → ∞ for all time. But at a saddle any
difference grows, and that of the last bits of two sums would be of order one after some forty times of escape: rounding
would say when the solution leaves its plateau, and which student takes which teacher. Rates that are averaged over all
such exchanges make no difference.

Saad & Solla, PRE 52, 4225 (1995), and Biehl, Riegler & Wöhler, J. Phys. A 29, 4769 (1996), for the symmetric plateau.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tsphys.odes.equations.overlaps import States

Rates = Callable[[float, np.ndarray], np.ndarray]

#: Differences of S, relative to the lengths, that are those of rounding.
ROUNDING = 1e-14


def _classes(count: int, exchanged: Callable[[np.ndarray], bool]) -> np.ndarray:
    """The number of the class of each unit; `exchanged` tells of an order of them whether nothing changes by it."""
    number, first = np.empty(count, dtype=int), list[int]()
    for k in range(count):
        for i, l in enumerate(first):
            order = np.arange(count)
            order[[k, l]] = l, k
            if exchanged(order):
                number[k] = i
                break
        else:
            number[k] = len(first)
            first.append(k)
    return number


def alike(states: States, v_star: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Classes of students (K,) and of teachers (M,) of which any two may be exchanged in a state.

    Of the same R and readout, bit by bit, and of the same S, which is a difference, to rounding.
    """
    R, S, v = states.split(y)
    length = np.sqrt(np.maximum(np.diag(states.Q(R, S)), 0.0))
    near = ROUNDING * np.outer(length, length)

    def students(order: np.ndarray) -> bool:
        moved, bound = S[np.ix_(order, order)], near[np.ix_(order, order)]
        return bool((R[order] == R).all() and (v[order] == v).all() and (abs(moved - S) <= near + bound).all())

    def teachers(order: np.ndarray) -> bool:
        same = (R[:, order] == R).all() and (v_star[order] == v_star).all()
        return bool(same and (states.T[np.ix_(order, order)] == states.T).all())

    return _classes(len(R), students), _classes(len(states.T), teachers)


def mean(students: Sequence[int] | np.ndarray, teachers: Sequence[int] | np.ndarray) -> Callable[..., np.ndarray]:
    """The mean of a state (R, triangle of S, v) (n,), or of rates, over all exchanges within classes."""
    i, j = np.asarray(students), np.asarray(teachers)
    row, column = np.tril_indices(len(i))
    low, high = np.minimum(i[row], i[column]), np.maximum(i[row], i[column])
    # Entries of the same name become each other.
    names = np.concatenate(
        [
            np.stack([np.zeros(len(i) * len(j), dtype=int), np.repeat(i, len(j)), np.tile(j, len(i))]),
            np.stack([1 + (row == column), low, high]),
            np.stack([np.full(len(i), 3), i, 0 * i]),
        ],
        axis=1,
    )
    _, of, count = np.unique(names, axis=1, return_inverse=True, return_counts=True)
    of = of.ravel()
    return lambda z: (np.bincount(of, z) / count)[of]


def keeping(states: States, v_star: Any, rates: Rates, y: np.ndarray) -> tuple[Rates, np.ndarray]:
    """Rates and a start of which what is alike stays alike; as they are where nothing is."""
    students, teachers = alike(states, np.asarray(v_star), y)
    if len(set(students)) == len(students) and len(set(teachers)) == len(teachers):
        return rates, y
    over = mean(students, teachers)
    return lambda t, z: over(rates(t, z)), over(y)
