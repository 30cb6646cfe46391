"""``solve`` of a model in continuous time: ordinary differential equations of any state, over the times ``t``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np

from tsphys.errors import DivergedError
from tsphys.ground.parameters import param
from tsphys.ground.times import course
from tsphys.physics.order_parameters import DIVERGED
from tsphys.rules.contract import Model
from tsphys.runs.frames.options import O, Options, chosen, described
from tsphys.runs.frames.static import solution
from tsphys.runs.frames.verb import MOVING, Verb
from tsphys.runs.result import Result
from tsphys.solvers.ode import METHODS, integrate

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, kw_only=True)
class Tolerances(Options):
    """Of every theory that is integrated; see `tsphys.solvers.ode.integrate`."""

    rtol: float | None = param(
        None, "relative tolerance of the solver; none: its default", low=1e-13, high=1e-2, optional=True
    )
    atol: float | None = param(None, "absolute tolerance of the solver; none: its default", low=0, optional=True)
    method: str = param("auto", "formulas of the solver", kind=str, choices=METHODS)


@dataclass(frozen=True, kw_only=True)
class Curve(Tolerances):
    """The same over times."""

    t: Any = course("times: START:STOP:POINTS[:lin|log] or a list a,b,c (t = steps/N)", default="0.1:100:40")


#: What integration gives: states (len(t), n), and what the solver tells.
Solution = tuple[np.ndarray, dict[str, Any]]


class Follow(Protocol):
    """Integrates from t = 0; a DivergedError has the states until then."""

    def __call__(self, t: np.ndarray, *, rtol: float, atol: float, method: str) -> Solution: ...


def ode(rhs: Callable[[float, np.ndarray], np.ndarray], y0: Any, tolerances: Any = None, **more: Any) -> Follow:
    """Follow dy/dt = ``rhs(t, y)``; `integrate` gets ``tolerances(rtol, atol)`` as its `atol`, or that itself."""

    def follow(t: np.ndarray, *, rtol: float, atol: float, method: str) -> Solution:
        own = atol if tolerances is None else tolerances(rtol, atol)
        return integrate(rhs, y0, t, rtol=rtol, atol=own, method=method, limit=DIVERGED, **more)

    return follow


def first(solutions: Sequence[np.ndarray]) -> Solution:
    """The first of several solutions."""
    return solutions[0], {}


@dataclass(frozen=True)
class Equations:
    """Equations of motion from a start.

    Parameters
    ----------
    follow : tuple of Follow
        Usually one; or several of the same thing, in approximations that differ.
    observe : callable
        ``observe(states (p, n))`` is {observable: (p, …)}.
    rtol, atol : float
        Tolerances by default.
    record : dict
        What the Result tells of them.
    judge : callable
        ``judge(solutions)`` makes of the states that they all gave those that count, and what the Result tells of that.
    steps : bool
        Whether it takes steps of its own, so that tolerances would have no effect.
    """

    follow: tuple[Follow, ...]
    observe: Callable[[np.ndarray], Mapping[str, np.ndarray]]
    rtol: float = 1e-10
    atol: float = 1e-12
    record: Mapping[str, Any] = field(default_factory=dict)
    judge: Callable[[Sequence[np.ndarray]], Solution] = first
    steps: bool = False


def integrated(
    equations: Equations, asked: Curve, result: Callable[[Mapping[str, np.ndarray], dict[str, Any]], Result]
) -> Result:
    """``result(observables, meta)`` of the solution; with what came before it as ``partial`` of a DivergedError."""
    if equations.steps:
        asked.unused(Tolerances, "where the theory takes steps, and no differential equation is solved")
    options: dict[str, Any] = {
        "rtol": equations.rtol if asked.rtol is None else asked.rtol,
        "atol": equations.atol if asked.atol is None else asked.atol,
        "method": asked.method,
    }
    solutions: list[np.ndarray] = []
    info: dict[str, Any] = {}
    for follow in equations.follow:
        try:
            states, told = follow(asked.t, **options)
        except DivergedError as error:
            until = solutions[0] if solutions else error.partial
            partial = result(equations.observe(until), dict(equations.record))
            raise DivergedError(str(error), t=error.t, partial=partial) from None
        info = info or told
        solutions.append(states)
    states, verdict = equations.judge(solutions)
    return result(equations.observe(states), {**equations.record, **info, **verdict})


def flow(
    model: type[M], options: type[O], dims: Mapping[str, tuple[str, ...]] | None = None
) -> Callable[[Callable[[M, O], Equations]], Verb[M]]:
    """Make ``solve`` of ``equations(model, options)``.

    Parameters
    ----------
    model, options : type
        Classes of the models and of the options of their own.
    dims : mapping, optional
        Names of the axes of observables after t.

    Returns
    -------
    callable
        A decorator of the physics, which says what it observes.
    """

    def made(physics: Callable[[M, O], Equations]) -> Verb[M]:
        def run(model: M, given: dict[str, Any]) -> Result:
            asked, own = chosen(Curve, given), chosen(options, given).suited([model])

            def result(data: Mapping[str, np.ndarray], meta: dict[str, Any]) -> Result:
                return solution(model, "t", {"t": asked.t, **data}, meta, dims=dims)

            return integrated(physics(model, own), asked, result)

        return Verb(physics, model, (), {**described(options), **described(Curve)}, run, MOVING)

    return made
