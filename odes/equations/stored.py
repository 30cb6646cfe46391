"""SGD on αN stored examples that are drawn with replacement, for N → ∞, by any rule on local fields.

A time τ is one step of sample paths: of an example it takes as many updates as it was drawn, c ~ Poisson(bτ/α), all at
the fields at the beginning. What that errs by is of order τ, and extrapolated to none from τ and τ/2: more would make
more of the scatter than it takes off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ConvergenceError, DivergedError, ModelError
from tsphys.ground.parameters import param
from tsphys.ground.times import strides
from tsphys.odes.equations.sampled import Accuracy, Grain, sampled
from tsphys.physics.order_parameters import DIVERGED, OrderParameters
from tsphys.rules.examples import on_each
from tsphys.rules.learning_rule import LearningRule
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


@dataclass(frozen=True, kw_only=True)
class Stored(Accuracy):
    """How finely the theory of a fixed training set is solved."""

    lump: float | None = param(
        None, "with alpha: longest step τ, extrapolated with τ/2 to none; none: 0.1, or t/100 if that is more",
        low=1e-4, high=100, optional=True,
    )  # fmt: skip

    def suited(self, models: Sequence[Any]) -> Stored:
        for model in models:
            if model.learning_rule().alpha is None:
                self.unused(Stored, "without alpha, where there are no sample paths")
        return self


def equations(model: Any, start: OrderParameters, asked: Stored) -> frames.Equations:
    """Those of a model with a fixed training set, whose solution tells its own error, see `sampled`."""
    rule = model.learning_rule()
    shapes = {"R": (rule.K, rule.M), "Q": (rule.K, rule.K), "v": start.v.shape}
    scalars = tuple(model.observables(start.R, start.Q, start.T, start.v, start.v_star))
    ends = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes.values())])

    def observe(y: np.ndarray) -> dict[str, np.ndarray]:
        seen = {
            name: np.ascontiguousarray(y[:, low:high]).reshape(len(y), *shape)
            for (name, shape), low, high in zip(shapes.items(), ends, ends[1:], strict=False)
        }
        return {**{name: y[:, ends[-1] + i] for i, name in enumerate(scalars)}, **seen}

    def follow(t: np.ndarray, **_: Any) -> frames.Solution:
        lump = asked.lump or max(LUMP, t[-1] / 100)
        fewest = rule.minibatch * lump / MOST_DRAWN
        if float(rule.alpha or 0.0) < fewest:
            words = f"must be at least {fewest:.3g} with steps of τ = {lump:g}, in which an example is drawn bτ/α times"
            raise ModelError("alpha", rule.alpha, words)
        asked.fits(rule.K + rule.M + rule.K * FRACTIONS[-1] * sum(k for k, _ in strides(t, lump)), sure=True)

        def run(grain: Grain) -> dict[str, np.ndarray]:
            found = [_course(rule, start, t, lump * grain.factor, parts, grain) for parts in FRACTIONS]
            row = {k: np.tensordot(WEIGHTS, [a[k] for a in found], 1) for k in found[0]}
            row |= model.observables(row["R"], row["Q"], start.T, row["v"], start.v_star)
            return {**row, "directions": found[-1]["directions"]}

        try:
            data, told = sampled(run, asked, tol=0.0)
        except DivergedError as error:
            error.partial = np.full((len(t), ends[-1] + len(scalars)), np.nan)
            raise
        least = np.diagonal(data["Q"], axis1=1, axis2=2).min()
        if not least >= -ROUNDING:
            words = f"steps of τ = {lump:g} are too long for alpha = {rule.alpha:g}, a shorter lump may do"
            raise ConvergenceError(words, residual=-float(least))
        converged(t, data, told["sem"], scalars, lump)
        columns = [data[name].reshape(len(t), -1) for name in (*shapes, *scalars)]
        return np.concatenate(columns, axis=1), {**told, "lump": lump}

    return frames.Equations(
        (follow,), observe, record={"paths": asked.paths, "scramblings": asked.scramblings}, steps=True
    )


def converged(
    t: np.ndarray, data: Mapping[str, np.ndarray], errors: Mapping[str, list[float]], names: Iterable[str], lump: float
) -> None:  # fmt: skip
    """Raise a ConvergenceError from the first time on at which an observable is not known to `KNOWN` of its size."""
    for name in names:
        error = np.asarray(errors[name])
        wrong = ~(error <= KNOWN * np.nanmax(np.abs(data[name]), axis=0))
        if wrong.any():
            at = int(np.argmax(wrong.reshape(len(t), -1).any(axis=1)))
            raise ConvergenceError(
                f"stored examples: with steps of lump = {lump:g}, {name} is not known from t = {t[at]:g} on; "
                "end before, or give a shorter lump, and the paths that it asks for",
                residual=float(np.max(error[at])),
                last=data,
            )


def _course(
    rule: LearningRule, start: OrderParameters, t: np.ndarray, lump: float, parts: int, grain: Grain
) -> dict[str, np.ndarray]:  # fmt: skip
    """Overlaps and readout over the times, in steps of at most lump/parts."""
    # Of more examples none comes again, and their inverse share would overflow.
    alpha, b, rows = min(float(rule.alpha or 0.0), 1e100), rule.minibatch, []
    paths = Paths(grain.paths, alpha, start.T, start.R, start.Q, rule.n_noise, grain.seed, grain.tol)
    rng, v, v_star = np.random.default_rng((*grain.seed, parts)), np.array(start.v), np.array(start.v_star)
    for time, (count, length) in zip(t, strides(t, lump), strict=True):
        tau = length / parts
        for _ in range(count * parts):
            c, dv = on_each(rule, paths.fields(), paths.nu, v, v_star, paths.noise)
            taken = rng.poisson(b * tau / alpha, paths.n) * (alpha / (b * tau))
            paths.step(-c, tau, rule.weight_decay * tau, taken=taken, square=1 + alpha / (b * tau))
            v = v + tau * (dv - rule.weight_decay_v * v)
            if not np.abs(paths.Q).max() < DIVERGED:
                raise DivergedError(f"the students diverged before t = {time:g} (lr too large?)", t=float(time))
        rows.append({"R": paths.R, "Q": paths.Q, "v": v, "directions": paths.directions})
    return frames.stack(rows)
