"""What a simulation or a theory returns: named arrays over one axis, with all that is needed to make them again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground import html
from tsphys.ground.lines import printable
from tsphys.ground.parameters import number
from tsphys.ground.texts import short
from tsphys.runs import tables
from tsphys.runs.archive import KINDS, read_archive, write_archive
from tsphys.runs.files import check_folder, npz, write_atomically
from tsphys.runs.first_order import FirstOrder

#: From the second on there is a seal over all numbers and the record.
_FORMAT = 2
#: Deepest nesting of a record, with room for what JSON is written and read by.
DEEPEST = 50
#: Names of arrays that NumPy's writer takes for arguments of its own.
RESERVED = {"file", "allow_pickle", "__meta__"}
#: With what the names of the arrays of the first order in 1/N begin in a file.
_FIRST = "__first_order__"
#: What stands beside the arrays.
_RECORD = ("kind", "model", "parameters", "axis", "dims", "constants", "meta")


@dataclass(frozen=True, eq=False)
class Result(Mapping[str, np.ndarray]):
    """Observables of a simulation or a theory.

    ``result["eps_g"]`` has the axes (replica, axis, …) for a simulation and (axis, …) for a theory, where the axis is
    the sequence that was asked for (``t``, ``T``, ``alpha``, …) and is itself an entry.

    Parameters
    ----------
    kind : {"simulation", "theory", "study", "phase diagram", "figure", "benchmark"}
        Where the numbers come from.
    model : str
        Name of the model.
    parameters : dict
        Its parameters.
    axis : str
        Name of the axis; empty for a figure, which has no axis that all of it shares.
    data : dict of str to ndarray
        The axis, and the observables over it.
    dims : dict of str to tuple of str
        Names of the axes of an observable after (replica, axis), for example ``{"R": ("student", "teacher")}``.
    constants : tuple of str
        Entries that do not depend on replica and axis, for example ``T``.
    meta : dict
        Sizes, seed, engine, start, tolerances, versions, revision: whatever JSON can hold.
    first_order : FirstOrder, optional
        The first order in 1/N of a theory that was solved with ``fluctuations=True``; `mean`, `std`, `cov` and `beta`
        read it.
    """

    kind: str
    model: str
    parameters: dict[str, Any]
    axis: str
    data: dict[str, np.ndarray]
    dims: dict[str, tuple[str, ...]] = field(default_factory=dict)
    constants: tuple[str, ...] = ()
    meta: dict[str, Any] = field(default_factory=dict)
    first_order: FirstOrder | None = None

    def __getitem__(self, name: str) -> np.ndarray:
        try:
            return self.data[name]
        except KeyError:
            raise KeyError(f"{name}: this result holds {', '.join(self.data)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{k} {v.shape}" for k, v in self.data.items())
        over = f" over {self.axis}" if self.axis else ""
        gaps = f"; {len(self.gaps)} missing, {self.gaps[0]}" if self.gaps else ""
        return f"<{self.kind} of {self.model}{over}: {shapes}{gaps}>"

    def __eq__(self, other: object) -> bool:
        """Whether every number (NaN equals NaN) and the whole record are the same."""
        if not isinstance(other, Result):
            return NotImplemented
        # As it is saved, where a tuple is a list.
        mine, others = (json.dumps({k: getattr(r, k) for k in _RECORD}, sort_keys=True) for r in (self, other))
        a, b = self._arrays(), other._arrays()
        return mine == others and a.keys() == b.keys() and all(_same(values, b[name]) for name, values in a.items())

    @property
    def observables(self) -> tuple[str, ...]:
        """Names of what depends on the axis."""
        return tuple(k for k in self.data if k != self.axis and k not in self.constants)

    @property
    def replicas(self) -> int | None:
        """Number of replicas; None for a theory."""
        return self.meta.get("replicas") if self.kind == "simulation" else None

    @property
    def gaps(self) -> tuple[str, ...]:
        """Why points of a partial result have no numbers, a line each."""
        return tuple(self.meta.get("gaps", ()))

    def mean(self, name: str, N: float | None = None) -> np.ndarray:
        """Mean over replicas, shape (axis, …); what has no replicas (a theory, the axis, a constant) as it is.

        Of a theory at a size, which is that of `at_size` if N is not given: what it foretells of this mean, y + m/N.
        """
        if self._over_replicas(name):
            with np.errstate(all="ignore"):
                return self[name].mean(axis=0)
        known, size = self._finite(name, N)
        if known is None:
            return self[name]
        return self[name] + known.shift(name, self[self.axis], size).reshape(self[name].shape)

    def sem(self, name: str) -> np.ndarray:
        """Standard error of the mean over replicas, shape (axis, …).

        Of a theory by sample paths, the error that it knows of itself; else zero for what has no replicas, NaN for a
        single replica, whose error nothing tells.
        """
        if not self._over_replicas(name):
            return np.zeros(self[name].shape) + np.array(self.meta.get("sem", {}).get(name, 0.0))
        return self.std(name) / np.sqrt(len(self[name]))

    def std(self, name: str, N: float | None = None) -> np.ndarray:
        """Standard deviation over replicas (n − 1), shape (axis, …); zero for what has no replicas.

        Of a theory at a size: what it foretells of a single run, √(C/N + V/N²).
        """
        if self._over_replicas(name):
            if len(self[name]) < 2:
                return np.full(self[name].shape[1:], np.nan)
            # Of diverging runs some are not numbers; then these are not either.
            with np.errstate(all="ignore"):
                return self[name].std(axis=0, ddof=1)
        known, size = self._finite(name, N)
        if known is None:
            return np.zeros(self[name].shape)
        return np.sqrt(known.variance(name, size)).reshape(self[name].shape)

    def cov(self, name: str, other: str, N: float | None = None) -> np.ndarray:
        """Covariance of two observables at the same time over replicas (n − 1), shape (axis, …, …).

        Of a theory at a size: what it foretells of single runs, C/N.

        Raises
        ------
        ModelError
            For a theory without its first order in 1/N.
        """
        if self._over_replicas(name):
            a, b = (self[k].reshape(*self[k].shape[:2], -1) for k in (name, other))
            out = np.einsum("rta,rtb->tab", a - a.mean(axis=0), b - b.mean(axis=0)) / (len(a) - 1)
        else:
            known, size = self.known_at(N)
            out = known.cov[:, known.columns(name), known.columns(other)] / size
        return out.reshape(len(out), *self.mean(name).shape[1:], *self.mean(other).shape[1:])

    def at_size(self, N: float) -> Result:
        """This theory with N as the size of `mean`, `std`, `cov` and `beta`; nothing is solved again.

        Raises
        ------
        ModelError
            If it has no first order in 1/N.
        """
        return replace(self, meta={**self.meta, "size": self.known_at(N)[1]})

    def beta(self, N: float | None = None) -> np.ndarray:
        """How far a theory is beyond its first order in 1/N: the largest bias until then, in deviations, (axis,).

        Above ¼ a size is too small, and remains so. The error of the variances is about 6β² + 10/N, that of the means
        β² + 10/N^(3/2) standard deviations of a run.
        """
        known, size = self.known_at(N)
        return known.beta(self[self.axis], size)

    def known_at(self, N: float | None = None) -> tuple[FirstOrder, float]:
        """The first order in 1/N, and the size at which it is looked at.

        Raises
        ------
        ModelError
            If the theory has none, or the size is not known.
        """
        size = self.meta.get("size") if N is None else N
        if self.first_order is None:
            raise ModelError("N", size, "needs a theory that was solved with fluctuations=True")
        return self.first_order, number("N", size, low=1, words="must be a size, a number >= 1")

    def _finite(self, name: str, N: float | None) -> tuple[FirstOrder | None, float]:
        """The same for one observable; None where no size is meant, or it is not known of the observable."""
        if (self.first_order is None and N is None) or (N is None and "size" not in self.meta):
            return None, 0.0
        known, size = self.known_at(N)
        return (known if name in known else None), size

    def _over_replicas(self, name: str) -> bool:
        return self.kind == "simulation" and name in self.observables

    def _arrays(self) -> dict[str, np.ndarray]:
        """All arrays by the names that they have in a file."""
        known = {} if self.first_order is None else self.first_order.arrays()
        return {**self.data, **{_FIRST + name: values for name, values in known.items()}}

    def save(self, path: str | os.PathLike[str], *, force: bool = True) -> Path:
        """Write ``.npz`` with a JSON record, atomically: the file is whole or not there.

        Parameters
        ----------
        path : path-like
            The file; it gets the suffix ``.npz`` if it has none.
        force : bool
            Replace a file that exists; if not, the last moment decides, so that no file is replaced that another
            process has written meanwhile. This one then stands beside it, and the error says under which name.

        Raises
        ------
        ModelError
            If the folder does not exist or cannot be written, or the file exists and `force` is false.
        """
        path = npz(path)
        check_folder(path)
        if path.exists() and not force:
            raise ModelError("output", str(path), "exists; use force to replace it")
        return write_atomically(path, self.write, replace=force)

    def write(self, file: IO[bytes]) -> None:
        """Write what `save` writes into an open file; the same result gives the same bytes.

        Raises
        ------
        ModelError
            If it could not be read again: its arrays do not fit its axis, or its record is not for JSON.
        """
        data = {name: np.asarray(values) for name, values in self._arrays().items()}
        try:
            record = json.loads(json.dumps({"format": _FORMAT, **{k: getattr(self, k) for k in _RECORD}}))
            _check(record, data)
        except (TypeError, ValueError, RecursionError) as error:
            raise ModelError("result", self.kind, f"cannot be written: {error}") from None
        write_archive(file, record, data)

    def plot(self, *observables: str, x: str | None = None, log: str = "auto") -> Any:
        """A picture of it, see `tsphys.plot`."""
        # Pictures stand on a floor above this one.
        return import_module("tsphys.picture").plot(self, *observables, x=x, log=log)

    def model_object(self) -> Any:
        """The model, as it was simulated or solved.

        Raises
        ------
        ModelError
            If it had functions of the user's own, or more than a file keeps.
        """
        # So does the catalogue.
        return import_module("tsphys.registry").model_of(self.model, self.parameters)

    def to_csv(self, path: str | os.PathLike[str], *, force: bool = True) -> Path:
        """Write a table, see `to_dataframe`, as comma-separated values; whole or not there.

        Raises
        ------
        ModelError
            If the result has no axis, the folder cannot be written, or the file exists and `force` is false.
        """
        path = Path(path)
        text = tables.csv(tables.columns(self))
        check_folder(path)
        return write_atomically(path, lambda file: file.write(text.encode()) and None, replace=force)

    def to_dataframe(self) -> Any:
        """As a ``pandas.DataFrame`` (the extra ``pandas``): a row for each point of the axis, which is the index.

        Of a simulation the index is (replica, axis). Entries of a matrix are columns, ``R_12``; constants are left out,
        parameters and record are in ``attrs``.

        Raises
        ------
        ModelError
            If the result has no axis.
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError("to_dataframe needs pandas: pip install 'tsphys[pandas]'") from error
        data = tables.columns(self)
        frame = pandas.DataFrame(data).set_index([k for k in ("replica", self.axis) if k in data])
        frame.attrs = {"kind": self.kind, "model": self.model, "parameters": self.parameters, "meta": self.meta}
        return frame

    def _repr_html_(self) -> str:
        rows = {}
        if self.axis:
            values = self[self.axis]
            rows["over"] = html.text(
                f"{self.axis}, {len(values)} points from {short(values[0])} to {short(values[-1])}"
            )
        told = [f"{k} = {v}" for k, v in self.parameters.items() if v is not None]
        rows["parameters"] = html.text(", ".join(told)[:400])
        ran = [f"{k} = {self.meta[k]}" for k in ("N", "replicas", "engine", "seed") if k in self.meta]
        if ran:
            rows["run"] = html.text(", ".join(ran))
        for name in self.observables[:8]:
            values, shape = self.mean(name), ""
            if values.ndim > 1:
                shape = html.text(" × ".join(map(str, values.shape[1:])))
            line = html.sparkline(values.tolist()) if values.ndim == 1 and values.dtype.kind in "iuf" else shape
            rows[name] = line or html.text(values.dtype)
        if self.gaps:
            rows["missing"] = html.text(f"{len(self.gaps)}: {self.gaps[0]}")
        return html.table(f"{self.kind} of {self.model}", rows)

    def to_xarray(self) -> Any:
        """As an ``xarray.Dataset`` with named axes, parameters and record as attributes (the extra ``xarray``)."""
        try:
            import xarray
        except ImportError as error:
            raise ImportError("to_xarray needs xarray: pip install 'tsphys[xarray]'") from error
        lead = ("replica", self.axis) if self.kind == "simulation" else (self.axis,)
        coordinates = {self.axis: self.data[self.axis]} if self.axis else {}
        entries = {}
        for name, values in self.data.items():
            if name == self.axis or values.size == 0:
                continue
            before = () if name in self.constants else lead
            rest = values.ndim - len(before)
            own = self.dims.get(name) or tuple(f"{name}_{i}" for i in range(rest))
            entries[name] = ((*before, *own), values)
        attributes = {
            "kind": self.kind,
            "model": self.model,
            "parameters": json.dumps(self.parameters),
            "meta": json.dumps(self.meta),
        }
        return xarray.Dataset(entries, coords=coordinates, attrs=attributes)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return np.array_equal(a, b, equal_nan={a.dtype.kind, b.dtype.kind} <= set("fciub"))


