"""Simulation of bounded frequencies: ridge regression on drawn examples, and features, and its error by quadrature."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tsphys.models.bandlimited_features import BandlimitedFeatures
from tsphys.runs import frames
from tsphys.sims.engines.inference.ridge import cholesky, least_squares, over_ridges


def memory(models: Sequence[BandlimitedFeatures], options: frames.Options) -> frames.Memory:
    """Kernel or features at examples and nodes."""
    most, wide = max(model.n for model in models), max(model.k or model.n for model in models)
    points = max(2 * max(model.band, model.frequency) + 200 for model in models)
    return frames.Memory(8.0 * 4 * (most + points) * wide, {"n": most, "k": wide})


@over_ridges(BandlimitedFeatures, frames.Options, memory=memory)
def simulate(
    model: BandlimitedFeatures, options: frames.Options, rng: np.random.Generator, ridges: np.ndarray
) -> dict[str, np.ndarray]:
    """Draw examples, and features if they are finite, and solve the ridge regression.

    Over ridges a replica keeps its instance, over the other axes each point has one of its own.

    Returns
    -------
    dict
        With axes (replica, axis): ``eps_g`` and ``train_loss``, as in the theory.
    """
    x = rng.uniform(-1, 1, model.n)
    nodes, w = np.polynomial.legendre.leggauss(int(2 * max(model.band, model.frequency)) + 200)
    size = np.sqrt(0.5 + 0.5 * np.sinc(2 * model.frequency / np.pi))
    y = np.cos(model.frequency * x) / size + model.noise * rng.standard_normal(model.n)
    here = np.append(x, nodes)
    if model.k is None:
        A = np.sinc(model.band * np.subtract.outer(here, x) / np.pi)
        found = [_solved(A[: model.n], y, ridge) for ridge in ridges.tolist()]
        fitted = A @ np.stack(found, axis=1)
    else:
        frequencies, phases = rng.uniform(-model.band, model.band, model.k), rng.uniform(0, 2 * np.pi, model.k)
        A = np.sqrt(2 / model.k) * np.cos(np.multiply.outer(here, frequencies) + phases)
        fitted = A @ least_squares(A[: model.n], y, ridges)[0]
    off = fitted[model.n :] - (np.cos(model.frequency * nodes) / size)[:, None]
    return {
        "eps_g": 0.25 * w @ off**2,
        "train_loss": 0.5 * ((fitted[: model.n] - y[:, None]) ** 2).mean(axis=0),
    }


def _solved(K: np.ndarray, y: np.ndarray, ridge: float) -> np.ndarray:
    from scipy.linalg import cho_solve

    factor = cholesky(K + ridge * np.eye(len(K)))
    a = cho_solve(factor, y, check_finite=False)
    return a + cho_solve(factor, y - K @ a - ridge * a, check_finite=False)
