"""Descent of a net of ReLUs on XOR clusters, in the span of its few examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground import times
from tsphys.ground.parameters import param
from tsphys.models.xor_clusters import XorClusters
from tsphys.physics.flows.xor import CENTRES, CLASSES, composition
from tsphys.runs import frames
from tsphys.sims.engines.gradient import TwoLayer, descend, reduced


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    t: Any = times.course("steps after which to observe: a,b,c or START:STOP:POINTS", times.iterations,
                          default="0,1,2,4,8,16,32,64")  # fmt: skip
    n_test: int = param(2000, "fresh examples that the accuracy is measured on, a quarter of each cluster", kind=int,
                        low=4)  # fmt: skip

    def suited(self, models: Sequence[XorClusters]) -> Options:
        for model in models:
            if model.n > model.N:
                raise ModelError("n", model.n, f"must be at most N = {model.N}: inputs have more dimensions")
        return self


def memory(models: Sequence[XorClusters], options: Options) -> frames.Memory:
    n, N, K = (max(getattr(model, name) for model in models) for name in ("n", "N", "K"))
    each = 8.0 * (3.0 * n * N + K * (N + 4.0 * K) + 2.0 * options.n_test * (n + K)) + TwoLayer.memory(n, n, K)
    return frames.Memory(each, {"n": n, "N": N, "K": K, "n_test": options.n_test}, "the examples and the net")


@frames.courses(XorClusters, Options, memory=memory)
def simulate(model: XorClusters, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw examples and a net, and train it; observables as in the theory.

    Weights move in the span of the examples alone, where the net is trained; what they were beside it is kept.
    """
    n, N, K = model.n, model.N, model.K
    drawn = composition(n, K, model.flips, None if model.balanced else replica.rng("composition"))
    rng = replica.rng("examples")
    X = rng.standard_normal((n, N))
    X[:, :2] += model.distance * drawn.centres
    W = model.scale / np.sqrt(N) * rng.standard_normal((K, N))
    Z, Q = reduced(X)
    inside = W @ Q
    # Fields of fresh noise: in the span of the examples it is normal, and W(0) sees the rest of it.
    rng = replica.rng("fresh")
    which = np.arange(options.n_test) % 4
    fresh = rng.standard_normal((options.n_test, n)) + model.distance * CENTRES[which] @ Q[:2]
    rest = W @ W.T - inside @ inside.T
    values, vectors = np.linalg.eigh(rest)
    beside = rng.standard_normal((options.n_test, K)) @ (vectors * np.sqrt(np.maximum(values, 0))).T
    beside += model.distance * CENTRES[which] @ (W[:, :2] - inside @ Q[:2].T).T

    net = TwoLayer(Z, drawn.labels, K, phi="relu", loss="logistic", rates=(1.0, 0.0))

    def row(weights: np.ndarray) -> dict[str, float]:
        V, readout = net.layers(weights)
        answers = readout[0] @ np.maximum(V @ Z.T, 0)
        told = readout[0] @ np.maximum(V @ fresh.T + beside.T, 0)
        centres = model.distance * (W[:, :2] + (V - inside) @ Q[:2].T)
        return {
            "accuracy": np.mean(0.5 * (1 + np.sign(told * CLASSES[which]))),
            "train_accuracy": np.mean(0.5 * (1 + np.sign(answers * drawn.labels))),
            "train_loss": np.mean(np.logaddexp(0, -answers * drawn.labels)),
            "centre_field": np.sqrt(np.mean(centres**2)),
        }

    start = net.pack(inside, drawn.readout)
    return frames.stack([row(w) for w in descend(net, start, options.t, model.lr * n / N)])
