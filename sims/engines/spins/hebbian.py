"""Monte Carlo runs of Hebbian networks: starts, protocols, observables, replicas, brought together in one Result."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.fingerprint import of_array
from tsphys.ground.parameters import handed, numbers, param
from tsphys.ground.progress import share
from tsphys.ground.times import MOST_STEPS, course, times
from tsphys.numerics.random import generator
from tsphys.rules.contract import Static
from tsphys.runs import frames
from tsphys.runs.axis import points
from tsphys.runs.ensemble import ensemble
from tsphys.runs.frames.verb import LARGE
from tsphys.runs.memory import fitting_threads
from tsphys.runs.points import stack
from tsphys.runs.replicas import thread_count
from tsphys.runs.result import Result
from tsphys.sims.engines.spins import stored
from tsphys.sims.engines.spins.chain import Network

STARTS = ("pattern", "noisy", "random", "mixture")
METHODS = ("auto", "overlap", "matrix")
#: Sweeps between two looks at what is not kept.
BLOCK = 2**14
PROTOCOLS = ("quench", "anneal", "tempering")

M = TypeVar("M", bound=Static)
O = TypeVar("O", bound="Options")


def whole_sweeps(name: str, value: Any) -> np.ndarray:
    """Numbers of sweeps as an axis: whole and increasing, or a ModelError."""
    sweeps = times(name, value)
    if (sweeps != np.rint(sweeps)).any() or sweeps[-1] > MOST_STEPS:
        raise ModelError(name, value, "must be whole numbers of sweeps, increasing from 0 or later")
    return sweeps


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation of Hebbian networks is asked for."""

    @property
    def real(self) -> bool:
        """Whether patterns of one's own keep their values."""
        return False

    N: int = param(1000, "number of spins; of patterns of your own theirs", kind=int, low=2, short="-N")
    t: Any = course("sweeps after which to observe, as the axis, instead of averages: a,b,c", whole_sweeps)
    n_patterns: int | None = param(
        None, "number of stored patterns, for all points; none: from alpha", kind=int, optional=True
    )
    patterns: Any = handed(
        "patterns to store, shape (P, N), ±1 (0/1 with an activity), the same in all replicas; by default drawn"
    )
    pattern_file: str | None = param(
        None, "patterns to store from a .npy, .csv or .txt file, as rows or as images, black and white by the middle "
        "of their range; then N is theirs", kind=str, optional=True,
    )  # fmt: skip
    start: Any = param(
        "pattern",
        "initial state: pattern 1, that with an overlap, random, the majority of a mixture, or spins",
        kind=str,
        choices=STARTS,
        array=True,
    )
    overlap: float = param(1.0, "overlap of the start noisy with pattern 1", low=-1, high=1)
    mixture: int = param(3, "patterns in the start mixture", kind=int, low=1)
    sweeps: int = param(100, "sweeps over which observables are averaged", kind=int, low=2)
    equilibration: int = param(100, "sweeps before that", kind=int, low=0)
    protocol: str = param(
        "quench",
        "each point on its own; one state carried along the sequence T; or all T with exchange of states",
        kind=str,
        choices=PROTOCOLS,
    )
    keep_spins: bool = param(False, "keep the last state of each point", kind=bool)


@dataclass(frozen=True)
class Plan:
    """What is asked of a run, checked."""

    N: int
    axis: str
    values: np.ndarray
    start: Any
    overlap: float
    mixture: int
    sweeps: int
    equilibration: int
    protocol: str
    replicas: int
    seed: int
    threads: int
    keep_spins: bool

    @property
    def started(self) -> str:
        """Name of the start; "given" for spins."""
        return self.start if isinstance(self.start, str) else "given"


def plan(model: Any, given: dict[str, Any], asked: Options, frame: frames.Replicas) -> tuple[Any, Plan]:
    """The model with the numbers of `given` put in, and what its runs share."""
    along = points(model, given)
    if asked.t is not None:
        along = frames.in_time(along, asked)
    model, axis, values, N, start = along.models[0], along.axis, along.values, asked.N, asked.start
    if not isinstance(start, str):
        start = numbers(start)
        if start is None:
            raise ModelError("start", asked.start, "must be one of " + ", ".join(STARTS) + ", or the spins")
        if start.shape not in ((N,), (frame.replicas, N)):
            raise ModelError("start", f"array of shape {start.shape}", "must have the shape (N,) or (replicas, N)")
    if asked.overlap != 1 and not (isinstance(start, str) and start == "noisy"):
        raise ModelError("overlap", asked.overlap, 'must be 1 unless start = "noisy"')
    if asked.protocol != "quench" and axis != "T":
        raise ModelError("protocol", asked.protocol, "needs a sequence T")
    if asked.protocol == "tempering" and ((values <= 0).any() or (np.diff(values) == 0).any() or len(values) < 2):
        raise ModelError("T", values.tolist(), "must be two or more different temperatures > 0 for tempering")
    shared = ("N", "overlap", "mixture", "sweeps", "equilibration", "protocol", "keep_spins")
    return model, Plan(
        axis=axis, values=values, start=start, replicas=frame.replicas, seed=frame.seed,
        threads=thread_count(frame.threads), **{name: getattr(asked, name) for name in shared},
    )  # fmt: skip


