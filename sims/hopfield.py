"""Simulation of Hopfield's network: sequential and parallel dynamics, annealing, exchange of replicas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.fingerprint import of_array
from tsphys.ground.parameters import ENGINES, counted, param, word
from tsphys.models.hopfield import Hopfield
from tsphys.numerics.lanes import WIDTH
from tsphys.numerics.random import generator
from tsphys.runs import frames
from tsphys.sims.engines.spins import carry_save, columns, engines, hebbian, stored
from tsphys.sims.engines.spins.chain import Network
from tsphys.sims.engines.spins.parallel import pack_patterns, room
from tsphys.sims.engines.spins.updates import narrowest, overlaps_of


@dataclass(frozen=True, kw_only=True)
class Options(hebbian.Options):
    """What a simulation is asked for."""

    engine: str = param(
        "auto",
        "direct moves the spins; exact their numbers, column by column; cuda on a GPU",
        kind=str,
        choices=ENGINES,
        short="-e",
    )
    method: str = param(
        "auto", "form of the fields: from the overlaps, or from stored couplings", kind=str, choices=hebbian.METHODS
    )
    grey: bool = param(
        False, "patterns of your own keep their values, each less its mean and over its standard deviation", kind=bool
    )

    @property
    def real(self) -> bool:
        return self.grey


@hebbian.chains(Hopfield, Options)
def simulate(model: Hopfield, p: hebbian.Plan, options: Options) -> hebbian.Job:
    """Simulate a Hopfield network of N spins; each replica has patterns of its own.

    There are round(αN) of them. The start ``noisy`` flips a share (1 − overlap)/2 of the spins of pattern 1; spins are
    given as (N,) or (replicas, N). At T = 0 a run ends at its fixed point. States are exchanged as Hukushima & Nemoto
    do (J. Phys. Soc. Jpn. 65, 1604 (1996)).

    Engine ``exact`` is for parallel dynamics with few patterns: spins with the same column of patterns are alike, and
    only their numbers are moved, by their exact law, at a cost of 2^P a step at any N up to 10⁹; ``auto`` is that
    where it may be and 2^P ≤ N/8. Fields from the overlaps take N·P bytes and ~P operations a visit, from couplings 2N²
    bytes, O(1) a visit and O(N) a flip; both give the same bits, and ``auto`` takes the cheaper by `choose_method`.

    Returns
    -------
    dict
        With axes (replica, axis): ``m`` overlap with pattern 1, ``q`` Edwards–Anderson overlap (1/N) Σ_i ⟨s_i⟩₁⟨s_i⟩₂
        from two halves of the run, ``energy`` H/N, ``flips`` per spin and sweep, ``overlaps`` with the first `mixture`
        patterns (NaN at loads without so many), ``r`` N times the mean of ⟨m_μ⟩₁⟨m_μ⟩₂ over the patterns beyond the
        condensed ones, ``m_max`` the largest |m_μ| at the end; with an activity, ``p1`` and ``p0``, the mean of V where
        ξ^1 is 1 and 0, in place of the last two. Over t: ``m``, ``energy``, ``flips``, ``overlaps``.
    """
    patterns = options.patterns
    if options.pattern_file is not None and model.activity is not None:
        patterns = (patterns > 0).astype(np.int8)
    if options.grey and (patterns is None or model.activity is not None):
        raise ModelError("grey", True, "is for patterns of your own, and not with an activity")
    own = None
    if patterns is not None:
        kind = (0, 1) if model.activity else (-1, 1)
        own = stored.levelled(patterns, p.N) if options.grey else stored.given(patterns, p.N, kind)
    stores = None if own is None else len(patterns)
    count = stored.counted(options.n_patterns, stores, p.axis == "alpha" and len(p.values) > 1)
    if model.dynamics == "parallel" and p.protocol == "tempering":
        raise ModelError("protocol", p.protocol, "needs sequential dynamics, whose law at T is that of Gibbs")
    loads = p.values if p.axis == "alpha" else [model.alpha]
    most = max(count or number_of_patterns(a, p.N) for a in loads)
    least = min(count or number_of_patterns(a, p.N) for a in loads)
    if p.started == "mixture" and p.mixture > least:
        raise ModelError("mixture", p.mixture, f"must be at most the number of patterns, {least}")
    asked = engines.asked(model, p, options.method, options.grey, most, own is None)
    engine = engines.choose(asked, options.engine, most, p.N)
    if engine == "exact":

        def grouped(here: Hopfield, replica: int, point: int) -> columns.Grouped:
            P = count or number_of_patterns(here.alpha, p.N)
            return columns.drawn(p.N, P, min(P, p.mixture), p.seed, replica, point)

        record = {"engine": engine, "method": "columns", "n_patterns": count, "patterns": "drawn"}
        seen = frames.Memory(hebbian.rows(p, most), {"sweeps": p.sweeps}, "what is seen of every sweep")
        return hebbian.Job(grouped, record, seen)
    method = options.method
    if options.grey:
        if method == "overlap":
            raise ModelError("grey", True, "needs stored couplings, method = matrix or auto")
        method = "matrix"
    if engine == "cuda":
        from tsphys._cuda import require

        require()
        method = "overlap"
    coldest = float(p.values.min()) if p.axis == "T" else model.T
    visits = (int(p.values[-1]) if p.axis == "t" else p.sweeps + p.equilibration) * p.N
    method = choose_method(model, method, p.N, most, coldest, visits)
    bytes_each = (
        hebbian.rows(p, most)
        + p.N * stored.padded(most) * (1 if own is None else 0)
        + (p.N * (most // 8 + 1) if method == "overlap" and model.dynamics == "parallel" else 0)
        + ((coupling_bytes(model, most, options.grey) * p.N + 8 * most) * p.N if method == "matrix" else 0)
    )
    what = f"{most:.4g} patterns" + (" and their couplings" if method == "matrix" else "")
    depends = {"N": p.N, "sweeps": p.sweeps, "n_patterns": count, "alpha": None if count else float(max(loads))}
    memory = frames.Memory(bytes_each, depends, what)

    def build(here: Hopfield, replica: int, point: int) -> Network:
        P = count or number_of_patterns(here.alpha, p.N)
        X = own if own is not None else stored.drawn(p.N, P, p.seed, replica, f"patterns {point}", here.activity)
        rng = generator(p.seed, replica, f"bonds {point}")
        return network(here, X, P, method, min(P, p.mixture), p.mixture if p.started == "mixture" else 1, rng)

    record = {
        "engine": engine,
        "method": method,
        "n_patterns": count,
        "patterns": "drawn" if own is None else f"given {of_array(own)}",
        **({"grey": True} if options.grey else {}),
    }
    over = None
    if engine == "cuda":
        from tsphys.sims.engines.spins import cuda_spins

        def patterns_of(here: Hopfield) -> int:
            return count or number_of_patterns(here.alpha, p.N)

        over = cuda_spins.over(build, model, p, patterns_of, stored.padded(most))
    return hebbian.Job(build, record, memory, over)


def number_of_patterns(alpha: float, N: int) -> int:
    """P = round(αN), at least 1, or a ModelError."""
    return counted("alpha", alpha, N, "pattern")


def choose_method(model: Hopfield, method: str, N: int, P: int, T: float, visits: float) -> str:
    """The cheaper form of the fields, for a run of so many visits of spins.

    In ns on a 2.5 GHz core: a visit costs 15 + 0.09 P by overlaps, 15 + 0.02 P where all spins are visited at once, and
    12 by couplings, where a flip costs 0.1 N more and the couplings themselves 0.1 N²P once. A visit is taken to flip
    with the probability of a spin in a field of 1, 2/(1 + e^{2/T}). Couplings are not stored by ``auto`` beyond 512
    MiB, unless they cannot be done without.

    Raises
    ------
    ModelError
        If the model cannot be run by `method`.
    """
    word("method", method, hebbian.METHODS)
    if model.coupling != "hebb":
        if method == "overlap":
            raise ModelError("method", method, f'must be "matrix" or "auto" with coupling = "{model.coupling}"')
        return "matrix"
    if model.activity is not None:
        if method == "matrix":
            raise ModelError("method", method, 'must be "overlap" or "auto" with an activity')
        return "overlap"
    if method != "auto":
        return method
    flips = 2.0 / (1.0 + np.exp(min(2.0 / T, 700.0))) if T > 0 else 0.0
    overlaps = visits * (15.0 + (0.02 if model.dynamics == "parallel" else 0.09) * P)
    couplings = visits * (12.0 + 0.1 * N * flips) + 0.1 * N * N * P
    return "matrix" if couplings < overlaps and entries(model, P).itemsize * N * N <= 2**29 else "overlap"


def entries(model: Hopfield, P: int) -> np.dtype[Any]:
    """Integers that hold the couplings of P patterns: |J_ij| ≤ P, which equal columns reach, and 1 where clipped."""
    return np.dtype(narrowest(1 if model.coupling == "clipped" else P))


def coupling_bytes(model: Hopfield, P: int, real: bool) -> int:
    """Bytes of a coupling."""
    return 4 if real else entries(model, P).itemsize


def of_products(P: int) -> np.dtype[Any]:
    """Floats in which sums of P products ±1 are exact, in any order: single precision holds integers up to 2²⁴."""
    return np.dtype(np.float32 if P <= 2**24 else np.float64)


def couplings(model: Hopfield, X: np.ndarray, P: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Integer couplings J (N, N), without diagonal, and their unit, so that the field is unit·Σ_j J_ij s_j.

    Those of real patterns are rounded to 2⁻³⁰ of what none exceeds, so that fields are exact sums as well.
    """
    N, clipped, real = len(X), model.coupling == "clipped", X.dtype.kind == "f"
    F = X[:, :P].astype(np.float64 if real else of_products(P))
    grain = np.square(F).sum(axis=1).max() / 2**30 if real and not clipped else 1.0
    J = np.empty((N, N), np.int32 if real and not clipped else entries(model, P))
    for low in range(0, N, 512):
        sums = F[low : low + 512] @ F.T
        J[low : low + 512] = np.sign(sums) if clipped else np.rint(sums / grain) if real else sums
    unit = np.sqrt(0.5 * np.pi * P) / N if clipped else grain / N
    if model.coupling == "diluted":
        for i in range(N - 1):
            kept = rng.random(N - 1 - i) < model.connectivity
            J[i, i + 1 :] *= kept
            J[i + 1 :, i] *= kept
        unit /= model.connectivity
    np.fill_diagonal(J, 0)
    return J, unit


