"""Gradient descent of one layer on a training set, on drawn examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tsphys.errors import DivergedError, ModelError
from tsphys.ground import times
from tsphys.ground.parameters import counted, handed, param
from tsphys.ground.progress import tell
from tsphys.models.training_set import TrainingSet
from tsphys.physics.inference.fresh import on_fresh
from tsphys.physics.inference.losses import loss, slope
from tsphys.runs import frames
from tsphys.sims.engines.inference.own_data import INPUTS, OUTPUTS, Part, checked, held_out, parted

#: Longest step of a flow by Runge and Kutta's formulas, and part of the largest stable one.
LONGEST, STABLE = 0.1, 0.5
#: |w|²/N from which on a run has diverged.
LARGEST = 1e30


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    N: int = param(400, "input dimension", kind=int, low=2, short="-N")
    t: Any = times.course("steps, or times of a flow: START:STOP:POINTS[:lin|log] or a list a,b,c", default="0:100:101")
    X: Any = handed(INPUTS)
    y: Any = handed(OUTPUTS)

    def suited(self, models: Sequence[TrainingSet]) -> Options:
        binary = any(model.loss != "square" for model in models)
        data = checked(self.X, self.y, binary, max(model.alpha for model in models))
        if data is not None:
            return replace(replace(self, X=None, y=None, N=data.X.shape[1]).suited(models), X=data.X, y=data.y)
        for model in models:
            n = counted("alpha", model.alpha, self.N, "example")
            counted("batch", model.batch, n, "example of a step")
            if model.order == "shuffle" and model.parts > n:
                raise ModelError("batch", model.batch, f"makes {model.parts} parts of {n} examples")
            model.strides(self.t, 1.0)
        return self


def memory(models: Sequence[TrainingSet], options: Options) -> frames.Memory:
    n, N = round(max(model.alpha for model in models) * options.N), options.N
    parts = any(model.batch < 1 for model in models)
    return frames.Memory(8.0 * (1 + parts) * n * N, {"N": N, "alpha": n / N}, "the examples")


@frames.courses(TrainingSet, Options, memory=memory)
def simulate(model: TrainingSet, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw the examples, and train a student on them; observables as in the theory.

    The first axis is along the teacher. A flow is followed by Runge and Kutta's formulas of fourth order. With `X` and
    `y` of your own errors are those on the examples that are not learned, as they are, and ``m`` is not there.
    """
    rng, N, n = replica.rng("examples"), options.N, round(model.alpha * options.N)
    if options.X is None:
        X = rng.standard_normal((n, N))
        y = model.labels(X[:, 0].copy(), rng.standard_normal(n))
        X[:, 0] += model.shift(y)
        X /= np.sqrt(N)
    else:
        (X, y), others = parted(Part(options.X, options.y), n, rng)
    w, V = np.zeros(N), np.zeros(N)
    w[1:] = rng.standard_normal(N - 1)
    w *= model.init * np.sqrt(N) / np.linalg.norm(w)
    taken, labelled = _taken(model, n, replica.rng("minibatches")), bool((np.abs(y) == 1).all())
    rows, strides = [], model.strides(options.t, min(LONGEST, STABLE * 2 / model.sharpest))
    for i, (count, lr) in enumerate(strides):
        for _ in range(count):
            if model.flow:
                w = _followed(w, lr, lambda w: _pull(model, X, y, w, slice(None)))
            else:
                V = model.momentum * V + lr * _pull(model, X, y, w, next(taken))
                w = w + V
            if not w @ w < LARGEST * N:
                raise DivergedError(f"the student diverged before t = {options.t[i]:g} (lr too large?)", t=options.t[i])
        h = X @ w
        row = {"m": w[0] / np.sqrt(N), "q": w @ w / N, "train_loss": loss(model.loss, y, h).mean()}
        if options.X is not None:
            row |= {"eps_g": held_out(others.X @ w, others.y, labelled)}
        if labelled:
            row["train_error"] = 0.5 * (1 - np.mean(np.sign(y * h)))
        rows.append(row)
        tell((i + 1) / len(strides))
    found = frames.stack(rows)
    if options.X is not None:
        return {name: a for name, a in found.items() if name != "m"}
    return {**found, **on_fresh(model, found["m"], found["q"])}


def _pull(model: TrainingSet, X: np.ndarray, y: np.ndarray, w: np.ndarray, rows: Any) -> np.ndarray:
    """Minus the slope of the risk, on some of the examples in place of all."""
    X, y = X[rows], y[rows]
    return -(X.shape[1] / len(y)) * (slope(model.loss, y, X @ w) @ X) - model.regularization * w


def _taken(model: TrainingSet, n: int, rng: np.random.Generator) -> Iterator[Any]:
    """The examples of each step."""
    while model.batch == 1:
        yield slice(None)
    while model.order == "replacement":
        yield rng.permutation(n)[: round(model.batch * n)]
    while True:
        yield from np.array_split(rng.permutation(n), model.parts)


def _followed(w: np.ndarray, step: float, speed: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """After one step of Runge and Kutta's."""
    a = speed(w)
    b = speed(w + 0.5 * step * a)
    c = speed(w + 0.5 * step * b)
    d = speed(w + step * c)
    return w + step / 6 * (a + 2 * b + 2 * c + d)
