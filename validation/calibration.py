"""What the verdicts of `tsphys.compare` are worth: how often it calls equal things different, and what it can see.

    python -m tsphys.validation.calibration                # some minutes of one core
    python -m tsphys.validation.calibration --runs 1000    # in a hurry
    python -m tsphys.validation.calibration --models       # how large scores are, of all models

A command for maintainers. Large pools of runs are simulated once and dealt into many simulations of a few runs each,
every one of which is compared with theory: with its own, where a disagreement is a false alarm, and with theories whose
parameters are off, where it is what should be.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click
import numpy as np

import tsphys
from tsphys.comparison import Comparison
from tsphys.errors import ModelError
from tsphys.runs.result import Result
from tsphys.validation import run
from tsphys.validation.checks import Setting

#: Levels at which false alarms are counted, and runs in a simulation.
LEVELS = (1e-3, 1e-2)
FEW, MANY = 4, 32
#: What theories are off by, relative to a parameter.
OFF = (0.01, 0.03, 0.1)


@dataclass(frozen=True)
class Case:
    """A model, its start and times, and the sizes of the runs that count false alarms, and of those that show power."""

    name: str
    model: Any
    start: tsphys.OrderParameters
    t: np.ndarray
    N: int
    large: int
    parameters: tuple[str, ...]


def _order(R: Any, Q: Any, T: Any, **more: Any) -> tsphys.OrderParameters:
    return tsphys.OrderParameters(R=np.array(R), Q=np.array(Q), T=np.array(T), **more)


_ONE = _order([[0.2]], [[0.3]], [[1.0]])
_TWO = _order([[0.3, 0.1], [0.05, 0.25]], [[0.3, 0.05], [0.05, 0.3]], np.eye(2))
CASES = (
    Case(
        "erf K=M=1", tsphys.TwoLayer(K=1, M=1, lr=0.5, noise=0.1, weight_decay=0.02), _ONE, np.linspace(1, 10, 12),
        400, 1000, ("lr", "noise", "weight_decay"),
    ),
    Case(
        "erf K=M=2", tsphys.TwoLayer(K=2, M=2, lr=0.5, noise=0.1, weight_decay=0.02), _TWO, np.linspace(1, 20, 12),
        400, 1000, ("lr", "noise", "weight_decay"),
    ),
    Case(
        "linear K=M=1, b=3", tsphys.TwoLayer(K=1, M=1, activation="linear", lr=0.5, noise=0.3, minibatch=3), _ONE,
        np.linspace(0.5, 5, 10), 400, 1000, ("lr", "noise"),
    ),
    Case(
        "Hebb", tsphys.Perceptron(rule="hebb", lr=1.0), _ONE, np.linspace(0.5, 5, 10), 400, 1000, ("lr",),
    ),
)  # fmt: skip


#: Models whose bias is not known: the model, size and axis, and observables whose runs do not vary as much as they are.
STATICS: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "kernel_ridge": (tsphys.KernelRidge(k=60, noise=0.3, modes=200), {"n": [20, 50, 100]}, ["eps_g"]),
    "random_features": (tsphys.RandomFeatures(noise=0.3), {"N": 100, "width": [0.5, 2.0]}, ["eps_g", "m", "q"]),
    "hopfield": (tsphys.Hopfield(T=0.3), {"N": 400, "alpha": [0.02, 0.04]}, ["m", "energy"]),
}
#: Models whose runs are mostly at the edge of what an observable can be, likewise: few tell nothing of its mean.
EDGES: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "glm, hinge": (tsphys.GLM(estimator="hinge"), {"N": 50, "alpha": [1.0]}, ["train_loss"]),
}


def _pool(case: Case, N: int, runs: int) -> Result:
    return tsphys.simulate(case.model, N=N, start=case.start, t=case.t, replicas=runs, seed=N, threads=1)


def dealt(pool: Result, n: int) -> Iterator[Result]:
    """Simulations of n runs each, from a pool of many."""
    for first in range(0, len(pool[pool.observables[0]]) - n + 1, n):
        rows = slice(first, first + n)
        data = {k: v[rows] if k in pool.observables else v for k, v in pool.data.items()}
        yield dataclasses.replace(pool, data=data)


def _solved(case: Case, **changed: float) -> Result:
    model = dataclasses.replace(case.model, **changed)
    return tsphys.solve(model, start=case.start, t=case.t, fluctuations=True)


def _found(pool: Result, theory: Result, n: int) -> list[Comparison]:
    return [tsphys.compare(sim, theory, level=LEVELS[0], changes=False) for sim in dealt(pool, n)]


def false_alarms(case: Case, runs: int) -> list[tuple[int, int, list[int], int]]:
    """(runs in a simulation, comparisons, disagreements at each level, undecided ones)."""
    pool, theory = _pool(case, case.N, runs), _solved(case)
    out = []
    for n in (FEW, MANY):
        found = _found(pool, theory, n)
        verdicts = [[dataclasses.replace(f, level=level).verdict for f in found] for level in LEVELS]
        out.append((n, len(found), [v.count("disagree") for v in verdicts], verdicts[0].count("undecided")))
    return out


def power(case: Case, runs: int) -> Iterator[tuple[str, float, list[float]]]:
    """(parameter, what it is off by, share of simulations of a few and of many runs that see it)."""
    pool = _pool(case, case.large, runs)
    for name in case.parameters:
        for off in OFF:
            theory = _solved(case, **{name: getattr(case.model, name) * (1 + off)})
            seen = [[f.verdict == "disagree" for f in _found(pool, theory, n)] for n in (FEW, MANY)]
            yield name, off, [float(np.mean(shares)) for shares in seen]


def honest(name: str, n: int, runs: int) -> list[Comparison]:
    """Comparisons of a static model with its theory, each of n runs."""
    model, options, observables = (STATICS | EDGES)[name]
    axis: dict[str, Any] = {k: v for k, v in options.items() if isinstance(v, list)}
    pool, theory = tsphys.simulate(model, replicas=runs, **options), tsphys.solve(model, **axis)
    return [tsphys.compare(sim, theory, observables=observables) for sim in dealt(pool, n)]


def rms(found: Sequence[Comparison]) -> float:
    """Of all scores."""
    return float(np.sqrt(np.mean(np.concatenate([z.ravel() for f in found for z in f.z.values()]) ** 2)))


def every_model(names: Sequence[str] = ()) -> Iterator[str]:
    """The lines of the table of all models: root mean square of scores of means, 1 by chance alone, and the largest."""
    yield f"{'model':<21} {'check':<32} {'rms z':>6} {'largest':>8} {'of':>5}"
    squares = []
    for name in names or run.names():
        for check in run.checks_of(name, Setting()):
            if check.kind == "simulation":
                found = check.run(Setting())
                squares.append(found.rms**2)
                yield f"{name:<21} {check.name:<32} {found.rms:>6.2f} {found.score:>8.2f} {found.limit:>5.2f}"
    yield f"of all {len(squares)}: {np.sqrt(np.nanmean(squares)):.2f}"


def chance(count: int, level: float) -> int:
    """Most false alarms of so many comparisons, but for one chance in 10³."""
    from scipy import stats

    return int(stats.binom.isf(1e-3, count, level))


@click.command(help=__doc__.split("\n")[0] if __doc__ else None)
@click.option("--runs", default=10_000, metavar="INT", help="Runs of each model for false alarms.  [default: 10000]")
@click.option("--powers", default=640, metavar="INT", help="Runs of each model for its power.  [default: 640]")
@click.option("--models", is_flag=True, help="Scores of every model at the points of `validate --quick` instead.")
def main(runs: int, powers: int, models: bool) -> None:
    """Print the tables."""
    if models:
        for line in every_model():
            click.echo(line)
        return
    for name, value in (("runs", runs), ("powers", powers)):
        if value < MANY:
            raise SystemExit(str(ModelError(name, value, f"must be >= {MANY}")))
    for line in table(CASES, runs, powers):
        click.echo(line)


def table(cases: Sequence[Case], runs: int, powers: int) -> Iterator[str]:
    """The lines of all tables."""
    yield "False alarms: comparisons that disagree although theory and simulation are of the same model"
    yield f"{'model':<20} {'N':>5} {'runs':>5} {'comparisons':>12} {'at 1e-3':>9} {'at 1e-2':>9} {'undecided':>10}"
    total, alarms = 0, [0, 0]
    for case in cases:
        for n, count, found, undecided in false_alarms(case, runs):
            shares = " ".join(f"{100 * k / count:>7.2f} %" for k in (*found, undecided))
            yield f"{case.name:<20} {case.N:>5} {n:>5} {count:>12} {shares}"
            total, alarms = total + count, [a + k for a, k in zip(alarms, found, strict=True)]
    told = [f"{a} at {level:g} (by chance at most {chance(total, level)})" for a, level in zip(alarms, LEVELS)]
    yield f"of all {total} comparisons: {', '.join(told)}"
    yield ""
    yield "Where the bias is not known: root mean square of the scores with the own theory, 1 by chance alone"
    yield f"{'model':<20} {'runs':>5} {'comparisons':>12} {'rms z':>6} {'disagree':>9} {'undecided':>10}"
    for name in STATICS | EDGES:
        held = honest(name, 2 * FEW, min(runs, 2400))
        verdicts = [f.verdict for f in held]
        counts = f"{verdicts.count('disagree'):>9} {verdicts.count('undecided'):>10}"
        yield f"{name:<20} {2 * FEW:>5} {len(held):>12} {rms(held):>6.2f} {counts}"
    yield ""
    yield f"Power: share of comparisons at level {LEVELS[0]:g} that see a theory whose parameter is off"
    yield f"{'model':<20} {'N':>5} {'parameter':>13} {'off by':>7} {f'{FEW} runs':>9} {f'{MANY} runs':>9}"
    for case in cases:
        for name, off, seen in power(case, powers):
            shares = " ".join(f"{100 * share:>7.0f} %" for share in seen)
            yield f"{case.name:<20} {case.large:>5} {name:>13} {100 * off:>5.0f} % {shares}"


if __name__ == "__main__":
    main()
