"""``simulate`` of a static model: independent replicas of drawn instances, over an axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tsphys.ground.progress import listening, share
from tsphys.rules.contract import Static
from tsphys.runs.axis import Points, points
from tsphys.runs.ensemble import ensemble
from tsphys.runs.frames.options import O, Replicas, chosen, described
from tsphys.runs.frames.verb import Verb
from tsphys.runs.memory import fitting_threads
from tsphys.runs.points import Gaps, over, stack, tolerated
from tsphys.runs.replicas import thread_count
from tsphys.runs.result import Result

M = TypeVar("M", bound=Static)


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


class Replica(NamedTuple):
    """One of the runs: its number, the seed of all, who wants to know the fraction done, and gaps that it may leave."""

    number: int
    seed: int
    report: Callable[[float], None]
    gaps: Gaps | None

    def rng(self, purpose: str) -> np.random.Generator:
        """Random numbers that follow from seed, replica and purpose alone."""
        from tsphys.numerics.random import generator

        return generator(self.seed, self.number, purpose)


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
            size = {} if "N" in own.record() else {"N": min(getattr(here, here.size) for here in along.models)}
            seen, gaps = axis(along, own), tolerated()
            return ensemble(
                seen.model,
                seen.axis,
                seen.values,
                lambda number, report: work(seen, own, Replica(number, frame.seed, report, gaps)),
                {"engine": "direct", "seed": frame.seed, **size, **own.record()},
                replicas=frame.replicas,
                threads=threads,
                dims=dims,
                progress=frame.progress,
                checkpoint=frame.checkpoint,
                resume=frame.resume,
            )

        return Verb(physics or work, model, model.axes, {**described(options), **described(Replicas)}, run)

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
            n = len(points.models)

            def at(i: int) -> Mapping[str, Any]:
                with listening(share(replica.report, i, 1, n)):
                    found = draw(points.models[i], own, replica.rng(f"{stream} {i}"))
                replica.report((i + 1) / n)
                return found

            return stack(over(range(n), at, replica.gaps))

        return replicated(model, options, memory=memory, physics=draw)(work)

    return made
