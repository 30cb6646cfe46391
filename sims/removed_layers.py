"""A deep linear network that loses layers, by gradient flow of its matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.models.removed_layers import RemovedLayers
from tsphys.numerics.orthogonal import orthogonal
from tsphys.runs import frames
from tsphys.sims.engines.gradient import DeepLinear, flow


@dataclass(frozen=True, kw_only=True)
class Options(frames.Times):
    N: int = param(20, "input dimension, at least the number of targets", kind=int, low=1, high=1000, short="-N")
    rotated: bool = param(
        False, "whether layers at the start are turned against each other, by rotations that cancel in the product",
        kind=bool,
    )  # fmt: skip
    rtol: float = param(1e-10, "relative tolerance of a step of the flow", low=1e-13, high=1e-2)

    def suited(self, models: Sequence[RemovedLayers]) -> Options:
        for model in models:
            if len(model.target) > self.N:
                raise ModelError("N", self.N, f"must be at least the number of targets, {len(model.target)}")
        return self


memory = frames.room(lambda N, L: (30 * L + 10) * N**2, "N", "layers", what="a network")


@frames.courses(RemovedLayers, Options, memory=memory, dims={"strength": ("mode",)})
def simulate(model: RemovedLayers, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Train a network in coordinates that are drawn, and take its last layers away; observables as in the theory.

    Of ``rotated`` layers the theory knows nothing once some are gone.
    """
    rng, N, m = replica.rng("coordinates"), options.N, len(model.target)
    U = orthogonal(rng, m, N)
    S = U.T * np.array(model.target, dtype=float) @ U
    turns = [orthogonal(rng, N, N) if options.rotated else np.eye(N) for _ in range(model.layers - 1)]
    sides = [np.eye(N), *turns, np.eye(N)]
    gain = model.start ** (1 / model.layers)
    layers = [gain * (b @ (U.T @ U) @ a.T) for a, b in pairwise(sides)]
    rows, t, now = [], options.t, 0.0
    for count, end in model.stages(float(t[-1])):
        net = DeepLinear([N] * (count + 1), np.eye(N), S)
        layers = layers[:count]
        here = t[(t > now) & (t <= end)] if now else t[t <= end]
        asked = np.unique(np.append(here, end))
        course = [net.layers(w) for w in flow(net, net.pack(*layers), asked - now, options.rtol)]
        rows += [course[i] for i in np.flatnonzero(np.isin(asked, here))]
        layers, now = course[-1], end
    return frames.stack([seen(found, U, S) for found in rows])


def seen(layers: Sequence[np.ndarray], U: np.ndarray, S: np.ndarray) -> dict[str, np.ndarray]:
    """What is observed, along the teacher's directions."""
    product = np.eye(len(S))
    for W in layers:
        product = W @ product
    return {"strength": np.diag(U @ product @ U.T).copy(), "loss": np.asarray(0.5 * np.sum((S - product) ** 2))}
