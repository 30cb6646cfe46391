"""What is known beforehand of a simulation of finite size, and what is not.

Three ways lead from a theory for N → ∞ to runs of size N. Where theory knows the first order in 1/N, mean and spread of
runs are foretold, up to errors that its own criterion β bounds. Where it does not, the bias is of order 1/N, as is the
variance s² of a run: the allowance s²/4|y|, y the observable, is of its order. Of averages over a thermal motion, which
hardly fluctuate, it is as far as the theory moves when its parameters are off by some 1/N, but no more than |y|/N. It
must not hide more than the statistical error does; where it would, there is no verdict. Two sizes need neither: what is
of order 1/N cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tsphys.catalogue import CATALOGUE
from tsphys.comparison.nearby import THERMAL
from tsphys.comparison.scores import of_variance
from tsphys.errors import ModelError
from tsphys.registry import counts_steps, size_axis
from tsphys.runs.result import Result

#: Relative accuracy that solvers and rounding leave to a curve; far below any statistical error.
NUMERICAL = 1e-9
#: What rounding leaves of an observable that is the root of a difference, √ε: where nothing fluctuates by more, this.
QUIET = float(np.sqrt(np.finfo(float).eps))
#: Deviations of runs below this are rounding: observables are of order one.
ROUNDING = 1e-12
#: What rounding leaves of sums of numbers of order one, as of an energy that is none.
CANCELLED = 1e3 * float(np.finfo(float).eps)
#: Bias in deviations of a run from which on the first order in 1/N does not hold.
LARGEST_BETA = 0.25
#: Share of the second order in a variance below which runs are normal enough for a score of their variance.
NORMAL = 0.05
#: Excess kurtosis of what one step of online learning adds, about: up to 10 of erf units, 30 of perceptrons, 60 of
#: rectified units. Of k steps it is a k-th of that.
PEAKED = 60.0
#: Steps of all runs together, over the above, from which on scores that matter are those of a normal number to 1 %.
PLENTY = 100.0
#: A bias of order 1/N over s²/|y|, about: ½ (1 − 1/a) for y ~ xᵃ with x normal, 0.2 measured of ridge regression.
PART = 0.25
#: How many times what is left open of a bias counts where there is no verdict: then only what is far off disagrees.
OPEN = 3.0
#: Events in all runs together from which on scatter of averages over a thermal motion tells how large it is.
MANY = 10.0
#: Options of theories by chance that say of how many the error is known.
DRAWN = ("scramblings", "draws", "sets")


@dataclass(frozen=True)
class Held:
    """An observable of a simulation against what is foretold of it; arrays over the axis and its entries.

    Parameters
    ----------
    deviation : ndarray
        Mean over replicas, minus what is foretold of it.
    variance : ndarray
        Statistical variance of that mean.
    freedom : ndarray
        Degrees of freedom from which it is known.
    slack : ndarray
        Error of what is foretold.
    judged : ndarray of bool
        Whether there can be a verdict; otherwise an entry may be found wrong, but never right.
    spread : ndarray
        Score of the variance between replicas, NaN where none is foretold.
    tails : ndarray
        Degrees of freedom of the Student's t that has the tails of the mean, however well its variance is known.
    """

    deviation: np.ndarray
    variance: np.ndarray
    freedom: np.ndarray
    slack: np.ndarray
    judged: np.ndarray
    spread: np.ndarray
    tails: np.ndarray | float = np.inf

    def without(self, still: np.ndarray, any_else: bool) -> Held:
        """The same with nothing to hold at points (axis,) at which a simulation is still at its start.

        They take nothing from the verdict on others, and alone have none.
        """
        still = still.reshape(-1, *[1] * (self.deviation.ndim - 1)) & np.ones(self.deviation.shape, dtype=bool)
        return replace(
            self,
            deviation=np.where(still, 0.0, self.deviation),
            variance=np.where(still, 0.0, self.variance),
            judged=np.where(still, True, self.judged) & any_else,
            spread=np.where(still, np.nan, self.spread),
        )

    @property
    def error(self) -> np.ndarray:
        """Standard error with all that is left open."""
        return np.sqrt(self.variance + self.slack**2 + np.finfo(float).tiny)

    @property
    def counts(self) -> tuple[int, int]:
        """Numbers that fluctuate: means and variances; Q_kl and Q_lk are one."""
        moving = self.variance > 0
        means = np.unique(np.stack([self.deviation[moving], self.error[moving]]), axis=1).shape[1]
        return means, len(np.unique(self.spread[np.isfinite(self.spread)]))


def _sample(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance over replicas; a single one tells no variance."""
    return rows.mean(axis=0), rows.var(axis=0, ddof=1) if len(rows) > 1 else np.zeros(rows.shape[1:])


