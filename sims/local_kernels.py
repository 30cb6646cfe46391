"""Simulation of local kernels: drawn inputs by plane waves, and the error from coefficients, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsphys.ground.parameters import param
from tsphys.models.local_kernels import LocalKernels
from tsphys.physics.kernels.torus import decay, waves
from tsphys.runs import frames
from tsphys.sims.engines.inference.ridge import least_squares, over_ridges


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    covariates: str = param(
        "torus", "waves at points of the torus, or Gaussian numbers in their place", kind=str,
        choices=("torus", "gaussian"),
    )  # fmt: skip


def memory(models: Sequence[LocalKernels], options: Options) -> frames.Memory:
    """Waves at the examples, twice, and the Gram matrix with its factor."""
    here, most = models[0], max(model.n for model in models)
    own = (2.0 * here.modes + 1) ** here.largest
    M = own if here.kernel == "convolutional" else own * here.dimension / here.largest
    each = 8.0 * (3 * most * M + 3 * min(most, M) ** 2)
    return frames.Memory(each, {"n": most, "modes": here.modes, "dimension": here.dimension})


@over_ridges(LocalKernels, Options, memory=memory)
def simulate(
    model: LocalKernels, options: Options, rng: np.random.Generator, ridges: np.ndarray
) -> dict[str, np.ndarray]:
    """Draw a target and inputs, and solve the ridge regression.

    Over ridges a replica keeps its instance, over the other axes each point has one of its own.

    Returns
    -------
    dict
        With axes (replica, axis): ``eps_g``, over all inputs of the torus by the coefficients of f̂ − f, and
        ``train_loss``, as in the theory; ``floor``, the ½⟨δf̂²⟩ that rounding leaves open.
    """
    k = waves(model.largest, model.modes)
    eigenvalues, power = strengths(model, k)
    copies = 1 if model.kernel == "convolutional" else model.dimension // model.largest
    # The constant, then cosines and sines, patch by patch.
    values = np.concatenate([[sum(w for _, w in model.scales())], np.tile(eigenvalues, 2 * copies)])
    variance = np.concatenate([[0.0], np.tile(power, 2 * copies)])
    target = np.sqrt(variance / variance.sum()) * rng.standard_normal(len(variance))
    if options.covariates == "gaussian":
        phi = rng.standard_normal((model.n, len(values)))
    else:
        phi = functions(model, rng.random((model.n, model.dimension)), k)
    y = phi @ target + model.noise * rng.standard_normal(model.n)
    root = np.sqrt(values)[:, None]
    phi *= root.T
    # The many waves beyond those that are learned hold the Gram matrix far from zero, whatever the ridge.
    w, error = least_squares(phi, y, ridges, safe=0.0)
    return {
        "eps_g": 0.5 * ((root * w - target[:, None]) ** 2).sum(axis=0),
        "train_loss": 0.5 * ((y[:, None] - phi @ w) ** 2).mean(axis=0),
        "floor": 0.5 * ((root * error) ** 2).sum(axis=0),
    }


def strengths(model: LocalKernels, k: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues and power, but for a factor, of waves k (·, s) on a largest patch."""
    squares = (k**2).sum(axis=1)

    def on_one_block(size: int) -> np.ndarray:
        blocks = (k.reshape(len(k), -1, size) != 0).any(axis=2)
        return blocks.sum(axis=1) == 1

    eigenvalues = np.zeros(len(k))
    for s, weight in model.scales():
        patches = model.dimension / s
        eigenvalues += on_one_block(s) * weight / patches * decay(squares, model.smoothness, s, model.length)
    t = model.target_patch
    return eigenvalues, on_one_block(t) * decay(squares, model.target_smoothness, t, model.length)


def functions(model: LocalKernels, x: np.ndarray, k: np.ndarray) -> np.ndarray:
    """The constant and √2 cos 2πk·x, √2 sin 2πk·x on each patch, or their sum over patches over √m, at x (n, d)."""
    patches = [2 * np.pi * part @ k.T for part in np.split(x, model.dimension // model.largest, axis=1)]
    columns = [wave(phase) for phase in patches for wave in (np.cos, np.sin)]
    if model.kernel == "convolutional":
        columns = [sum(columns[0::2]) / np.sqrt(len(patches)), sum(columns[1::2]) / np.sqrt(len(patches))]
    return np.hstack([np.ones((len(x), 1)), *(np.sqrt(2) * column for column in columns)])
