"""Normal scores of sample means and sample variances, of which something may be known beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np

#: Logarithm of the tail of Student's t below which it is taken by its asymptotic form: it underflows further out.
FAR = -600.0
#: Degrees of freedom from which on Student's t is normal to rounding.
MANY = 1e12


def normal(score: Any, freedom: Any) -> np.ndarray:
    """Student's t as the normal score of the same tail probability.

    Far out by Wallace's form √(ν ln(1 + t²/ν)) (8ν + 1)/(8ν + 3), which then is right to 1e-3 of itself (Wallace, Ann.
    Math. Stat. 30, 1124 (1959)).
    """
    from scipy import special

    score, freedom = np.broadcast_arrays(np.asarray(score, dtype=float), np.asarray(freedom, dtype=float))
    size, nu = np.abs(score), np.minimum(freedom, MANY)
    with np.errstate(divide="ignore"):
        tail = np.where(freedom < MANY, np.log(special.stdtr(nu, -size)), special.log_ndtr(-size))
    near = -special.ndtri_exp(np.minimum(tail, np.log(0.5)))
    far = np.sqrt(nu * np.log1p(size**2 / nu)) * (8 * nu + 1) / (8 * nu + 3)
    return np.sign(score) * np.where(tail > FAR, near, far)


def of_variance(ratio: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    """Normal score of a variance over its expectation, χ²_ν/ν (Wilson & Hilferty, PNAS 17, 684 (1931))."""
    width = 2 / (9 * freedom)
    return (np.cbrt(ratio) - 1 + width) / np.sqrt(width)


def threshold(count: int, level: float) -> float:
    """|z| that the largest of `count` scores exceeds with probability `level` at most (Šidák).

    It is exactly that for independent scores; for normal ones of any correlations it is less (Šidák, JASA 62, 626
    (1967)).
    """
    from scipy import special

    return float(-special.ndtri(-np.expm1(np.log1p(-level) / max(count, 1)) / 2))