def _fluctuating(result: Result, theory: Result, name: str, s2: np.ndarray) -> np.ndarray:
    """The variance `s2` of runs, or the least that it may be for what is a share of so many, or a mean of losses.

    That of independent ones, y(1 − y)/count, which few runs may show nothing of if y is close to 0 or 1, and one more
    or less in all runs together: with that the tails of small counts are within those of a normal number. Averages over
    a thermal motion vary less than counts, as their scatter tells where there is something to see.
    """
    count = _counts(result, theory, name)
    if count is None:
        return s2
    y, n = np.clip(theory[name], 0.0, 1.0), len(result[name])
    count = count.reshape(-1, *[1] * (y.ndim - 1))
    least = y * (1 - y) / count + 1 / (n * count**2)
    return np.where(_thermal(theory) & (s2 > 0) & (n * count * y * (1 - y) > MANY), s2, np.maximum(s2, least))


def _thermal(theory: Result) -> bool:
    """Whether observables are averages over a thermal motion."""
    return theory.model in CATALOGUE and CATALOGUE[theory.model].family in THERMAL


def _counts(result: Result, theory: Result, name: str) -> np.ndarray | None:
    """Of how many an observable is a share, (axis,); None of one that is none."""
    N, values = result.meta.get("N"), theory[theory.axis]
    try:
        model = result.model_object()
    except ModelError:
        return None
    if N is None or name not in model.shares(N):
        return None
    if theory.axis not in getattr(model, "axes", ()):
        return np.full(len(values), float(model.shares(N)[name]))
    return np.array([replace(model, **{theory.axis: value}).shares(N)[name] for value in values.tolist()], dtype=float)


def _rounding(theory: Result, name: str) -> np.ndarray:
    """Error of a theory curve: of its own quadrature or sample, where it estimates one, and of rounding.

    What is nowhere more than rounding of numbers of order one is not held against its own relative rounding; a motion
    may come close to 0 with all of its digits.
    """
    estimate = theory.meta.get("quadrature_error")
    own = estimate.get(name, 0.0) if isinstance(estimate, dict) else 0.0
    # Of few scramblings, or other draws, the deviation of Student's t.
    freedom = next((theory.meta[many] for many in DRAWN if many in theory.meta), 2) - 1
    known = np.sqrt(freedom / (freedom - 2)) if freedom > 2 else OPEN
    reach = np.abs(theory[name]).max(axis=0)
    left = np.where((reach <= CANCELLED) & (theory.axis != "t"), CANCELLED, NUMERICAL * reach)
    return np.hypot(left + own, known * theory.sem(name))


def chaotic(theory: Result, name: str) -> np.ndarray:
    """Where runs are chaotic: each is its own, and finite sizes do more than leave a bias of order 1/N."""
    return np.zeros(theory[name].shape, dtype=bool) | np.array(theory.meta.get("chaotic", {}).get(name, False))


def left_of_bias(beta: np.ndarray, N: float) -> np.ndarray:
    """What the first order in 1/N leaves of a bias, in standard deviations of a run."""
    return beta**2 + 10 / N**1.5


def has_verdict(beta: np.ndarray, N: float, replicas: int) -> np.ndarray:
    """Whether the first order in 1/N holds, and knows means as well as so many replicas do."""
    return (beta <= LARGEST_BETA) & (np.sqrt(replicas) * left_of_bias(beta, N) <= 1)


