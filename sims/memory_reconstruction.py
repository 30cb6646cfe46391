"""Simulation of the reconstruction of patterns from synapses: message passing and principal components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import number, param, word
from tsphys.ground.progress import tell
from tsphys.ground.times import course
from tsphys.ground.times import iterations as whole
from tsphys.models.memory_reconstruction import MemoryReconstruction
from tsphys.numerics.random import generator
from tsphys.physics.inference.mixtures import combine
from tsphys.physics.inference.pattern_priors import (
    MOST_CONFIGURATIONS,
    configurations,
    exact,
    fourth_moment,
    is_gaussian,
    is_symmetric,
    mean_field,
    mirrored,
)
from tsphys.physics.inference.priors import Prior
from tsphys.runs import frames
from tsphys.runs.blas import one_blas_thread
from tsphys.runs.points import stack
from tsphys.sims.engines.inference.components import components
from tsphys.sims.engines.inference.low_rank_amp import Denoiser, Iterate, amp, bethe, errors, matched, principal
from tsphys.sims.engines.inference.synapses import Scores, bytes_of, check_fit, observed, stored

DENOISERS = ("auto", "exact", "mean_field")
DTYPES = ("float32", "float64")
#: Size of random initial estimates, in standard deviations of the patterns.
SMALL = 1e-4
#: Mean square of estimates, in that of patterns, below which nothing was found.
FOUND = 1e-3
#: Patterns that message passing tells from their mixtures by itself.
MOST_AT_ONCE = 12


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    N: int = param(
        2000,
        "number of neurons; the scores of their synapses take 2N² bytes in single precision",
        kind=int,
        low=2,
        short="-N",
    )
    t: Any = course("iterations after which to observe, as the axis, not the end: a,b,c", whole)
    overlap: float | None = param(
        None,
        "overlap m of the start with the patterns, mx⁰ + σ√(m(1 − m)) z; none: no information",
        low=0,
        high=1,
        optional=True,
    )
    iterations: int = param(500, "most iterations", kind=int, low=1)
    tol: float = param(1e-6, "mean change of an estimate below which they end", low=0)
    starts: int = param(5, "most random starts", kind=int, low=1)
    denoiser: str = param(
        "auto", "posterior of a neuron: all K^P configurations, or independent components", kind=str, choices=DENOISERS
    )
    pca: bool = param(True, "principal components beside it", kind=bool)
    dtype: str = param(
        "float32", "precision of the matrix; single moves the estimates by about 1e-6", kind=str, choices=DTYPES
    )

    def suited(self, models: Sequence[MemoryReconstruction]) -> Options:
        model = models[0]
        if self.N <= model.P:
            raise ModelError("N", self.N, f"must be > {model.P}, the number of patterns")
        _denoiser(model.prior, model.P, self.denoiser)
        return self


def memory(models: Sequence[MemoryReconstruction], options: Options) -> frames.Memory:
    """Scores, and a few estimates; of many patterns their eigenvectors and directions among them, too."""
    N, P = options.N, models[0].P
    estimates = (80.0 if P <= MOST_AT_ONCE else 500.0) * N * P
    return frames.Memory(bytes_of(N, np.dtype(options.dtype).itemsize) + estimates, {"N": N}, "the synapses")


@one_blas_thread()
def reconstruct(
    model: MemoryReconstruction,
    J: Any,
    *,
    start: Any = None,
    iterations: int = 500,
    tol: float = 1e-6,
    starts: int = 5,
    denoiser: str = "auto",
    dtype: str = "float32",
    seed: int = 0,
) -> np.ndarray:
    """Patterns (N, P) from a given matrix of synapses, up to what the prior leaves open: order, signs, rotations.

    Parameters
    ----------
    model : MemoryReconstruction
        The prior, the number of patterns and the channel with its noise.
    J : array_like, shape (N, N)
        √N times the synapses, in the units of the model; NaN where a diluted network has no bond. The diagonal is not
        looked at.
    start : array_like, shape (N, P), optional
        Estimates to begin with; small random ones by default.
    iterations, tol, starts, denoiser, dtype, seed
        As in `simulate`.

    Raises
    ------
    ModelError
        If J is not symmetric, has entries that the channel cannot give, or mean, scatter or share of bonds are not
        those of the model.
    ConvergenceError
        If the estimates still move after that many iterations, nothing was found, or what was found violates
        Nishimori's identities, which patterns of the model fulfil; the estimates are its `last`.
    """
    iterations = number("iterations", iterations, kind=int, low=1)
    tol = number("tol", tol, low=0, open_low=True)
    starts = number("starts", starts, kind=int, low=1)
    word("dtype", dtype, DTYPES)
    seed = number("seed", seed, kind=int, low=0, high=2**63 - 1)
    S = observed(model, J, np.dtype(dtype))
    check_fit(model, S)
    if S.N <= model.P:
        raise ModelError("J", f"array of shape {(S.N, S.N)}", f"must be of more than {model.P} neurons, the patterns")
    if start is not None:
        x = np.array(start, dtype=float)
        if x.shape != (S.N, model.P) or not np.isfinite(x).all():
            raise ModelError("start", f"array of shape {x.shape}", f"must be finite numbers ({S.N}, {model.P})")
        state, count, settled = _converged(model, S, denoiser, x, iterations, tol)
    else:
        state, count, settled = _uninformed(model, S, denoiser, generator(seed, 0, "start 0"), iterations, tol, starts)
    wrong, some = "", found(model.prior, state).sum()
    if not settled:
        wrong = "the patterns were not reached"
    elif some < model.P:
        wrong = (
            f"{some or 'none'} of {model.P} patterns found: the noise may be too strong, Delta = {model.Delta:.3g}, "
        )
        wrong += "or fewer be stored"
    elif not consistent(model.prior, state):
        wrong = "no patterns of this model were found: estimates and fields violate Nishimori's identities"
    if wrong:
        raise ConvergenceError(wrong, residual=state.moved, iterations=count, last=state.x)
    return state.x


def _denoiser(prior: Prior, P: int, denoiser: str) -> Denoiser:
    word("denoiser", denoiser, DENOISERS)
    count = configurations(prior, P)
    if denoiser == "exact" and count > MOST_CONFIGURATIONS:
        words = f"must be mean_field for {P} patterns: {count:.3g} configurations are more than {MOST_CONFIGURATIONS}"
        raise ModelError("denoiser", denoiser, words)
    chosen = exact if denoiser == "exact" or (denoiser == "auto" and count <= MOST_CONFIGURATIONS) else mean_field
    return partial(chosen, prior)


def _instance(
    model: MemoryReconstruction, options: Options, replica: frames.Replica, point: int
) -> tuple[np.ndarray, Scores]:
    """Patterns (N, P) and scores of their synapses."""
    truth = model.prior.draw(replica.rng(f"patterns {point}"), (options.N, model.P))
    return truth, stored(model, truth, np.dtype(options.dtype), replica.key(f"synapses {point}"))


def _informed(truth: np.ndarray, overlap: float, variance: float, rng: np.random.Generator) -> np.ndarray:
    return overlap * truth + np.sqrt(variance * overlap * (1 - overlap)) * rng.standard_normal(truth.shape)


def _small(prior: Prior, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    return SMALL * np.sqrt(prior.second_moment) * rng.standard_normal(shape)


def _converged(
    model: MemoryReconstruction,
    S: Scores,
    denoiser: str,
    x: np.ndarray,
    iterations: int,
    tol: float,
    prior: Prior | None = None,
) -> tuple[Iterate, int, bool]:
    """The last iterate from x, how many there were, and whether they settled."""
    prior = prior or model.prior
    denoise = _denoiser(prior, model.P, denoiser)

    def size(x: np.ndarray) -> float:
        return float(np.sqrt(np.mean(x**2) / prior.second_moment))

    # Small estimates that grow move little too; those that have shrunk stay small.
    least = max(1e-2, size(x))
    for count, state in enumerate(amp(S.product, model.Delta, denoise, x), start=1):
        tell(count / iterations)
        settled = state.moved <= tol * min(max(least, size(state.x)), 1.0)
        if settled or count >= iterations:
            return state, count, settled
    raise AssertionError("message passing does not end by itself")


def _uninformed(
    model: MemoryReconstruction,
    S: Scores,
    denoiser: str,
    rng: np.random.Generator,
    iterations: int,
    tol: float,
    starts: int,
) -> tuple[Iterate, int, bool]:
    """The best last iterate from small random estimates, the iterations of all starts, and whether it settled.

    Where some patterns were found and others not, the next start keeps those. Of many patterns those come first that
    are independent components of the eigenvectors.
    """
    ends: list[tuple[Iterate, bool]] = []
    total, keep = 0, np.zeros(model.P, dtype=bool)
    # What the eigenvectors hold of the patterns for N → ∞ (Baik, Ben Arous & Péché 2005) and P numbers of N leave open.
    share = 1 - max(model.Delta / model.prior.second_moment**2, model.P / S.N)
    apart = model.P > MOST_AT_ONCE and share > 0 and not is_gaussian(model.prior)
    vectors = principal(S.product, S.N, model.P, rng) if apart else None
    for _ in range(starts):
        x = _small(model.prior, (S.N, model.P), rng)
        known = np.zeros((S.N, 0)) if vectors is None else components(vectors, model.prior, share, rng)
        if known.shape[1]:
            x[:, : known.shape[1]] = known
        elif ends:
            x[:, keep] = ends[-1][0].x[:, keep]
        start = _converged if known.shape[1] else _random_start
        state, count, settled = start(model, S, denoiser, x, iterations, tol)
        ends.append((state, settled))
        total += count
        if consistent(model.prior, state):
            return state, total, settled
        keep = found(model.prior, state)
        keep &= not keep.all()
    best, settled = min(ends, key=lambda end: (not end[1], bethe(S.product, model.Delta, end[0])))
    return best, total, settled


def found(prior: Prior, state: Iterate) -> np.ndarray:
    """Which of the estimates (N, P) are not all but zero, shape (P,)."""
    return np.mean(state.x**2, axis=0) >= FOUND * prior.second_moment


def consistent(prior: Prior, state: Iterate) -> bool:
    """Whether estimates and fields are those of a Bayes-optimal posterior, as Nishimori's identities have it.

    xᵀx/N + V should be σ²·1 and xᵀB/N should be σ²A. Allowed are five standard deviations of such sums over N neurons,
    √(E x⁴/N) for the patterns' own overlaps, and √(σ²A/N) for those with the noise of the fields. And the fields of a
    pattern should be as peaked as Ax with noise of variance A makes them, which other laws of x than the prior's, and
    mixtures of patterns, do not. Patterns of one law are found all or none.
    """
    N, P = state.x.shape
    there = found(prior, state)
    if 0 < there.sum() < P:
        return False
    variance, own = prior.second_moment, np.sqrt(fourth_moment(prior) / N)
    largest = np.abs(state.A).max()
    patterns = np.abs(state.x.T @ state.x / N + state.V - variance * np.eye(P)).max()
    fields = np.abs(state.x.T @ state.B / N - variance * state.A).max()
    if not (patterns < 5 * own and fields < 5 * (largest * own + np.sqrt(variance * largest / N))):
        return False
    return all(_as_peaked(prior, float(a), b, P) for a, b in zip(np.diag(state.A)[there], state.B.T[there]))


def _as_peaked(prior: Prior, A: float, B: np.ndarray, P: int) -> bool:
    """Whether fields (N,) have the kurtosis of Ax + √A z, to five standard errors and the P/N of other patterns."""
    w, m, s = (np.array(part) for part in (prior.weights, prior.means, prior.variances))
    mean, spread = np.sqrt(A) * m, 1 + A * s
    # Moments 2, 4, 6 and 8 of B/√A, a mixture of Gaussians, from Hermite's recursion.
    moments = [np.ones_like(w), mean]
    for n in range(2, 9):
        moments.append(mean * moments[-1] + (n - 1) * spread * moments[-2])
    two, four, six, eight = (float(w @ moments[n]) for n in (2, 4, 6, 8))
    kurtosis = four / two**2
    error = (eight - four**2) - 4 * kurtosis * two * (six - four * two) + 4 * kurtosis**2 * two**2 * (four - two**2)
    B = B / np.abs(B).max()
    seen = np.mean(B**4) / np.mean(B**2) ** 2
    allowed = 5 * np.sqrt(max(error, 0.0) / len(B)) / two**2 + 20 * P / len(B) + 0.1 * kurtosis
    return bool(abs(seen - kurtosis) < allowed)


def _random_start(
    model: MemoryReconstruction,
    S: Scores,
    denoiser: str,
    x: np.ndarray,
    iterations: int,
    tol: float,
) -> tuple[Iterate, int, bool]:
    """`_converged` from estimates without signs; for an asymmetric prior after the signs of the patterns."""
    before = 0
    if not is_symmetric(model.prior):
        both = mirrored(model.prior)
        few = "auto" if denoiser == "exact" else denoiser
        state, before, _ = _converged(model, S, few, x, iterations, max(tol, 1e-4), both)
        x = state.x * _signs(model.prior, state)
    state, count, settled = _converged(model, S, denoiser, x, iterations, tol)
    return state, before + count, settled


def _signs(prior: Prior, state: Iterate) -> np.ndarray:
    """The likelier sign of each pattern, its components taken as independent of those of the others."""
    precision = np.diag(state.A)
    plus, minus = (combine(*prior.pieces(precision, s * state.B))[0].sum(axis=0) for s in (1, -1))
    return np.where(plus >= minus, 1.0, -1.0)


def _observed(model: MemoryReconstruction, x: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    best = matched(x, truth, is_symmetric(model.prior), is_gaussian(model.prior))
    return errors(best, truth, model.prior.second_moment)


def _end(model: MemoryReconstruction, options: Options, replica: frames.Replica, point: int) -> dict[str, Any]:
    """Observables of one instance when message passing has ended."""
    truth, S = _instance(model, options, replica, point)
    rng = replica.rng(f"start {point}")
    if options.overlap is None:
        state, count, _ = _uninformed(model, S, options.denoiser, rng, options.iterations, options.tol, options.starts)
    else:
        x = _informed(truth, options.overlap, model.prior.second_moment, rng)
        state, count, _ = _converged(model, S, options.denoiser, x, options.iterations, options.tol)
    out = {
        **_observed(model, state.x, truth),
        "free_energy": bethe(S.product, model.Delta, state) / model.P,
        "iterations": float(count),
        "moved": state.moved,
        "consistent": float(consistent(model.prior, state)),
    }
    if options.pca:
        vectors = principal(S.product, options.N, model.P, rng)
        # A few sparse neurons may all be at rest.
        known = np.sum((vectors.T @ truth) ** 2) / np.sum(truth**2) if truth.any() else 0.0
        out |= {"mse_pca": (1 - known) * np.mean(truth**2), "overlap_pca": known}
    return out


@frames.courses(MemoryReconstruction, Options, memory=memory)
def over_iterations(model: MemoryReconstruction, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Observables after given numbers of iterations."""
    truth, S = _instance(model, options, replica, 0)
    rng = replica.rng("start 0")
    prior = model.prior
    x = (
        _small(prior, truth.shape, rng)
        if options.overlap is None
        else _informed(truth, options.overlap, prior.second_moment, rng)
    )
    wanted = set(options.t.astype(np.int64).tolist())
    rows = [_observed(model, x, truth)] if 0 in wanted else []
    last = max(wanted)
    steps = amp(S.product, model.Delta, _denoiser(prior, model.P, options.denoiser), x)
    for count in range(1, last + 1):
        state = next(steps)
        tell(count / last)
        if count in wanted:
            rows.append(_observed(model, state.x, truth))
    return stack(rows)


