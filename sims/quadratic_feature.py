"""A network of quadratic features trained on examples by gradient flow, or its linearisation in the lazy limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.models.quadratic_feature import QuadraticFeature
from tsphys.numerics.orthogonal import orthogonal
from tsphys.runs import frames
from tsphys.sims.engines.gradient import TwoLayer, flow

#: Smallest tolerance of weights: of rounding alone steps have no end.
SMALLEST = 1e-15


@dataclass(frozen=True, kw_only=True)
class Options(frames.Times):
    """What a simulation is asked for."""

    width: int | None = param(None, "hidden units N; none: 2 D", kind=int, low=1, high=10**5, optional=True)
    start: str = param(
        "orthogonal", "weights with mean 0 and covariance 1 exactly, as for N → ∞, or gaussian", kind=str,
        choices=("orthogonal", "gaussian"),
    )  # fmt: skip
    rtol: float = param(1e-8, "relative tolerance of a step of the flow", low=1e-13, high=1e-2)

    def suited(self, models: Sequence[QuadraticFeature]) -> Options:
        for model in models:
            if model.examples is None:
                raise ModelError("examples", None, "must be a number: a network learns from examples")
            if self.start == "orthogonal" and self.units(model) % (2 * model.inputs):
                words = f"must be a multiple of {2 * model.inputs} for an orthogonal start"
                raise ModelError("width", self.width, words)
        return self

    def units(self, model: QuadraticFeature) -> int:
        """N."""
        return 2 * model.inputs if self.width is None else self.width


def memory(models: Sequence[QuadraticFeature], options: Options) -> frames.Memory:
    """Examples, or features of all weights in the lazy limit, and weights at all stages of a step."""
    model, P = models[0], float(models[0].examples or 0)
    N, D = float(options.units(model)), model.inputs
    each = 8.0 * (30 * N * D + 3 * P * D + 2 * P * N + (3 * P * N * D if model.alpha is None else 0.0))
    return frames.Memory(each, {"width": N, "examples": P}, "a network and its examples")


@frames.courses(QuadraticFeature, Options, memory=memory)
def simulate(model: QuadraticFeature, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw examples and a network, and train its first layer; observables as in the theory, exact on fresh inputs."""
    beta, X = model.drawn(replica.rng("data"))
    (P, D), N, rng, eps = X.shape, options.units(model), replica.rng("weights"), model.eps
    if options.start == "gaussian":
        W = rng.standard_normal((N, D))
    else:
        half = np.sqrt(D) * np.concatenate([orthogonal(rng, D, D) for _ in range(N // (2 * D))])
        W = np.concatenate([half, -half])
    y, x = 0.5 * (X @ beta) ** 2 / D, X / np.sqrt(D)
    first = x @ W.T
    if model.alpha is None:
        # Linear in all weights; what a weight moves by is α times as much and finite.
        features = ((1 + eps * first)[:, :, None] * x[:, None, :]).reshape(P, N * D) / np.sqrt(N)
        net = TwoLayer(features, y, 1, rates=(float(P), 0.0))
        course = flow(net, net.pack(np.zeros((1, N * D)), np.ones((1, 1))), options.t, options.rtol)
        moves = (np.sqrt(N) * net.layers(w)[0].reshape(N, D) for w in course)
        rows = []
        for V in moves:
            cross = W.T @ V / N
            f = features @ V.ravel() / np.sqrt(N)
            rows.append(row(beta, V.mean(axis=0), eps * (cross + cross.T), y - f))
        return frames.stack(rows)
    alpha = model.alpha
    start = alpha / N * (first + 0.5 * eps * first**2).sum(axis=1)
    net = TwoLayer(x, y + start, N, phi="quadratic", eps=eps, rates=(P * N / alpha**2, 0.0))
    # Weights move by 1/α of what the answers do, which is all that the tolerance is for.
    rtol, rows = max(options.rtol / max(1.0, alpha), SMALLEST), []
    for w in flow(net, net.pack(W, np.full((1, N), alpha / N)), options.t, rtol):
        V = net.layers(w)[0]
        h = x @ V.T
        f = alpha / N * (h + 0.5 * eps * h**2).sum(axis=1) - start
        moved = alpha * eps * (V.T @ V - W.T @ W) / N
        rows.append(row(beta, alpha * (V - W).mean(axis=0), moved, y - f))
    return frames.stack(rows)


def row(beta: np.ndarray, mean: np.ndarray, moved: np.ndarray, error: np.ndarray) -> dict[str, float]:
    """What is observed, of α δw̄, αε δM, and errors on the examples: fresh ones are off by ½xᵀCx/D − αδw̄·x/√D."""
    D = len(beta)
    C = np.outer(beta, beta) - moved
    linear, misaligned, offset = mean @ mean / D, 0.5 * np.sum(C**2) / D**2, 0.25 * np.trace(C) ** 2 / D**2
    return {
        "train_mse": np.mean(error**2),
        "mse": linear + misaligned + offset,
        "linear": linear,
        "misaligned": misaligned,
        "offset": offset,
        "learned": beta @ moved @ beta / D**2,
    }
