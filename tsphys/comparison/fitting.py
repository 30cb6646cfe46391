"""What of a simulation and a theory can be compared, or why nothing can."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.runs.result import Result


def fitted(simulation: Result, theory: Result, observables: Any) -> tuple[Result, Result, list[str], list[str]]:
    """Both where both have numbers, the observables to compare, and notes; or a ModelError that says what does not fit.

    Where theory says that a mean is infinite, a point is left out with a note.
    """
    for name, result, kind in (("simulation", simulation, "simulation"), ("theory", theory, "theory")):
        if not isinstance(result, Result) or result.kind != kind:
            raise ModelError(name, result, f"must be the Result of a {kind}")
    axis = theory.axis
    if simulation.axis != axis:
        raise ModelError("theory", axis, f"must have the axis of the simulation, {simulation.axis}")
    here, there = len(theory[axis]), len(simulation[axis])
    if here != there:
        raise ModelError("theory", f"{here} points of {axis}", f"must have as many as the simulation, {there}")
    if not _close(simulation[axis], theory[axis]):
        raise ModelError("theory", axis, "must have the same values on its axis as the simulation")
    simulation, theory = _without_gaps(simulation, theory)
    common = [k for k in simulation.observables if k in theory.observables and theory[k].size]
    if isinstance(observables, str):
        observables = [observables]
    names = common if observables is None else list(observables)
    if not names and common:
        raise ModelError("observables", names, "must be among " + ", ".join(common))
    for name in names:
        if name not in common:
            raise ModelError("observables", name, "must be among " + ", ".join(common))
    if not names:
        raise ModelError("theory", theory.observables, "has no observable in common with the simulation")
    for name in names:
        if simulation[name].shape[1:] != theory[name].shape:
            shapes = f"{theory[name].shape} in theory, {simulation[name].shape[1:]} in the simulation"
            raise ModelError(name, shapes, "must have the same shape")
    simulation, theory, notes = _without_infinite(simulation, theory, names)
    for name in names:
        if not (np.isfinite(theory[name]).all() and np.isfinite(simulation.mean(name)).all()):
            raise ModelError(name, "NaN", "must be finite in simulation and theory")
    return simulation, theory, names, notes


def _close(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
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


def _without_infinite(simulation: Result, theory: Result, names: Sequence[str]) -> tuple[Result, Result, list[str]]:
    """Both where theory has a finite mean, and where it has none."""
    values = theory[theory.axis]
    infinite = {name: np.isinf(theory[name]).reshape(len(values), -1).any(axis=1) for name in names}
    out = np.any([*infinite.values()], axis=0)
    if not out.any():
        return simulation, theory, []
    told = ", ".join(name for name, points in infinite.items() if points.any())
    where = ", ".join(f"{value:.4g}" if not isinstance(value, str) else value for value in values[out])
    if out.all():
        raise ModelError(theory.axis, where, f"must have a point at which {told} has a finite mean in theory")
    return _at(simulation, ~out), _at(theory, ~out), [f"{theory.axis} = {where} left out: no finite mean of {told}"]


def _at(result: Result, there: np.ndarray) -> Result:
    """A result at some of the points of its axis."""
    where = (slice(None), there) if result.kind == "simulation" else (there,)
    data = {
        k: v if k in result.constants else v[there] if k == result.axis else v[where] for k, v in result.data.items()
    }
    known = result.first_order
    if known is not None:
        known = known.at(np.flatnonzero(there))
    meta = dict(result.meta)
    for told in {"bias", "doubt", "sem", "chaotic", "finite_size_error"} & {*meta}:
        meta[told] = {name: np.array(values)[there].tolist() for name, values in meta[told].items()}
    return dataclasses.replace(result, data=data, meta=meta, first_order=known)


def other_size(simulation: Result, smaller: Any, names: Sequence[str]) -> Result:
    """`smaller`, or a ModelError unless it is the same simulation at another size, with an error of its own."""
    if not isinstance(smaller, Result) or smaller.kind != "simulation" or smaller.model != simulation.model:
        raise ModelError("smaller", smaller, "must be a simulation of the same model")
    N, other = (result.meta.get("N") for result in (simulation, smaller))
    if None in (N, other) or other == N:
        raise ModelError("smaller", f"N = {other}", f"must have another size N than the simulation, {N}")
    values, points = simulation[simulation.axis], smaller[smaller.axis]
    if len(points) > len(values):
        # Of the simulation only the points are left at which theory has numbers.
        smaller = _at(smaller, np.array([any(_close(point, value) for value in values) for point in points]))
    for name in names:
        if name not in smaller or smaller[name].shape[1:] != simulation[name].shape[1:]:
            raise ModelError("smaller", name, "must have the observables of the simulation over the same axis")
        if not np.isfinite(smaller.mean(name)).all():
            raise ModelError("smaller", name, "must be finite")
    if len(values) != len(smaller[smaller.axis]) or not _close(values, smaller[smaller.axis]):
        raise ModelError("smaller", simulation.axis, "must have the same values on its axis as the simulation")
    for result in (simulation, smaller):
        need_replicas(result, 2)
    return smaller


def need_replicas(simulation: Result, least: int) -> None:
    n = len(simulation[simulation.observables[0]])
    if n < least:
        raise ModelError("replicas", n, f"must be at least {least} for an error to compare with")