def load(path: str | os.PathLike[str]) -> Result:
    """Read what `Result.save` wrote; nothing in the file is executed.

    Raises
    ------
    ModelError
        If the file is missing, truncated, damaged or not a result of tsphys.

    Examples
    --------
    >>> import tsphys
    >>> theory = tsphys.solve(tsphys.Hopfield(T=0.3), alpha=[0.01, 0.05])
    >>> path = theory.save("theory.npz")
    >>> tsphys.load("theory.npz").parameters["T"]
    0.3
    """
    path = Path(path)
    try:
        # A pipe would be waited for.
        if not path.is_file():
            raise ModelError("file", str(path), "is not a file" if path.exists() else "does not exist")
        with path.open("rb") as file:
            return read(file, path)
    except OSError as error:
        raise ModelError("file", str(path), f"cannot be read ({error.strerror})") from None


def read(file: IO[bytes], path: Path) -> Result:
    """Read an open file, see `load`; `path` is what it is called."""
    try:
        record, data = read_archive(file, sealed=2)
        if type(record["format"]) is not int or not 1 <= record.pop("format") <= _FORMAT:
            raise ModelError("file", str(path), f"has another format than {_FORMAT}; use the version that wrote it")
        _check(record, data)
    except (ModelError, OSError):
        raise
    except Exception as error:
        # Files of strangers fail in any way: those of zlib, zipfile, NumPy and JSON, deep recursion, no memory.
        why = printable(" ".join(str(error).split()))[:100] or type(error).__name__
        words = f"is not a whole result of tsphys (truncated, damaged or another format): {why}"
        raise ModelError("file", str(path), words) from error
    dims = {name: tuple(own) for name, own in record.pop("dims").items()}
    own, known = _apart(data)
    first_order = FirstOrder(**known) if known else None
    return Result(data=own, dims=dims, constants=tuple(record.pop("constants")), first_order=first_order, **record)


