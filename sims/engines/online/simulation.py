"""Online learning by any rule on local fields: replicas, engines and times, brought together in one Result."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np

from tsphys.errors import DivergedError, ModelError
from tsphys.ground.fingerprint import functions
from tsphys.ground.parameters import DTYPES, ENGINES, param
from tsphys.ground.times import course, whole_steps
from tsphys.physics.order_parameters import OrderParameters, need, overlaps
from tsphys.rules.contract import Online
from tsphys.rules.engines import choose
from tsphys.rules.learning_rule import LearningRule
from tsphys.rules.phases import State, entered
from tsphys.rules.starts import checked_start, drawn_starts
from tsphys.rules.training import told
from tsphys.runs import frames
from tsphys.runs.checkpoint import kept_replicas
from tsphys.runs.ensemble import ensemble
from tsphys.runs.frames.options import chosen, described
from tsphys.runs.frames.verb import LOSING
from tsphys.runs.memory import REPLICA, check_memory
from tsphys.runs.online import seen, teachers
from tsphys.runs.replicas import over_replicas, thread_count
from tsphys.runs.result import Result

#: Replicas that a thread does one after the other at most, before it looks for others.
MOST_AT_ONCE = 256


M = TypeVar("M", bound=Online)


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What every one of these simulations is asked for."""

    N: int = param(1000, "input dimension, at least K + M", kind=int, low=1, short="-N")
    t: Any = course(
        "times: START:STOP:POINTS[:lin|log] or a list a,b,c (t = steps/N); what is seen at t is the state after "
        "round(tN) steps",
        default="0.1:100:40",
    )
    start: OrderParameters | None = param(
        None,
        "overlaps at t = 0, realised exactly in each replica, a table with R, Q, T (JSON, or TOML); none: each replica "
        "draws the model's own",
        kind=dict, check=overlaps, optional=True,
    )  # fmt: skip
    engine: str = param(
        "auto",
        "direct iterates the weights; exact the overlaps by their exact law, at a cost independent of N, for Gaussian "
        "inputs and fresh examples; cuda runs replicas on a GPU; auto is exact where it may be, otherwise direct",
        kind=str, choices=ENGINES, short="-e",
    )  # fmt: skip
    dtype: str = param("float64", "precision of weights and inputs (engine direct)", kind=str, choices=DTYPES)


def learned(model: type[M]) -> Callable[[Callable[[M, Options, frames.Replicas], Result]], frames.Verb[M]]:
    """Make ``simulate`` of ``work(model, options, frame)``, which brings about the replicas, as `trained` does."""

    def made(work: Callable[[M, Options, frames.Replicas], Result]) -> frames.Verb[M]:
        def run(model: M, given: dict[str, Any]) -> Result:
            return work(model, chosen(Options, given), chosen(frames.Replicas, given))

        return frames.Verb(work, model, (), {**described(Options), **described(frames.Replicas)}, run, LOSING)

    return made


@learned(Online)
def simulate(model: Online, options: Options, frame: frames.Replicas) -> Result:
    """Simulate online learning at size N, and observe the order parameters at the times t = steps/N.

    Of any model with a ``learning_rule()``. The result does not depend on the number of threads.

    Returns
    -------
    Result
        ``eps_g`` (replicas, len(t)), ``R`` (…, K, M), ``Q`` (…, K, K), ``v`` (…, V), and constant ``T``, ``v_star``.
        With a schedule ``meta["phases"]`` has, for each replica, t, R, Q and v at the beginning of each phase.
    """
    return trained(model, options, frame)


