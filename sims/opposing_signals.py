"""Gradient descent of the student of opposing signals on a training set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.models.opposing_signals import OpposingSignals
from tsphys.runs import frames
from tsphys.sims.engines.gradient import DeepLinear, descend


@dataclass(frozen=True, kw_only=True)
class Options(frames.Steps):
    n: int = param(20_000, "examples of the training set", kind=int, low=1, short="-n")
    d: int = param(10, "dimension of the inputs beside outliers", kind=int, low=1, short="-d")


def memory(models: object, options: Options) -> frames.Memory:
    size = (4 * options.d + 12) * options.n + 9 * (options.d + 2) ** 2
    return frames.Memory(8.0 * size, {"n": options.n, "d": options.d}, "the examples")


class Moments(NamedTuple):
    """⟨xxᵀ⟩, ⟨yx⟩ and ⟨y²⟩ of examples, of which the loss of a linear student is made."""

    xx: np.ndarray
    yx: np.ndarray
    yy: float

    def loss(self, v: np.ndarray) -> float:
        """½⟨(y − v·x)²⟩."""
        return float(0.5 * (self.yy - 2 * v @ self.yx + v @ self.xx @ v))


def moments(x: np.ndarray, y: np.ndarray) -> Moments:
    """Those of some examples."""
    return Moments(x.T @ x / len(x), y @ x / len(x), float(y @ y / len(x)))


@frames.courses(OpposingSignals, Options, memory=memory)
def simulate(model: OpposingSignals, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw n examples, train the student on all of them at once, and observe on them what the theory does."""
    rng, n = replica.rng("examples"), options.n
    sign = rng.choice([1, 0, -1], n, p=np.array([0.5, 0, 0.5]) * model.share + [0, 1 - model.share, 0])
    if not {1, -1} <= set(sign.tolist()):
        raise ModelError("n", n, f"must be larger: no outlier of one sign is among them, at a share of {model.share:g}")
    x = np.column_stack([rng.standard_normal((n, options.d)), model.outlier * sign])
    y = model.beta * x[:, 0] + model.kappa * np.abs(x[:, -1])
    whole, up, down = (moments(x[at], y[at]) for at in (slice(None), sign > 0, sign < 0))
    best = np.linalg.lstsq(whole.xx, whole.yx, rcond=None)[0]
    net = DeepLinear((options.d + 1, 1, 1), whole.xx, whole.yx[None])

    def row(w: np.ndarray) -> dict[str, float]:
        b, c = w[:-1], w[-1]
        v, off = c * b, c * b - best
        cross = whole.xx @ v + whole.xx @ off
        hessian = np.block([[c**2 * whole.xx, cross[:, None]], [cross, b @ whole.xx @ b]])
        losses = {"loss": 0.5 * off @ whole.xx @ off, "loss_up": up.loss(v), "loss_down": down.loss(v)}
        sharpness = np.linalg.eigvalsh(hessian)[-1]
        return {"c": c, "b": b[0], "b_o": b[-1], **losses, "curvature": c**2 * whole.xx[-1, -1], "sharpness": sharpness}

    first = np.array([model.b, *np.zeros(options.d - 1), model.b_o, model.c])
    return frames.stack([row(w) for w in descend(net, first, options.t, model.lr)])