def _apart(data: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The arrays of a file that are data, and those of the first order in 1/N."""
    known = {name.removeprefix(_FIRST): values for name, values in data.items() if name.startswith(_FIRST)}
    return {name: values for name, values in data.items() if not name.startswith(_FIRST)}, known


def _check(record: Mapping[str, Any], data: Mapping[str, np.ndarray]) -> None:
    """Raise a ValueError unless record and arrays are those of a Result, as all that uses one takes for granted."""
    data, known = _apart(data)
    if {*record} - {"format"} != {*_RECORD} or _deeper(record, DEEPEST):
        raise ValueError("the record must have all of its entries, and no more")
    axis, dims, constants = record["axis"], record["dims"], record["constants"]
    if not all(isinstance(record[k], dict) for k in ("parameters", "dims", "meta")):
        raise ValueError("parameters, dims and meta must be tables")
    if not all(isinstance(names, list) for names in (constants, *dims.values())):
        raise ValueError("constants and dims must be lists of names")
    gaps = record["meta"].get("gaps", [])
    if not isinstance(gaps, list) or not all(isinstance(why, str) and why.isprintable() for why in gaps):
        raise ValueError("gaps must be told by a line each")
    names = [record["kind"], record["model"], *data, *constants, *dims, *(k for own in dims.values() for k in own)]
    if not all(isinstance(name, str) and name and name.isprintable() for name in (*names, axis or "none")):
        raise ValueError("kind, model, axis and names must be texts that can be printed")
    if {*data} & RESERVED or {*constants} - {*data} or ({*data} - {*constants} if axis == "" else axis not in data):
        raise ValueError(f"the axis and constants must be among the data, none of which is called {RESERVED}")
    if axis and (data[axis].ndim != 1 or not len(data[axis])):
        raise ValueError("the axis must have one dimension and a length")
    over = ("replica", axis) if record["kind"] == "simulation" else (axis,)
    sizes = {axis: len(data[axis])} if axis else {}
    for name, values in data.items():
        lead, shape = () if name == axis or name in constants else over, values.shape
        if values.dtype.kind not in KINDS or (values.dtype.kind == "U" and "replica" in lead):
            raise ValueError(f"{name} must be numbers")
        if len(shape) < len(lead) or len(dims.get(name, shape[len(lead) :])) != len(shape) - len(lead):
            raise ValueError(f"{name} must have the axes that it is said to have")
        if any(n == 0 or n != sizes.setdefault(k, n) for k, n in zip(lead, shape)):
            raise ValueError(f"{name} must be as long as the others over {' and '.join(lead)}")
    if known and data[axis].dtype.kind != "f":
        raise ValueError("the axis of a first order in 1/N must be of numbers")
    if known:
        FirstOrder(**known).check({k: v for k, v in data.items() if k not in (axis, *constants)}, len(data[axis]))


def _deeper(value: Any, depth: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return depth == 0 or any(_deeper(v, depth - 1) for v in inside)
