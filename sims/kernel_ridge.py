"""Simulation of kernel and random-feature ridge regression in the eigenfunctions of the kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.given import reals, takes
from tsphys.ground.parameters import array, handed
from tsphys.models.kernel_ridge import KernelRidge
from tsphys.runs import frames
from tsphys.sims.engines.inference.ridge import least_squares, over_ridges

#: Draws k features and returns their values at the inputs of a population, (P, k).
Features = Callable[[np.random.Generator, int], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    population: Any = handed(
        "values φ_i(x) of the eigenfunctions at P inputs that are all there are, shape (P, M), orthonormal in the mean "
        "over them, as `tsphys.physics.kernels.eigensystem` gives them; the examples are then n of these. By default "
        "the φ_i(x) are independent N(0, 1)"
    )
    features: Features | None = handed(
        "``features(rng, k)`` draws k features with the model's kernel and returns their values ψ_a(x) at the inputs "
        "of the population, shape (P, k). By default they are Gaussian"
    )

    def suited(self, models: Sequence[KernelRidge]) -> Options:
        if self.features is not None:
            takes("features", self.features, "rng", "k")
            if self.population is None:
                raise ModelError("features", self.features, "must be none without a population")
            if any(here.k is None for here in models):
                raise ModelError("k", None, "must be given with features")
        if self.population is None:
            return self
        own = array("population", self.population, (None, modes(models)), "a row for each input")
        most = max(here.n for here in models)
        if most >= len(own):
            raise ModelError("n", most, f"must be less than the {len(own)} inputs of the population")
        return replace(self, population=own)


def modes(models: Sequence[KernelRidge]) -> int:
    """Eigenfunctions of the models along an axis."""
    return models[0].modes if models[0].eigenvalues is None else len(models[0].eigenvalues)


def memory(models: Sequence[KernelRidge], options: Options) -> frames.Memory:
    """Examples, features, and the factors of the smaller of both."""
    most, M = max(here.n for here in models), modes(models)
    wide = max(M if here.k is None else here.k for here in models)
    each = 8.0 * (float(most + wide) * M + 4.0 * most * wide + 6.0 * min(most, wide) ** 2)
    return frames.Memory(each, {"n": most, "modes": M, "k": wide})


@over_ridges(KernelRidge, Options, memory=memory)
def simulate(
    model: KernelRidge, options: Options, rng: np.random.Generator, ridges: np.ndarray
) -> dict[str, np.ndarray]:
    """Draw examples, and random features if k is finite, and solve the ridge regression.

    Over ridges a replica keeps its instance, over the other axes each point has one of its own.

    Returns
    -------
    dict
        With axes (replica, axis): ``eps_g``, exact for an instance, and ``train_loss``, as in the theory; ``floor``,
        the ½⟨δf̂²⟩ that rounding leaves open, below which ``eps_g`` says nothing; with a population ``eps_held``, the
        error at the inputs that are no examples.
    """
    population, features = options.population, options.features
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
