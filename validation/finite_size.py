"""How far runs of size N lie off the theory for N → ∞, and how much they fluctuate: measured, and foretold.

    python -m tsphys.validation.finite_size                  # every case, about ten minutes on one core
    python -m tsphys.validation.finite_size erf --runs 1e6   # one case, more runs
    python -m tsphys.validation.finite_size --quick -o finite_size.md

A command for maintainers. For each entry of a case: y for N → ∞; the bias m by theory, and N(mean − y) of runs with
its standard error and score z; the variance C/N + V/N² by theory, and that of runs over it. The plateau at the end
shows where this stops: β, by which `Result.beta` tells it, and by how much the variances are off.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

import tsphys
from tsphys.errors import ModelError
from tsphys.models.perceptron import RULES
from tsphys.rules import perceptron
from tsphys.rules.phases import Phase
from tsphys.validation.two_layer import START as S22

#: An entry of an observable: its name, and its place in a matrix or vector.
Entry = tuple[str, tuple[int, ...]]

EPS, R11, R12, R21 = ("eps_g", ()), ("R", (0, 0)), ("R", (0, 1)), ("R", (1, 0))
Q11, Q22, V1, V2 = ("Q", (0, 0)), ("Q", (1, 1)), ("v", (0,)), ("v", (1,))
#: Sizes, and how many runs times N there are of each case.
SIZES, RUNS, QUICK = (50, 100, 200, 400), 600_000, 60_000
#: Sizes of the cases beyond the seven first, each with 3000 runs or more.
TWO_SIZES, LEAST = (60, 200), 3000


@dataclass(frozen=True)
class Case:
    """A model, where it starts (none: where each run draws), and what is looked at, when."""

    model: Any
    start: tsphys.OrderParameters | None
    entries: tuple[Entry, ...]
    t: tuple[float, ...]
    engine: str = "auto"
    sizes: tuple[int, ...] = SIZES


def _one(R: float, Q: float) -> tsphys.OrderParameters:
    return tsphys.OrderParameters(R=[[R]], Q=[[Q]], T=[[1.0]])


S32 = tsphys.OrderParameters(
    R=[[0, 0.12], [0.11, 0.01], [0.11, 0.02]], Q=[[0.41, 0.05, 0.16], [0.05, 0.22, 0.07], [0.16, 0.07, 0.19]],
    T=[[1, -0.1], [-0.1, 1.2]], v=[0.7, 1, 0.5], v_star=[1.1, 0.8],
)  # fmt: skip
PLATEAU = tsphys.OrderParameters(R=[[0.3, 0.2], [0.2, 0.3]], Q=[[0.3, 0.1], [0.1, 0.3]], T=np.eye(2))
PLANE = tsphys.OrderParameters(R=[[0.1, 0.05], [-0.1, 0.2]], Q=[[0.3, 0.1], [0.1, 0.35]], T=np.eye(2), v=[1, 1])
TASKS = tsphys.OrderParameters(
    R=[[0.2, 0.1], [-0.1, 0.15]], Q=[[0.3, 0.05], [0.05, 0.25]], T=[[1, 0.5], [0.5, 1]], v=[0.6, 0.4, -0.3, 0.5]
)
#: Two tasks for two units; the second begins at t = 2.
_SWITCH: dict[str, Any] = {"K": 2, "M": 1, "lr": 1.5, "noise": 0.1, "durations": (2.0,)}
#: Errors of both tasks, an overlap with each teacher, and of both heads a readout.
_BOTH: tuple[Entry, ...] = (("eps_g", (0,)), ("eps_g", (1,)), R11, R12, Q11, ("v", (0, 0)), ("v", (1, 1)))


def _slower(i: int, state: Any) -> Phase:
    """AdaTron with the rate 1, and from t = 2 on ½."""
    return Phase(params={"lr": 1.0 / (1 + i)}, until=2.0 if i == 0 else math.inf)


def cases() -> dict[str, Case]:
    """All cases by name; the first seven cover all kinds of averages, the others all kinds of steps."""
    sheet = {
        "erf": Case(tsphys.TwoLayer(K=1, M=1, lr=1.0, noise=0.2), _one(0.2, 0.3), (EPS, R11, Q11), (1, 8)),
        "both layers": Case(
            tsphys.TwoLayer(
                K=3, M=2, lr=1.2, lr_v=0.8, noise=0.3, weight_decay=0.3, weight_decay_v=0.2, minibatch=3
            ), S32, (EPS, R11, Q22, V1, V2), (2, 8),
        ),
        "relu": Case(
            tsphys.TwoLayer(activation="relu", lr=0.4, lr_v=0.3, noise=0.1), S22, (EPS, R21, Q11, V1, V2), (4, 8)
        ),
        "adatron": Case(tsphys.Perceptron(rule="adatron"), _one(0.1, 1.0), (EPS, R11, Q11), (4, 16)),
        "rosenblatt": Case(tsphys.Perceptron(rule="rosenblatt"), _one(0.1, 1.0), (EPS, R11, Q11), (16,)),
        "linear": Case(
            tsphys.TwoLayer(K=1, M=1, activation="linear", lr=1.0, noise=0.3, minibatch=3, weight_decay=0.2),
            _one(0.2, 0.5), (EPS, R11, Q11), (2,),
        ),
        "plateau": Case(tsphys.TwoLayer(lr=1.5), PLATEAU, (EPS, R11, R12, Q11), (2,)),
    }  # fmt: skip
    more = {
        "inputs ±1": Case(tsphys.TwoLayer(lr=1.0, inputs="binary"), S22, (EPS, R11, R12, Q11), (1, 6), "direct"),
        "random directions": Case(tsphys.ZerothOrder(kappa=0.5, lr=0.2), PLATEAU, (EPS, R11, R12, Q11), (2, 8)),
        "some coordinates": Case(
            tsphys.ZerothOrder(estimator="sparse", fraction=0.4, lr=0.4), PLATEAU, (EPS, R11, R12, Q11), (2, 8)
        ),
        "law": Case(tsphys.SimplicityBias(K=2), PLANE, (EPS, ("accuracy", ()), R11, R12, Q11), (1, 8)),
        "sphere": Case(
            tsphys.SpikedCumulant(lr=0.3), tsphys.OrderParameters(R=[[0.2]], Q=[[1.0]], T=[[1.0]]), (R11,), (1, 12)
        ),
        "sphere, law": Case(
            tsphys.SpikedCumulant(task="mixed", activation="erf", lr=0.3, beta_m=0.5, beta_u=1.0, correlated=True),
            tsphys.OrderParameters(R=[[0.2, 0.3, 0.25]], Q=[[1.0]], T=np.eye(3)), (R11, R12, ("R", (0, 2))), (1, 12),
        ),
    }  # fmt: skip
    adatron = perceptron.Params(RULES.index("adatron"), 1.0)
    more["phases of a rule"] = Case(
        tsphys.LearningRule(perceptron.rule, params=adatron, schedule=_slower), _one(0.1, 1.0), (R11, Q11), (2, 4)
    )
    more["drawn starts"] = Case(tsphys.Perceptron(rule="adatron"), None, (EPS, R11, Q11), (0, 4))
    more["drawn starts, two units"] = Case(
        tsphys.TwoLayer(K=2, M=1, lr=1.0, init=0.5), None, (EPS, R11, Q11, ("Q", (0, 1))), (0, 4)
    )
    more["drawn starts, sphere"] = Case(tsphys.SpikedCumulant(lr=0.3), None, (R11,), (0, 4))
    for name, options in (
        ("switch", {}),
        ("head copied", {"head": "copy"}),
        ("replay", {"replay": 0.3, "minibatch": 2}),
        ("interleaved", {"schedule": "interleaved"}),
        ("anchors", {"regulariser": "l2", "strength": 0.7}),
        ("anchors of heads", {"regulariser": "ewc", "strength": 2.0, "replay": 0.2}),
        ("anchors of slopes", {"regulariser": "fisher", "strength": 2.0}),
    ):
        more[name] = Case(tsphys.Continual(**{**_SWITCH, **options}), TASKS, _BOTH, (2, 3, 5))
    return sheet | {name: Case(c.model, c.start, c.entries, c.t, c.engine, TWO_SIZES) for name, c in more.items()}


class Row(NamedTuple):
    """An entry at a time t in n runs of size N: what is foretold, and what is found.

    N → ∞ and bias m; the standard deviation of a run; mean and variance of the runs, and the relative error of that
    variance by their own fourth moment; β.
    """

    case: str
    entry: str
    t: float
    N: int
    n: int
    limit: float
    m: float
    std: float
    mean: float
    variance: float
    scatter: float
    beta: float

    @property
    def z(self) -> float:
        """The mean's distance from what is foretold, in its standard errors."""
        return (self.mean - self.limit - self.m / self.N) / (self.std / math.sqrt(self.n))

    @property
    def ratio(self) -> float:
        """Variance over what is foretold."""
        return self.variance / self.std**2

    @property
    def z_fair(self) -> float:
        """`z`, the bias being known to (β² + 10/N^(3/2)) standard deviations of a run only."""
        return self.z / math.hypot(1.0, math.sqrt(self.n) * (self.beta**2 + 10 / self.N**1.5))

    @property
    def z_ratio(self) -> float:
        """Score of `ratio`, C being known to a relative 6β² + 10/N only."""
        return (self.ratio - 1) / math.hypot(self.scatter, 6 * self.beta**2 + 10 / self.N)


