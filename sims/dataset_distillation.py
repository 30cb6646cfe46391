"""Distilled data of a linear student: real and synthetic sets are made, and students trained on both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsphys.ground.parameters import param
from tsphys.models.dataset_distillation import DatasetDistillation
from tsphys.runs import frames


@dataclass(frozen=True, kw_only=True)
class Options(frames.Sized):
    N: int = param(200, "input dimension", kind=int, low=2, short="-N")


@frames.replicated(
    DatasetDistillation, Options, memory=frames.room(lambda N, a, p: (8 * max(a, p) + 6) * N**2, "N", "alpha", "points")
)
def simulate(along: frames.Points, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw real examples, make points of them, and train on both; observables as in the theory.

    A replica has the same examples at all points of the axis, as far as they are as many. ``eps_g`` and ``eps_real``
    are exact on fresh inputs. ``mismatch`` is told of subsets too.
    """

    def at(i: int) -> dict[str, float]:
        model, rng = along.models[i], replica.rng("examples")
        return (regression if model.task == "regression" else classes)(model, options.N, rng)

    return replica.each(len(along.models), at)


def regression(model: DatasetDistillation, N: int, rng: np.random.Generator) -> dict[str, float]:
    """Students of a real set and of m points, from the same weights; in units in which |b| = 1."""
    n, m = round(model.alpha * N), round(model.points * N)
    first = rng.standard_normal(N) * np.sqrt(model.spread / N)
    X = rng.standard_normal((n, N))
    # Gaussian inputs know no direction: that of the teacher may be the first.
    y = X[:, 0] + model.noise * rng.standard_normal(n)
    points = (X[:m], y[:m]) if model.way == "subset" else distilled(X, y, m)
    real, other = (flown(inputs, labels, first, model.time) for inputs, labels in ((X, y), points))
    off, of_real = other.copy(), real.copy()
    off[0] -= 1
    of_real[0] -= 1
    return {
        "eps_g": 0.5 * off @ off,
        "eps_real": 0.5 * of_real @ of_real,
        "mismatch": float((real - other) @ (real - other)),
    }


def flown(X: np.ndarray, y: np.ndarray, w: np.ndarray, T: float) -> np.ndarray:
    """Weights after gradient flow on (1/2n)|y − Xw|² for a time T."""
    left, values, right = np.linalg.svd(X, full_matrices=False)
    moved = -np.expm1(-(values**2) / len(X) * T)
    ends = np.divide(left.T @ y, values, out=np.zeros_like(values), where=values > 0)
    return np.asarray(w + (moved * (ends - right @ w)) @ right)


def distilled(X: np.ndarray, y: np.ndarray, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (m, N) along the largest eigenvectors of XᵀX/n, and what least squares answer to them."""
    left, values, right = np.linalg.svd(X, full_matrices=False)
    m = min(m, len(values))
    # The loss is a mean over points: m of them weigh an eigenvector as one part in m.
    size = np.sqrt(m / len(X)) * values[:m]
    ends = left.T[:m] @ y / values[:m]
    return size[:, None] * right[:m], size * ends


def single(first: np.ndarray, last: np.ndarray, T: float, h: float = 1.0) -> tuple[np.ndarray, float]:
    """One point on which the flow leads from the weights `first` to `last` in a time T: of one start that is enough.

    Its input has the square h, the rate of the only direction that moves.
    """
    way = last - first
    x = np.sqrt(h) * way / np.linalg.norm(way)
    # The end that would be reached after all times, of which a part is.
    return x, float(x @ (first - way / np.expm1(-h * T)))


def classes(model: DatasetDistillation, N: int, rng: np.random.Generator) -> dict[str, float]:
    """Errors of classifiers by the moments of a real set and of m points a class."""
    n, m = round(model.alpha * N), round(model.points * N)
    D = np.where(np.arange(N) < N // 2, 1.0, model.small)
    v = rng.standard_normal(N)
    v *= model.distance / np.linalg.norm(v)
    sets = [sign * (v + D * rng.standard_normal((n, N))) for sign in (1.0, -1.0)]
    fewer = [x[:m] for x in sets] if model.way == "subset" else moments(sets, m, model.covariance)
    return {"eps_g": wrong(model, fewer, v, D), "eps_real": wrong(model, sets, v, D)}


def moments(sets: Sequence[np.ndarray], m: int, covariance: bool) -> list[np.ndarray]:
    """Points of two classes (m, N) with the means of the real sets, and as much of their pooled covariance as m can."""
    centres = [x.mean(axis=0) for x in sets]
    if not covariance or m == 1:
        return [np.tile(centre, (m, 1)) for centre in centres]
    n = len(sets[0])
    _, values, right = np.linalg.svd(np.concatenate([x - c for x, c in zip(sets, centres)]), full_matrices=False)
    k = min(2 * m - 2, len(values))
    # Centred points of a class hold m − 1 directions: its share of the largest, weighed to the pooled covariance.
    held = [np.arange(k)[: m - 1], np.arange(k)[m - 1 :]]
    frame = np.linalg.qr(np.column_stack([np.ones(m), np.eye(m, m - 1)]))[0][:, 1:]
    return [c + frame[:, : len(i)] @ (np.sqrt(m / n) * values[i][:, None] * right[i]) for c, i in zip(centres, held)]


def wrong(model: DatasetDistillation, sets: Sequence[np.ndarray], v: np.ndarray, D: np.ndarray) -> float:
    """Probability of a wrong class by means, or by Fisher's classifier with the pooled covariance of these points."""
    from scipy.special import ndtr

    centres = [x.mean(axis=0) for x in sets]
    w = 0.5 * (centres[0] - centres[1])
    if model.covariance:
        off = np.concatenate([x - c for x, c in zip(sets, centres)])
        w = np.linalg.solve(off.T @ off / len(off) + model.ridge * np.eye(len(v)), w)
    return float(ndtr(-(w @ v) / np.linalg.norm(D * w)))