@frames.or_over_time(over_iterations)
@frames.replicated(MemoryReconstruction, Options, memory=memory)
def simulate(points: frames.Points, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Store random patterns in noisy synapses of N neurons and reconstruct them.

    Message passing ends after `iterations`, or when the mean change of an estimate is below `tol`, or below that share
    of small estimates that begin to grow (down to tol/100). Without an `overlap` it starts from small random estimates,
    as without any knowledge. A prior that is not symmetric then needs the signs of the patterns: they are found first
    up to their signs, with the law of ±x as prior, then the signs by their likelihood (not over t). Several patterns at
    little noise can end in a wrong mixture; it is told by Nishimori's identities, see `consistent`, and message passing
    then begins anew, up to `starts` times. If none of the starts fulfils them the lowest free energy is kept. More than
    twelve patterns are first taken one by one from the span of the eigenvectors (not over t), see
    `tsphys.sims.engines.inference.components`.

    Returns
    -------
    dict
        With axes (replica, axis): ``mse`` mean squared error per component, ``overlap`` x·x⁰/(NPσ²), after the order of
        the patterns (and signs or a rotation, as far as the prior leaves them open) was chosen for the best match;
        at the end also ``free_energy``, Bethe's, per neuron and pattern, ``iterations`` of all starts, ``moved``, the
        last mean change, which tells whether they converged, ``consistent``, 1 where the end is that of a posterior
        as Nishimori's identities have it and 0 else, and ``overlap_pca``, the share of the patterns' norm in
        the span of the leading eigenvectors, with ``mse_pca``, that of the best linear estimate from there.

    Raises
    ------
    ConvergenceError
        If the eigenvectors were not found.

    References
    ----------
    Goldt, Krzakala, Zdeborová & Brunel, PLoS Comput. Biol. 19, e1010813 (2023); Lesieur, Krzakala & Zdeborová, J. Stat.
    Mech. 073403 (2017).
    """
    return replica.each(len(points.models), lambda i: _end(points.models[i], options, replica, i))
