"""Sparse tickets on drawn examples, or on your own: fit, prune the smallest weights, and fit the others again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tsphys.ground.parameters import counted, handed, param
from tsphys.models.sparse_tickets import LOSSES, SparseTickets
from tsphys.physics.inference import calibration
from tsphys.physics.inference.generalisation import generalisation_error
from tsphys.physics.inference.losses import loss
from tsphys.runs import frames
from tsphys.sims.engines.inference.minimise import minimise
from tsphys.sims.engines.inference.own_data import INPUTS, OUTPUTS, Part, checked, held_out, parted


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    N: int = param(400, "number of weights", kind=int, low=2, short="-N")
    fresh: int = param(10_000, "fresh labels on which overconfidence is measured", kind=int, low=1)
    X: Any = handed(INPUTS)
    y: Any = handed(OUTPUTS)

    def suited(self, models: Sequence[SparseTickets]) -> Options:
        binary = models[0].student == "logistic"
        data = checked(self.X, self.y, binary, max(model.alpha for model in models))
        N = self.N if data is None else data.X.shape[1]
        for model in models:
            counted("alpha", model.alpha, N, "example")
            counted("kept", model.kept, N, "weight")
            if data is None:
                counted("density", model.density, N, "weight of the teacher")
        return self if data is None else replace(self, N=N, X=data.X, y=data.y)


@frames.replicated(
    SparseTickets, Options, memory=frames.room(lambda N, a: (4 * a + 3 * min(a, 1) ** 2) * N**2, "N", "alpha")
)
def simulate(along: frames.Points, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw a teacher and examples, fit and prune the student round by round; observables as in the theory.

    A replica has the same examples at all points of the axis, as far as they are as many. Overconfidence is that on
    fresh labels, calibration_error that of all fresh examples, by the overlaps. With `X` and `y` of your own there is
    no teacher: ``eps_g`` and ``eps_dense`` are those of held out outputs as they are, calibration_error is in ten bins,
    and there are ``kept_weights``, a number, in place of overlaps.
    """
    data = None if options.X is None else Part(options.X, options.y)

    def one(i: int) -> dict[str, float]:
        rng = replica.rng("examples")
        return drawn(along.models[i], options, rng) if data is None else given(along.models[i], options, rng, data)

    return replica.each(len(along.models), one)


def pruned(model: SparseTickets, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The dense student, the last one, both (N,), and which weights it has."""
    students: list[np.ndarray] = []
    alive = np.arange(X.shape[1])
    for share, ridge in model.fits():
        if students:
            size = np.abs(students[-1][alive])
            # Of the weights that are left all that were pruned have been smaller.
            alive = np.sort(alive[np.argsort(-size, kind="stable")[: max(round(share * X.shape[1]), 1)]])
        w = np.zeros(X.shape[1])
        w[alive], _ = minimise(LOSSES[model.student][0], X[:, alive], y, ridge)
        students.append(w)
    return students[0], students[-1], alive


def drawn(model: SparseTickets, options: Options, rng: np.random.Generator) -> dict[str, float]:
    """A teacher, and what a student has learned of it."""
    _, channel = model.objects()
    N, n, some = options.N, round(model.alpha * options.N), round(model.density * options.N)
    # No weight is like no other: the teacher may have the first, and for less noise |w*|² = N.
    teacher, X = np.zeros(N), rng.standard_normal((n, N)) / np.sqrt(N)
    teacher[:some] = rng.standard_normal(some)
    teacher *= np.sqrt(N) / np.linalg.norm(teacher)
    y = channel.draw(rng, X @ teacher)
    dense, w, alive = pruned(model, X, y)
    m, q = float(teacher @ w) / N, float(w @ w) / N
    out = {
        "eps_g": _error(channel, teacher, w),
        "eps_dense": _error(channel, teacher, dense),
        "m": m,
        "q": q,
        "recall": float((alive < some).sum() / some),
        "train_loss": float(loss(LOSSES[model.student][0], y, X @ w).mean()),
    }
    if model.student == "ridge":
        return out
    # Fields of fresh inputs have these overlaps for covariances.
    h = np.sqrt(q) * rng.standard_normal(options.fresh)
    z = m / q * h + np.sqrt(max(1 - m * m / q, 0.0)) * rng.standard_normal(options.fresh)
    told = calibration.calibration(m, q, model.noise**2)
    return {**out, **told, "overconfidence": calibration.seen(h, channel.draw(rng, z))["overconfidence"]}


def _error(channel: Any, teacher: np.ndarray, w: np.ndarray) -> float:
    N = len(w)
    return generalisation_error(channel, 1.0, float(teacher @ w) / N, float(w @ w) / N)


def given(model: SparseTickets, options: Options, rng: np.random.Generator, data: Part) -> dict[str, float]:
    """What a student has learned of a part of the user's examples, on the others."""
    binary = model.student == "logistic"
    learned, others = parted(data, round(model.alpha * options.N), rng)
    dense, w, alive = pruned(model, *learned)
    h = others.X @ w
    out = {
        "eps_g": held_out(h, others.y, binary),
        "eps_dense": held_out(others.X @ dense, others.y, binary),
        "kept_weights": float(len(alive)),
        "train_loss": float(loss(LOSSES[model.student][0], learned.y, learned.X @ w).mean()),
    }
    return {**out, **calibration.seen(h, others.y)} if binary else out
