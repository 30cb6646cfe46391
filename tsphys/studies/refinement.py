"""Where to look next on a map: cells are split while what is known on their edges differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

#: A point of the finest grid, (row, column); and a cell of it, its first corner and its size.
Point = tuple[int, int]
Cell = tuple[int, int, int]


def refined(shape: Point, levels: int, look: Callable[[list[Point]], list[Any]]) -> tuple[dict[Point, Any], list[Cell]]:
    """Phases at few points of a fine grid, which crowd where the phase changes.

    Parameters
    ----------
    shape : (int, int)
        Points of the coarse grid, of which all are looked at.
    levels : int
        How often a cell may be halved; the fine grid has 2**levels points for each step of the coarse one.
    look : callable
        The phases at points of the fine grid; it is called a few times, with many points each.

    Returns
    -------
    phases : dict
        Point of the fine grid -> phase, where it was looked at.
    cells : list of (row, column, size)
        They cover the grid; all that is known on the edges of one larger than 1 is of one phase.
    """
    size = 2**levels
    rows, columns = (range(0, (n - 1) * size + 1, size) for n in shape)
    known: dict[Point, Any] = {}

    def ask(points: set[Point]) -> None:
        new = sorted(points - known.keys())
        known.update(zip(new, look(new) if new else [], strict=True))

    ask({(i, j) for i in rows for j in columns})
    cells = [(i, j, size) for i in rows[:-1] for j in columns[:-1]]
    while mixed := [c for c in cells if c[2] > 1 and len({known[p] for p in _edges(c) if p in known}) > 1]:
        ask({(i + a, j + b) for i, j, s in mixed for a in (0, s // 2, s) for b in (0, s // 2, s)})
        split = set(mixed)
        cells = [c for c in cells if c not in split]
        cells += [(i + a, j + b, s // 2) for i, j, s in mixed for a in (0, s // 2) for b in (0, s // 2)]
    return known, cells


def _edges(cell: Cell) -> list[Point]:
    i, j, s = cell
    return [(i + a, j + b) for a in (0, s) for b in range(s + 1)] + [
        (i + a, j + b) for b in (0, s) for a in range(1, s)
    ]


def filled(shape: Point, levels: int, values: Mapping[Point, float], cells: list[Cell]) -> np.ndarray:
    """Numbers on the whole fine grid: those that are known, and inside cells what is linear between their corners."""
    out = np.full([(n - 1) * 2**levels + 1 for n in shape], np.nan)
    for i, j, s in cells:
        x = np.linspace(0, 1, s + 1)
        (a, b), (c, d) = ((values[i + k, j], values[i + k, j + s]) for k in (0, s))
        block = np.outer(1 - x, (1 - x) * a + x * b) + np.outer(x, (1 - x) * c + x * d)
        part = out[i : i + s + 1, j : j + s + 1]
        # The edge of a cell with nothing in it is that of its neighbour.
        part[:] = np.where(np.isnan(block), part, block)
    for point, value in values.items():
        out[point] = value
    return out


def halved(values: Any, levels: int, log: bool) -> np.ndarray:
    """An axis with 2**levels steps for each of its own, in the logarithm if `log`."""
    coarse = np.arange(len(values))
    fine = np.linspace(0, len(values) - 1, (len(values) - 1) * 2**levels + 1)
    at = np.exp(np.interp(fine, coarse, np.log(values))) if log else np.interp(fine, coarse, values)
    # Sizes are whole numbers in the logarithm too.
    at = np.where(np.abs(at - np.rint(at)) < 1e-12 * np.abs(at), np.rint(at), at)
    # Its own points to the last bit, so that they are the same tasks.
    at[:: 2**levels] = values
    return at
