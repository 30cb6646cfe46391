"""The effective ridge of regression on Gaussian covariates, the one unknown of the square loss."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tsphys.solvers.fixed_point import crossing


def surplus(examples: float, used: float, unused: float) -> float:
    """examples − used, where used + unused = 1, with the digits of what is left when both are close to 1."""
    return examples - used if examples < 0.5 else examples - 1 + unused


def effective_ridge(learned: Callable[[float], tuple[float, float]], examples: float, ridge: float, size: float):
    """g with g(n/p − ⟨ω/(ω + g)⟩) = λ; 0 where the examples determine w without a ridge.

    Parameters
    ----------
    learned : callable
        ⟨ω/(ω + g)⟩ and 1 minus that, each with its digits, at g.
    examples, ridge, size : float
        n/p, λ and ⟨ω⟩.
    """

    def gap(log: float) -> float:
        g = float(np.exp(log))
        return surplus(examples, *learned(g)) - ridge / g

    # ⟨ω/(ω + g)⟩ lies between 0 and ⟨ω⟩/g.
    high = np.log(ridge + size) - np.log(examples) + 1e-9
    low = np.log(ridge) - np.log(examples) - 1e-9 if ridge > 0 else high - 300
    if ridge == 0 and gap(low) >= 0:
        return 0.0
    return float(np.exp(crossing(gap, low, high, "the effective ridge")))
