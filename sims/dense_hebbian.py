"""Simulation of dense Hebbian networks: P-body couplings of patterns, or of a teacher's noisy examples."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.fingerprint import of_array
from tsphys.ground.given import takes
from tsphys.ground.parameters import handed, param
from tsphys.models.dense_hebbian import DenseHebbian
from tsphys.runs import frames
from tsphys.sims.engines.spins import hebbian, stored
from tsphys.sims.engines.spins.averages import levels
from tsphys.sims.engines.spins.chain import Network
from tsphys.sims.engines.spins.tables import of_averages, of_exponential_averages, tables
from tsphys.sims.engines.spins.updates import overlaps_of, symmetric_sums

#: Largest number of examples whose sums fit the bytes of a pattern.
MOST_AVERAGED = 127


@dataclass(frozen=True, kw_only=True)
class Options(hebbian.Options):
    """What a simulation is asked for."""

    # Patterns are αN^(P−1), each of N spins, of which a sweep sees N.
    N: int = param(200, "number of spins; of patterns of your own theirs", kind=int, low=2, short="-N")
    F: Callable[[float], float] | None = handed(
        "the function of interaction custom: a number for each overlap, from −1 to 1, to 1/√R for averages of examples"
    )


@hebbian.chains(DenseHebbian, Options)
def simulate(model: DenseHebbian, p: hebbian.Plan, options: Options) -> hebbian.Job:
    """Simulate a dense Hebbian network of N spins by heat bath; each replica has patterns and examples of its own.

    Patterns are the archetypes here; the starts are those of `tsphys.sims.hopfield.simulate`.

    Returns
    -------
    dict
        With axes (replica, axis): ``m`` overlap with archetype 1; for examples ``n`` = (1/N) Σ_i v_i ξ_i σ_i with
        v_i = (1/(Mr)) Σ_a χ_i^a; ``q`` Edwards–Anderson overlap from two halves of the run, ``energy`` H/N, ``flips``
        per spin and sweep, ``overlaps`` with the first `mixture` archetypes (NaN at loads
        without so many). Over t: no ``q``.
    """
    F = options.F
    check(model, p, F)
    own = None if options.patterns is None else stored.given(options.patterns, p.N)
    stores = None if own is None else len(options.patterns)
    count = stored.counted(options.n_patterns, stores, p.axis == "alpha" and len(p.values) > 1)
    points = [dataclasses.replace(model, **({} if p.axis == "t" else {p.axis: v})) for v in p.values.tolist()]
    numbers = [count or number_of_patterns(here, p.N) for here in points]
    if p.started == "mixture" and p.mixture > min(numbers):
        raise ModelError("mixture", p.mixture, f"must be at most the number of patterns, {min(numbers)}")
    bytes_each, K = max((footprint(here, p.N, K), K) for here, K in zip(points, numbers, strict=True))
    depends = {"N": p.N, "sweeps": p.sweeps, "P": model.P, "n_patterns": count, "alpha": max(m.alpha for m in points)}
    depends["M"] = max(here.M for here in points)
    bytes_each += hebbian.rows(p, K)

    def build(here: DenseHebbian, replica: int, point: int) -> Network:
        K = count or number_of_patterns(here, p.N)
        X = own if own is not None else stored.drawn(p.N, K, p.seed, replica, f"patterns {point}")
        return network(here, X, K, min(K, p.mixture), F, (p.seed, replica, f"examples {point}"))

    record = {
        "engine": "direct",
        "n_patterns": count,
        "patterns": "drawn" if own is None else f"given {of_array(own)}",
    }
    if F is not None:
        record["F"] = of_array(tables("custom", p.N, model.P, 1, F)[0])
    return hebbian.Job(build, record, frames.Memory(bytes_each, depends, f"{K:.4g} patterns"))


def check(model: DenseHebbian, p: hebbian.Plan, F: Any) -> None:
    """Raise a ModelError for what the model allows but the simulation does not."""
    N = p.N
    most = int(p.values.max()) if p.axis == "M" else model.M
    if model.storage == "supervised" and most > MOST_AVERAGED:
        raise ModelError("M", most, f"must be at most {MOST_AVERAGED} in a simulation of supervised storage")
    if (F is not None) != (model.interaction == "custom"):
        raise ModelError("F", F, 'is given with interaction = "custom", and only then')
    if F is not None:
        takes("F", F, "m")
    if model.P > N:
        raise ModelError("N", N, f"must be at least P = {model.P}")


def number_of_patterns(model: DenseHebbian, N: int) -> int:
    """K = round(αN^{P−1}), or round(e^{αN}) for the exponential one; a ModelError if that is none, or beyond reach."""
    if model.interaction == "exponential":
        log = model.alpha * N
    else:
        log = math.log(model.alpha) + (model.P - 1) * math.log(N) if model.alpha > 0 else -math.inf
    if log > 40.0:
        raise ModelError("alpha", model.alpha, f"stores e^{log:.0f} patterns at N = {N}, more than any memory holds")
    K = round(math.exp(log))
    if K < 1:
        raise ModelError("alpha", model.alpha, f"stores no pattern at N = {N}; give n_patterns or a larger alpha")
    return K


def footprint(model: DenseHebbian, N: int, K: int) -> float:
    """Bytes that a replica needs."""
    if model.storage == "given":
        return float(K) * (N + 12)
    if model.storage == "unsupervised":
        return float(K) * (N + model.M * (N + 12))
    if model.interaction == "distinct":
        return float(K) * (2 * N + 8 * (model.P + 2))
    return float(K) * (2 * N + 12) + 24.0 * N * model.M


def network(
    model: DenseHebbian, X: np.ndarray, K: int, followed: int, F: Any = None, key: tuple[int, int, str] = (0, 0, "")
) -> Network:
    """An instance with the archetypes X (N, ≥ K); examples are drawn from the stream `key`."""
    N = len(X)
    P, M = model.P, model.M
    cues = np.ascontiguousarray(X[:, :followed].T)
    probes = cues / N
    named: tuple[str, ...] = ()
    vectors, V = K, X
    if model.storage != "given":
        V = stored.examples(X, K, model.r, M, model.storage == "supervised", *key)
        own = 1 if model.storage == "supervised" else M
        vectors = K * own
        probes = np.concatenate([probes, V[:, :own].sum(axis=1)[None] / (N * M * model.r)])
        named = ("n",)

    def finish(s: np.ndarray, net: Any, first: np.ndarray, second: np.ndarray) -> dict[str, Any]:
        return {}

    if model.storage == "supervised":
        form, arrays, cost = supervised(model, V, K, F)
        return Network(form, cues, probes, 2, arrays, finish, cost, named)

    rows, unit, scale, tie = tables(model.interaction, N, P, vectors, F)
    if model.storage == "unsupervised":
        c = 1.0 / (M * math.sqrt(model.r ** (2 * P) + (1.0 - model.r ** (2 * P)) / M))
        unit, scale, tie = c * unit, c * scale, c * tie

    def attach(s: np.ndarray) -> tuple[Any, ...]:
        # |M_μ| ≤ N, for which there is a table of 2N + 1 Python integers.
        overlaps = np.zeros(V.shape[1], np.int32)
        overlaps_of(s, V, overlaps)
        return V, overlaps, np.zeros(V.shape[1]), rows, vectors, unit, scale, tie

    form = "logarithm" if model.interaction == "exponential" else "table"
    return Network(form, cues, probes, 2, attach, finish, N * (15.0 + 0.3 * vectors), named)


def supervised(model: DenseHebbian, V: np.ndarray, K: int, F: Any) -> tuple[str, Any, float]:
    """Form, its arrays for a state, and nanoseconds a sweep with the K sums V (N, ≥ K) of M examples each."""
    N, P, M = len(V), model.P, model.M
    R = model.r**2 + (1.0 - model.r**2) / M
    words = f"must be smaller for supervised storage at N = {N}: its sums leave the range of floats"
    if model.interaction == "exponential":
        unit = M * math.sqrt(R)
        decay, change = of_exponential_averages(N, M, unit)

        def attach_exponential(s: np.ndarray) -> tuple[Any, ...]:
            return V, levels(s, V, M), np.zeros(V.shape[1]), decay, change, K, unit, float(N * M), 1e-12

        return "averages_logarithm", attach_exponential, N * (15.0 + 1.5 * K)
    if model.interaction != "distinct":
        if model.interaction == "power" and -0.5 * P * math.log(R) > 600:
            raise ModelError("P", P, words)
        table, scale, tie = of_averages(model.interaction, N, P, M, R, K, F)

        def attach_function(s: np.ndarray) -> tuple[Any, ...]:
            return V, levels(s, V, M), table, K, scale, tie

        return "averages", attach_function, N * (15.0 + 2.3 * K)
    size = math.log(K * M) + (P - 1) * math.log(N * M) - math.lgamma(P)
    if size > 700 or P > 171 or (P - 1) * math.log(N) > 700 or P * math.log(M * math.sqrt(R)) > 700:
        raise ModelError("P", P, words)
    unit = math.factorial(P - 1) / float(N) ** (P - 1) / (M * math.sqrt(R)) ** P
    # Fields are exact sums of integers as long as all of them could be added up in 53 bits.
    bound = K * M * float(N * M) ** (P - 1) / math.factorial(P - 1)
    tie = 0.0 if bound < 2.0**53 else 1e-12

    def attach_distinct(s: np.ndarray) -> tuple[Any, ...]:
        E = np.empty((P + 1, V.shape[1]))
        symmetric_sums(s, V, E)
        return V, E, np.empty(V.shape[1]), unit, unit, tie

    return "graded", attach_distinct, 0.5 * P * N * K
