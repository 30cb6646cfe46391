"""``solve`` of a static model: what its theory says at each point of an axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, overload

from tsphys.ground.parameters import parameters
from tsphys.rules.contract import Static
from tsphys.runs.axis import Points, points
from tsphys.runs.frames.options import O, Options, chosen, described
from tsphys.runs.frames.verb import Verb
from tsphys.runs.points import Row, over, stack
from tsphys.runs.provenance import provenance
from tsphys.runs.result import Result

M = TypeVar("M", bound=Static)


def theory(
    model: type[M], options: type[O], *, told: Sequence[str] = (), physics: Callable[..., Any] | None = None
) -> Callable[[Callable[[Points, O], Sequence[Row | None]]], Verb[M]]:
    """Make ``solve`` of ``work(points, options)``, observables at all points, by name.

    For points that have something in common, as a state that is carried along; `static` is for others.

    Parameters
    ----------
    model : type
        Class of the models, whose ``axes`` a run may be asked for over.
    options : type
        Class of its own options.
    told : sequence of str
        What is no observable, as residuals, but is told by the Result's meta; ``bias.energy`` as energy under bias.
    physics : callable, optional
        Whose name and words the result has, if not those of `work`: a frame's that is made of this one.

    Returns
    -------
    callable
        A decorator of the physics. What its docstring says that it returns holds for every point of the axis.
    """

    def made(work: Callable[[Points, O], Sequence[Row | None]]) -> Verb[M]:
        def run(model: M, given: dict[str, Any]) -> Result:
            along = points(model, {k: given[k] for k in model.axes if k in given})
            asked = chosen(options, given).suited(along.models)
            found = stack(work(along, asked))
            meta = asked.record()
            for key in (key for key in told if key in found):
                part, _, name = key.rpartition(".")
                (meta.setdefault(part, {}) if part else meta)[name] = found.pop(key).tolist()
            return solution(along.model, along.axis, {along.axis: along.values, **found}, meta)

        return Verb(physics or work, model, model.axes, described(options), run)

    return made


@overload
def static(model: type[M], *, told: Sequence[str] = ...) -> Callable[[Callable[[M], Row]], Verb[M]]: ...
@overload
def static(
    model: type[M], options: type[O], *, told: Sequence[str] = ...
) -> Callable[[Callable[[M, O], Row]], Verb[M]]: ...
def static(
    model: type[M], options: type[Any] | None = None, *, told: Sequence[str] = ()
) -> Callable[[Callable[..., Row]], Verb[M]]:
    """Make ``solve`` of ``point(model)``, or with options of its own ``point(model, options)``; see `theory`."""

    def made(point: Callable[..., Row]) -> Verb[M]:
        def work(along: Points, asked: Any) -> Sequence[Row | None]:
            return over(along.models, point if options is None else lambda here: point(here, asked))

        return theory(model, options or Options, told=told, physics=point)(work)

    return made


def solution(
    model: Any, axis: str, data: dict[str, Any], meta: Mapping[str, Any],
    dims: Mapping[str, tuple[str, ...]] | None = None,
) -> Result:  # fmt: skip
    """The Result of a theory."""
    return Result(
        kind="theory",
        model=model.name,
        parameters=parameters(model),
        axis=axis,
        data=data,
        dims={k: v for k, v in (dims or {}).items() if k in data},
        meta={**meta, **provenance()},
    )