def rows(p: Plan, P: int) -> float:
    """Bytes of what is kept of every sweep of a measurement: energy, flips, and overlaps with some of P patterns."""
    if p.axis == "t":
        return 0.0
    each = 8.0 * (3 + min(p.mixture, P))
    # Tempering keeps them as lists, for every temperature.
    return p.sweeps * (each if p.protocol != "tempering" else len(p.values) * (each + 200.0))


def skip(chain: Any, n: int, report: Callable[[int], None] = lambda done: None) -> None:
    """Do n sweeps of which nothing is kept, however many."""
    for low in range(0, n, BLOCK):
        chain.sweeps(min(BLOCK, n - low), lambda done, low=low: report(low + done))


def overlaps(network: Network, rows: np.ndarray) -> dict[str, Any]:
    """The probes in rows (…, 2 + c) of a chain, by name."""
    probes = rows[..., 2:]
    first = probes.shape[-1] - len(network.named)
    named = {name: probes[..., first + i] for i, name in enumerate(network.named)}
    return {"m": probes[..., 0], **named, "overlaps": probes[..., :first]}


def observables(chain: Any, first: Any, second: Any) -> dict[str, Any]:
    """Averages over the two halves of a measurement, each (rows, mean states of the spins)."""
    rows = np.concatenate([first[0], second[0]]).mean(axis=0)
    means = first[1], second[1]
    return {
        **overlaps(chain.network, rows),
        "q": float(np.average(means[0] * means[1], weights=chain.network.weights)),
        "energy": rows[0],
        "flips": rows[1],
        **chain.network.finish(chain.s, chain.net, *means),
    }


def _static(build: Any, model: Any, p: Plan, replica: int, report: Callable[[float], None]) -> dict[str, np.ndarray]:
    """A replica over an axis of parameters: each point anew (quench), or one state carried along (anneal)."""
    points: list[dict[str, Any]] = []
    half = p.sweeps // 2
    each = p.equilibration + p.sweeps
    chain: Any = None
    for i, value in enumerate(p.values.tolist()):
        here = dataclasses.replace(model, **{p.axis: value})

        def tell(done: int, before: int = 0, i: int = i) -> None:
            report((i + (before + done) / each) / len(p.values))

        if chain is None or p.protocol == "quench":
            network = build(here, replica, i)
            s = network.initial(p, replica, i)
            chain = network.chain(s, here.T, (p.seed, replica, f"{model.name} {i}"))
        chain.set_temperature(here.T)
        skip(chain, p.equilibration, tell)
        first = chain.sweeps(half, lambda done, tell=tell: tell(done, p.equilibration))
        second = chain.sweeps(p.sweeps - half, lambda done, tell=tell: tell(done, p.equilibration + half))
        points.append(observables(chain, first, second))
        if p.keep_spins:
            points[-1]["spins"] = chain.s.copy()
    return stack(points)


def _tempering(build: Any, model: Any, p: Plan, replica: int, report: Callable[[float], None]) -> dict[str, np.ndarray]:
    """A replica at all temperatures at once; neighbours exchange their states after every sweep (Hukushima & Nemoto).

    The exchange of temperatures T_a, T_b is accepted with min(1, exp((1/T_a − 1/T_b)(H_a − H_b))).
    """
    network = build(model, replica, 0)
    n = len(p.values)
    rank = np.argsort(p.values)
    beta = 1.0 / p.values[rank]
    chains = [
        network.chain(network.initial(p, replica, i), p.values[k], (p.seed, replica, f"{model.name} {i}"))
        for i, k in enumerate(rank)
    ]
    rng = generator(p.seed, replica, "exchange")
    half = p.sweeps // 2
    swaps, tries = np.zeros(n), np.zeros(n)
    kept: list[list[Any]] = [[], []]
    means = np.zeros((2, n, len(chains[0].s)))
    total = p.equilibration + p.sweeps
    for sweep in range(total):
        rows = []
        measured = sweep - p.equilibration
        part = 0 if measured < half else 1
        for i, chain in enumerate(chains):
            row, mean = chain.sweeps(1)
            rows.append(row[0])
            if measured >= 0:
                means[part, i] += mean
        if measured >= 0:
            kept[part].append(rows)
        for a in range(sweep % 2, n - 1, 2):
            gap = (beta[a] - beta[a + 1]) * (chains[a].energy() - chains[a + 1].energy())
            accepted = rng.random() < np.exp(min(0.0, gap))
            tries[a] += 1
            swaps[a] += accepted
            if accepted:
                chains[a], chains[a + 1] = chains[a + 1], chains[a]
                for b in (a, a + 1):
                    chains[b].set_temperature(p.values[rank[b]])
        report((sweep + 1) / total)
    means[0] /= half
    means[1] /= p.sweeps - half
    points: list[Any] = [None] * n
    for i, k in enumerate(rank):
        halves = [(np.array(kept[part])[:, i], means[part, i]) for part in (0, 1)]
        points[k] = observables(chains[i], *halves) | {"exchanges": swaps[i] / max(tries[i], 1.0)}
        if p.keep_spins:
            points[k]["spins"] = chains[i].s.copy()
    return stack(points)


