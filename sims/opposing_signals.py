"""Gradient descent of the student of opposing signals on a training set."""

from __future__ import annotations

from dataclasses import dataclass

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


@frames.courses(
    OpposingSignals, Options, memory=frames.room(lambda n, d: (4 * d + 12) * n + 9 * (d + 2) ** 2, "n", "d")
)
def simulate(model: OpposingSignals, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw n examples, train the student on all of them at once, and observe on them what the theory does."""
    rng, n = replica.rng("examples"), options.n
    sign = rng.choice([1, 0, -1], n, p=np.array([0.5, 0, 0.5]) * model.share + [0, 1 - model.share, 0])
    if not {1, -1} <= set(sign.tolist()):
        raise ModelError("n", n, f"must be larger: no outlier of one sign is among them, at a share of {model.share:g}")
    x = np.column_stack([rng.standard_normal((n, options.d)), model.outlier * sign])
    z = np.column_stack([x, model.beta * x[:, 0] + model.kappa * np.abs(x[:, -1])])
    # A linear student knows examples and answers by their second moments alone.
    whole, up, down = (z[at].T @ z[at] / len(z[at]) for at in (slice(None), sign > 0, sign < 0))
    xx, yx = whole[:-1, :-1], whole[-1, :-1]
    best = np.linalg.lstsq(xx, yx, rcond=None)[0]

    def row(w: np.ndarray) -> dict[str, float]:
        b, c = w[:-1], w[-1]
        off, error, cross = c * b - best, np.append(c * b, -1), 2 * c * xx @ b - yx
        hessian = np.block([[c**2 * xx, cross[:, None]], [cross, b @ xx @ b]])
        losses = {"loss": off @ xx @ off, "loss_up": error @ up @ error, "loss_down": error @ down @ error}
        found = {"c": c, "b": b[0], "b_o": b[-1], **{name: 0.5 * twice for name, twice in losses.items()}}
        return {**found, "curvature": c**2 * xx[-1, -1], "sharpness": np.linalg.eigvalsh(hessian)[-1]}

    first = np.array([model.b, *np.zeros(options.d - 1), model.b_o, model.c])
    net = DeepLinear((options.d + 1, 1, 1), xx, yx[None])
    return frames.stack([row(w) for w in descend(net, first, options.t, model.lr)])