def trained(model: Online, options: Options, frame: frames.Replicas) -> Result:
    """The replicas of a model's rule on the engine that is asked for, as one Result; see `simulate`."""
    rule, t, dtype, seed = model.learning_rule(), options.t, options.dtype, frame.seed
    N = need(options.N, rule.K, rule.M)
    unit = N if rule.batch is None else 1
    steps = whole_steps(t, unit)
    row = REPLICA + 8.0 * len(t) * rule.K * (rule.K + rule.M + 1)
    check_memory("replicas", frame.replicas, frame.replicas * row, "the observables")
    for name, decay in (("weight_decay", rule.weight_decay), ("weight_decay_v", rule.weight_decay_v)):
        if decay > unit:
            most, left = (f"N = {N}", "1 − κ/N") if rule.batch is None else ("1", "1 − κ")
            raise ModelError(name, decay, f"must be at most {most}; a step leaves {left} of the weights")
    if isinstance(model, LearningRule) and model.queries is not None:
        from tsphys.sims.engines.online.estimates import query_count

        query_count(model, N, "queries")
    threads, engine = thread_count(frame.threads), choose(rule, options.engine, dtype)
    given = None if options.start is None else checked_start(rule, model.completed(options.start))
    names = told(model) if engine == "direct" and rule.schedule is None else ()
    if engine != "cuda":
        threads = _module(engine, rule).fitting(rule, N, np.dtype(dtype), threads)

    def starts_of(some: Sequence[int]) -> list[OrderParameters]:
        return drawn_starts(model, N, seed, some) if given is None else [given] * len(some)

    (first,) = starts_of([0])
    if rule.schedule is not None:
        # What no phase may ask for is refused before anything is compiled.
        entered(rule, 0, State(0.0, first.R, first.Q, first.T, first.v, first.v_star)).rates(rule, N)
    record: dict[str, Any] = {
        "N": N,
        "seed": seed,
        "engine": engine,
        "dtype": dtype,
        "start": None if given is None else {k: getattr(given, k).tolist() for k in ("R", "Q", "T", "v", "v_star")},
    }
    if engine == "cuda":
        from tsphys.sims.engines.online import cuda

        record["kernel"] = cuda.kernel_of(rule)
    if rule is model:
        record["functions"] = functions(rule)
    phases = _phases(frame.resume) if isinstance(frame.resume, Result) and rule.schedule is not None else {}
    diverged: dict[int, int] = {}

    def over(_: Any, todo: list[int], *, finished: Any, **more: Any) -> None:
        def settle(replica: int, outcome: Any) -> None:
            *found, stopped, begun = outcome
            if rule.schedule is not None:
                phases[replica] = begun
            if stopped is not None:
                diverged[replica] = stopped
            finished(replica, dict(zip(shapes, found, strict=True)))

        if engine == "cuda":
            cuda.run(rule, N, starts_of, seed, todo, steps, settle, more["progress"])
        else:
            _on_threads(engine, model, N, starts_of, seed, todo, steps, dtype, names, finished=settle, **more)

    shapes = {"R": first.R.shape, "Q": first.Q.shape, "v": first.v.shape, **dict.fromkeys(names, ())}
    result = ensemble(
        model, "t", t, None, record, replicas=frame.replicas, threads=threads, dims=model.dims, over=over,
        needs={name: (len(t), *shape) for name, shape in shapes.items()},
        derive=lambda found: seen(model, t, first, found), constants=teachers(first),
        complete=lambda found: math.isfinite(found["Q"][-1, 0, 0]),
        told_of=lambda ids: {} if rule.schedule is None else {"phases": [phases.get(i, []) for i in ids]},
        progress=frame.progress, checkpoint=frame.checkpoint, resume=frame.resume,
    )  # fmt: skip
    if diverged:
        replica, step = min(diverged.items(), key=lambda item: item[1])
        words = f"diverged at t = {step / unit:.4g} (lr too large?); {len(diverged)} of {frame.replicas} did"
        raise DivergedError(f"replica {replica} {words}", t=step / unit, partial=result)
    return result


def _phases(resume: Result) -> dict[int, Any]:
    """The phases that finished replicas have gone through."""
    ids, begun = kept_replicas(resume), resume.meta.get("phases")
    if not isinstance(begun, list) or len(begun) != len(ids):
        raise ModelError("resume", resume.model, "must tell the phases of each replica (meta: phases)")
    return dict(zip(ids, begun, strict=True))


def _module(engine: str, rule: LearningRule) -> Any:
    from importlib import import_module

    return import_module(f"tsphys.sims.engines.online.{engine if rule.batch is None else 'descent'}")


