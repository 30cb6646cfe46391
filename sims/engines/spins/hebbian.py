"""Monte Carlo runs of Hebbian networks: starts, protocols, observables, replicas, brought together in one Result."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.fingerprint import of_array
from tsphys.ground.parameters import number, numbers, param, word
from tsphys.ground.progress import share
from tsphys.ground.times import MOST_STEPS, times
from tsphys.numerics.random import generator
from tsphys.runs.axis import along, is_sequence
from tsphys.runs.ensemble import ensemble
from tsphys.runs.points import stack
from tsphys.runs.replicas import thread_count
from tsphys.runs.result import Result
from tsphys.sims.engines.spins.chain import Network

STARTS = ("pattern", "noisy", "random", "mixture")
METHODS = ("auto", "overlap", "matrix")
#: Sweeps between two looks at what is not kept.
BLOCK = 2**14
PROTOCOLS = ("quench", "anneal", "tempering")

OPTIONS = {
    "N": param(1000, "number of spins", kind=int, short="-N"),
    "t": param(None, "sweeps after which to observe, instead of averages: a,b,c", kind=str, short="-t", optional=True),
    "n_patterns": param(None, "number of stored patterns; none: from alpha", kind=int, optional=True),
    "start": param("pattern", "initial state", kind=str, choices=STARTS),
    "overlap": param(1.0, "overlap of the start noisy with pattern 1"),
    "mixture": param(3, "patterns in the start mixture", kind=int),
    "sweeps": param(100, "sweeps over which observables are averaged", kind=int),
    "equilibration": param(100, "sweeps before that", kind=int),
    "protocol": param("quench", "how the axis is run", kind=str, choices=PROTOCOLS),
    "method": param("auto", "form of the fields", kind=str, choices=METHODS),
}


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


def choose_axis(model: Any, t: Any, given: dict[str, Any]) -> tuple[Any, str, np.ndarray]:
    """The model with the scalars of `given` put in, the name of the axis, and its values.

    Raises
    ------
    ModelError
        If there is more than one sequence, or a value is out of the model's range.
    """
    if t is None:
        name, values, models = along(model, **given)
        return models[0], name, values
    for name, value in given.items():
        if is_sequence(value):
            raise ModelError("axis", ["t", name], "must be one sequence; the others are numbers")
    sweeps = times("t", t)
    if (sweeps != np.rint(sweeps)).any() or sweeps[-1] > MOST_STEPS:
        raise ModelError("t", t, "must be whole numbers of sweeps, increasing from 0 or later")
    return dataclasses.replace(model, **{k: v for k, v in given.items() if v is not None}), "t", sweeps


def plan(model: Any, t: Any, given: dict[str, Any], *, N: Any, start: Any, overlap: Any, mixture: Any, sweeps: Any,
         equilibration: Any, protocol: Any, replicas: Any, seed: Any, threads: Any, keep_spins: bool,
         ) -> tuple[Any, Plan]:  # fmt: skip
    """Check the options that all Hebbian networks share."""
    model, axis, values = choose_axis(model, t, given)
    N = number("N", N, kind=int, low=2)
    replicas = number("replicas", replicas, kind=int, low=1)
    if isinstance(start, str):
        if start not in STARTS:
            raise ModelError("start", start, "must be one of " + ", ".join(STARTS) + ", or the spins")
    else:
        given_start, start = start, numbers(start)
        if start is None:
            raise ModelError("start", given_start, "must be one of " + ", ".join(STARTS) + ", or the spins")
        if start.shape not in ((N,), (replicas, N)):
            raise ModelError("start", f"array of shape {start.shape}", "must have the shape (N,) or (replicas, N)")
    word("protocol", protocol, PROTOCOLS)
    if protocol != "quench" and axis != "T":
        raise ModelError("protocol", protocol, "needs a sequence T")
    if protocol == "tempering" and ((values <= 0).any() or (np.diff(values) == 0).any() or len(values) < 2):
        raise ModelError("T", values.tolist(), "must be two or more different temperatures > 0 for tempering")
    return model, Plan(
        N=N,
        axis=axis,
        values=values,
        start=start,
        overlap=number("overlap", overlap, low=-1, high=1),
        mixture=number("mixture", mixture, kind=int, low=1),
        sweeps=number("sweeps", sweeps, kind=int, low=2),
        equilibration=number("equilibration", equilibration, kind=int, low=0),
        protocol=protocol,
        replicas=replicas,
        seed=number("seed", seed, kind=int, low=0, high=2**63 - 1),
        threads=thread_count(threads),
        keep_spins=bool(keep_spins),
    )


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


def run(
    model: Any,
    p: Plan,
    build: Callable[[Any, int, int], Any],
    record: dict[str, Any],
    *,
    progress: Callable[[float], None] | None = None,
    checkpoint: Callable[[Result], Any] | None = None,
    resume: Result | None = None,
    over: Callable[..., None] | None = None,
) -> Result:
    """Run the replicas of a plan.

    Parameters
    ----------
    build : callable
        ``build(model, replica, point) -> Network`` for a point of the axis.
    record : dict
        What else belongs into the Result's meta.
    over : callable
        What brings the replicas about; see `tsphys.runs.ensemble.ensemble`.
    """
    work = _in_time if p.axis == "t" else _tempering if p.protocol == "tempering" else _static
    record = {
        **record,
        **{k: getattr(p, k) for k in ("N", "seed", "overlap", "mixture", "protocol")},
        **{k: getattr(p, k) for k in ("sweeps", "equilibration")},
        "start": p.started if isinstance(p.start, str) else f"given {of_array(p.start)}",
    }
    return ensemble(
        model,
        p.axis,
        p.values,
        lambda replica, report: work(build, model, p, replica, report),
        record,
        replicas=p.replicas,
        threads=p.threads,
        dims={"overlaps": ("pattern",), "spins": ("spin",)},
        progress=progress,
        checkpoint=checkpoint,
        resume=resume,
        over=over,
    )
