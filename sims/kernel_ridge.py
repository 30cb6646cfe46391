"""Simulation of kernel and random-feature ridge regression in the eigenfunctions of the kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.fingerprint import of_array
from tsphys.ground.given import reals, takes
from tsphys.ground.parameters import array, number, plain
from tsphys.models.kernel_ridge import KernelRidge
from tsphys.numerics.random import generator
from tsphys.runs.axis import along
from tsphys.runs.ensemble import ensemble
from tsphys.runs.memory import fitting_threads
from tsphys.runs.points import tolerated
from tsphys.runs.replicas import thread_count
from tsphys.runs.result import Result
from tsphys.sims.engines.inference.ridge import least_squares, over_axis

#: Draws k features and returns their values at the inputs of a population, (P, k).
Features = Callable[[np.random.Generator, int], np.ndarray]


def simulate(
    model: KernelRidge,
    *,
    n: Any = None,
    k: Any = None,
    ridge: Any = None,
    noise: Any = None,
    population: Any = None,
    features: Features | None = None,
    replicas: int = 1,
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
    checkpoint: Callable[[Result], Any] | None = None,
    resume: Result | None = None,
) -> Result:
    """Draw examples, and random features if k is finite, and solve the ridge regression.

    Parameters
    ----------
    model : KernelRidge
    n, k, ridge, noise : number or sequence of numbers, optional
        In place of the model's; the one that is a sequence is the axis of the Result, `n` if none is. Over ridges a
        replica keeps its instance, over the others each point has one of its own.
    population : array_like, shape (P, M), optional
        Values φ_i(x) of the eigenfunctions at P inputs that are all there are, orthonormal in the mean over them, as
        `tsphys.physics.kernels.eigensystem` gives them; the examples are then n of these. By default the φ_i(x) are
        independent N(0, 1).
    features : callable, optional
        ``features(rng, k)`` draws k features with the model's kernel and returns their values ψ_a(x) at the inputs of
        the population, shape (P, k). By default they are Gaussian.
    replicas, seed, threads
        Independent instances, the seed that with the replica fixes them, and how many are done at once.
    progress, checkpoint, resume
        Fraction done, finished replicas every 10 s or so, finished replicas to start from.

    Returns
    -------
    Result
        With axes (replica, axis): ``eps_g``, exact for an instance, and ``train_loss``, as in the theory; ``floor``,
        the ½⟨δf̂²⟩ that rounding leaves open, below which ``eps_g`` says nothing; with a population ``eps_held``, the
        error at the inputs that are no examples.

    Raises
    ------
    ModelError
        If an argument is out of range, or an instance does not fit into memory.
    """
    axis, values, models = along(model, n=n, k=k, ridge=ridge, noise=noise)
    replicas = number("replicas", replicas, kind=int, low=1)
    seed = number("seed", seed, kind=int, low=0, high=2**63 - 1)
    modes = model.modes if model.eigenvalues is None else len(model.eigenvalues)
    own = None if population is None else array("population", population, (None, modes), "a row for each input")
    if features is not None:
        takes("features", features, "rng", "k")
        if own is None:
            raise ModelError("features", features, "must be none without a population")
    if features is not None and any(here.k is None for here in models):
        raise ModelError("k", None, "must be given with features")
    most = max(here.n for here in models)
    if own is not None and most >= len(own):
        raise ModelError("n", most, f"must be less than the {len(own)} inputs of the population")
    wide = max(modes if here.k is None else here.k for here in models)
    bytes_each = 8.0 * (float(most + wide) * modes + 4.0 * most * wide + 6.0 * min(most, wide) ** 2)
    threads = fitting_threads(bytes_each, {"n": most, "modes": modes, "k": wide}, "an instance", thread_count(threads))

    gaps = tolerated()

    def work(replica: int, report: Callable[[float], None]) -> dict[str, np.ndarray]:
        def instance(i: int, ridges: np.ndarray) -> dict[str, np.ndarray]:
            return learned(models[i], own, features, generator(seed, replica, f"instance {i}"), ridges)

        return over_axis(axis, values, models, instance, report, gaps)

    # The theory is exact for many examples; N tells comparisons how far from that this is.
    record = {
        "N": min(here.n for here in models),
        "seed": seed,
        "engine": "direct",
        "population": "drawn" if own is None else f"given {of_array(own)}",
        "features": "drawn" if features is None else plain(features),
    }
    return ensemble(
        model, axis, values, work, record, replicas=replicas, threads=threads, progress=progress, checkpoint=checkpoint,
        resume=resume,
    )  # fmt: skip


def learned(
    model: KernelRidge,
    population: np.ndarray | None,
    features: Features | None,
    rng: np.random.Generator,
    ridges: np.ndarray,
) -> dict[str, np.ndarray]:
    """Observables of one instance at each of the ridges, each of shape (len(ridges),)."""
    eigenvalues, target = model.spectrum()
    rows: Any = slice(None)
    if population is None:
        phi = rng.standard_normal((model.n, len(target)))
    else:
        rows = rng.choice(len(population), model.n, replace=False)
        phi = population[rows]
    y = phi @ target + model.noise * rng.standard_normal(model.n)
    # f̂ = w·ψ with a penalty δ‖w‖²/2; ψ = Bφ but for features of the user's own.
    if features is not None and population is not None and model.k is not None:
        psi = reals("features", features, (len(population), model.k), rng, model.k)
        psi = psi / np.sqrt(model.k)
        w, error = least_squares(psi[rows], y, ridges)
        off, error = psi @ w - (population @ target)[:, None], psi @ error
        fitted = psi[rows] @ w
    else:
        B = np.sqrt(eigenvalues)[:, None]
        if model.k is not None:
            B = B * rng.standard_normal((len(target), model.k)) / np.sqrt(model.k)
        A = phi * B[:, 0] if model.k is None else phi @ B
        rank = min(model.n, int((eigenvalues > 0).sum()), model.k or model.n) if population is None else None
        w, error = least_squares(A, y, ridges, rank)
        off = (B * w if model.k is None else B @ w) - target[:, None]
        error = B * error if model.k is None else B @ error
        if population is not None:
            off, error = population @ off, population @ error
        fitted = A @ w
    inputs = 1 if population is None else len(population)
    out = {
        "eps_g": 0.5 * (off**2).sum(axis=0) / inputs,
        "train_loss": 0.5 * ((y[:, None] - fitted) ** 2).mean(axis=0),
        "floor": 0.5 * (error**2).sum(axis=0) / inputs,
    }
    return out if population is None else {**out, "eps_held": 0.5 * (np.delete(off, rows, axis=0) ** 2).mean(axis=0)}
