"""Learning αN stored examples for N → ∞, by any rule on local fields.

Steps on a share of them are steps of sample paths. Of single examples, or a few, a time τ is one: it takes an example
as often as it was drawn, c ~ Poisson(bτ/α), or once in an epoch, all at the fields at the beginning. What that errs by
is of order τ, and extrapolated to none from τ and τ/2: more would make more of the scatter than it takes off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ConvergenceError, DivergedError, ModelError
from tsphys.ground.parameters import param
from tsphys.ground.times import strides
from tsphys.odes.equations.minibatches import Visits
from tsphys.odes.equations.sampled import ROUGH, SMOOTH, Accuracy, Grain, sampled
from tsphys.physics.order_parameters import DIVERGED, OrderParameters
from tsphys.rules.examples import on_each
from tsphys.rules.learning_rule import LearningRule
from tsphys.rules.training import told
from tsphys.runs import frames
from tsphys.solvers.sample_paths import Paths

#: Longest step by default.
LUMP = 0.1
#: Largest |w|²/N below 0 that is rounding.
ROUNDING = 1e-12
#: Error of an observable, in its largest value over time, beyond which it is none.
KNOWN = 0.25
#: Mean number of draws of an example in a step up to which NumPy draws it.
MOST_DRAWN = 1e18
#: τ over the largest, and the weights that take off its first order.
FRACTIONS, WEIGHTS = (1, 2), (-1.0, 2.0)
#: Most steps that are taken.
MOST_STEPS = 10**6


@dataclass(frozen=True, kw_only=True)
class Stored(Accuracy):
    """How finely the theory of a fixed training set is solved."""

    lump: float | None = param(
        None, "with alpha: longest step τ, extrapolated with τ/2 to none; none: 0.1, or t/100 if that is more",
        low=1e-4, high=100, optional=True,
    )  # fmt: skip

    def suited(self, models: Sequence[Any]) -> Stored:
        for model in models:
            rule = model.learning_rule()
            if rule.alpha is None:
                self.unused(Stored, "without alpha, where there are no sample paths")
            elif rule.batch is not None and self.lump is not None:
                raise ModelError("lump", self.lump, "must be none with batch, whose steps are not divided")
        return self


def equations(model: Any, start: OrderParameters, asked: Stored) -> frames.Equations:
    """Those of a model with a fixed training set, whose solution tells its own error, see `sampled`."""
    rule = model.learning_rule()
    shapes = {"R": (rule.K, rule.M), "Q": (rule.K, rule.K), "v": start.v.shape}
    of_set = told(model)
    scalars = (*model.observables(start.R, start.Q, start.T, start.v, start.v_star), *of_set)
    ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes.values())])

    def observe(y: np.ndarray) -> dict[str, np.ndarray]:
        seen = {
            name: np.ascontiguousarray(y[:, low:high]).reshape(len(y), *shape)
            for (name, shape), low, high in zip(shapes.items(), ends, ends[1:], strict=False)
        }
        return {**{name: y[:, ends[-1] + i] for i, name in enumerate(scalars)}, **seen}

    def follow(t: np.ndarray, **_: Any) -> frames.Solution:
        lump = asked.lump or max(LUMP, t[-1] / 100)
        fractions, weights = (FRACTIONS, WEIGHTS) if rule.batch is None else ((1,), (1.0,))
        # Of half of the paths with steps twice as long, which epochs may cut.
        steps = max(f * sum(k for some in courses(rule, t, f * lump) for k, _ in some) for f in (1, 2))
        share = fewest(rule, lump / fractions[-1])
        asked.fits(rule.K + rule.M + rule.K * fractions[-1] * steps, sure=rule.batch != 1)

        def run(grain: Grain) -> dict[str, np.ndarray]:
            some = courses(rule, t, lump * grain.factor)
            found = [_course(model, start, t, some, parts, grain) for parts in fractions]
            row = {k: np.tensordot(weights, [a[k] for a in found], 1) for k in found[0]}
            row |= model.observables(row["R"], row["Q"], start.T, row["v"], start.v_star)
            return {**row, "directions": found[-1]["directions"]}

        try:
            tol = asked.tol or (SMOOTH if rule.smooth else ROUGH)
            data, about = sampled(run, asked, tol, share=share, apart=rule.batch is None and rule.order == "shuffle")
        except DivergedError as error:
            error.partial = np.full((len(t), ends[-1] + len(scalars)), np.nan)
            raise
        least = np.diagonal(data["Q"], axis1=1, axis2=2).min()
        if not least >= -ROUNDING:
            words = f"steps of τ = {lump:g} are too long for alpha = {rule.alpha:g}, a shorter lump may do"
            raise ConvergenceError(words, residual=-float(least))
        converged(t, data, about["sem"], scalars, None if rule.batch else lump)
        columns = [data[name].reshape(len(t), -1) for name in (*shapes, *scalars)]
        return np.concatenate(columns, axis=1), about if rule.batch else {**about, "lump": lump}

    return frames.Equations(
        (follow,), observe, record={"paths": asked.paths, "scramblings": asked.scramblings}, steps=True
    )


def converged(
    t: np.ndarray, data: Mapping[str, np.ndarray], errors: Mapping[str, list[float]], names: Iterable[str],
    lump: float | None,
) -> None:  # fmt: skip
    """Raise a ConvergenceError from the first time on at which an observable is not known to `KNOWN` of its size."""
    for name in names:
        error = np.asarray(errors[name])
        wrong = ~(error <= KNOWN * np.nanmax(np.abs(data[name]), axis=0))
        if wrong.any():
            at = int(np.argmax(wrong.reshape(len(t), -1).any(axis=1)))
            of, more = "", "more paths"
            if lump is not None:
                of, more = f"with steps of lump = {lump:g}, ", "a shorter lump, and the paths that it asks for"
            raise ConvergenceError(
                f"stored examples: {of}{name} is not known from t = {t[at]:g} on; end before, or give {more}",
                residual=float(np.max(error[at])),
                last=data,
            )


def fewest(rule: LearningRule, tau: float) -> float:
    """Share of the training set that is left before the last step of an epoch."""
    if rule.order == "replacement":
        return 1.0
    return min(1.0, 1 - rule.epoch + (rule.batch or rule.minibatch * tau / float(rule.alpha or 1.0)))


def courses(rule: LearningRule, t: np.ndarray, lump: float) -> list[list[tuple[int, float]]]:
    """Number and length of the steps, of kinds one after the other, that lead from each time to the next.

    Raises
    ------
    ModelError
        If they are too many, or an example is drawn too often in one.
    """
    if rule.batch is not None:
        counts = np.diff(np.rint(t), prepend=0.0)
        if t[-1] > MOST_STEPS:
            raise ModelError("t", float(t[-1]), f"must be at most {MOST_STEPS:g} steps with batch")
        return [[(int(k), 1.0)] for k in counts]
    alpha, b = float(rule.alpha or 0.0), rule.minibatch
    shuffled = rule.order == "shuffle"
    least = b * t[-1] / (rule.epoch * MOST_STEPS) if shuffled else b * lump / MOST_DRAWN
    if alpha < least:
        words = f"of τ = {lump:g}, in which an example is drawn bτ/α times"
        if shuffled:
            words = f"that end with epochs, of which there are bt/α to t = {t[-1]:g}"
        raise ModelError("alpha", rule.alpha, f"must be at least {least:.3g} with steps {words}")
    if not shuffled:
        return [[stride] for stride in strides(t, lump)]
    length = rule.epoch * alpha / b
    ends = np.arange(1, int(t[-1] / length * (1 + 1e-12)) + 1) * length
    # An end is a time that is seen, up to rounding.
    ends = ends[np.abs(ends - t[np.minimum(np.searchsorted(t, ends * (1 - 1e-12)), len(t) - 1)]) > 1e-9 * ends]
    where = np.union1d(t, ends)
    seen = np.searchsorted(where, t)
    every = strides(where, lump)
    return [every[low:high] for low, high in zip([0, *(seen[:-1] + 1)], seen + 1, strict=True)]


def _course(
    model: Any, start: OrderParameters, t: np.ndarray, steps: list[list[tuple[int, float]]], parts: int, grain: Grain
) -> dict[str, np.ndarray]:  # fmt: skip
    """What is seen over the times, in so many parts of steps."""
    rule, rows = model.learning_rule(), []
    # Of more examples none comes again, and their inverse share would overflow.
    alpha = min(float(rule.alpha or 0.0), 1e100)
    paths = Paths(grain.paths, alpha, start.T, start.R, start.Q, rule.n_noise, grain.seed, grain.tol)
    rng = np.random.default_rng((*grain.seed, parts))
    visits = Visits(grain.paths, rng, rule.order, rule.epoch, single=rule.batch is None)
    v, v_star = np.array(start.v), np.array(start.v_star)
    moving = np.zeros_like(v)
    for time, some in zip(t, steps, strict=True):
        for tau in (length / parts for count, length in some for _ in range(count * parts)):
            visit = visits(rule.batch or rule.minibatch * tau / alpha)
            h, c, at = paths.fields(), np.zeros((rule.K, paths.n)), visit.may
            c[:, at], dv = on_each(rule, h[:, at], paths.nu[:, at], v, v_star, paths.noise[:, at])
            paths.step(-c, tau, rule.weight_decay * tau, rule.momentum, *visit)
            moving = rule.momentum * moving + tau * (dv - rule.weight_decay_v * v)
            v = v + moving
            if not np.abs(paths.Q).max() < DIVERGED:
                raise DivergedError(f"the students diverged before t = {time:g} (lr too large?)", t=float(time))
        of_set = model.trained(paths.fields(), paths.nu, v, v_star, paths.noise)
        rows.append({"R": paths.R, "Q": paths.Q, "v": v, **of_set, "directions": paths.directions})
    return frames.stack(rows)
