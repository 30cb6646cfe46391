"""Gradient flow of a linear student on drawn examples, in their own directions, or descent by steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.models.linear_estimator import LinearEstimator
from tsphys.runs import frames
from tsphys.sims.engines.gradient import DeepLinear, paced


@dataclass(frozen=True, kw_only=True)
class Options(frames.Sized, frames.Times):
    """What a simulation is asked for."""

    lr: float | None = param(None, "steps of descent are at most so long; none: gradient flow", low=1e-6, high=100,
                             optional=True)  # fmt: skip

    def suited(self, models: Sequence[LinearEstimator]) -> Options:
        for model in models:
            if self.lr is not None:
                # Of the largest eigenvalue, (1 + α^(−1/2))².
                bound = 2 / (1 + model.alpha**-0.5) ** 2
                if self.lr >= bound:
                    raise ModelError("lr", self.lr, f"must be below {bound:.4g}, where steps become unstable")
        return super().suited(models)


def memory(models: Sequence[LinearEstimator], options: Options) -> frames.Memory:
    P, D = round(max(model.alpha for model in models) * options.N), options.N
    each = 8.0 * (3.0 * P * D + 3.0 * min(P, D) ** 2 + 2.0 * (P + D) * len(options.t))
    return frames.Memory(each, {"N": D, "alpha": P / D}, "the examples")


@frames.courses(LinearEstimator, Options, memory=memory)
def simulate(model: LinearEstimator, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw examples and follow the student; observables as in the theory, of which ``accuracy`` is exact given w.

    The flow is solved in the singular vectors of the examples, along each of which it is an exponential.
    """
    from scipy.special import erf

    rng, D, P = replica.rng("examples"), options.N, round(model.alpha * options.N)
    X = rng.standard_normal((P, D))
    noise = model.noise * rng.standard_normal(P)
    # What is missing of w*; Gaussian inputs know no direction.
    if options.lr is None:
        left, values, right = np.linalg.svd(X, full_matrices=False)
        learned = -np.expm1(-(values**2) / P * options.t[:, None])
        missing = np.eye(1, D) - learned * (right[:, 0] + left.T @ noise / values) @ right
    else:
        net = DeepLinear((D, 1), X.T @ X / P, -(noise @ X)[None] / P)
        missing = np.stack(list(paced(net, np.eye(1, D)[0], options.t, options.lr)))
    off = missing @ X.T + noise
    square = np.sum(missing**2, axis=1)
    with np.errstate(divide="ignore", over="ignore"):
        accuracy = erf(np.sqrt(model.tolerance / (2 * square)))
    return {
        "mse": square,
        "train_mse": np.mean(off**2, axis=1),
        "accuracy": accuracy,
        "train_accuracy": np.mean(off**2 <= model.tolerance, axis=1),
    }
