"""What a check is, and the yardsticks that all models share."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import tsphys
from tsphys.comparison import Comparison, scores
from tsphys.comparison.scores import normal
from tsphys.runs.result import Result

#: Probability that one statistical check fails although theory and simulation agree.
LEVEL = 1e-4
#: Fewest replicas that a simulation is held against theory with.
FEWEST = 4
KINDS = {
    "simulation": "theory against simulation, max |z|",
    "size": "finite-size scaling, max |z|",
    "engine": "one engine against another, max |z|",
    "identity": "observables against derivatives of others, rules against plain NumPy, limits, in units of their bound",
    "step": "a few steps against plain NumPy at the same size, max |z|",
    "rate": "equations of motion against averages of the rule, in units of their error bound",
    "integral": "closed form against quadrature, difference in units of its error bound",
    "saddle": "saddle point against the numerical gradient of its free energy, in units of its error bound",
}


@dataclass(frozen=True)
class Setting:
    """How thoroughly, from which seed, and on how many threads."""

    quick: bool = True
    seed: int = 0
    threads: int | None = None

    def replicas(self, number: int) -> int:
        """So many replicas in a quick run, four times as many otherwise, which halves every error."""
        return number if self.quick else 4 * number


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Parameters
    ----------
    score, limit : float
        Largest |z|, or difference in units of its error bound, and the largest that passes.
    detail : str
        The numbers behind it, in a line.
    curves : tuple, optional
        (simulation, theory, observable) for the report.
    rms : float
        Root mean square of the z-scores of a simulation with its theory, of all that fluctuates; NaN elsewhere.
    """

    score: float
    limit: float
    detail: str
    curves: tuple[Result, Result, str] | None = None
    rms: float = math.nan


@dataclass(frozen=True)
class Check:
    """A check of a model: its kind among `KINDS`, its name, and what does it."""

    kind: str
    name: str
    run: Callable[[Setting], Finding]


def on_theory(sim: Result, theory: Result, shown: str, observables: Any = None, finite_size: bool = True) -> Finding:
    """z-scores of a simulation with its theory, by `tsphys.compare`, with what it knows of finite sizes or without.

    Where so many replicas see more than theory says about this size, fewer are held against it. If there is no verdict
    even so, points can be found wrong only, and the detail says so.
    """
    n = least = len(sim[sim.observables[0]])
    found = all_of_them = _compared(sim, theory, observables, finite_size)
    while found.verdict == "undecided" and least >= 2 * FEWEST:
        least //= 2
        found = _compared(some(sim, least), theory, observables, finite_size)
    if found.verdict == "undecided":
        found, least = all_of_them, n
    worst = max(found.z, key=lambda name: float(np.abs(found.z[name]).max()))
    at = np.unravel_index(np.abs(found.z[worst]).argmax(), found.z[worst].shape)
    detail = (
        f"{worst} off by {found.deviation[worst][at]:.1e} ± {found.error[worst][at]:.1e} "
        f"at {found.axis} = {found.values[at[0]]:.4g}"
    )
    score, limit = found.max_abs_z, found.threshold
    if found.max_abs_spread / found.spread_threshold > score / limit:
        score, limit = found.max_abs_spread, found.spread_threshold
        detail = f"variance between replicas; {detail}"
    if found.max_abs_shift / found.shift_threshold > score / limit:
        score, limit = found.max_abs_shift, found.shift_threshold
        name, shift = max(found.shifts.items(), key=lambda item: abs(item[1].z))
        detail = f"{name} off by {shift.change:.1e} ± {shift.error:.1e}; {detail}"
    if found.verdict == "undecided":
        detail = f"{'; '.join(found.reasons)}; {detail}"
    detail += f", from {least} of {n} replicas" if least < n else ""
    z = np.concatenate([found.z[name][found.telling(name)] for name in found.z])
    return Finding(score, limit, detail, (sim, theory, shown), float(np.sqrt(np.mean(z**2))) if len(z) else math.nan)


def agrees(
    model: Any, shown: str, replicas: int, observables: Any = None, finite_size: bool = True,
    sim: Mapping[str, Any] | None = None, **where: Any,
) -> Callable[[Setting], Finding]:  # fmt: skip
    """A check of a simulation on its theory, both with the options `where`, the simulation with those of `sim` as well.

    `shown` is what reports draw of it; see `on_theory` for `observables` and `finite_size`.
    """

    def run(setting: Setting) -> Finding:
        how = {"replicas": setting.replicas(replicas), "seed": setting.seed, "threads": setting.threads}
        simulation = tsphys.simulate(model, **where, **(sim or {}), **how)
        return on_theory(simulation, tsphys.solve(model, **where), shown, observables, finite_size)

    return run


