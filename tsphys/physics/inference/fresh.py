"""What a linear student is wrong by on fresh examples, from its overlaps with the teacher."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

import numpy as np


class Learning(Protocol):
    """What is asked of a model: how labels come of the teacher's field, with noise σ, or in two clouds at ±r."""

    @property
    def channel(self) -> Any: ...
    @property
    def noise(self) -> float: ...
    @property
    def separation(self) -> float: ...
    def labels(self, nu: np.ndarray, zeta: np.ndarray) -> np.ndarray: ...


def on_fresh(model: Learning, m: np.ndarray, q: np.ndarray) -> dict[str, np.ndarray]:
    """``eps_g`` against the teacher without noise: the probability of a wrong label, else half a mean square; of labels
    ``test_error`` too, against the teacher as it is.

    Parameters
    ----------
    model : Learning
        Its ``channel`` is ``sign``, ``linear`` or ``mixture``, in closed form; any other: an average of its ``labels``
        over Sobol's points, to about 1e-4.
    m, q : ndarray
        w*·w/N and |w|²/N, with |w*|²/N = 1.
    """
    from scipy.special import ndtr

    m, q, labels = np.asarray(m, dtype=float), np.asarray(q, dtype=float), model.labels
    if model.channel == "linear":
        return {"eps_g": 0.5 * (1 - 2 * m + q)}
    if model.channel == "sign":
        return {"eps_g": angle(m, q), "test_error": angle(m, q * (1 + model.noise**2))}
    if model.channel == "mixture":
        wrong = ndtr(-model.separation * m / np.sqrt(np.maximum(q, np.finfo(float).tiny)))
        return dict.fromkeys(("eps_g", "test_error"), np.where(q > 0, wrong, 0.5))
    nu, zeta = normals()
    clean, seen = labels(nu, np.zeros_like(zeta)), labels(nu, zeta)
    if (np.abs(clean) == 1).all() and (np.abs(seen) == 1).all():
        return {"eps_g": _wrong(m, q, nu, clean), "test_error": _wrong(m, q, nu, seen)}
    squares = [np.mean((a * nu - clean) ** 2) for a in m.ravel()]
    return {"eps_g": 0.5 * (np.reshape(squares, m.shape) + np.maximum(q - m**2, 0.0))}


def angle(m: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Angle of student and teacher over π, ½ without a student."""
    return np.where(q > 0, np.arctan2(np.sqrt(np.maximum(q - m**2, 0.0)), m) / np.pi, 0.5)


def _wrong(m: np.ndarray, q: np.ndarray, nu: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Probability that a field N(mν, q − m²) has not the sign y, on average."""
    from scipy.special import ndtr

    rest = np.sqrt(np.maximum(q - m**2, np.finfo(float).tiny))
    found = [np.mean(ndtr(-a / b * nu * y)) for a, b in zip(m.ravel(), rest.ravel(), strict=True)]
    return np.where(q > 0, np.reshape(found, m.shape), 0.5)


@lru_cache(maxsize=1)
def normals() -> np.ndarray:
    """Sobol's points (2, 2¹⁴) of two normals."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    u = qmc.Sobol(2, seed=np.random.default_rng(0)).random_base2(14)
    return np.asarray(ndtri(np.clip(u, 1e-12, 1 - 1e-12)).T)
