"""What of a result is drawn over what: an observable as lines over an axis, or as a map over two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.texts import short
from tsphys.runs.result import Result
from tsphys.symbols import escaped, symbol

#: Most lines of an observable with several entries.
MOST = 256
#: Names of the time in a run.
TIMES = ("t", "step")
#: Matplotlib needs room above for its margins and the distances of its ticks.
LARGEST = 1e300
#: What the results of a study are called by.
PARTS = {"simulation": "simulation_", "theory": "theory_"}


@dataclass(frozen=True)
class Line:
    """An entry of an observable over an axis.

    Parameters
    ----------
    name : str
        In plain text, for data: ``R 1 2``.
    label : str
        As a formula, for legends.
    mean : ndarray
    error : ndarray, optional
        Standard error of the mean.
    index : tuple of int
        Where it lies among the entries.
    twin : bool
        Whether it is the same as one that comes before, as the other half of a symmetric matrix.
    """

    name: str
    label: str
    mean: np.ndarray
    error: np.ndarray | None = None
    index: tuple[int, ...] = ()
    twin: bool = False


@dataclass(frozen=True)
class Curves:
    """The lines of an observable.

    Parameters
    ----------
    kind : {"simulation", "theory"}
    name : str
    over, values
        Name and values of what they are drawn over.
    lines : list of Line
    second : str
        Name of the one axis that they differ in beside; empty for the entries of a matrix.
    seconds : ndarray
        Its values.
    """

    kind: str
    name: str
    over: str
    values: np.ndarray
    lines: list[Line]
    second: str = ""
    seconds: np.ndarray | None = None


def drawable(result: Result) -> list[str]:
    """Names of the observables that can be drawn."""
    return [k for k in result.observables if result[k].size and result[k].dtype.kind in "biuf"]


def offered(result: Result) -> list[str]:
    """The same, with those of a study by their names alone as well, and without their errors."""
    names = drawable(result)
    if result.kind == "study":
        plain = [k.removeprefix(p) for k in names for p in PARTS.values() if k.startswith(p)]
        names = list(dict.fromkeys([*plain, *names]))
    return [k for k in names if not (k.endswith("_sem") and k[:-4] in names)]


def shared(results: Sequence[Result]) -> list[str]:
    """Observables that all results have.

    Raises
    ------
    ModelError
        If there are none.
    """
    names = [k for k in offered(results[0]) if all(k in offered(r) for r in results)]
    if not names:
        raise ModelError("y", None, "must be given: the files have no observable in common")
    return names


def curves(result: Result, name: str, x: str | None = None) -> list[Curves]:
    """An observable of a result as lines over an axis; of a study simulation and theory, where it has both.

    Where a line for each time would be too many, over something else than time, it is the end of the runs that is
    drawn.

    Raises
    ------
    ModelError
        If there is no such observable or axis, or there are too many entries.
    """
    if name not in offered(result):
        names = offered(result)
        raise ModelError("y", name, f"must be one of {', '.join(names)}" if names else "is nothing over an axis")
    if name in drawable(result):
        kind = "simulation" if result.kind == "simulation" or name.startswith(PARTS["simulation"]) else "theory"
        return [_curves(result, name, name, x, kind)]
    parts = {kind: prefix + name for kind, prefix in PARTS.items() if prefix + name in drawable(result)}
    return [_curves(result, stored, name, x, kind) for kind, stored in parts.items()]


def _curves(result: Result, name: str, shown: str, x: str | None, kind: str) -> Curves:
    values, dims = _named(result, name)
    over = x or result.axis
    lines = {k: d[0] for k in result if len(d := _axes_of(result, k)) == 1 and d[0] in dims and d[0] != "replica"}
    if over not in lines or len(result[over]) != values.shape[dims.index(lines[over])]:
        raise ModelError("x", over, "must be one of " + ", ".join(lines))
    error = result[name + "_sem"] if name + "_sem" in drawable(result) else None
    if "replica" in dims:
        values, error, dims = _over_replicas(result, values, dims)
    late = next((d for d in TIMES if d in dims and d != lines[over]), None)
    if late is not None and (result.kind == "study" or values.size > MOST * len(result[over])):
        at = dims.index(late)
        values, error = _last(values, at), None if error is None else _last(error, at)
        dims = dims[:at] + dims[at + 1 :]
    at = dims.index(lines[over])
    for axis, drawn in (("y", values), ("x", result[over])):
        if drawn.dtype.kind == "f" and (np.abs(drawn[np.isfinite(drawn)]) > LARGEST).any():
            raise ModelError(axis, name if axis == "y" else over, f"has values beyond {LARGEST:g}, which none can draw")
    rest, sizes = dims[:at] + dims[at + 1 :], values.shape[:at] + values.shape[at + 1 :]
    if np.prod(sizes) > MOST:
        raise ModelError("y", name, f"has {np.prod(sizes):g} entries at each {over}; at most {MOST} can be drawn")
    square = len(sizes) == 2 and sizes[0] == sizes[1]
    both = np.moveaxis(values, at, 0)
    symmetric = square and np.array_equal(both, both.swapaxes(1, 2), equal_nan=both.dtype.kind in "fc")
    found = []
    for index in np.ndindex(*sizes):
        pick = (*index[:at], slice(None), *index[at:])
        plain, label = _labels(result, name, shown, rest, index)
        twin = symmetric and index[0] > index[1]
        found.append(Line(plain, label, values[pick], None if error is None else error[pick], index, twin))
    second = rest[0] if len(rest) == 1 and _has(result, rest[0]) else ""
    return Curves(kind, shown, over, result[over], found, second, result[second] if second else None)


def ends(result: Result, name: str) -> np.ndarray:
    """An observable of a study over its axes, at the end of the runs, and in the mean over replicas."""
    values, dims = _named(result, name)
    if "replica" in dims:
        values, _, dims = _over_replicas(result, values, dims)
    late = next((d for d in TIMES if d in dims and d != result.axis), None)
    return values if late is None else _last(values, dims.index(late))


def _over_replicas(
    result: Result, values: np.ndarray, dims: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Mean over replicas, its standard error if there are two or more, and the names of the axes that are left."""
    at = dims.index("replica")
    n, left = values.shape[at], dims[:at] + dims[at + 1 :]
    there = _there(result, dims[: at + 1], values.shape[: at + 1])
    with np.errstate(all="ignore"):
        if there.all():
            return values.mean(axis=at), values.std(axis=at, ddof=1) / np.sqrt(n) if n > 1 else None, left
        there = there.reshape(*there.shape, *[1] * (values.ndim - at - 1))
        count = there.sum(axis=at)
        mean = np.where(there, values, 0).sum(axis=at) / count
        apart = np.where(there, values - np.expand_dims(mean, at), 0)
        return mean, np.sqrt((apart**2).sum(axis=at) / (count - 1) / count), left


