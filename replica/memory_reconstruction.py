"""Bayes-optimal reconstruction of patterns from synapses: state evolution, phase transitions, principal components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import number, param
from tsphys.ground.times import course, iterations
from tsphys.models.memory_reconstruction import LARGEST_DELTA, SMALLEST_NOISE, MemoryReconstruction
from tsphys.physics.inference.mixtures import combine
from tsphys.physics.inference.priors import NODES, Prior
from tsphys.runs import frames
from tsphys.solvers.fixed_point import crossing, maximum, turns

BRANCHES = ("reached", "optimal")
#: Signal-to-noise ratios between which turns of Δ(g) are looked for: from the first on, up to the second over σ².
_RANGE = (1e-4, 1e3)
_POINTS = 400


class Averages(NamedTuple):
    """Averages over patterns and noise in the scalar channel B = mx⁰ + √q z with precision A = q.

    Attributes
    ----------
    M, Q : float
        Overlap E x⁰⟨x⟩ and self-overlap E ⟨x⟩².
    mse : float
        E (⟨x⟩ − x⁰)².
    log_z : float
        E ln Z.
    """

    M: float
    Q: float
    mse: float
    log_z: float


def averages(prior: Prior, q: float, m: float | None = None, nodes: int = NODES) -> Averages:
    """Averages at the precision q and the signal m; Bayes-optimal by default, m = q, where M = Q.

    The Bayes-optimal error is the mean posterior variance, which stays accurate where it is small.
    """
    out = np.zeros(4)
    for here in prior.seen(q, m, nodes):
        log_z, f, c = combine(*here.pieces)
        error = c if m is None else (f - here.truth) ** 2 + here.rest
        out += here.share * (np.array([here.truth * f, f * f, error, log_z]) @ here.weights)
    return Averages(*out.tolist())


def recovered(prior: Prior, g: float) -> float:
    """M(g) = E⟨x⟩² at the signal-to-noise ratio g, free of cancellation at small g; 0 at g = 0."""
    return averages(prior, g).Q if g > 0 else 0.0


def potential(prior: Prior, Delta: float, M: float) -> float:
    """φ(M) = −M²/(4Δ) + E ln Z(M/Δ), minus the free energy per neuron and pattern (Lesieur et al. 2017, eq. 114).

    Its stationary points are the fixed points of state evolution, the largest of its maxima belongs to the optimal
    error, and φ(0) = 0.
    """
    return -(M**2) / (4 * Delta) + (averages(prior, M / Delta).log_z if M > 0 else 0.0)


@cache
def _turns(prior: Prior) -> tuple[tuple[float, float], ...]:
    """(g, Δ) where Δ(g) = M(g)/g, the noise at which g is a fixed point, has its extrema, in the order of g."""

    def noise(u: float) -> float:
        return recovered(prior, np.exp(u)) / np.exp(u)

    u = np.linspace(np.log(_RANGE[0]), np.log(_RANGE[1] / min(prior.second_moment, 1.0)), _POINTS)
    # Differences at the level of rounding are no turns: where Δ(g) is flat it tends to σ⁴.
    flat = 1e-9 * prior.second_moment**2
    found = [(at, value) for _, at, value in turns(noise, u) if abs(value - prior.second_moment**2) > flat]
    return tuple((float(np.exp(at)), value) for at, value in found)


def fixed_points(prior: Prior, Delta: float) -> list[float]:
    """Signal-to-noise ratios g = M/Δ > 0 of all fixed points, increasing; g = 0 is one as well.

    Between two turns of Δ(g) there is one if Δ lies between its ends.
    """
    top = prior.second_moment / Delta
    ends = [(1e-12, prior.second_moment**2), *_turns(prior)]
    last = max(top, 2 * ends[-1][0]) * (1 + 1e-12)
    ends.append((last, 0.0))
    found = []
    for (low, start), (high, end) in pairwise(ends):
        if (start - Delta) * (end - Delta) < 0:
            u = crossing(
                lambda u: recovered(prior, np.exp(u)) / np.exp(u) - Delta, np.log(low), np.log(high), "the fixed point"
            )
            found.append(float(np.exp(u)))
    return found


def reached(prior: Prior, Delta: float, overlap: float | None = None) -> float:
    """g = M/Δ of the fixed point that state evolution reaches from M = overlap·σ²; None: from an M → 0.

    M ↦ M(M/Δ) grows with M, so that the iteration moves to the next fixed point and stops there.
    """
    points = fixed_points(prior, Delta)
    if overlap is None or overlap == 0:
        return points[0] if points and overlap is None and Delta < prior.second_moment**2 else 0.0
    g = overlap * prior.second_moment / Delta
    if recovered(prior, g) / Delta >= g:
        return min((p for p in points if p >= g), default=g)
    return max((p for p in points if p <= g), default=0.0)


def optimal(prior: Prior, Delta: float) -> float:
    """g of the largest maximum of the potential, whose error no algorithm beats."""
    return max([0.0, *fixed_points(prior, Delta)], key=lambda g: potential(prior, Delta, g * Delta))


class Thresholds(NamedTuple):
    """Where the phases of a prior end, as effective noises Δ.

    Attributes
    ----------
    algorithmic : float
        Δ_c = σ⁴. Above it an uninformed start of message passing, and the leading eigenvectors, find nothing; below it
        they find something, which may be little.
    information : float
        Δ_IT, above which nothing can be found at all.
    spinodal : float
        Δ_sp, above which the patterns are no fixed point.

    Δ_c ≤ Δ_IT ≤ Δ_sp. If Δ_c < Δ_IT, there is a hard phase between the two. All are the same if the patterns are no
    fixed point above Δ_c. None of them speaks of jumps below Δ_c: around the density where Δ_IT comes down to Δ_c,
    message passing finds little there, and jumps to the optimal error at a smaller noise; compare `reached` and
    `optimal`.
    """

    algorithmic: float
    information: float
    spinodal: float


@cache
def _thresholds(prior: Prior) -> Thresholds:
    weak = prior.second_moment**2
    g, spinodal = max(_turns(prior), key=lambda turn: turn[1], default=(0.0, 0.0))
    if spinodal <= weak * (1 + 1e-9):
        return Thresholds(weak, weak, weak)

    def gain(u: float) -> float:
        a = averages(prior, np.exp(u))
        return a.log_z - a.Q * np.exp(u) / 4

    u = crossing(gain, np.log(g), np.log(max(prior.second_moment / weak, 2 * g)), "the transition")
    # Where φ vanishes below Δ_c, nothing stays no maximum of it there: a little is found up to Δ_c.
    return Thresholds(weak, max(weak, float(recovered(prior, np.exp(u)) / np.exp(u))), spinodal)


def thresholds(model: MemoryReconstruction) -> Thresholds:
    """Effective noises Δ at which the phases of a model end; see `noise_at` for the noise ν of its channel."""
    return _thresholds(model.prior)


def noise_at(model: MemoryReconstruction, Delta: float) -> float:
    """Largest noise ν at which the effective noise of the channel is Δ.

    Raises
    ------
    ModelError
        If there is none: above a positive threshold some noise is needed to see anything.
    """
    Delta = number("Delta", Delta, low=0, high=LARGEST_DELTA, open_low=True)
    if model.channel != "rectified":
        return float(np.sqrt(Delta / replace(model, noise=1.0).Delta))
    # Δ(ν) at the threshold τ is |τ|² times that at τ = ±1, and has one minimum for τ > 0.
    low, high = np.log(SMALLEST_NOISE), np.log(10 * (np.sqrt(Delta) + abs(model.threshold) + 1))

    def excess(u: float) -> float:
        return np.log(_delta(model, float(np.exp(u)))) - np.log(Delta)

    if model.threshold > 0:
        low, least = maximum(lambda u: -excess(u), np.log(model.threshold / 30), high, 65)
        if least < 0:
            words = f"is out of reach at threshold = {model.threshold:g}: at least {Delta * np.exp(-least):.6g}"
            raise ModelError("Delta", Delta, words)
    return float(np.exp(crossing(excess, low, high, "the noise")))


def _delta(model: MemoryReconstruction, noise: float) -> float:
    try:
        return replace(model, noise=noise).Delta
    except ModelError:
        return LARGEST_DELTA


def principal_overlap(prior: Prior, Delta: float) -> float:
    """Share of a pattern's norm in the span of the leading P eigenvectors, 1 − Δ/σ⁴ up to Δ = σ⁴, then 0.

    Baik, Ben Arous & Péché 2005; Benaych-Georges & Nadakuditi 2011.
    """
    return max(0.0, 1.0 - Delta / prior.second_moment**2)


def state_evolution(
    prior: Prior, Delta: float, M: float, steps: int, Q: float | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Overlap, self-overlap and error (steps + 1,) of message passing from the overlap M and the self-overlap Q.

    Q = M by default, as for a Bayes-optimal start, and then at all times. The first error is that of the start.
    """
    rows = [(M, M if Q is None else Q, prior.second_moment - (M if Q is None else 2 * M - Q))]
    for _ in range(steps):
        M, self_overlap = rows[-1][:2]
        if self_overlap == 0:
            rows.append((0.0, 0.0, prior.second_moment))
            continue
        a = averages(prior, self_overlap / Delta, None if Q is None else M / Delta)
        rows.append((a.Q if Q is None else a.M, a.Q, a.mse))
    return tuple(np.array(rows).T)


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What the theory is asked for."""

    t: Any = course("iterations of state evolution as the axis, from an overlap: a,b,c", iterations)
    overlap: float | None = param(
        None, "overlap m of the start with the patterns, 0 to 1; none: no information", low=0, high=1, optional=True
    )
    branch: str = param(
        "reached", "what the start reaches, or the optimal error", kind=str, choices=BRANCHES, short="-b"
    )

    def suited(self, models: Sequence[MemoryReconstruction]) -> Options:
        if self.t is not None and self.overlap is None:
            raise ModelError("overlap", None, "must be given with t: without information state evolution does not move")
        return self


@frames.course(MemoryReconstruction, Options)
def over_iterations(model: MemoryReconstruction, options: Options) -> dict[str, np.ndarray]:
    """What message passing knows after each of the iterations t."""
    assert options.overlap is not None
    sigma2, at = model.prior.second_moment, options.t.astype(np.int64)
    M, _, mse = state_evolution(model.prior, model.Delta, options.overlap * sigma2, int(at[-1]))
    return {"mse": mse[at], "overlap": M[at] / sigma2}


@frames.or_over_time(over_iterations)
@frames.static(MemoryReconstruction, Options, told=("Delta",))
def solve(model: MemoryReconstruction, options: Options) -> dict[str, float]:
    """Error of reconstruction for N → ∞ and any number of patterns that does not grow with N; they decouple.

    Returns
    -------
    dict
        ``mse`` mean squared error per component, ``overlap`` M/σ², with the axis (axis,); without t also
        ``free_energy``, −φ per neuron and pattern, ``overlap_pca``, ``mse_pca`` for the leading eigenvectors.

    Raises
    ------
    ConvergenceError
        If a fixed point was not found.

    References
    ----------
    Goldt, Krzakala, Zdeborová & Brunel, PLoS Comput. Biol. 19, e1010813 (2023); Lesieur, Krzakala & Zdeborová, J. Stat.
    Mech. 073403 (2017).
    """
    prior, Delta = model.prior, model.Delta
    g = reached(prior, Delta, options.overlap) if options.branch == "reached" else optimal(prior, Delta)
    at = averages(prior, g) if g > 0 else Averages(0.0, 0.0, prior.second_moment, 0.0)
    share = principal_overlap(prior, Delta)
    return {
        "Delta": Delta,
        "mse": at.mse,
        "overlap": at.Q / prior.second_moment,
        "free_energy": -potential(prior, Delta, at.Q),
        "mse_pca": prior.second_moment * (1 - share),
        "overlap_pca": share,
    }


def lines(model: MemoryReconstruction, rho: Any) -> dict[str, np.ndarray]:
    """Noises at which the phases end at each density, for phase diagrams; shape (len(rho),)."""
    found = [(here, thresholds(here)) for here in (replace(model, rho=float(r)) for r in rho)]
    names = {"algorithmic": "message passing", "information": "information", "spinodal": "spinodal"}
    return {name: np.array([noise_at(m, getattr(at, key)) for m, at in found]) for key, name in names.items()}
