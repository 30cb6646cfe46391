"""Four clusters of examples whose labels are XOR, which of them are flipped, and the signs of readouts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Composition(NamedTuple):
    """All of a training set and a net but their Gaussian numbers.

    Parameters
    ----------
    centres : ndarray, shape (n, 2)
        Of the centre of each example, ±1 along its axis and 0 along the other.
    labels : ndarray, shape (n,)
        ±1, some of them flipped.
    flipped : ndarray of bool, shape (n,)
    readout : ndarray, shape (K,)
        ±1/√K.
    """

    centres: np.ndarray
    labels: np.ndarray
    flipped: np.ndarray
    readout: np.ndarray


#: The four centres, and the class of each.
CENTRES = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
CLASSES = np.array([1.0, 1.0, -1.0, -1.0])


def composition(n: int, K: int, flips: float, rng: np.random.Generator | None = None) -> Composition:
    """As balanced as n and K allow, with flipped labels spread over the clusters; with `rng` all by chance."""
    if rng is None:
        cluster, flipped, sign = np.arange(n) % 4, np.arange(n) < round(flips * n), 1.0 - 2 * (np.arange(K) % 2)
    else:
        cluster, flipped, sign = rng.integers(4, size=n), rng.random(n) < flips, rng.choice([-1.0, 1.0], K)
    labels = np.where(flipped, -1, 1) * CLASSES[cluster]
    return Composition(CENTRES[cluster], labels, flipped, sign / np.sqrt(K))
