"""Simulation of the hidden manifold: online SGD on inputs made from latent variables, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys.ground.fingerprint import of_array
from tsphys.ground.parameters import param
from tsphys.models.hidden_manifold import HiddenManifold, Instance, given_features, instance, sizes
from tsphys.physics.nonlinearities import apply
from tsphys.runs.result import Result
from tsphys.sims.engines.online import latent

OPTIONS = {
    "disorder": param(
        "common", "features, teacher, initial weights: for all replicas, or for each", kind=str, choices=latent.DISORDER
    ),
    "n_test": param(1000, "fresh examples for eps_test at each time; 0: none", kind=int),
}


def simulate(
    model: HiddenManifold,
    *,
    N: int,
    t: Any,
    replicas: int = 1,
    seed: int = 0,
    F: Any = None,
    disorder: str = "common",
    n_test: int = 1000,
    threads: int | None = None,
    dtype: str = "float64",
    progress: Callable[[float], None] | None = None,
    checkpoint: Callable[[Result], Any] | None = None,
    resume: Result | None = None,
) -> Result:
    """Simulate online SGD on the hidden manifold at input dimension N, and observe it at the times t = steps/N.

    Parameters
    ----------
    model : HiddenManifold
    N : int
        Input dimension; D = round(δN).
    t : sequence of float
        Times, increasing from 0 or later. What is observed at t is the state after round(tN) steps.
    replicas : int
        Independent runs.
    seed : int
        With the replica's number it determines every random number.
    F : (N, D) array_like, optional
        Features, rows of squared norm D; none: drawn as the model says.
    disorder : {"common", "each"}
        ``common``: features, teacher and initial weights are those of replica 0 for all, which differ by their
        examples alone, as `tsphys.odes.hidden_manifold.solve` has it; ``each``: a draw for each.
    n_test : int
        Fresh examples on which ``eps_test`` is measured at each time.
    threads : int, optional
        Threads over the replicas; all cores by default. Linear algebra takes one thread in each.
    dtype : {"float64", "float32"}
        Precision of weights and inputs.
    progress, checkpoint, resume
        Fraction done, finished replicas as they come, and those to start from.

    Returns
    -------
    Result
        With axes (replica, t): ``eps_test`` error on fresh examples; ``eps_g`` the same by the Gaussian equivalence
        from R_km = b Σ_r S_kr θ_mr/D and Q = κ²W + b²Σ; ``W`` = wwᵀ/N, ``Sigma`` = SSᵀ/D with S = wF/√N; ``v``.

    Raises
    ------
    ModelError
        If an argument is out of range, or the arrays do not fit into memory.
    DivergedError
        If a replica left every bound.
    """
    N, D = sizes(model, N, F)
    given = None if F is None else given_features(F)
    dense = given is not None or model.features == "gaussian"

    def build(replica: int) -> latent.Source:
        return source(model, instance(model, N, D, seed, replica, given), np.dtype(dtype))

    return latent.simulate(
        model, build, N=N, t=t, replicas=replicas, seed=seed, disorder=disorder, n_test=n_test, threads=threads,
        dtype=dtype, fixed=8.0 * ((2.0 * N * D if dense else 4.0 * max(N, D)) + (model.M + 2) * D), latent=max(N, D),
        cost=2.0 * N * D if dense else 20.0 * max(N, D),
        record={"F": "drawn" if given is None else f"given {of_array(given.F)}", "f": list(model.moments)},
        progress=progress, checkpoint=checkpoint, resume=resume,
    )  # fmt: skip


def source(model: HiddenManifold, drawn: Instance, dtype: Any) -> latent.Source:
    """Inputs, teachers' fields and overlaps of an instance."""
    m, features, theta = model.moments, drawn.features, drawn.theta
    D = theta.shape[1]
    swift, teacher = features.astype(dtype), np.ascontiguousarray(theta.T / np.sqrt(D), dtype=dtype)
    b, kappa = dtype.type(m.b), dtype.type(np.sqrt(m.kappa2))

    def draw(rng: np.ndarray, scalars: np.random.Generator, x: np.ndarray) -> np.ndarray:
        c = np.empty((len(x), D), dtype)
        latent.normal_rows(rng, c)
        swift.fields(c, out=x)
        if model.inputs == "manifold":
            apply(model.f, x)
        else:
            x *= b
            if kappa > 0:
                x += kappa * scalars.standard_normal(x.shape, dtype)
        return (c @ teacher).astype(np.float64)

    def overlaps(W: np.ndarray) -> dict[str, np.ndarray]:
        S = features.project(W)
        own, sigma = W @ W.T / W.shape[1], S @ S.T / D
        return {"R": m.b / D * S @ theta.T, "Q": m.kappa2 * own + m.b**2 * sigma, "W": own, "Sigma": sigma}

    return latent.Source(drawn.W, theta @ theta.T / D, draw, overlaps)