def by_first_order(sim: Result, theories: Sequence[Result], name: str, N: float) -> Held:
    """Against theories with their first order in 1/N: one for all replicas, or one for each, from its own start.

    The foretold variance σ² counts as that of ν₀ = 2/ρ² more replicas, where ρ = 6β² + 10/N and the error of its
    averages make its relative error; what is left of the bias is a = (β² + 10/N^{3/2})σ. What few steps add is not
    normal: its excess kurtosis e widens the variance of s² by e/n, and a mean has the tails of a Student t with it.
    """
    n, shape = len(sim[name]), theories[0][name].shape
    column = (slice(None), *[None] * (len(shape) - 1))
    mean, s2 = _sample(sim[name] - np.stack([theory.mean(name, N) for theory in theories]))
    t = theories[0][theories[0].axis]
    variance = np.mean([theory.known_at(N)[0].shown(name, t, N) for theory in theories], axis=0).reshape(shape)
    beta = np.max([theory.beta(N) for theory in theories], axis=0)[column]
    known = [theory.known_at(N)[0] for theory in theories]
    var2, doubt = (
        np.mean([getattr(k, part)[:, k.columns(name)] for k in known], axis=0).reshape(shape)
        for part in ("var2", "doubt")
    )
    moving = variance > 0
    rho = 6 * beta**2 + 10 / N + np.divide(doubt / N, variance, out=np.zeros(shape), where=moving)
    prior = 2 / rho**2
    judged = ~moving | has_verdict(beta, N, n)
    left = np.where(judged, 1.0, OPEN) * left_of_bias(beta, N)
    excess = np.broadcast_to((PEAKED / np.maximum(np.rint(t * N), 1.0))[column], shape)
    spread = np.full(shape, np.nan)
    tame = moving & judged & (var2 / N**2 < NORMAL * variance)
    if n > 1:
        doubts = 1 / (n - 1) + rho**2 / 2 + excess / (2 * n)
        spread[tame] = of_variance((s2 / np.where(moving, variance, 1.0))[tame], 1 / doubts[tame])
    return Held(
        deviation=mean,
        variance=np.where(moving, (prior * variance + (n - 1) * s2) / (prior + n - 1), s2) / n,
        freedom=np.where(moving, prior + n - 1, max(n - 1, 1)),
        slack=np.hypot(left * np.sqrt(variance), _rounding(theories[0], name)),
        judged=judged,
        spread=spread,
        tails=np.where(n / excess < PLENTY, 4 + 6 * n / excess, np.inf),
    )


def by_rule(
    sim: Result, theory: Result, name: str, moved: np.ndarray | None, known: np.ndarray | float, strict: bool
) -> Held:
    """Against a theory for N → ∞ alone; `strict`: nothing is allowed for finite sizes.

    What is allowed at a point follows from what is found at that point, whatever others the axis has. `moved` is by how
    much a finite size may move the theory, `known` by how much it is known to, see `tsphys.comparison.nearby`.
    """
    y, n = theory[name], len(sim[name])
    mean, s2 = _sample(sim[name])
    seen, s2 = s2, _fluctuating(sim, theory, name, s2)
    slack, judged = np.zeros(y.shape), np.ones(y.shape, dtype=bool)
    reach = np.abs(y).max(axis=0)
    # Starts are made of numbers of order one, also where of an observable nothing is left but rounding.
    start = (theory[theory.axis] == 0).reshape(-1, *[1] * (y.ndim - 1)) & (theory.axis == "t")
    quiet = QUIET * np.where(start & (reach <= ROUNDING), 1.0, reach)
    left_out = None if strict else theory.meta.get("finite_size_error", {}).get(name)
    if left_out is not None:
        # It knows what a size does, and of what order the rest is.
        slack = slack + np.array(left_out)
    elif not strict and "N" in sim.meta:
        N, size = points_of(sim, y), sizes(theory, name)
        # Of a thermal motion the bias follows from how far the theory moves, however rare an event is.
        own = seen if _thermal(theory) else s2
        largest = np.where(own > ROUNDING**2, np.inf, 0.0)
        bias = np.divide(PART * own, size, out=largest, where=(own > ROUNDING**2) & (size > 0))
        bias = np.maximum(bias, np.array(theory.meta.get("doubt", {}).get(name, 0.0)) / N)
        if moved is not None:
            bias = np.maximum(bias, np.where(np.isinf(moved), np.inf, np.minimum(moved, size / N)))
        # A mean over n runs of N spins is not told from another by less than one of them: all may be the same.
        floor = 0.0 if moved is None else size / (n * N)
        judged = bias <= np.sqrt(s2 / n + floor**2)
        # What is unknown altogether may be as large as the observable, or its deviation, as of an |x|.
        slack = np.hypot(np.where(judged, 1.0, OPEN) * np.where(np.isinf(bias), size + np.sqrt(s2), bias), floor)
        wild = chaotic(theory, name)
        slack, judged = np.where(wild, np.hypot(slack, np.sqrt(s2)), slack), judged & ~wild
    return Held(
        deviation=mean - y - known - _known(sim, theory, name, strict),
        variance=s2 / n,
        freedom=np.full(y.shape, float(max(n - 1, 1))),
        slack=np.hypot(slack, np.maximum(_rounding(theory, name), np.where(np.sqrt(s2) <= quiet, quiet, 0.0))),
        judged=judged,
        spread=np.full(y.shape, np.nan),
    )


