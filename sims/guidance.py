"""A linear network that is pretrained or guided, by gradient flow of its matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.models.guidance import Guidance
from tsphys.numerics.orthogonal import orthogonal
from tsphys.runs import frames
from tsphys.sims.engines.gradient import DeepLinear, flow


@dataclass(frozen=True, kw_only=True)
class Options(frames.Times):
    width: int = param(20, "hidden units, at least as many as inputs", kind=int, low=1, high=1000)
    layers: str = param(
        "aligned", "layers at the start: along the teacher, or random orthonormal ones of the same size", kind=str,
        choices=("aligned", "random"),
    )  # fmt: skip
    rtol: float = param(1e-10, "relative tolerance of a step of the flow", low=1e-13, high=1e-2)

    def suited(self, models: Sequence[Guidance]) -> Options:
        for model in models:
            if self.width < len(model.target):
                raise ModelError("width", self.width, f"must be at least the number of inputs, {len(model.target)}")
        return self


def memory(models: Sequence[Guidance], options: Options) -> frames.Memory:
    d = len(models[0].target)
    h = options.width
    return frames.Memory(8.0 * (30 * 2 * h * d + 10 * d * d), {"width": h}, "a network")


@dataclass(frozen=True, eq=False)
class Guided:
    """A linear net whose first layer is pulled to the Gram matrix of a guide."""

    net: DeepLinear
    gram: np.ndarray
    strength: float

    def force(self, w: np.ndarray) -> np.ndarray:
        """Minus the gradient."""
        out, W1 = self.net.force(w), self.net.layers(w)[0]
        out[: W1.size] -= self.strength * (W1 @ (W1.T @ W1 - self.gram)).ravel()
        return out


@frames.courses(Guidance, Options, memory=memory, dims={"strength": ("mode",), "gram": ("mode",)})
def simulate(model: Guidance, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Train a network in coordinates of inputs, outputs and hidden units that are drawn; observables as in the theory.

    From ``random`` layers, of which the theory knows nothing, all is later, by the time that layers take to align.
    """
    rng, (targets, variances, guide) = replica.rng("coordinates"), model.modes()
    d = len(targets)
    h, size = options.width, np.sqrt(model.start)
    U, V, hidden = orthogonal(rng, d, d), orthogonal(rng, d, d), orthogonal(rng, d, h)
    inputs, S, gram = V.T * variances @ V, U.T * targets @ V, V.T * guide @ V
    W1 = size * (hidden.T @ V if options.layers == "aligned" else orthogonal(rng, d, h).T)
    if model.pretraining > 0:
        coder = DeepLinear((d, h, d), inputs, inputs)
        decoder = W1.T if options.layers == "aligned" else size * orthogonal(rng, d, h)
        (w,) = flow(coder, coder.pack(W1, decoder), np.array([model.pretraining]), options.rtol)
        W1 = coder.layers(w)[0]
    net = DeepLinear((d, h, d), inputs, S @ inputs)
    w = net.pack(W1, size * (U.T @ hidden if options.layers == "aligned" else orthogonal(rng, d, h)))
    rows, t, now = [], options.t, 0.0
    for strength, end in model.stages(float(t[-1])):
        here = t[(t > now) & (t <= end)] if now else t[t <= end]
        asked = np.unique(np.append(here, end))
        course = list(flow(Guided(net, gram, strength), w, asked - now, options.rtol))
        rows += [course[i] for i in np.flatnonzero(np.isin(asked, here))]
        w, now = course[-1], end
    return frames.stack([seen(net.layers(w), U, V, targets, variances) for w in rows])


def seen(
    layers: Sequence[np.ndarray], U: np.ndarray, V: np.ndarray, targets: np.ndarray, variances: np.ndarray
) -> dict[str, np.ndarray]:
    """What is observed, along the teacher's directions."""
    W1, W2 = layers
    left = U @ (W2 @ W1) @ V.T
    off = np.diag(targets) - left
    return {
        "strength": np.diag(left).copy(),
        "gram": np.diag(V @ W1.T @ W1 @ V.T).copy(),
        "loss": np.asarray(0.5 * np.sum(off**2 * variances)),
    }
