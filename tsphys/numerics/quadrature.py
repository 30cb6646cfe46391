"""Sums in place of integrals of functions that vary on several scales."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np


@cache
def _legendre(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(nodes)


def panels(
    low: float, high: float, features: Iterable[tuple[float, float]] = (), most: float = 1.0, nodes: int = 16
) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on [low, high] that resolve every feature: Gauss–Legendre sums on panels that grow about it.

    Parameters
    ----------
    features : pairs (where, width)
        Where the integrand varies, and on what scale; 0 for a corner or a jump. Panels begin with the width and double
        with the distance, so that a function of (x − where)/width is as smooth on each of them.
    most : float
        Longest panel.
    nodes : int
        In a panel. Of φ on one of length 1, sixteen leave 1e-16.
    """
    edges: list[np.ndarray] = [np.linspace(low, high, max(1, int(np.ceil((high - low) / most))) + 1)]
    for where, width in features:
        if not low - most < where < high + most:
            continue
        edges.append(np.array([where]))
        if 0 < width < most:
            steps = width * 2.0 ** np.arange(int(np.ceil(np.log2(most / width))))
            edges += [where + steps, where - steps]
    cuts = np.unique(np.clip(np.concatenate(edges), low, high))
    x, w = _legendre(nodes)
    half = 0.5 * np.diff(cuts)[:, None]
    return (cuts[:-1, None] + half * (1 + x)).ravel(), (half * w).ravel()