def points_of(sim: Result, y: np.ndarray) -> np.ndarray:
    """The size of a simulation at each point, shaped to go with an observable: it may itself be the axis."""
    own = sim[sim.axis] if sim.axis == size_axis(sim.model) else np.full(len(y), float(sim.meta["N"]))
    return own.reshape(-1, *[1] * (y.ndim - 1))


def sizes(theory: Result, name: str) -> np.ndarray:
    """Largest entry of an observable (axis, …) at each point, (axis, 1, …); of a motion the largest of all times."""
    y = np.abs(theory[name])
    largest = y.max(axis=tuple(range(1, y.ndim)), keepdims=True)
    return np.full(largest.shape, largest.max()) if theory.axis == "t" else largest


def by_two_sizes(
    sim: Result, smaller: Result, theory: Result, name: str, known: Sequence[np.ndarray | float], counted: bool
) -> Held:
    """Against a theory for N → ∞, by the line through the means of two sizes over 1/N.

    What is left is of second order: that of a bias (y + m/N)² of this size. `known` is what is known of each beside;
    `counted` that runs of few may all be the same, as in `by_rule`.
    """
    N, other = float(sim.meta["N"]), float(smaller.meta["N"])
    y = theory[name]
    quiet, rounding = QUIET * np.abs(y).max(axis=0), _rounding(theory, name)
    means, variances, counts = [], [], []
    for result, told in zip((sim, smaller), known, strict=True):
        mean, s2 = _sample(result[name])
        s2 = _fluctuating(result, theory, name, s2)
        means.append(mean - told - _later(result, theory, name))
        variances.append(s2 / len(result[name]))
        counts.append(len(result[name]) - 1)
        rounding = np.maximum(rounding, np.where(np.sqrt(s2) <= quiet, quiet, 0.0))
    a, b = N / (N - other), -other / (N - other)
    at = a * means[0] + b * means[1]
    parts = a**2 * variances[0], b**2 * variances[1]
    variance = parts[0] + parts[1]
    # Welch's is too large where the variance of a few runs happens to be small; with the smaller of both tails are no
    # lighter than Student's (Mickey & Brown, Ann. Math. Stat. 37, 639 (1966)).
    freedom = np.full(y.shape, float(max(min(counts), 1)))
    # What theory says is none at all is as large as it is seen.
    size = np.where(sizes(theory, name) > 0, sizes(theory, name), np.abs(means[0]))
    left = np.abs((means[0] - at) * (means[1] - at)) / np.maximum(size, np.finfo(float).tiny)
    wild = chaotic(theory, name)
    left = np.where(wild, np.hypot(left, np.sqrt(sum(count + 1 for count in counts) * variance)), left)
    floor = size * float(np.hypot(a / (N * (counts[0] + 1)), b / (other * (counts[1] + 1)))) * counted
    judged = (left <= np.hypot(np.sqrt(variance), floor)) & ~wild
    return Held(
        deviation=at - y,
        variance=variance,
        freedom=freedom,
        slack=np.hypot(np.hypot(np.where(judged, 1.0, OPEN) * left, floor), rounding),
        judged=judged,
        spread=np.full(y.shape, np.nan),
    )


def _known(sim: Result, theory: Result, name: str, strict: bool) -> np.ndarray:
    """What is known of mean minus theory: how late it is observed, and the part of order 1/N that theory tells."""
    told = theory.meta.get("bias", {}).get(name)
    known = 0.0 if strict or told is None or "N" not in sim.meta else np.array(told) / sim.meta["N"]
    return _later(sim, theory, name) + known


def _stepped(sim: Result, theory: Result) -> bool:
    """Whether a simulation shows the step round(tN) at a time t."""
    # Of models in no catalogue those learn online that begin from overlaps, drawn ones too.
    online = counts_steps(theory.model) if theory.model in CATALOGUE else "start" in sim.meta
    return online and theory.axis == "t" and "N" in sim.meta


def moved_by_then(sim: Result, theory: Result) -> np.ndarray:
    """Where a simulation is no longer at its start, (axis,)."""
    values = theory[theory.axis]
    if _stepped(sim, theory):
        return np.rint(values * sim.meta["N"]) > 0
    return np.full(len(values), theory.axis != "t") | (values > 0)


def _later(sim: Result, theory: Result, name: str) -> np.ndarray:
    """What a curve moves by from t to the step round(tN) that a simulation of online learning shows."""
    t, y = theory[theory.axis], theory[name]
    if not _stepped(sim, theory) or len(t) < 2:
        return np.zeros(y.shape)
    steps = np.rint(t * sim.meta["N"]) / sim.meta["N"] - t
    return np.gradient(y, t, axis=0) * steps.reshape(-1, *[1] * (y.ndim - 1))