def network(
    model: Hopfield,
    X: np.ndarray,
    P: int,
    method: str,
    followed: int,
    condensed: int,
    rng: np.random.Generator | None = None,
) -> Network:
    """An instance that stores the P columns of X; it follows `followed` of them, and `condensed` are not noise."""
    N = len(X)
    f = model.activity or 0.0
    sparse = model.activity is not None
    scale = 1.0 / (N * f * (1.0 - f)) if sparse else 1.0 / N
    first_ones = np.ascontiguousarray(X[:, :followed].T)
    real = X.dtype.kind == "f"
    # Of real patterns the signs are states.
    cues = np.where(first_ones > 0, 1, -1).astype(np.int8) if real else first_ones
    probes = (first_ones - f) * scale
    up, down = np.int8(1), np.int8(0 if sparse else -1)
    parallel = model.dynamics == "parallel"

    def finish(s: np.ndarray, net: Any, first: np.ndarray, second: np.ndarray) -> dict[str, Any]:
        if sparse:
            on = cues[0] == 1
            mean = 0.5 * (first + second)
            return {"p1": mean[on].mean() if on.any() else 0.0, "p0": mean[~on].mean() if (~on).any() else 0.0}
        if real:
            a, b, last = (X.T @ state for state in (first, second, s))
            return {
                "r": float(a[condensed:] @ b[condensed:]) / N / max(P - condensed, 1),
                "m_max": np.abs(last).max() / N,
            }
        a, b = (stored.mean_overlaps(X, P, mean)[condensed:] / N for mean in (first, second))
        last = np.zeros(X.shape[1], np.int64)
        overlaps_of(s, X, last)
        return {"r": float(a @ b) * N / max(P - condensed, 1), "m_max": np.abs(last).max() / N}

    if method == "matrix":
        J, unit = couplings(model, X, P, rng or generator(0, 0, "bonds"))
        fields = narrowest(max(2**15, (N - 1) * (1 if model.coupling == "clipped" else 2**30 if real else P)))

        def attach_matrix(s: np.ndarray) -> tuple[Any, ...]:
            # |H_i| ≤ Σ_j |J_ij|; what is on the way to it may wrap around, sums modulo 2ⁿ find back.
            H = np.zeros(N, fields)
            overlaps_of(s, J, H)
            return (J, H, unit, *room(N)) if parallel else (J, H, unit)

        form = "parallel_matrix" if parallel else "matrix"
        return Network(form, cues, probes, 2, attach_matrix, finish, 15.0 * N)

    k = X[:, :P].sum(axis=1, dtype=np.int32) if sparse else np.full(N, P, np.int32)
    # |A_μ| ≤ N; those of 16 bits are multiplied by the patterns and added up in 32, where the sum is at most N·P.
    width = narrowest(N if N * P < 2**31 else max(N, 2**15))
    # Fields of ±1 spins are exact; those of neurons 0/1 are sums of numbers up to scale·P·N, rounded.
    tie = 1e-15 * scale * P * N if sparse else 0.0
    constants = (f, float(P), scale, model.threshold, up, down, tie)
    if parallel:
        table = carry_save.aligned(carry_save.words_of(N), P + 1, WIDTH)
        ones = np.empty(N)
        pack_patterns(X, table, ones)

    def attach(s: np.ndarray) -> tuple[Any, ...]:
        A = np.zeros(X.shape[1], width)
        overlaps_of(s, X, A)
        sums = np.array([s.sum(dtype=np.int64), A.sum(dtype=np.int64)])
        net = (X, k, A, sums, constants)
        if not parallel:
            return net
        # A − min A, of which P are added up, is at most 2N.
        return (*net, table, ones, carry_save.aligned(len(table), WIDTH), carry_save.room(P, N, 2 * N * P), *room(N))

    form = "parallel" if parallel else "overlap"
    return Network(form, cues, probes, int(up - down), attach, finish, N * (15.0 + 0.1 * P))
