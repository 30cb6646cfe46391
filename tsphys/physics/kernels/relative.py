"""Relative representations: how products of features of two inputs differ from net to net of random ReLU units.

With p features (f·x/√N)₊ of f ~ N(0, 1) and inputs on the sphere, |x|² = N, of correlation r = x·x'/N, all follows from
averages over two standard normal fields u, v of that correlation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tsphys.ground.parameters import array, word
from tsphys.physics.kernels.sphere import relu_kernel


class Arcs(NamedTuple):
    """Averages over u and v of correlation r: ⟨θ(u)θ(v)⟩, ⟨u₊v₊⟩, ⟨u₊²v₊²⟩ and ⟨u₊³v₊⟩.

    References
    ----------
    Cho & Saul, NIPS 2009, of the first two.
    """

    steps: np.ndarray
    products: np.ndarray
    squares: np.ndarray
    cubes: np.ndarray


def arcs(r: np.ndarray) -> Arcs:
    """Of correlations r from −1 to 1."""
    r = np.clip(r, -1.0, 1.0)
    sine, rest = np.sqrt(1 - r**2), np.pi - np.arccos(r)
    steps, products = rest / (2 * np.pi), relu_kernel(r)
    squares = (3 * r * sine + rest * (1 + 2 * r**2)) / (2 * np.pi)
    return Arcs(steps, products, squares, 2 * products + r * (steps + r * sine / (2 * np.pi)))


def gram_variance(r: np.ndarray, units: str = "relu") -> np.ndarray:
    """p times the variance over nets of (1/p) Σ φφ', of units ``relu`` or ``step``, at correlations r of two inputs."""
    found = arcs(array("r", r, np.shape(r), "correlations of two inputs"))
    word("units", units, ("relu", "step"))
    return found.steps * (1 - found.steps) if units == "step" else found.squares - found.products**2


def cosine_variance(r: np.ndarray) -> np.ndarray:
    """p times the variance over nets of the cosine of the features of two inputs, for p → ∞."""
    found = arcs(array("r", r, np.shape(r), "correlations of two inputs"))
    c = 2 * found.products
    # Of c(1 + (2δ_uv/c − δ_uu − δ_vv)) to first order, where ⟨u₊⁴⟩ = 3/2.
    both = 4 * gram_variance(r) + 2 * c**2 * (1 + found.squares) - 8 * c * (found.cubes - found.products / 2)
    return np.asarray(np.maximum(both, 0.0))
