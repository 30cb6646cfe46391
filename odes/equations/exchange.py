"""Units that are alike stay so: motion that exchanging them leaves as it is, which rounding must not.

Students of the same overlaps with everybody, or teachers, have them for N → ∞ for all time. But at a saddle any
difference grows, and that of the last bits of two sums would be of order one after some forty times of escape: rounding
would say when the solution leaves its plateau, and which student takes which teacher. Rates that are averaged over all
such exchanges make no difference.

Saad & Solla, PRE 52, 4225 (1995), and Biehl, Riegler & Wöhler, J. Phys. A 29, 4769 (1996), for the symmetric plateau.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tsphys.odes.equations.overlaps import States

Rates = Callable[[float, np.ndarray], np.ndarray]
Mean = Callable[[np.ndarray], np.ndarray]

#: Differences of S, relative to the lengths, that are those of rounding.
ROUNDING = 1e-14
#: Letters for axes that count students, and teachers.
STUDENTS, TEACHERS = "kl", "mn"


class Part(NamedTuple):
    """An array in a state: what its axes count, a letter each, and where its entries stand there, an array of integers.

    ``i`` counts modes, which have students or have them not; an axis of any other letter is not exchanged.
    """

    axes: str
    at: np.ndarray


def in_a_row(*shapes: tuple[str, tuple[int, ...]]) -> tuple[Part, ...]:
    """Arrays of these axes and shapes one after the other."""
    parts, first = [], 0
    for axes, shape in shapes:
        size = math.prod(shape)
        parts.append(Part(axes, first + np.arange(size).reshape(shape)))
        first += size
    return tuple(parts)


def overlaps(K: int, M: int, V: int) -> tuple[Part, ...]:
    """R (K, M), the triangle of S or Q, and readouts (V/K, K)."""
    row, column = np.tril_indices(K)
    R, triangle, v = in_a_row(("km", (K, M)), ("", (len(row),)), ("sk", (V // K, K)))
    S = np.empty((K, K), dtype=int)
    S[row, column] = S[column, row] = triangle.at
    return R, Part("kl", S), v


def _moved(a: np.ndarray, axes: str, orders: dict[str, np.ndarray]) -> np.ndarray:
    for i, axis in enumerate(axes):
        if axis in orders:
            a = a.take(orders[axis], i)
    return a


def _modes(seen: np.ndarray, order: np.ndarray) -> np.ndarray | None:
    """The order of modes (n, K) that have the students which stand there in an order; None if there is not one."""
    moved = seen[:, order]
    if (moved == seen).all():
        return np.arange(len(seen))
    known = {row.tobytes(): i for i, row in enumerate(moved)}
    found = [known.get(row.tobytes(), -1) for row in seen]
    return np.array(found) if len(known) == len(seen) and min(found) >= 0 else None


def _orders(letters: str, count: int, k: int, l: int, seen: np.ndarray | None) -> dict[str, np.ndarray] | None:
    """Of units and modes where two units are exchanged, by letters; None if modes do not allow it."""
    order = np.arange(count)
    order[[k, l]] = l, k
    orders: dict[str, np.ndarray] = dict.fromkeys(letters, order)
    if letters == STUDENTS and seen is not None:
        modes = _modes(seen, order)
        return None if modes is None else {**orders, "i": modes}
    return orders


class Classes(NamedTuple):
    """Numbers of the classes of students (K,) and of teachers (M,) of which any two may be exchanged."""

    students: np.ndarray
    teachers: np.ndarray

    @property
    def any(self) -> bool:
        """Whether there are two in one of them."""
        return any(len(set(numbers.tolist())) < len(numbers) for numbers in self)


def alike(
    named: Sequence[tuple[str, np.ndarray, Any]], K: int, M: int, seen: np.ndarray | None = None
) -> Classes:  # fmt: skip
    """Classes of units that may be exchanged.

    Parameters
    ----------
    named : sequence of (str, ndarray, float or ndarray)
        Arrays that do not change by it, with what their axes count, and up to which differences they do not: 0 for what
        is given, bit by bit.
    K, M : int
        Students and teachers.
    seen : ndarray (n, K), optional
        What tells modes apart.
    """

    def classes(letters: str, count: int) -> np.ndarray:
        number, first = np.empty(count, dtype=int), list[int]()
        for k in range(count):
            for i, l in enumerate(first):
                orders = _orders(letters, count, k, l, seen)
                if orders is not None and all(unchanged(*one, orders=orders) for one in named):
                    number[k] = i
                    break
            else:
                number[k] = len(first)
                first.append(k)
        return number

    def unchanged(axes: str, a: np.ndarray, near: Any, orders: dict[str, np.ndarray]) -> bool:
        bound = np.broadcast_to(near, a.shape)
        return bool((np.abs(_moved(a, axes, orders) - a) <= bound + _moved(bound, axes, orders)).all())

    return Classes(classes(STUDENTS, K), classes(TEACHERS, M))


def mean(parts: Sequence[Part], classes: Classes, size: int, seen: np.ndarray | None = None) -> Mean:
    """The mean of states (…, size), or of rates, over all exchanges within classes."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = []
    for letters, numbers in zip((STUDENTS, TEACHERS), classes, strict=True):
        for k, number in enumerate(numbers):
            l = int(np.flatnonzero(numbers == number)[0])
            orders = _orders(letters, len(numbers), k, l, seen) if l < k else None
            if orders is not None:
                pairs += [np.stack([at.ravel(), _moved(at, axes, orders).ravel()]) for axes, at in parts]
    # Entries that become each other.
    a, b = np.hstack(pairs) if pairs else np.empty((2, 0), dtype=int)
    of = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(size, size)), directed=False)[1]
    count = np.bincount(of)

    def over(z: np.ndarray) -> np.ndarray:
        return (np.bincount(of, z) / count)[of] if z.ndim == 1 else np.array([over(row) for row in z]).reshape(z.shape)

    return over


