"""How far the probabilities of a logistic student are from how often it is right."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def logistic(h: Any) -> NDArray[np.float64]:
    """1/(1 + e^{−h}), the probability of the label 1 that a student claims."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -np.asarray(h, dtype=float))))


def truth(h: Any, m: float, q: float, noise: float) -> NDArray[np.float64]:
    """P(y = 1 | h) of labels sign(z + noise) for fields of variances 1 of the teacher, q of the student, covariance m.

    `noise` is the variance.
    """
    from scipy.special import ndtr

    return np.asarray(ndtr(m / q * np.asarray(h) / np.sqrt(max(1 - m * m / q, 0.0) + noise + 1e-300)))


def calibration(m: float, q: float, noise: float) -> dict[str, float]:
    """``calibration_error`` E|p − P(y | h)| of the likelier label's claimed probability p, and ``overconfidence``, the
    same without the modulus, on fresh Gaussian inputs.
    """
    from tsphys.numerics.quadrature import panels

    root = float(np.sqrt(q))
    slope = m / root / np.sqrt(max(1 - m * m / q, 0.0) + noise + 1e-300)
    x, w = panels(0.0, 10.0, [(0.0, 1 / max(root, 1e-300)), (0.0, 1 / max(abs(slope), 1e-300))], most=0.05)
    w = w * np.sqrt(2 / np.pi) * np.exp(-0.5 * x * x)
    off = logistic(root * x) - truth(root * x, m, q, noise)
    return {"calibration_error": float(w @ np.abs(off)), "overconfidence": float(w @ off)}


def seen(h: np.ndarray, y: np.ndarray, bins: int = 10) -> dict[str, float]:
    """The same of labels y at fields h, the error of means in bins of p of equal width, which has a bias of a few
    standard errors of their frequencies.
    """
    p, right = logistic(np.abs(h)), y * h > 0
    off, at = p - right, np.minimum(((p - 0.5) * 2 * bins).astype(int), bins - 1)
    sums = np.bincount(at, off, bins)
    return {"calibration_error": float(np.abs(sums).sum() / len(h)), "overconfidence": float(off.mean())}
