"""``solve`` of a static model: what its theory says at one point, over an axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

from tsphys.ground.parameters import parameters
from tsphys.rules.contract import Static
from tsphys.runs.axis import points
from tsphys.runs.frames.options import O, Options, chosen, described
from tsphys.runs.frames.verb import Verb
from tsphys.runs.points import over, stack
from tsphys.runs.provenance import provenance
from tsphys.runs.result import Result

M = TypeVar("M", bound=Static)
Row = Mapping[str, Any]


@overload
def static(model: type[M]) -> Callable[[Callable[[M], Row]], Verb[M]]: ...
@overload
def static(model: type[M], options: type[O]) -> Callable[[Callable[[M, O], Row]], Verb[M]]: ...
def static(model: type[M], options: type[Any] | None = None) -> Callable[[Callable[..., Row]], Verb[M]]:
    """Make ``solve`` of ``point(model)``, or with options of its own ``point(model, options)``.

    Parameters
    ----------
    model : type
        Class of the models, whose ``axes`` a run may be asked for over.
    options : type, optional
        Class of the options.

    Returns
    -------
    callable
        A decorator of the physics: observables at one point, by name. What its docstring says of what it returns holds
        for every point of the axis.
    """

    def made(point: Callable[..., Row]) -> Verb[M]:
        def run(model: M, given: dict[str, Any]) -> Result:
            at = points(model, {k: given[k] for k in model.axes if k in given})
            asked = chosen(options or Options, given).suited(at.models)
            rows = over(at.models, point if options is None else lambda here: point(here, asked))
            return Result(
                kind="theory",
                model=model.name,
                parameters=parameters(at.model),
                axis=at.axis,
                data={at.axis: at.values, **stack(rows)},
                meta={**asked.record(), **provenance()},
            )

        return Verb(point, model, model.axes, described(options or Options), run)

    return made
