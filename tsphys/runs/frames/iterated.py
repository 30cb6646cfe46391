"""Models of a few numbers that change step by step: maps, and simulations that are seen at some of their steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tsphys.errors import DivergedError
from tsphys.ground.progress import tell
from tsphys.ground.times import course, iterations
from tsphys.rules.contract import Model
from tsphys.runs.frames.options import Options, chosen, described
from tsphys.runs.frames.static import solution
from tsphys.runs.frames.verb import STEPPING, Verb
from tsphys.runs.points import Row, stack
from tsphys.runs.result import Result

M = TypeVar("M", bound=Model)
State = TypeVar("State")

#: Where a state is taken to be lost.
LARGEST = 1e30


@dataclass(frozen=True, kw_only=True)
class Steps(Options):
    """Of a run that is seen at some of its steps."""

    t: Any = course("steps after which to observe: START:STOP:POINTS or a,b,c", iterations, default="0:100:101")


@dataclass(frozen=True, kw_only=True)
class Decades(Steps):
    """Of one whose steps count by decades."""

    t: Any = course("steps after which to observe: START:STOP:POINTS or a,b,c", iterations,
                    default="0,1,3,10,30,100,300,1000,3000,10000")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Tasks(Steps):
    """Of one each of whose steps is a task."""

    t: Any = course("tasks after which to observe: START:STOP:POINTS or a,b,c", iterations, default="0:12:13")


def iterated(
    model: type[M], *, start: Callable[[M], np.ndarray], step: Callable[[M, np.ndarray], np.ndarray]
) -> Callable[[Callable[[M, np.ndarray], Row]], Verb[M]]:
    """Make ``solve`` of the map x' = ``step(model, x)`` from ``start(model)``, and of ``observe(model, x)``.

    Parameters
    ----------
    model : type
        Class of the models.
    start, step : callable
        The state at first, and the next.

    Returns
    -------
    callable
        A decorator of the physics: observables of a state, by name.
    """

    def made(observe: Callable[[M, np.ndarray], Row]) -> Verb[M]:
        def run(given_model: M, given: dict[str, Any]) -> Result:
            t = chosen(Steps, given).t
            rows: list[Row | None] = []

            def result() -> Result:
                found = stack([*rows, *[None] * (len(t) - len(rows))])
                return solution(given_model, "t", {"t": t, **found}, {})

            try:
                rows.extend(
                    observe(given_model, x)
                    for x in seen(start(given_model), lambda x: step(given_model, x), t, what="the map")
                )
            except DivergedError as error:
                raise DivergedError(str(error), t=error.t, partial=result()) from None
            return result()

        return Verb(observe, model, (), described(Steps), run, STEPPING)

    return made


def seen(x: State, step: Callable[[State], State], t: np.ndarray, what: str = "the run") -> Iterator[State]:
    """The states x after the numbers of steps `t`; how far that is is told.

    Raises
    ------
    DivergedError
        If a state is beyond every bound, or no number.
    """
    done = 0
    for target in t.astype(np.int64).tolist():
        while done < target:
            with np.errstate(over="ignore", invalid="ignore"):
                x = step(x)
            done += 1
            tell(done / t[-1])
            if not np.abs(np.asarray(x)).max() < LARGEST:
                raise DivergedError(f"{what} diverged at step {done} (lr too large?)", t=float(done))
        yield x
