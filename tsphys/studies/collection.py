"""The results of a study as one: arrays over its axes."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import plain
from tsphys.registry import model_class
from tsphys.runs.points import padded
from tsphys.runs.provenance import provenance
from tsphys.runs.result import Result
from tsphys.studies.store import Store, as_json, folder_of
from tsphys.studies.study import COMPUTE, VOLATILE, Study

_PREFIX = {"simulate": "simulation", "solve": "theory"}


def collect(study: Study, store: str | os.PathLike[str], *, mean: bool = False, partial: bool = False) -> Result:
    """Bring the results of a study together.

    Parameters
    ----------
    study : Study
    store : path-like
    mean : bool
        Means over replicas and their standard errors (``…_sem``) in place of the replicas.
    partial : bool
        Take NaN for what is not there.

    Returns
    -------
    Result
        Of kind "study", over the first axis of the study. ``simulation_eps_g`` has the axes of the study, then replica
        and time, ``theory_eps_g`` those of the study and time, and so on; where tasks differ in length, as sizes that
        observe at different times do, the shorter are filled up with NaN. It has no date: the same study gives the
        same bits.

    Raises
    ------
    ModelError
        If results are missing and `partial` is false, or all are.
    """
    kept = Store(folder_of(store))
    axes = study.axes
    shape = study.shape
    data: dict[str, np.ndarray] = {}
    dims: dict[str, tuple[str, ...]] = {}
    lead = tuple(axis.name for axis in axes) or ("point",)
    for axis in axes:
        if axis.name not in axis.columns:
            data[axis.name], dims[axis.name] = np.arange(len(axis)), (axis.name,)
        for name, values in axis.columns.items():
            data[name] = _coordinate(values)
            dims[name] = (axis.name,)
    if not axes:
        data["point"] = np.arange(1)
    coordinates = tuple(data)
    tasks = study.tasks()
    found = [kept.result(task.key) for task in tasks]
    missing = found.count(None)
    if missing == len(found) or (missing and not partial):
        words = "have no result; run the sweep first" + ("" if missing == len(found) else ", or take NaN (partial)")
        raise ModelError("store", str(store), f"{missing} of {len(found)} tasks {words}")
    verbs = COMPUTE[study.compute]
    for n, verb in enumerate(verbs):
        results = found[n :: len(verbs)]
        if any(r is not None for r in results):
            _stack(results, _PREFIX[verb], shape or (1,), lead, coordinates, mean, data, dims)
    constants = tuple(k for k in data if k != lead[0] and (k in coordinates or dims[k][0] != lead[0]))
    record = {"axes": {axis.name: axis.columns for axis in axes}, "compute": study.compute, "seeds": study.seeds}
    return Result(
        kind="study",
        model=study.model,
        parameters=json.loads(as_json(study.fixed)),
        axis=lead[0],
        data=data,
        dims={k: v if k in constants else v[1:] for k, v in dims.items() if k != lead[0]},
        constants=constants,
        meta={
            **json.loads(as_json(record)),
            "tasks": len(found),
            "missing": missing,
            **{k: v for k, v in provenance().items() if k not in VOLATILE},
        },
    )


def _coordinate(values: list[Any]) -> np.ndarray:
    if all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
        return np.array(values)
    return np.array([v if isinstance(v, str) else as_json(v) for v in map(plain, values)])


def _stack(
    results: list[Result | None], prefix: str, shape: tuple[int, ...], lead: tuple[str, ...],
    coordinates: tuple[str, ...], mean: bool, data: dict[str, np.ndarray], dims: dict[str, tuple[str, ...]],
) -> None:  # fmt: skip
    """Put the observables of all results, and the axes that they share, into `data`."""
    first = next(r for r in results if r is not None)
    axis = first.axis
    # A run at one value of a parameter has an axis of length one, of which the axes of the study tell already.
    told = axis in coordinates or axis in model_class(first.model).axes
    single = told and all(len(r[axis]) == 1 for r in results if r is not None)
    same = all(np.array_equal(r[axis], first[axis]) for r in results if r is not None)
    inner = () if single else (axis if same else "step",)
    if not single and same:
        data[axis], dims[axis] = first[axis], (axis,)
    for name in first.data:
        if name == axis and (single or same):
            continue
        own = first.dims.get(name)
        parts: dict[str, tuple[list[Any], tuple[str, ...]]] = {}
        if name == axis or name in first.constants:
            rows = [None if r is None else r[name] for r in results]
            parts[name if name == axis else f"{prefix}_{name}"] = rows, inner if name == axis else (own or ())
        elif first.kind == "simulation" and mean:
            for suffix, value in (("", Result.mean), ("_sem", Result.sem)):
                rows = [None if r is None else _cut(value(r, name), 0, single) for r in results]
                parts[f"{prefix}_{name}{suffix}"] = rows, (*inner, *(own or ()))
        else:
            before = ("replica",) if first.kind == "simulation" else ()
            rows = [None if r is None else _cut(r[name], len(before), single) for r in results]
            parts[f"{prefix}_{name}"] = rows, (*before, *inner, *(own or ()))
        for key, (rows, names) in parts.items():
            stacked = padded(rows)
            rest = stacked.ndim - 1 - len(names)
            names = (*names, *(f"{key}_{i}" for i in range(rest)))
            data[key], dims[key] = stacked.reshape(*shape, *stacked.shape[1:]), (*lead, *names)


def _cut(values: np.ndarray, at: int, single: bool) -> np.ndarray:
    return values.squeeze(axis=at) if single else values
