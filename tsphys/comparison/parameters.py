"""Is it a parameter? How a simulation lies off, in all observables at all times at once, along what each of them does.

A learning rate that is a little off moves many numbers a little, and none by much. Their weighted sum that tells most
of it, w = (Σ + r diag Σ)⁻¹ ∂y/∂p with Σ the foretold covariance of runs, between times as well, is one more observable:
it has a mean over runs, a variance between them that is foretold, and an error of both. Weights with r > 0 do not rely
on what hardly fluctuates, of which the first order in 1/N knows little, and hardly see less.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from tsphys.comparison.again import FAILURES, Again, Itself, solver
from tsphys.comparison.foretold import Held
from tsphys.comparison.scores import normal
from tsphys.runs.result import Result

#: r above.
RIDGE = 0.3
#: Change of a parameter, relative to it or to one, and the part of an observable that it must move to be looked at.
CHANGE, LEAST = 1e-2, 1e-7
#: Most numbers of a sum; of longer motions some times are left out.
MOST = 600


class Shift(NamedTuple):
    """A parameter, by how much it seems to be off if all others are right, the error of that, and its normal score.

    Of one that is zero change and error are those of what moves a theory linearly, as noise, by its square, does not.
    """

    value: float
    change: float
    error: float
    z: float


class Told(NamedTuple):
    """What theory tells: places on the axis, and over them values and effects of parameters, and correlations."""

    at: np.ndarray
    effects: dict[str, tuple[float, float, np.ndarray]]
    correlations: np.ndarray


@lru_cache(maxsize=1)
def _told(itself: Itself, names: tuple[str, ...]) -> Told | None:
    theory = itself.theory
    known, length = theory.first_order, len(theory[theory.axis])
    assert known is not None
    columns = np.concatenate([np.arange(known.cov.shape[1])[known.columns(name)] for name in names])
    again = solver(theory, names) if 0 < len(columns) <= MOST and "quadrature" not in theory.meta else None
    if again is None:
        return None
    at = np.unique(np.linspace(length - 1, 0, min(length, MOST // len(columns))).round().astype(int))
    correlations = known.correlations(at)
    if correlations is None:
        return None
    effects = {}
    for parameter, value in again.parameters().items():
        size = CHANGE * (abs(value) or 1.0)
        # At the upper end of its range, or where theory has no more of a solution, it is less that tells.
        step = size
        moved = _moved(again, names, parameter, value + step)
        if not moved:
            step = -size
            moved = _moved(again, names, parameter, value + step)
        if any(np.abs(m).max() > LEAST * np.abs(theory[name]).max() for name, m in moved.items()):
            effects[parameter] = value, step, np.concatenate([*moved.values()], axis=1)[at].ravel()
    kept = (known.cov.shape[1] * np.arange(len(at))[:, None] + columns).ravel()
    return Told(at, effects, correlations[np.ix_(kept, kept)])


def _moved(again: Again, names: tuple[str, ...], parameter: str, value: float) -> dict[str, np.ndarray]:
    """By how much each observable (axis, …) moves with this value of a parameter; empty if theory then has gaps."""
    changed: Any = {parameter: value}
    try:
        other = again(**changed)
    except FAILURES:
        return {}
    moved = {name: (other[name] - again.here[name]).reshape(len(again.values), -1) for name in names}
    return moved if all(np.isfinite(m).all() for m in moved.values()) else {}


def shifts(sim: Result, theory: Result, held: Mapping[str, Held], N: float) -> dict[str, Shift]:
    """Of each parameter that moves a number which fluctuates and has a verdict; none where that is not known."""
    names = tuple(name for name in held if name in theory.known_at(N)[0])
    told = _told(Itself(theory), names) if names else None
    if told is None:
        return {}
    n, length = len(sim[names[0]]), len(theory[theory.axis])

    def flat(parts: list[np.ndarray], runs: int = 1) -> np.ndarray:
        rows = np.concatenate([part.reshape(runs, length, -1) for part in parts], axis=2)
        return rows[:, told.at].reshape(runs, -1)

    known, t = theory.known_at(N)[0], theory[theory.axis]
    std = np.sqrt(flat([known.shown(name, t, N) for name in names])[0])
    judged, slack, freedom, tails = (
        flat([np.broadcast_to(getattr(held[name], part), held[name].judged.shape) for name in names])[0]
        for part in ("judged", "slack", "freedom", "tails")
    )
    # Of what has come to rest rounding is all that is left, which would hide what the others tell.
    use = judged & (std > slack) & flat([held[name].variance for name in names])[0].astype(bool)
    if not use.any():
        return {}
    off = flat([sim[name] - theory.mean(name, N) for name in names], n)[:, use] / std[use]
    R, slack = told.correlations[np.ix_(use, use)], slack[use] / std[use]
    # The relative error of the foretold variance of a number, by what it counts for.
    rho = float(np.sqrt(2 / np.min(freedom[use] - (n - 1))))
    inverse = np.linalg.inv(R + RIDGE * np.eye(len(R)))
    out = {}
    for parameter, (value, step, effect) in told.effects.items():
        way = effect[use] / std[use]
        w = inverse @ way
        variance, sums = float(w @ R @ w), off @ w
        if not variance > 0:
            continue
        prior = 2 / (rho * float(w @ w) / variance) ** 2
        s2 = float(sums.var(ddof=1)) if n > 1 else 0.0
        error = np.hypot(np.sqrt((prior * variance + (n - 1) * s2) / (prior + n - 1) / n), float(np.abs(w) @ slack))
        unit = step / float(w @ way)
        z = float(normal(np.sign(step) * sums.mean() / error, min(prior + n - 1, tails[use].max())))
        out[parameter] = Shift(value, unit * float(sums.mean()), abs(unit) * float(error), z)
    return out
