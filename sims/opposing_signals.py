"""Gradient descent of the student of opposing signals on a training set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsphys.ground.parameters import param
from tsphys.models.opposing_signals import OpposingSignals
from tsphys.runs import frames


@dataclass(frozen=True, kw_only=True)
class Options(frames.Steps):
    n: int = param(20_000, "examples of the training set", kind=int, low=1, short="-n")
    d: int = param(10, "dimension of the inputs beside outliers", kind=int, low=1, short="-d")


def memory(models: object, options: Options) -> frames.Memory:
    return frames.Memory(8.0 * (4 * options.d + 12) * options.n, {"n": options.n, "d": options.d}, "the examples")


@frames.courses(OpposingSignals, Options, memory=memory)
def simulate(model: OpposingSignals, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw n examples, train the student on all of them at once, and observe on them what the theory does."""
    rng, n = replica.rng("examples"), options.n
    sign = rng.choice([1, 0, -1], n, p=np.array([0.5, 0, 0.5]) * model.share + [0, 1 - model.share, 0])
    x = np.column_stack([rng.standard_normal((n, options.d)), model.outlier * sign])
    y, power = model.beta * x[:, 0] + model.kappa * np.abs(x[:, -1]), (x[:, -1] ** 2).mean()
    least = ((y - x @ np.linalg.lstsq(x, y, rcond=None)[0]) ** 2).mean()

    def step(w: np.ndarray) -> np.ndarray:
        pull = x.T @ (y - w[0] * (x @ w[1:])) / n
        return w + model.lr * np.append(w[1:] @ pull, w[0] * pull)

    def row(w: np.ndarray) -> dict[str, float]:
        losses = 0.5 * (y - w[0] * (x @ w[1:])) ** 2
        up, down = (losses @ (sign == s) / max((sign == s).sum(), 1) for s in (1, -1))
        told = {"loss": losses.mean() - 0.5 * least, "loss_up": up, "loss_down": down}
        return {"c": w[0], "b": w[1], "b_o": w[-1], **told, "curvature": w[0] ** 2 * power}

    first = np.array([model.c, model.b, *np.zeros(options.d - 1), model.b_o])
    return frames.stack([row(w) for w in frames.seen(first, step, options.t)])
