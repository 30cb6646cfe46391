"""Random orthonormal directions."""

from __future__ import annotations

import numpy as np


def orthogonal(rng: np.random.Generator, m: int, n: int) -> np.ndarray:
    """m ≤ n orthonormal rows (m, n) of a random direction."""
    Q, R = np.linalg.qr(rng.standard_normal((n, m)))
    return np.asarray((Q * np.sign(np.diag(R))).T)
