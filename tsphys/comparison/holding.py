"""Holding a simulation against its theory."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tsphys.catalogue import CATALOGUE
from tsphys.comparison.changes import seen_changes
from tsphys.comparison.foretold import (
    LARGEST_BETA,
    Held,
    by_first_order,
    by_rule,
    by_two_sizes,
    has_verdict,
)
from tsphys.comparison.nearby import moved
from tsphys.comparison.scores import normal
from tsphys.comparison.verdict import Comparison
from tsphys.errors import ConvergenceError, DivergedError, ModelError
from tsphys.ground.parameters import number
from tsphys.runs.result import Result


def compare(
    simulation: Result,
    theory: Result,
    *,
    observables: Any = None,
    finite_size: bool = True,
    level: float = 1e-3,
    smaller: Result | None = None,
    changes: bool | None = None,
) -> Comparison:
    """Hold a simulation against a theory curve.

    Of online learning theory knows more than its limit N → ∞: mean and spread of runs of the size of the simulation, to
    first order in 1/N, see `tsphys.solve` with ``fluctuations=True``; it is solved to this order here if it was not
    before. The mean is held against that without any allowance, the foretold spread counting with the sample's, and the
    variance between replicas against the spread. Where this order does not hold at this size, there is no verdict. If
    simulation and theory both start from what the model draws by itself, each replica is held against the theory from
    its own start.

    Elsewhere the error is that of Student's t, with an allowance for the unknown bias of order 1/N: s²/4|y| with s the
    standard deviation over replicas and |y| the largest entry of the observable at that point (of a motion, at any
    time); of networks at equilibrium at least by how much the theory moves if each of its parameters is 3/N of itself
    larger, up to |y|/N. Where that is more than the statistical error s/√n, it hides what the replicas could tell, and
    there is no verdict; nor where theory has no solution at such parameters, close to a transition.

    Parameters
    ----------
    simulation, theory : Result
        Over the same axis.
    observables : sequence of str, optional
        Which; all that both have by default.
    finite_size : bool
        False: hold the simulation against N → ∞ as it is.
    level : float
        Probability at most that two that agree are called different.
    smaller : Result, optional
        The same simulation at another size, best at a quarter of it with four times the replicas: biases of order 1/N
        cancel, and nothing needs to be allowed for them.
    changes : bool, optional
        Find the change of each parameter that would have been seen, for which the theory is solved again with some. By
        default where equations of motion are known in closed form.

    Raises
    ------
    ModelError
        If there are fewer than two replicas and no spread is foretold, the axes differ, nothing is in common, or
        numbers are missing.

    Examples
    --------
    >>> import numpy as np, tsphys
    >>> model = tsphys.TwoLayer(K=1, M=1, lr=0.5)
    >>> start = tsphys.OrderParameters(R=[[0.2]], Q=[[0.3]], T=[[1.0]])
    >>> t = np.linspace(1, 10, 5)
    >>> sim = tsphys.simulate(model, N=2000, start=start, t=t, replicas=16, seed=0)
    >>> found = tsphys.compare(sim, tsphys.solve(model, start=start, t=t))
    >>> found.verdict, found.z["eps_g"].shape
    ('agree', (5,))
    """
    level = number("level", level, low=0, high=1, open_low=True, open_high=True)
    simulation, theory, names = _common(simulation, theory, observables)
    if smaller is not None:
        smaller = _other_size(simulation, smaller, names)
    theories, notes = _foretelling(simulation, theory) if finite_size and smaller is None else ([], [])
    by_size = finite_size and smaller is None and theory.axis != "t" and "N" in simulation.meta
    move = moved(theory, names, simulation.meta["N"]) if by_size else None
    held: dict[str, Held] = {}
    reasons = []
    for name in names:
        if smaller is not None:
            held[name] = by_two_sizes(simulation, smaller, theory, name)
        elif theories and name in theories[0].known_at(1)[0]:
            held[name] = by_first_order(simulation, theories, name, simulation.meta["N"])
        else:
            _replicas(simulation, 2)
            held[name] = by_rule(simulation, theory, name, None if move is None else move[name], not finite_size)
    reasons += _too_many(simulation, held) + _transitions(theory, move)
    if theories:
        reasons += _too_small(simulation, theories)
    found = Comparison(
        z={name: normal(h.deviation / h.error, h.freedom) for name, h in held.items()},
        spread={name: h.spread for name, h in held.items()},
        deviation={name: h.deviation for name, h in held.items()},
        error={name: h.error for name, h in held.items()},
        judged={name: h.judged for name, h in held.items()},
        axis=theory.axis,
        values=theory[theory.axis],
        count=sum(h.count for h in held.values()),
        level=level,
        largest={name: float(np.abs(theory[name]).max()) for name in names},
        differ=_differ(simulation, theory),
        notes=tuple(notes),
        reasons=tuple(reasons),
    )
    if changes or (changes is None and theories and "quadrature" not in theory.meta):
        return dataclasses.replace(found, changes=seen_changes(found, theory))
    return found


def _common(simulation: Result, theory: Result, observables: Any) -> tuple[Result, Result, list[str]]:
    """Both where both have numbers, and the observables to compare, or a ModelError that says what does not fit."""
    for name, result, kind in (("simulation", simulation, "simulation"), ("theory", theory, "theory")):
        if not isinstance(result, Result) or result.kind != kind:
            raise ModelError(name, result, f"must be the Result of a {kind}")
    axis = theory.axis
    if simulation.axis != axis or simulation[axis].shape != theory[axis].shape:
        raise ModelError("theory", axis, f"must have the axis of the simulation, {simulation.axis}")
    if not _close(simulation[axis], theory[axis]):
        raise ModelError("theory", axis, "must have the same values on its axis as the simulation")
    simulation, theory = _without_gaps(simulation, theory)
    common = [k for k in simulation.observables if k in theory.observables and theory[k].size]
    names = common if observables is None else list(observables)
    for name in names:
        if name not in common:
            raise ModelError("observables", name, "must be among " + ", ".join(common))
    if not names:
        raise ModelError("theory", theory.observables, "has no observable in common with the simulation")
    for name in names:
        if simulation[name].shape[1:] != theory[name].shape:
            shapes = f"{theory[name].shape} in theory, {simulation[name].shape[1:]} in the simulation"
            raise ModelError(name, shapes, "must have the same shape")
        if not (np.isfinite(theory[name]).all() and np.isfinite(simulation.mean(name)).all()):
            raise ModelError(name, "NaN", "must be finite in simulation and theory")
    return simulation, theory, names


def _close(a: np.ndarray, b: np.ndarray) -> bool:
    if a.dtype.kind == "U" or b.dtype.kind == "U":
        return bool((a == b).all())
    return np.allclose(a, b, rtol=1e-9, atol=1e-12)


def _without_gaps(simulation: Result, theory: Result) -> tuple[Result, Result]:
    """Both where both have numbers, if one is partial."""
    if not (simulation.gaps or theory.gaps):
        return simulation, theory
    shared = [k for k in simulation.observables if k in theory.observables and theory[k].size]
    there = np.ones(len(theory[theory.axis]), dtype=bool)
    for result in (simulation, theory):
        for name in shared:
            there &= np.isfinite(result.mean(name).reshape(len(there), -1)).all(axis=1)
    if not there.any():
        raise ModelError("theory", "NaN", "must have a point where the simulation has a result as well")
    return _at(simulation, there), _at(theory, there)


def _at(result: Result, there: np.ndarray) -> Result:
    """A result at some of the points of its axis."""
    where = (slice(None), there) if result.kind == "simulation" else (there,)
    data = {
        k: v if k in result.constants else v[there] if k == result.axis else v[where] for k, v in result.data.items()
    }
    known = result.first_order
    if known is not None:
        own = {k: getattr(known, k)[there] for k in ("bias", "speed", "var2", "doubt", "cov")}
        known = dataclasses.replace(known, **own)
    meta = dict(result.meta)
    for told in {"bias", "doubt"} & {*meta}:
        meta[told] = {name: np.array(values)[there].tolist() for name, values in meta[told].items()}
    return dataclasses.replace(result, data=data, meta=meta, first_order=known)


def _other_size(simulation: Result, smaller: Any, names: Sequence[str]) -> Result:
    """`smaller`, or a ModelError unless it is the same simulation at another size, with an error of its own."""
    if not isinstance(smaller, Result) or smaller.kind != "simulation" or smaller.model != simulation.model:
        raise ModelError("smaller", smaller, "must be a simulation of the same model")
    N, other = (result.meta.get("N") for result in (simulation, smaller))
    if None in (N, other) or other == N:
        raise ModelError("smaller", f"N = {other}", f"must have another size N than the simulation, {N}")
    for name in names:
        if name not in smaller or smaller[name].shape[1:] != simulation[name].shape[1:]:
            raise ModelError("smaller", name, "must have the observables of the simulation over the same axis")
        if not np.isfinite(smaller.mean(name)).all():
            raise ModelError("smaller", name, "must be finite")
    if not _close(simulation[simulation.axis], smaller[simulation.axis]):
        raise ModelError("smaller", simulation.axis, "must have the same values on its axis as the simulation")
    for result in (simulation, smaller):
        _replicas(result, 2)
    return smaller


def _replicas(simulation: Result, least: int) -> None:
    n = len(simulation[simulation.observables[0]])
    if n < least:
        raise ModelError("replicas", n, f"must be at least {least} for an error to compare with")


def _foretelling(simulation: Result, theory: Result) -> tuple[list[Result], list[str]]:
    """Theories with their first order in 1/N, one for all replicas or one for each; none, and why, if not known."""
    from tsphys.registry import expandable, expanded, solve
    from tsphys.rules.starts import drawn_start

    if simulation.meta.get("N") is None or theory.axis != "t":
        return [], []
    if theory.first_order is not None:
        return [theory], []
    try:
        model = theory.model_object()
    except ModelError:
        known = theory.model in CATALOGUE and CATALOGUE[theory.model].expansion
        return [], ["functions are not kept: a theory solved with fluctuations=True has the first order in 1/N"] * known
    try:
        expandable(model)
        if simulation.meta.get("start", 0) is not None or "seed" not in theory.meta:
            return [expanded(model, theory)], []
        simulated, N, seed = simulation.model_object(), simulation.meta["N"], simulation.meta["seed"]
        starts = [drawn_start(simulated, N, seed, replica) for replica in simulation.meta["replica_ids"]]
        return [expanded(model, solve(model, start=start, t=theory["t"])) for start in starts], []
    except ModelError:
        return [], []
    except (ConvergenceError, DivergedError) as error:
        return [], [f"the first order in 1/N is not known: {error}"]


def _too_small(simulation: Result, theories: Sequence[Result]) -> list[str]:
    """Why there is no verdict from some time on, if there is none."""
    N, n, t = simulation.meta["N"], len(simulation[simulation.observables[0]]), simulation["t"]
    beta = np.max([theory.beta(N) for theory in theories], axis=0)
    out = ~has_verdict(beta, N, n)
    if not out.any():
        return []
    # β² falls like 1/N.
    scale = float(beta[-1] ** 2) * N
    enough = max(scale / LARGEST_BETA**2, np.sqrt(n) * scale + (10 * np.sqrt(n)) ** (2 / 3))
    return [
        f"from t = {t[out][0]:.4g} on N = {N} is too small for a verdict from {n} replicas: about "
        f"{_rounded_up(enough):,} is needed"
    ]


def _rounded_up(x: float) -> int:
    """To two digits."""
    unit = 10 ** max(math.floor(math.log10(max(x, 1.0))) - 1, 0)
    return math.ceil(x / unit) * unit


def _too_many(simulation: Result, held: Mapping[str, Held]) -> list[str]:
    """Which observables have no verdict since a bias of order 1/N may exceed the error of so many replicas."""
    names = [name for name, h in held.items() if not h.judged.all() and np.isnan(h.spread).all()]
    if not names:
        return []
    n = len(simulation[simulation.observables[0]])
    return [
        f"no verdict on {', '.join(names)} at every point: a bias of order 1/N may exceed the error of {n} replicas; "
        "there is one with fewer of them, at a larger N, or from two sizes"
    ]


def _transitions(theory: Result, move: Mapping[str, np.ndarray] | None) -> list[str]:
    """Where a theory has no solution at parameters that a finite size cannot tell from its own."""
    if not move:
        return []
    out = np.any([np.isinf(m).reshape(len(m), -1).any(axis=1) for m in move.values()], axis=0)
    values = ", ".join(f"{value:.4g}" for value in theory[theory.axis][out])
    return [f"a transition is within some 1/N of {theory.axis} = {values}"] if out.any() else []


def _differ(simulation: Result, theory: Result) -> tuple[str, ...]:
    a, b = simulation, theory
    out = [] if a.model == b.model else ["model"]
    out += [k for k, v in a.parameters.items() if k != a.axis and k in b.parameters and b.parameters[k] != v]
    if "start" in a.meta and "start" in b.meta and a.meta["start"] != b.meta["start"]:
        out.append("start (each replica has its own)" if a.meta["start"] is None else "start")
    return tuple(out)
