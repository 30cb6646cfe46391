"""``simulate`` of a static model: independent replicas of drawn instances, over an axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tsphys.ground.progress import listening, share
from tsphys.rules.contract import Model
from tsphys.runs.axis import Points, points
from tsphys.runs.ensemble import ensemble
from tsphys.runs.frames.options import O, Replicas, chosen, described
from tsphys.runs.frames.verb import LARGE, Verb
from tsphys.runs.memory import fitting_threads
from tsphys.runs.points import Gaps, Row, observables, over, stack, tolerated
from tsphys.runs.replicas import thread_count
from tsphys.runs.result import Result

M = TypeVar("M", bound=Model)


class Memory(NamedTuple):
    """What a replica takes.

    Parameters
    ----------
    each : float
        Bytes of a replica.
    sizes : mapping
        Parameters that they depend on; what does not fit is named by the largest of them.
    what : str
        What takes them.
    shared : float
        Bytes that all replicas have in common.
    """

    each: float
    sizes: Mapping[str, float | None]
    what: str = "an instance"
    shared: float = 0.0


def room(
    numbers: Callable[..., float], *names: str, what: str = "the examples"
) -> Callable[[Sequence[Any], Any], Memory]:
    """``memory`` of a replica that keeps ``numbers(*sizes)`` float64 at once.

    Sizes are those of the options, or the largest of the models, of these names, 0 where there is none.
    """

    def memory(models: Sequence[Any], options: Any) -> Memory:
        sizes = {name: max(getattr(x, name) or 0 for x in ([options] if name in vars(options) else models))
                 for name in names}  # fmt: skip
        return Memory(8.0 * numbers(*map(float, sizes.values())), sizes, what)

    return memory


class Replica(NamedTuple):
    """One of the runs: its number, the seed of all, who wants to know the fraction done, and gaps that it may leave."""

    number: int
    seed: int
    report: Callable[[float], None]
    gaps: Gaps | None

    def key(self, purpose: str) -> tuple[int, int, str]:
        """What all random numbers follow from: seed, replica and purpose."""
        return self.seed, self.number, purpose

    def rng(self, purpose: str) -> np.random.Generator:
        """Random numbers that follow from seed, replica and purpose alone."""
        from tsphys.numerics.random import generator

        return generator(*self.key(purpose))

    def each(self, points: int, at: Callable[[int], Row]) -> dict[str, np.ndarray]:
        """What ``at(point)`` finds at each point by itself, side by side; it may `tell` its own fraction."""

        def one(i: int) -> Row:
            with listening(share(self.report, i, 1, points)):
                return at(i)

        return stack(over(range(points), one, self.gaps))


def replicated(
    model: type[M],
    options: type[O],
    *,
    memory: Callable[[Sequence[M], O], Memory],
    dims: Mapping[str, tuple[str, ...]] | None = None,
    axis: Callable[[Points, O], Points] = lambda along, asked: along,
    physics: Callable[..., Any] | None = None,
) -> Callable[[Callable[[Points, O, Replica], Mapping[str, np.ndarray]]], Verb[M]]:
    """Make ``simulate`` of ``work(points, options, replica)``, which does a replica over the whole axis.

    For what points have in common; `instances` is for points that have nothing.

    Parameters
    ----------
    model : type
        Class of the models, whose ``axes`` a run may be asked for over.
    options : type
        Class of its own options.
    memory : callable
        ``memory(models, options)``, with the models at all points.
    dims : mapping, optional
        Names of the axes of observables after (replica, axis).
    axis : callable
        ``axis(points, options)``, the points that are seen; see `tsphys.runs.frames.course`.
    physics : callable, optional
        Whose name and words the result has, if not those of `work`: a frame's that is made of this one.

    Returns
    -------
    callable
        A decorator of the physics: observables of a replica, each (axis, …).
    """

    def made(work: Callable[[Points, O, Replica], Mapping[str, np.ndarray]]) -> Verb[M]:
        def run(model: M, given: dict[str, Any]) -> Result:
            along = points(model, {k: given[k] for k in model.axes if k in given})
            frame, own = chosen(Replicas, given), chosen(options, given).suited(along.models)
            need = memory(along.models, own)
            threads = fitting_threads(need.each, need.sizes, need.what, thread_count(frame.threads), need.shared)
            sizes = [{**vars(here), **vars(own)}[here.size] for here in along.models]
            seen, gaps = axis(along, own), tolerated()

            def one(number: int, report: Callable[[float], None]) -> Mapping[str, np.ndarray]:
                with listening(report):
                    found = work(seen, own, Replica(number, frame.seed, report, gaps))
                    # A replica may have nothing at any point, where gaps are let be.
                    return found if gaps and found == {} else observables(found, len(seen.values))

            return ensemble(
                seen.model,
                seen.axis,
                seen.values,
                one,
                {"engine": "direct", "seed": frame.seed, "N": min(sizes), **own.record()},
                replicas=frame.replicas,
                threads=threads,
                dims=dims,
                progress=frame.progress,
                checkpoint=frame.checkpoint,
                resume=frame.resume,
            )

        return Verb(physics or work, model, model.axes, {**described(options), **described(Replicas)}, run, LARGE)

    return made


def instances(
    model: type[M], options: type[O], *, memory: Callable[[Sequence[M], O], Memory], stream: str = "instance"
) -> Callable[[Callable[[M, O, np.random.Generator], Mapping[str, Any]]], Verb[M]]:
    """Make ``simulate`` of ``draw(model, options, rng)``: each point of a replica has an instance of its own.

    Parameters
    ----------
    model, options, memory
        As in `replicated`.
    stream : str
        Purpose of the random numbers, which with the number of the point tells them from others of the replica.

    Returns
    -------
    callable
        A decorator of the physics: observables of an instance. It may `tell` the fraction of it that is done.
    """

    def made(draw: Callable[[M, O, np.random.Generator], Mapping[str, Any]]) -> Verb[M]:
        def work(points: Points, own: O, replica: Replica) -> dict[str, np.ndarray]:
            models = points.models
            return replica.each(len(models), lambda i: draw(models[i], own, replica.rng(f"{stream} {i}")))

        return replicated(model, options, memory=memory, physics=draw)(work)

    return made
