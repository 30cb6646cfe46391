"""How many directions a linear map has in use."""

from __future__ import annotations

import numpy as np


def effective_rank(values: np.ndarray) -> np.ndarray:
    """e^(entropy) of the shares of singular values (…, m); 0 where all vanish (Roy & Vetterli, EUSIPCO 2007)."""
    from scipy.special import xlogy

    total = values.sum(axis=-1, keepdims=True)
    shares = np.divide(values, total, out=np.zeros_like(values), where=total > 0)
    return np.where(total[..., 0] > 0, np.exp(-xlogy(shares, shares).sum(axis=-1)), 0.0)