def _in_time(build: Any, model: Any, p: Plan, replica: int, report: Callable[[float], None]) -> dict[str, np.ndarray]:
    """A replica observed after given numbers of sweeps."""
    network = build(model, replica, 0)
    chain = network.chain(network.initial(p, replica, 0), model.T, (p.seed, replica, f"{model.name} 0"))
    rows, spins = [], []
    done = 0
    row = np.array([chain.energy() / p.N, 0.0, *chain.probes()])
    for sweep in p.values.astype(np.int64).tolist():
        if sweep > done:
            skip(chain, sweep - done - 1, share(report, done, 1, p.values[-1]))
            row = chain.sweeps(1)[0][-1]
            report(sweep / p.values[-1])
            done = sweep
        rows.append(row)
        spins.append(chain.s.copy() if p.keep_spins else None)
    table = np.array(rows)
    out = {**overlaps(network, table), "energy": table[:, 0], "flips": table[:, 1]}
    return out | ({"spins": np.array(spins)} if p.keep_spins else {})


class Job(NamedTuple):
    """What a model makes of a plan.

    Parameters
    ----------
    build : callable
        ``build(model, replica, point) -> Network`` for a point of the axis.
    record : dict
        What else belongs into the Result's meta.
    memory : Memory
    over : callable, optional
        What brings the replicas about; see `tsphys.runs.ensemble.ensemble`.
    """

    build: Callable[[Any, int, int], Any]
    record: dict[str, Any]
    memory: frames.Memory
    over: Callable[..., None] | None = None


def sized(asked: O, chosen: bool) -> O:
    """With the patterns of the file, if there is one, and the number of spins of patterns, unless one was chosen."""
    patterns = asked.patterns
    if asked.pattern_file is not None:
        if patterns is not None:
            raise ModelError("pattern_file", asked.pattern_file, "must be none with patterns")
        patterns = stored.pictures(asked.pattern_file, asked.real)
        if chosen and patterns.shape[1] != asked.N:
            raise ModelError("N", asked.N, f"must be that of the patterns in {asked.pattern_file}, {patterns.shape[1]}")
    return dataclasses.replace(asked, patterns=patterns, N=asked.N if chosen else width(patterns, asked.N))


def width(patterns: Any, usual: int) -> int:
    """Spins of patterns (P, N); as many as are usual where there are none, or they are no matrix."""
    try:
        shape = np.shape(patterns)
    except Exception:
        return usual
    return max(shape[1], 2) if len(shape) == 2 else usual


def chains(model: type[M], options: type[O]) -> Callable[[Callable[[M, Plan, O], Job]], frames.Verb[M]]:
    """The frame of Hebbian networks: make ``simulate`` of ``job(model, plan, options)``.

    Each point anew, one state carried along temperatures, all of them with exchange, or after numbers of sweeps.
    """

    def made(job: Callable[[M, Plan, O], Job]) -> frames.Verb[M]:
        def run(model: M, given: dict[str, Any]) -> Result:
            frame, asked = frames.chosen(frames.Replicas, given), sized(frames.chosen(options, given), "N" in given)
            model, p = plan(model, {k: given[k] for k in model.axes if k in given}, asked, frame)
            build, record, need, over = job(model, p, asked)
            work = _in_time if p.axis == "t" else _tempering if p.protocol == "tempering" else _static
            names = ("N", "seed", "overlap", "mixture", "protocol", "sweeps", "equilibration")
            start = p.started if isinstance(p.start, str) else f"given {of_array(p.start)}"
            return ensemble(
                model,
                p.axis,
                p.values,
                lambda replica, report: work(build, model, p, replica, report),
                {**record, **{k: getattr(p, k) for k in names}, "start": start},
                replicas=p.replicas,
                threads=fitting_threads(need.each, need.sizes, need.what, p.threads),
                dims={"overlaps": ("pattern",), "spins": ("spin",)},
                progress=frame.progress,
                checkpoint=frame.checkpoint,
                resume=frame.resume,
                over=over,
            )

        own = {**frames.described(options), **frames.described(frames.Replicas)}
        return frames.Verb(job, model, model.axes, own, run, LARGE)

    return made