def _on_threads(
    engine: str, model: Online, N: int, starts_of: Any, seed: int, todo: list[int], steps: np.ndarray, dtype: str,
    names: Sequence[str], *, threads: int, finished: Any, progress: Any,
) -> None:  # fmt: skip
    """Run replicas on the CPU; `finished` gets (R, Q, v, …, step of divergence or None, begun phases) of each."""
    rule = model.learning_rule()
    start_replicas = _module(engine, rule).start_replicas
    b = rule.minibatch if rule.batch is None or rule.alpha is None else max(1.0, rule.batch * rule.alpha * N)
    cost = b * (rule.K + rule.M) * (N if engine == "direct" else 50 * rule.K)
    piece, stops = max(1, int(2e8 / cost)), steps.tolist()
    # Short replicas are done many at once, so that what they share is made once, and 50 ms are lost when they are
    # interrupted. A start is worth some steps.
    short = max(1, min(MOST_AT_ONCE, int(5e7 / (cost * (stops[-1] + 10) + 4e4)), -(-len(todo) // threads)))
    beside = _module("beside", rule)
    in_lanes = engine == "exact" and beside.pays(rule, len(todo), stops[-1], threads)
    if in_lanes:
        short = beside.WIDTH * -(-short // beside.WIDTH)

    def work(some: Sequence[int], report: Callable[[float], None]) -> list[Any]:
        found: list[Any] = []
        starts = starts_of(some)
        shapes = (starts[0].R.shape, starts[0].Q.shape, starts[0].v.shape, *[()] * len(names))
        rooms = [np.empty((len(some), len(steps), *shape)) for shape in shapes]

        def tell(fraction: float, several: int = 1) -> None:
            report((len(found) + several * fraction) / len(some))

        def alone(begin: int, end: int) -> None:
            runs = start_replicas(rule, N, starts[begin:end], seed, some[begin:end], np.dtype(dtype), stops[-1])
            for i, advance in enumerate(runs, begin):
                room = [a[i] for a in rooms]
                _, stopped = trajectory(watched(model, names, advance), stops, piece, tell, room)
                found.append((*room, stopped, getattr(advance, "record", [])))

        if not in_lanes:
            alone(0, len(some))
            return found
        for block in beside.blocks(rule, N, starts, seed, some, stops[-1]):
            begin, end = len(found), len(found) + len(block.now)
            together = [np.moveaxis(a[begin:end], 0, 1) for a in rooms]
            _, stopped = trajectory(block, stops, piece, partial(tell, several=end - begin), together)
            if stopped is None:
                found += [(*(a[i] for a in rooms), None, []) for i in range(begin, end)]
            else:
                # Where one diverges each of them goes its own way, from the start, to the same bits.
                alone(begin, end)
        return found

    over_replicas(work, todo, threads=threads, at_once=short, progress=progress, finished=finished)


def watched(model: Online, names: Sequence[str], advance: Any) -> Callable[..., Any]:
    """`advance`, which tells so much of its training set as well."""
    if not names:
        return advance

    def seen(step: int, stop: int) -> tuple[Any, ...]:
        reached, *found = advance(step, stop)
        of_set = model.trained(*advance.training()) if reached == stop else dict.fromkeys(names, np.nan)
        return (reached, *found, *(of_set[name] for name in names))

    return seen


def trajectory(
    advance: Callable[..., Any],
    steps: Sequence[int],
    piece: int,
    report: Callable[[float], None],
    room: Sequence[np.ndarray] = (),
) -> tuple[Sequence[np.ndarray], int | None]:
    """What ``advance(step, stop) -> (step reached, observables…)`` finds at `steps`, going by at most `piece` steps.

    Returns
    -------
    observed : sequence of ndarray (len(steps), …)
        NaN from a divergence on; those of `room`, if it is given.
    stopped : int or None
        The step of the divergence.
    """
    step, last = 0, max(steps[-1], 1)
    for i, stop in enumerate(steps):
        while True:
            target = min(stop, step + piece)
            step, *values = advance(step, target)
            room = room or [np.empty((len(steps), *np.shape(a))) for a in values]
            if step < target:
                for observed in room:
                    observed[i:] = np.nan
                return room, step
            report(step / last)
            if step == stop:
                break
        for observed, value in zip(room, values, strict=True):
            observed[i] = value
    return room, None
