"""How alike the units of two networks are: correlations of their outputs, and which unit is which."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import number, word


def correlations(activation: str, Q: Any, first: int) -> np.ndarray:
    """|⟨g(λ_k)g(λ_l)⟩|, over the roots of both with themselves, of the first units (k) and the others (l).

    Parameters
    ----------
    activation : {"erf", "linear"}
    Q : array_like (…, K, K)
        Covariance of their fields.
    first : int
        From 1 to K − 1.

    Returns
    -------
    ndarray (…, first, K − first)
        Zero for a unit of zero weights.

    Raises
    ------
    ModelError
        If there is no such activation, or no unit is among the first or none among the others.
    """
    Q = _covariance(Q)
    word("activation", activation, ("erf", "linear"))
    number("first", first, kind=int, low=1, high=Q.shape[-1] - 1)
    size = np.einsum("...kk->...k", Q)
    if activation == "erf":
        one = np.sqrt(1 + size)
        means = np.arcsin(np.clip(Q / (one[..., :, None] * one[..., None, :]), -1, 1))
    else:
        means = Q
    own = np.sqrt(np.maximum(np.einsum("...kk->...k", means), 0))
    scale = own[..., :first, None] * own[..., None, first:]
    return np.abs(np.divide(means[..., :first, first:], scale, out=np.zeros_like(scale), where=scale > 0))


def matched(activation: str, Q: Any, first: int) -> dict[str, np.ndarray]:
    """Matching of the first units with the others, one to one, of largest total correlation.

    Returns
    -------
    dict
        Each (…): ``score``, the mean correlation of matched units; ``contrast``, that without the mean correlation of
        units that are not matched with each other, which is 0 where all are alike; ``distance``, the mean squared
        difference of the weights of matched units over N, up to their signs.
    """
    from scipy.optimize import linear_sum_assignment

    Q = _covariance(Q)
    found = correlations(activation, Q, first)
    K, L = found.shape[-2:]
    flat, fields = found.reshape(-1, K, L), Q.reshape(-1, K + L, K + L)
    out = np.zeros((3, len(flat)))
    for i, (M, C) in enumerate(zip(flat, fields, strict=True)):
        if not np.isfinite(M).all():
            out[:, i] = np.nan
            continue
        rows, columns = linear_sum_assignment(-M)
        score, others = M[rows, columns].mean(), K * L - len(rows)
        rest = (M.sum() - M[rows, columns].sum()) / others if others else 0.0
        apart = C[rows, rows] + C[first + columns, first + columns] - 2 * np.abs(C[rows, first + columns])
        out[:, i] = score, score - rest, max(apart.mean(), 0.0)
    return {name: a.reshape(found.shape[:-2]) for name, a in zip(("score", "contrast", "distance"), out, strict=True)}


def _covariance(Q: Any) -> np.ndarray:
    """Q as an array, of runs that ended early with NaN in places."""
    Q = np.asarray(Q, dtype=float)
    if Q.ndim < 2 or Q.shape[-1] != Q.shape[-2] or Q.shape[-1] < 2:
        raise ModelError("Q", f"array of shape {Q.shape}", "must be covariances (…, K, K) of two units or more")
    return Q
