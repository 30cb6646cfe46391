"""Static models in time: what is seen after so many iterations or steps, in the place of an end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground import times
from tsphys.rules.contract import Model
from tsphys.runs.axis import Points, points
from tsphys.runs.frames.instances import Memory, Replica, replicated
from tsphys.runs.frames.options import O, Options, chosen, described
from tsphys.runs.frames.static import solution
from tsphys.runs.frames.verb import Verb
from tsphys.runs.points import observables
from tsphys.runs.result import Result

M = TypeVar("M", bound=Model)
Course = Mapping[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Times(Options):
    """Of a run that is seen at times of a flow, which no steps are counted of."""

    t: Any = times.course("times: START:STOP:POINTS[:lin|log] or a list a,b,c", default="0.1:100:31")


def course(
    model: type[M], options: type[O], *, dims: Mapping[str, tuple[str, ...]] | None = None
) -> Callable[[Callable[[M, O], Course | tuple[Course, Mapping[str, Any]]]], Verb[M]]:
    """Make ``solve`` of ``work(model, options)``: observables over the times that are the option ``t``, each (t, …).

    `dims` names their axes after that of time; `work` may return a pair, the other of which is what the Result's
    meta tells beside the options.
    """

    def made(work: Callable[[M, O], Course | tuple[Course, Mapping[str, Any]]]) -> Verb[M]:
        def run(model: M, given: dict[str, Any]) -> Result:
            along = points(model, {k: given[k] for k in model.axes if k in given})
            asked = chosen(options, given).suited(along.models)
            here = in_time(along, asked)
            # Long after all is over exponents are infinite, which is what they mean.
            with np.errstate(over="ignore"):
                found = work(here.model, asked)
            data, told = found if isinstance(found, tuple) else (found, {})
            data = observables(data, len(here.values))
            return solution(here.model, "t", {"t": here.values, **data}, {**asked.record(), **told}, dims)

        return Verb(work, model, model.axes, described(options), run)

    return made


def courses(
    model: type[M], options: type[O], *, memory: Callable[[Sequence[M], O], Memory], **more: Any
) -> Callable[[Callable[[M, O, Replica], Course]], Verb[M]]:
    """Make ``simulate`` of ``work(model, options, replica)``: a replica at the times that are the option ``t``, (t, …).

    See `replicated` for the other arguments.
    """

    def made(work: Callable[[M, O, Replica], Course]) -> Verb[M]:
        def seen(along: Points, asked: O, replica: Replica) -> Course:
            return work(along.model, asked, replica)

        return replicated(model, options, memory=memory, axis=in_time, physics=work, **more)(seen)

    return made


def in_time(along: Points, asked: Options) -> Points:
    """The times that are asked for as the axis, where a model is asked for at one point."""
    t: Any = getattr(asked, "t", None)
    if t is None:
        raise ModelError("t", None, "must be given")
    if len(along.models) > 1:
        raise ModelError("axis", [along.axis, "t"], "must be one sequence; the others are numbers")
    return Points("t", t, along.models, along.models[0])


def or_over_time(over_time: Verb[M]) -> Callable[[Verb[M]], Verb[M]]:
    """Decorate what is made for an axis of parameters: where ``t`` is given it is `over_time` that runs."""

    def made(otherwise: Verb[M]) -> Verb[M]:
        def run(model: M, given: dict[str, Any]) -> Result:
            return (otherwise if given.get("t") is None else over_time)(model, **given)

        options = {**otherwise.options, **over_time.options}
        return Verb(otherwise.physics, otherwise.model, otherwise.axes, options, run)

    return made
