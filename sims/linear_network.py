"""A linear network of two layers, trained by gradient flow or descent on whitened inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.ground.times import course
from tsphys.models.linear_network import LinearNetwork
from tsphys.numerics.orthogonal import orthogonal
from tsphys.runs import frames
from tsphys.sims.engines.gradient import DeepLinear, flow, paced


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    at: float = param(100.0, "time at which the network is seen, over other axes", low=0, high=1e4)
    t: Any = course("times, as the axis: START:STOP:POINTS[:lin|log] or a list a,b,c")
    width: int | None = param(None, "hidden units; none: the rank", kind=int, low=1, high=1000, optional=True)
    jitter: float = param(0.0, "standard deviation of what is added to all weights at the start", low=0, high=100)
    lr: float | None = param(
        None, "steps of descent are at most so long; none: gradient flow", low=1e-6, high=100, optional=True
    )
    rtol: float = param(1e-11, "relative tolerance of a step of the flow", low=1e-13, high=1e-2)

    def suited(self, models: Sequence[LinearNetwork]) -> Options:
        for model in models:
            if self.width is not None and self.width < model.rank:
                raise ModelError("width", self.width, f"must be at least the rank, {model.rank}")
            bound = steepest_step(model)
            if self.lr is not None and self.lr >= bound:
                raise ModelError("lr", self.lr, f"must be below {bound:.4g}, where steps become unstable")
        return self


def steepest_step(model: LinearNetwork) -> float:
    """2 over the largest curvature, at the start or where all is learned: of a mode √(D² + 4s²) with D of balance."""
    first, most = float(model.squares[0]), 2 * max(model.teacher)
    if model.balance is None:
        return 2 / float(np.hypot(first, most))
    return 2 / max(2 * first + model.balance, float(np.hypot(model.balance, most)))


def memory(models: Sequence[LinearNetwork], options: Options) -> frames.Memory:
    """Layers at all stages of a step, and tangent kernels."""
    d, c = max(m.inputs for m in models), max(m.outputs for m in models)
    h = options.width or max(m.rank for m in models)
    return frames.Memory(
        8.0 * (30 * h * (d + c) + 6 * d * d + 6 * (c * d) ** 2), {"inputs": d, "width": h}, "a network"
    )


def seen(model: LinearNetwork, options: Options, rng: np.random.Generator, t: np.ndarray) -> dict[str, np.ndarray]:
    """A network at times t."""
    d, c = model.inputs, model.outputs
    W1, W2, S = model.start(model.alignment, rng if model.alignment is None else None)
    h = model.rank if options.width is None else options.width
    # Coordinates of inputs and of hidden units mean nothing; but rounding is no reason to leave a saddle.
    inputs, hidden = orthogonal(rng, d, d), orthogonal(rng, model.rank, h)
    if model.alignment == 0 and not W2.any():
        inputs, hidden = np.eye(d), np.eye(model.rank, h)
    W1, W2, S = hidden.T @ W1 @ inputs, W2 @ hidden, S @ inputs
    W1, W2 = (W + options.jitter * rng.standard_normal(W.shape) for W in (W1, W2))
    net = DeepLinear((d, h, c), np.eye(d), S)
    w = net.pack(W1, W2)
    if options.lr is None:
        course = flow(net, w, t, options.rtol)
    else:
        course = paced(net, w, t, options.lr)
    first = tangent(W1, W2)
    return frames.stack([row(net.layers(w), first, S) for w in course])


def tangent(W1: np.ndarray, W2: np.ndarray) -> np.ndarray:
    """The tangent kernel as a matrix: K(x, x') = (1 ⊗ xᵀ) of it (1 ⊗ x')."""
    (c, _), d = W2.shape, W1.shape[1]
    return np.asarray(np.kron(W2 @ W2.T, np.eye(d)) + np.kron(np.eye(c), W1.T @ W1))


def row(layers: Sequence[np.ndarray], first: np.ndarray, S: np.ndarray) -> dict[str, float]:
    """What is observed."""
    W1, W2 = layers
    kernel, values = tangent(W1, W2), np.linalg.svd(W1, compute_uv=False) ** 2
    cosine = np.sum(kernel * first) / np.linalg.norm(kernel) / np.linalg.norm(first)
    off = S - W2 @ W1
    return {
        "ntk_alignment": cosine,
        "loss": 0.5 * np.sum(off**2),
        "learned": np.sum(S * (W2 @ W1)) / np.sum(S**2),
        "readout": np.sum(W2**2),
        "effective_rank": values.sum() ** 2 / np.sum(values**2),
    }


@frames.courses(LinearNetwork, Options, memory=memory)
def over_time(model: LinearNetwork, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """A network at the times t."""
    return seen(model, options, replica.rng("start 0"), options.t)


@frames.or_over_time(over_time)
@frames.instances(LinearNetwork, Options, memory=memory, stream="start")
def simulate(model: LinearNetwork, options: Options, rng: np.random.Generator) -> dict[str, float]:
    """Draw a start, and a teacher if it is random, and train the network; observables as in the theory.

    Of `width` hidden units those beyond the rank begin at zero, up to rounding or `jitter`. From there they grow by
    themselves where much is to be learned that the first layer does not see, and long is not.
    """
    found = seen(model, options, rng, np.array([options.at]))
    return {name: value[0] for name, value in found.items() if name != "loss"}