class Kept(NamedTuple):
    """Rates and a start of which what is alike stays alike, and what makes it so to the last bit in states (…, n)."""

    rates: Rates
    start: np.ndarray
    over: Mean


def kept(rates: Rates, y: np.ndarray, parts: Sequence[Part], classes: Classes, seen: np.ndarray | None = None) -> Kept:
    """The `mean` over exchanges within classes of rates and of a start; both as they are where there are none."""
    if not classes.any:
        return Kept(rates, y, lambda z: z)
    over = mean(parts, classes, len(y), seen)
    return Kept(lambda t, z: over(rates(t, z)), over(y), over)


def keeping(
    rates: Rates, y: np.ndarray, parts: Sequence[Part], given: Sequence[tuple[str, Any, float]], K: int, M: int,
    seen: np.ndarray | None = None,
) -> Kept:  # fmt: skip
    """Keep alike what is so, bit by bit, in a start.

    Parameters
    ----------
    rates : callable
        ``rates(t, y)``.
    y : ndarray (n,)
        The start.
    parts : sequence of Part
        What stands in it.
    given : sequence of (str, array, float)
        What else the rates depend on and exchanges must leave as it is, as `alike` is told.
    K, M : int
        Students and teachers.
    seen : ndarray (n, K), optional
        What tells modes apart.
    """
    named = [*((axes, y[at], 0.0) for axes, at in parts), *((axes, np.asarray(a), near) for axes, a, near in given)]
    return kept(rates, y, parts, alike(named, K, M, seen), seen)


def alike_overlaps(states: States, v_star: Any, y: np.ndarray, more: Sequence[tuple[str, Any]] = ()) -> Classes:
    """Classes of units in a state (R, triangle of S, v), of which S is a difference, with readouts (…, M) of teachers,
    and arrays `more`."""
    R, S, v = states.split(y)
    K, M = R.shape
    length = np.sqrt(np.maximum(np.diag(states.Q(R, S)), 0.0))
    named = [("km", R, 0.0), ("kl", S, ROUNDING * np.outer(length, length)), ("sk", v.reshape(-1, K), 0.0)]
    named += [("mn", states.T, 0.0), ("sm", np.atleast_2d(v_star), 0.0), *((axes, a, 0.0) for axes, a in more)]
    return alike(named, K, M)


def keeping_overlaps(states: States, v_star: Any, rates: Rates, y: np.ndarray) -> Kept:
    """Keep alike what is so at a start (R, triangle of S, v)."""
    return kept(rates, y, overlaps(states.K, len(states.T), len(y) - states.size), alike_overlaps(states, v_star, y))