def measured(name: str, case: Case, N: int, n: int, *, seed: int = 0, threads: int | None = None) -> list[Row]:
    """Runs of a case beside theory."""
    begin = "drawn" if case.start is None else case.start
    theory = tsphys.solve(case.model, start=begin, t=case.t, fluctuations=True, N=N)
    sim = tsphys.simulate(
        case.model, N=N, start=case.start, t=case.t, replicas=n, seed=seed, engine=case.engine, threads=threads
    )
    rows = []
    for observable, index in case.entries:
        at: Any = (slice(None), *index)
        limit, mean, std = (of(observable)[at] for of in (theory.__getitem__, theory.mean, theory.std))
        x = sim[observable][(slice(None), *at)]
        deviation = x - x.mean(axis=0)
        variance = x.var(axis=0, ddof=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            scatter = np.sqrt(((deviation**4).mean(axis=0) / variance**2 - 1) / n)
        label = observable + "".join(str(i + 1) for i in index)
        columns = limit, N * (mean - limit), std, x.mean(axis=0), variance, scatter, theory.beta()
        found = [Row(name, label, t, N, n, *of_t) for t, *of_t in zip(case.t, *(a.tolist() for a in columns))]
        # A head whose task has not begun stands still.
        rows += [row for row in found if row.std > 1e-12]
    return rows


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Rows of a Markdown table."""
    yield "| case | entry | t | N | runs | y | m | N(mean − y) | z | N·var | var/theory | β |"
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
    for r in rows:
        error = r.N * r.std / math.sqrt(r.n)
        yield (
            f"| {r.case} | {r.entry} | {r.t:g} | {r.N} | {r.n} | {r.limit:.5f} | {r.m:.4f} "
            f"| {r.N * (r.mean - r.limit):.4f} ± {error:.4f} | {r.z:.2f} | {r.N * r.std**2:.5f} "
            f"| {r.ratio:.3f} ± {r.scatter:.3f} | {r.beta:.2f} |"
        )


def summary(rows: Sequence[Row]) -> Iterator[str]:
    """Root mean square of z, and the mean of var/theory − 1, of each case and size."""
    yield "| case | N | runs | rms z | max \\|z\\| | N(var/theory − 1) |"
    yield "|---|---|---|---|---|---|"
    for case, N in dict.fromkeys((r.case, r.N) for r in rows):
        own = [r for r in rows if (r.case, r.N) == (case, N)]
        z, excess = np.array([r.z for r in own]), np.mean([r.ratio - 1 for r in own])
        yield (
            f"| {case} | {N} | {own[0].n} | {np.sqrt(np.mean(z**2)):.2f} | {np.abs(z).max():.2f} | {N * excess:.1f} |"
        )


#: Times along the plateau, through the escape.
ALONG = (20.0, 30.0, 40.0, 60.0, 80.0)


def breakdown(total: float, seed: int, threads: int | None) -> Iterator[str]:
    """Where the expansion ends: a plateau that the students leave in a time of order ln N."""
    plateau = Case(tsphys.TwoLayer(lr=1.5), PLATEAU, (EPS, R11, R12, Q11), ALONG)
    yield (
        "| N | runs | N for β ≤ ¼ | "
        + " | ".join(f"β, t = {t:g}" for t in ALONG)
        + " | "
        + " | ".join(f"var/theory − 1, t = {t:g}" for t in ALONG)
        + " | "
    )
    yield "|---" * (3 + 2 * len(ALONG)) + "|"
    for N in (50, 100, 200):
        n = max(200, round(total / N / 8))
        rows = measured("plateau", plateau, N, n, seed=seed, threads=threads)
        at = {t: [r for r in rows if r.t == t] for t in ALONG}
        beta = [at[t][0].beta for t in ALONG]
        excess = [max((r.ratio - 1 for r in at[t]), key=abs) for t in ALONG]
        enough = [N * (4 * b) ** 2 for b in beta]
        cells = [f"{b:.2f}" for b in beta] + [f"{e:.2f}" for e in excess]
        yield f"| {N} | {n} | {enough[-1]:.0f} | " + " | ".join(cells) + " |"


@click.command()
@click.argument("names", nargs=-1, metavar="[CASE]...")
@click.option("--quick", is_flag=True, help="A tenth of the runs.")
@click.option("--runs", type=float, help=f"Runs times N of each case; {RUNS:g} by default, {QUICK:g} with --quick.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--threads", type=int, default=1, show_default=True)
@click.option("-o", "--output", metavar="FILE", help="The tables, as Markdown.")
def main(names: tuple[str, ...], quick: bool, runs: float | None, seed: int, threads: int, output: str | None) -> None:
    """Measure bias and covariance of finite runs against theory; without a CASE, all of them and the plateau."""
    known = cases()
    for name in names:
        if name not in known:
            raise click.UsageError(str(ModelError("case", name, "must be among " + ", ".join(known))))
    total = runs or (QUICK if quick else RUNS)
    lines: list[str] = []
    rows: list[Row] = []

    def show(more: Iterator[str]) -> None:
        for line in more:
            click.echo(line)
            lines.append(line)

    for i, name in enumerate(names or known):
        case = known[name]
        found = [
            row
            for N in case.sizes
            for row in measured(
                name, case, N, max(LEAST if len(case.sizes) == 2 and not quick else 300, round(total / N)),
                seed=seed, threads=threads,
            )
        ]  # fmt: skip
        rows += found
        show(line for j, line in enumerate(table(found)) if i == 0 or j > 1)
    show(iter([""]))
    show(summary(rows))
    if not names:
        show(iter(["", "Plateau of erf, K = M = 2, η = 1.5:", ""]))
        show(breakdown(total, seed, threads))
    if output is not None:
        Path(output).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
