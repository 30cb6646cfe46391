"""The best of many random masks: what blind search keeps of one linear teacher unit.

A student with the coordinates of a mask S alone ends, for η → 0, at ε = ½(1 − τ) with τ = Σ_{i∈S} b_i²/N of the
teacher's weights b, |b|² = N. The chance that a random mask of ρN coordinates keeps more than τ(β) comes from the
occupation p_i = 1/(1 + e^{−μ−βb_i²}) of mean ρ, to the prefactor of Bahadur & Rao, Ann. Math. Statist. 31, 1015 (1960).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, xlog1py, xlogy

from tsphys.errors import ModelError
from tsphys.ground.parameters import number

#: Fewest masks for which the tail of the law is what counts.
FEWEST = 10
#: Largest field β b² on the largest weight.
STRONGEST = 500.0
#: Smallest field, in widths of the law of what a mask keeps.
NARROW = 0.1
#: Differences of squares of mean one up to which all masks keep the same.
ALIKE = 1e-12


def _teacher(b: Any, density: float) -> np.ndarray:
    """Squares b_i² of mean one."""
    squares = np.asarray(b, dtype=float) ** 2
    if squares.ndim != 1 or not np.isfinite(squares).all() or not squares.any():
        raise ModelError("b", np.shape(b), "must be the weights (N,) of a teacher")
    number("density", density, low=0, high=1, open_low=True, open_high=True)
    return squares / squares.mean()


def entropy(p: Any) -> Any:
    """h(p) = −p ln p − (1 − p) ln(1 − p)."""
    return -xlogy(p, p) - xlog1py(1 - np.asarray(p), -np.asarray(p))


def tail(beta: float, squares: np.ndarray, density: float) -> tuple[float, float]:
    """τ(β), and the logarithm of the chance that a random mask keeps more."""
    N, top = len(squares), beta * squares.max()
    mu = brentq(lambda mu: float(expit(mu + beta * squares).mean() - density), -top - 40.0, 40.0, xtol=1e-12)
    p = expit(mu + beta * squares)
    spread = p * (1 - p)
    u = spread.mean()
    v = max((squares**2 * spread).mean() - (squares * spread).mean() ** 2 / u, 0.0)
    rate = entropy(density) - entropy(p).mean()
    # Where nothing is left to vary, v is none to rounding.
    with np.errstate(divide="ignore"):
        chance = -N * rate - np.log(beta * np.sqrt(2 * np.pi * N * v)) + 0.5 * np.log(density * (1 - density) / u)
    return float((squares * p).mean()), float(chance)


def best_of(m: float, b: Any, density: float) -> float:
    """Part τ of a teacher's power that the best of m random masks keeps on average.

    Parameters
    ----------
    m : float
        Masks, 10 or more; it is a tail of their law that counts.
    b : (N,) array_like
        Weights of the teacher.
    density : float
        ρ: a mask has ρN coordinates.

    Raises
    ------
    ModelError
        If m is smaller, or so large that hardly another mask is left.
    """
    squares = _teacher(b, density)
    m = number("m", m, low=FEWEST)
    if np.ptp(squares) <= ALIKE:
        return float(density)
    told = -np.euler_gamma - np.log(m)
    betas = np.geomspace(1e-3, 1.0, 60) * STRONGEST / squares.max()
    # The law of many weights is narrow: from a tenth of its width on, where the formula is far above any chance.
    width = np.sqrt(len(squares) * density * (1 - density) * squares.var())
    if betas[0] * width > NARROW:
        betas = np.r_[np.geomspace(NARROW / width, betas[0], 20, endpoint=False), betas]
    chances = [tail(beta, squares, density)[1] for beta in betas]
    low = int(np.argmin(np.array(chances) > told))
    if low == 0:
        raise ModelError("m", m, f"must be at most {np.exp(-np.euler_gamma - min(chances)):.3g} at N = {len(squares)}")
    root = brentq(lambda beta: tail(beta, squares, density)[1] - told, betas[low - 1], betas[low])
    return tail(root, squares, density)[0]


def oracle(b: Any, density: float) -> float:
    """Part τ of a teacher's power in its largest ρN weights, what the best of all masks keeps."""
    squares = np.sort(_teacher(b, density))
    return float(squares[-max(1, round(density * len(squares))) :].sum() / len(squares))


def searched(m: int, b: Any, density: float, rng: np.random.Generator) -> float:
    """τ of the best of m masks that are drawn."""
    squares, best = _teacher(b, density), 0.0
    size = max(1, round(density * len(squares)))
    for start in range(0, m, 1000):
        draws = rng.random((min(1000, m - start), len(squares)))
        rows = np.argpartition(draws, size - 1, axis=1)[:, :size]
        best = max(best, float(squares[rows].sum(axis=1).max()))
    return best / len(squares)
