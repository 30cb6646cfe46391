"""Ridge regression on an instance, exactly, for one ridge or a whole path of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

#: Ridge, in units of the largest eigenvalue's bound, above which Cholesky's factorisation loses no digit that counts.
_SAFE = 1e-10


def least_squares(A: np.ndarray, y: np.ndarray, ridges: np.ndarray) -> np.ndarray:
    """Minimisers of ½‖y − Aw‖² + (λ/2)‖w‖².

    In the smaller of the two spaces, of examples or of features; for a path of ridges by one eigendecomposition.

    Parameters
    ----------
    A : ndarray, shape (n, p)
    y : ndarray, shape (n,)
    ridges : ndarray, shape (L,)
        λ ≥ 0; for 0 the minimiser of least norm.

    Returns
    -------
    ndarray, shape (p, L)
    """
    from scipy import linalg

    dual = len(A) < A.shape[1]
    gram = A @ A.T if dual else A.T @ A
    right = y if dual else A.T @ y
    if len(ridges) == 1 and ridges[0] > _SAFE * np.trace(gram):
        gram.ravel()[:: len(gram) + 1] += ridges[0]
        found = linalg.solve(gram, right, assume_a="pos", overwrite_a=True, check_finite=False)[:, None]
    else:
        s, U = linalg.eigh(gram, overwrite_a=True, check_finite=False)
        s = np.where(s > max(A.shape) * np.finfo(float).eps * s[-1], s, 0.0)
        scale = s[:, None] + ridges
        found = U @ ((U.T @ right)[:, None] / np.where(scale > 0, scale, np.inf))
    return A.T @ found if dual else found


def over_axis(
    axis: str,
    values: np.ndarray,
    models: Sequence[Any],
    instance: Callable[[int, np.ndarray], dict[str, np.ndarray]],
    report: Callable[[float], None],
) -> dict[str, np.ndarray]:
    """Observables of a replica at all points of the axis, each of shape (axis, …).

    Parameters
    ----------
    axis, values, models
        As `tsphys.runs.axis.along` gives them.
    instance : callable
        ``instance(point, ridges)`` draws the instance of a point and returns its observables at each of the ridges.
        Over ridges there is one instance, over anything else one for each point.
    """
    if axis == "ridge":
        return instance(0, values)
    points = []
    for i, here in enumerate(models):
        points.append(instance(i, np.array([here.ridge])))
        report((i + 1) / len(models))
    return {name: np.array([point[name][0] for point in points]) for name in points[0]}