def _there(result: Result, dims: tuple[str, ...], shape: tuple[int, ...]) -> np.ndarray:
    """Which replicas the points of a study have: those with a number in any observable; fewer are filled up with NaN.

    Of what is NaN in a replica that is there, the mean is NaN, as for a single run.
    """
    if result.kind != "study":
        return np.ones(shape, bool)
    out = np.zeros(shape, bool)
    for name in drawable(result):
        values, own = _named(result, name)
        if own[: len(dims)] == dims and values.shape[: len(dims)] == shape:
            out |= ~np.isnan(values.reshape(*shape, -1)).all(axis=-1)
    return out


def _labels(result: Result, name: str, shown: str, dims: tuple[str, ...], index: tuple[int, ...]) -> tuple[str, str]:
    """Name and formula of an entry: its indices, and the values of what has any."""
    plain, formula = name, symbol(shown, tuple(i for d, i in zip(dims, index) if not _has(result, d)))
    of = []
    for dim, i in zip(dims, index):
        if _has(result, dim) and i < len(result[dim]):
            plain += f", {dim} = {short(result[dim][i])}"
            of.append(f"{symbol(dim)} = {escaped(short(result[dim][i]))}")
        else:
            plain += f" {i + 1}"
    return plain, ", ".join(of if of and len(of) == len(dims) else [formula, *of])


def _has(result: Result, dim: str) -> bool:
    return dim in result and result[dim].ndim == 1


def _named(result: Result, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Values of an entry and the names of all their axes."""
    values = result[name]
    lead: tuple[str, ...] = () if name in result.constants else (result.axis,)
    if result.kind == "simulation" and lead:
        lead = ("replica", *lead)
    own = result.dims.get(name) or tuple(f"{name}_{i}" for i in range(values.ndim - len(lead)))
    return values, (*lead, *own)


def _axes_of(result: Result, name: str) -> tuple[str, ...]:
    return (name,) if name == result.axis else _named(result, name)[1]


def _last(values: np.ndarray, axis: int) -> np.ndarray:
    """The last number along an axis; shorter runs than others end in NaN."""
    steps = np.arange(values.shape[axis]).reshape(-1, *[1] * (values.ndim - axis - 1))
    last = np.where(np.isnan(values), 0, steps).max(axis=axis, keepdims=True)
    return np.take_along_axis(values, last, axis=axis).squeeze(axis=axis)
