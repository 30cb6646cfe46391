"""Simulation of online SGD on the inputs of a generator, on samples of it, or on Gaussian inputs of its covariance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys.ground.fingerprint import functions, of_array
from tsphys.ground.given import reals
from tsphys.models.generative_inputs import GenerativeInputs, Instance, instance
from tsphys.sims.engines.online import latent


@latent.learned(GenerativeInputs, latent.Options)
def simulate(model: GenerativeInputs, options: latent.Options, seed: int) -> latent.Plan:
    """Simulate online SGD, and observe it at the times t = steps/N; see also `tsphys.sims.hidden_manifold.simulate`.

    Returns
    -------
    dict
        ``eps_test``, ``eps_g``, ``R`` = w⟨xν⟩/√N, ``Q`` = wΩwᵀ/N, ``W`` = wwᵀ/N and ``v``, with axes (replica, t).
    """
    N, D = model.sizes

    def build(replica: int) -> latent.Source:
        return source(model, instance(model, seed, replica), np.dtype(options.dtype))

    samples = 0 if model.x is None else len(model.x)
    return latent.Plan(
        N=N,
        build=build,
        fixed=8.0 * (2 * N * N + samples * (N + model.M) + model.M * D),
        latent=max(N, D),
        cost=2.0 * N * (1 if model.inputs == "resample" else N),
        record={
            "covariance": of_array(model.covariances[0]),
            "latent": of_array(model.covariances[1]),
            "functions": functions(model),
        },
    )


def source(model: GenerativeInputs, drawn: Instance, dtype: Any) -> latent.Source:
    """Inputs, teachers' fields and overlaps of an instance."""
    N, omega = model.sizes[0], model.covariances[0]
    overlaps = {
        "R": lambda W: W @ drawn.seen / np.sqrt(N),
        "Q": lambda W: W @ omega @ W.T / N,
        "W": lambda W: W @ W.T / N,
    }
    draw = {"resample": _resampled, "generator": _generated, "gaussian": _gaussian}[model.inputs](model, drawn, dtype)
    return latent.Source(drawn.W, drawn.T, draw, lambda W: {name: f(W) for name, f in overlaps.items()})


def _resampled(model: GenerativeInputs, drawn: Instance, dtype: Any) -> Callable[..., np.ndarray]:
    latents = model.x if model.c is None else model.c
    nu = latents @ drawn.theta.T / np.sqrt(latents.shape[1])

    def draw(rng: np.ndarray, scalars: np.random.Generator, x: np.ndarray) -> np.ndarray:
        which = scalars.integers(len(nu), size=len(x))
        x[...] = model.x[which]
        return nu[which]

    return draw


def _generated(model: GenerativeInputs, drawn: Instance, dtype: Any) -> Callable[..., np.ndarray]:
    D = model.sizes[1]

    def draw(rng: np.ndarray, scalars: np.random.Generator, x: np.ndarray) -> np.ndarray:
        c = np.empty((len(x), D), dtype)
        latent.normal_rows(rng, c)
        assert model.generator is not None
        x[...] = reals("generator", model.generator, x.shape, c) - model.mean
        return (c @ drawn.theta.T / np.sqrt(D)).astype(np.float64)

    return draw


def _gaussian(model: GenerativeInputs, drawn: Instance, dtype: Any) -> Callable[..., np.ndarray]:
    """x of covariance Ω; ν has the part that x explains, and a rest that knows nothing of x."""
    values, vectors = np.linalg.eigh(model.covariances[0])
    keep = values > 1e-13 * values[-1]
    values, vectors = values[keep], vectors[:, keep]
    root = np.ascontiguousarray((vectors * np.sqrt(values)).T, dtype=dtype)
    explained = (vectors / np.sqrt(values)).T @ drawn.seen
    left, rest = np.linalg.eigh(drawn.T - explained.T @ explained)
    # Where x explains all of ν, what rounding leaves is nothing, not its root.
    spread = (rest * np.sqrt(np.where(left > 1e-13 * np.trace(drawn.T), left, 0.0))).T

    def draw(rng: np.ndarray, scalars: np.random.Generator, x: np.ndarray) -> np.ndarray:
        z = np.empty((len(x), len(values)), dtype)
        latent.normal_rows(rng, z)
        np.matmul(z, root, out=x)
        return z @ explained + scalars.standard_normal((len(x), len(spread))) @ spread

    return draw
