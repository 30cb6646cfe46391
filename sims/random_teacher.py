"""Random teachers that are distilled by gradient flow, and ridge regression on the student's features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tsphys.ground.parameters import param
from tsphys.models.random_teacher import RandomTeacher
from tsphys.runs import frames
from tsphys.sims.engines.gradient import flow
from tsphys.sims.engines.inference.ridge import least_squares


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    rtol: float = param(1e-8, "relative tolerance of a step of the flow", low=1e-13, high=1e-2)


class Distillation(NamedTuple):
    """What a student W = a W* + b W(0) descends on, input by input: it stays among teachers and starts of its rows.

    Parameters
    ----------
    eigenvalues : (d,) ndarray
    decay : float
        μ.
    """

    eigenvalues: np.ndarray
    decay: float

    def force(self, w: np.ndarray) -> np.ndarray:
        """Minus the gradient of ½⟨|Wx − W*x|²⟩ + ½μ|W|², in the coordinates a and b (2, d)."""
        a, b = w.reshape(2, -1)
        return np.concatenate([(1 - a) * self.eigenvalues - self.decay * a, -b * self.eigenvalues - self.decay * b])


def memory(models: Sequence[RandomTeacher], options: Options) -> frames.Memory:
    """Weights of a student, its teacher and its start, and the probe's examples and features."""
    n, p, d = float(max(m.n for m in models)), float(max(m.features for m in models)), models[0].inputs
    each = 8.0 * (6 * p * d + n * d + 4 * n * p + 6 * min(n, p) ** 2)
    return frames.Memory(each, {"n": n, "features": p, "inputs": d}, "a student and its examples")


@frames.replicated(RandomTeacher, Options, memory=memory)
def simulate(along: frames.Points, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw a teacher, distil it, and probe the student; observables as in the theory, exact on fresh inputs.

    A replica has the same teacher, start and examples at all points of the axis, as far as their sizes are the same;
    over times it is one student.
    """
    models = along.models
    one = course(models[0], models, options) if along.axis == "t" else None

    def at(i: int) -> dict[str, float]:
        here = models[i]
        return probed(here, (one or course(here, [here], options))[here.t], replica)

    return replica.each(len(models), at)


def course(
    model: RandomTeacher, models: Sequence[RandomTeacher], options: Options
) -> dict[float | None, tuple[np.ndarray, np.ndarray]]:
    """Shares a and b, each (d,), of the teacher and of the start in the student at the times of models."""
    net = Distillation(model.spectrum()[0], model.weight_decay)
    rest = np.zeros(model.inputs)
    finite = sorted({m.t for m in models if m.t is not None})
    found = flow(net, np.concatenate([rest, rest + 1]), np.array(finite), options.rtol)
    shares: dict[float | None, tuple[np.ndarray, np.ndarray]] = {
        t: (w[: model.inputs], w[model.inputs :]) for t, w in zip(finite, found, strict=True)
    }
    # Where the force is none.
    return {None: (net.eigenvalues / (net.eigenvalues + net.decay), rest), **shares}


def probed(model: RandomTeacher, shares: tuple[np.ndarray, np.ndarray], replica: frames.Replica) -> dict[str, float]:
    """What a probe has learned from the features of a student."""
    n, p, d = model.n, model.features, model.inputs
    eigenvalues, power = model.spectrum()
    teacher = replica.rng("teacher").standard_normal((p, d))
    across = np.sqrt(1 - model.overlap**2) * replica.rng("start").standard_normal((p, d))
    W = shares[0] * teacher + shares[1] * (model.scale * (model.overlap * teacher + across))
    target = np.sqrt(power)
    g = replica.rng("inputs").standard_normal((n, d))
    y = g @ target + model.noise * replica.rng("noise").standard_normal(n)
    features = W * np.sqrt(eigenvalues / p)
    A = g @ features.T
    readout = least_squares(A, y, [model.ridge])[0][:, 0]
    return {
        "eps_g": 0.5 * np.sum((features.T @ readout - target) ** 2),
        "train_loss": 0.5 * np.mean((A @ readout - y) ** 2),
        "distance": np.sum((W - teacher) ** 2 @ eigenvalues) / np.sum(teacher**2 @ eigenvalues),
    }
