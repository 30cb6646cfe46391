"""One layer on a fixed training set for N → ∞: gradient descent on sample paths, exact step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import DivergedError, ModelError
from tsphys.ground import times
from tsphys.ground.parameters import param
from tsphys.models.training_set import TrainingSet
from tsphys.odes.equations.minibatches import Visits
from tsphys.odes.equations.sampled import ROUGH, SMOOTH, Grain, Sampling, sampled
from tsphys.physics.inference.fresh import on_fresh
from tsphys.physics.inference.losses import loss, slope
from tsphys.runs import frames
from tsphys.solvers.sample_paths import Paths

#: Longest step of a flow, and part of the largest stable one; what they err by is taken off to first order.
LONGEST, STABLE = 0.1, 0.25
#: |w|²/N from which on a run has diverged.
LARGEST = 1e30


@dataclass(frozen=True, kw_only=True)
class Options(Sampling):
    t: Any = times.course("steps, or times of a flow: START:STOP:POINTS[:lin|log] or a list a,b,c", default="0:100:101")
    step: float | None = param(
        None, "longest step of a flow; none: 0.1; less where the loss is steep", low=1e-6, optional=True
    )

    def suited(self, models: Sequence[TrainingSet]) -> Options:
        for model in models:
            if self.step is not None and not model.flow:
                raise ModelError("step", self.step, "must be none without flow, whose steps are lr")
        return self


@frames.course(TrainingSet, Options)
def solve(model: TrainingSet, options: Options) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """What has been learned for N → ∞; see `tsphys.solvers.sample_paths`.

    Of a flow, steps of one length and of half of it are extrapolated to none.

    Returns
    -------
    dict
        Over t: ``m`` = w*·w/N, ``q`` = |w|²/N, ``train_loss``, the mean of ℓ(y, h), and ``eps_g``, against the teacher
        without noise; of labels also ``train_error`` and ``test_error``, the shares of wrong ones. ``result.sem(name)``
        is their error, ``meta["directions"]`` how many a solution has opened.

    Raises
    ------
    ModelError
        If the solution does not fit into memory, or needs more paths.
    DivergedError
        If steps are too large.
    """
    step = min(options.step or LONGEST, STABLE * 2 / model.sharpest)
    many = sum(count for count, _ in model.strides(options.t, step, 2))
    share = model.batch if model.order == "shuffle" else 1.0
    options.fits(2 + many, sure=model.batch < 1)

    def course(grain: Grain, parts: int = 1) -> dict[str, np.ndarray]:
        paths = Paths(grain.paths, model.alpha, [[1.0]], [[0.0]], [[model.init**2]], 1, grain.seed, grain.tol)
        found = frames.stack(
            list(_seen(model, paths, options.t, model.strides(options.t, step * grain.factor, parts), grain.seed))
        )
        return {**found, **on_fresh(model, found["m"], found["q"])}

    def run(grain: Grain) -> dict[str, np.ndarray]:
        if not model.flow:
            return course(grain)
        once, twice = (course(grain, parts) for parts in (1, 2))
        most = max(once["directions"][-1], twice["directions"][-1])
        return {k: 2 * twice[k] - once[k] for k in once} | {"directions": np.array([most])}

    usual = SMOOTH if model.loss in ("logistic", "square") else ROUGH
    return sampled(run, options, options.tol or usual, options.seed, share)


def _seen(
    model: TrainingSet, paths: Paths, t: np.ndarray, strides: list[tuple[int, float]], seed: tuple[int, int]
) -> Iterator[dict[str, Any]]:  # fmt: skip
    """What is seen at each of the times."""
    y = model.labels(paths.nu[0], paths.noise[0])
    paths.shift(model.shift(y))
    labelled = bool((np.abs(y) == 1).all())
    visits = Visits(paths.n, np.random.default_rng((*seed, 1)), model.order)
    for time, (count, lr) in zip(t, strides, strict=True):
        for _ in range(count):
            g = slope(model.loss, y, paths.fields())
            paths.step(g, lr, lr * model.regularization, model.momentum, *visits(model.batch))
            if not paths.Q[0, 0] < LARGEST:
                raise DivergedError(f"the student diverged before t = {time:g} (lr too large?)", t=time)
        h = paths.fields()[0]
        row = {"m": paths.R[0, 0], "q": paths.Q[0, 0], "train_loss": loss(model.loss, y, h).mean()}
        if labelled:
            row["train_error"] = 0.5 * (1 - np.mean(np.sign(y * h)))
        yield {**row, "directions": paths.directions}