def extrapolates(
    model: Any, shown: str, N: int, replicas: int, observables: Any = None, sim: Mapping[str, Any] | None = None,
    **where: Any,
) -> Callable[[Setting], Finding]:  # fmt: skip
    """A check of runs at N, and four times as many at N/2, on theory for N → ∞.

    For models whose bias of order 1/N is not known and as large as runs fluctuate by. Options as those of `agrees`.
    """

    def run(setting: Setting) -> Finding:
        many = setting.replicas(replicas)
        large, small = (
            tsphys.simulate(
                model, N=n, replicas=count, seed=setting.seed, threads=setting.threads, **where, **(sim or {})
            )
            for n, count in ((N, many), (N // 2, 4 * many))
        )
        theory = tsphys.solve(model, **where)
        found = tsphys.compare(large, theory, observables=observables, smaller=small, level=LEVEL, changes=False)
        worst = max(found.z, key=lambda name: float(np.abs(found.z[name]).max()))
        at = np.unravel_index(np.abs(found.z[worst]).argmax(), found.z[worst].shape)
        detail = f"{worst} off by {found.deviation[worst][at]:.1e} ± {found.error[worst][at]:.1e} at 1/N = 0"
        return Finding(found.max_abs_z, found.threshold, detail, (large, theory, shown))

    return run


def _compared(sim: Result, theory: Result, observables: Any, finite_size: bool) -> Comparison:
    return tsphys.compare(sim, theory, observables=observables, level=LEVEL, finite_size=finite_size, changes=False)


def some(sim: Result, n: int) -> Result:
    """The first n replicas."""
    ids = {"replica_ids": sim.meta["replica_ids"][:n]} if "replica_ids" in sim.meta else {}
    data = {k: v[:n] if k in sim.observables else v for k, v in sim.data.items()}
    return replace(sim, data=data, meta={**sim.meta, **ids, "replicas": n})


def threshold(count: int) -> float:
    """|z| that the largest of `count` independent scores exceeds with probability `LEVEL`."""
    return scores.threshold(count, LEVEL)


def in_size(sizes: Sequence[int], samples: Sequence[np.ndarray], theory: float) -> Finding:
    """Replicas of one number at several N: fluctuations fall like N^(−1/2), the mean tends to the theory like 1/N.

    The spread is fitted by a power, its error being that of a variance with the sample's own kurtosis; the mean by
    y + b/N, whose y is held against the theory.
    """
    N = np.array(sizes, dtype=float)
    n = np.array([len(x) for x in samples])
    spread = np.array([x.std(ddof=1) for x in samples])
    kurtosis = np.array([((x - x.mean()) ** 4).mean() / x.var() ** 2 for x in samples])
    power, power_error = _line(np.log(N), np.log(spread), 0.5 * np.sqrt((kurtosis - 1) / n))
    # The intercept over 1/N is the slope with the columns exchanged: y = intercept + b/N.
    y, y_error = _line(N, N * np.array([x.mean() for x in samples]), N * spread / np.sqrt(n))
    z = np.array([(power + 0.5) / power_error, (y - theory) / y_error])
    detail = f"σ ~ N^({power:.3f} ± {power_error:.3f}), N → ∞: {y:.5g} ± {y_error:.1e}, theory {theory:.5g}"
    return Finding(float(np.abs(z).max()), threshold(2), detail)


def _line(x: np.ndarray, y: np.ndarray, error: np.ndarray) -> tuple[float, float]:
    """Slope of the weighted least-squares line, and its error."""
    w = error**-2
    centre = np.average(x, weights=w)
    width = np.sum(w * (x - centre) ** 2)
    return float(np.sum(w * (x - centre) * y) / width), float(width**-0.5)


def two_samples(a: np.ndarray, b: np.ndarray, what: str) -> Finding:
    """Means and variances of two sets of replicas (n, …) of the same law, entry by entry."""
    a, b = (x.reshape(len(x), -1) for x in (a, b))
    moving = a.std(axis=0) > 0
    a, b = a[:, moving], b[:, moving]
    centre = 0.5 * (a.mean(axis=0) + b.mean(axis=0))
    pairs = [(a, b), ((a - centre) ** 2, (b - centre) ** 2)]
    z = []
    for x, y in pairs:
        error = np.sqrt(x.var(axis=0, ddof=1) / len(x) + y.var(axis=0, ddof=1) / len(y))
        z.append(normal((x.mean(axis=0) - y.mean(axis=0)) / error, min(len(x), len(y)) - 1))
    worst = float(np.abs(z).max())
    return Finding(worst, threshold(np.size(z)), f"means and variances of {what}, {np.size(z)} numbers")


def on_average(samples: Sequence[np.ndarray], exact: Sequence[float], what: str) -> Finding:
    """Replicas (n,) of some numbers, whose means are known at any size."""
    z = []
    for x, mean in zip(samples, exact, strict=True):
        z.append(float(normal((x.mean() - mean) / (x.std(ddof=1) / math.sqrt(len(x))), len(x) - 1)))
    worst = int(np.argmax(np.abs(z)))
    return Finding(abs(z[worst]), threshold(len(z)), f"{what}: mean {worst + 1} of {len(z)}, z = {z[worst]:.2f}")


def within(difference: Any, bound: Any, what: str) -> Finding:
    """Differences that should vanish within an error bound each."""
    ratio = np.abs(np.asarray(difference)) / np.asarray(bound)
    at = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
    size, limit = np.abs(np.broadcast_to(difference, ratio.shape))[at], np.broadcast_to(bound, ratio.shape)[at]
    return Finding(float(ratio[at]), 1.0, f"{what}: {size:.1e}, bound {limit:.1e}")


def stationary(free_energy: Callable[..., float], points: Sequence[Sequence[float]], step: float = 1e-3) -> Finding:
    """The gradient of a free energy, by central differences of fourth order, at what should be its saddle points.

    The bound is the difference between the gradients with the step and with twice the step, which is 15 times their
    error, and 1e-10 for the quadrature and rounding of values of order one, 1e-13 over the step.
    """
    slopes, bounds = [], []
    for x in points:
        fine, rough = (gradient(free_energy, np.array(x, dtype=float), h) for h in (step, 2 * step))
        slopes.append(fine)
        bounds.append(np.abs(fine - rough) + 1e-10)
    return within(np.array(slopes), np.array(bounds), "largest slope of the free energy")


def gradient(f: Callable[..., Any], x: Any, h: float = 1e-2) -> np.ndarray:
    """Slopes of ``f(*x)`` along each of x, by central differences of fourth order; of an array in the first axis."""
    out = []
    for e in np.eye(len(x)) * h:
        out.append((8 * (f(*(x + e)) - f(*(x - e))) - f(*(x + 2 * e)) + f(*(x - 2 * e))) / (12 * h))
    return np.array(out)
