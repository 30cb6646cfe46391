"""Parameters of a model: one description serves validation, the command line, configuration files and the docs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Hashable, Sequence
from typing import Any, TypeAlias

import numpy as np

from tsphys.errors import ModelError

#: What a parameter with one or two axes may be given as; it is kept as nested tuples.
Row: TypeAlias = Sequence[float] | np.ndarray
Rows: TypeAlias = Sequence[Sequence[float]] | np.ndarray

#: Most students or teachers: the overlaps of more would not fit into memory.
MOST_UNITS = 10_000
#: Largest standard deviation of weights or noise: simulations give up at fields of this size.
LARGEST_SCALE = 1e8


def param(
    default: Any,
    help: str,
    *,
    kind: type = float,
    low: float | None = None,
    high: float | None = None,
    open_low: bool = False,
    open_high: bool = False,
    choices: Sequence[str] | None = None,
    short: str | None = None,
    optional: bool = False,
    shape: int | None = None,
    function: bool = False,
) -> Any:
    """A field of a model's dataclass.

    Parameters
    ----------
    default : object
        Its default; `dataclasses.MISSING` makes it required.
    help : str
        Meaning, with unit or scaling, in one line.
    kind : type
        ``int``, ``float``, ``bool`` or ``str``; with `shape`, the kind of the entries.
    low, high : float, optional
        Bounds, included unless `open_low`, `open_high`.
    choices : sequence of str, optional
        What a string may be.
    short : str, optional
        Its short option on the command line, as in ``-K``.
    optional : bool
        None is allowed, and means what `help` says.
    shape : int, optional
        Number of axes of an array-valued parameter; it is kept as nested tuples so that a model stays hashable.
    function : bool
        A Python function is allowed as well, in the library.
    """
    meta = {
        "help": help,
        "kind": kind,
        "low": low,
        "high": high,
        "open_low": open_low,
        "open_high": open_high,
        "choices": tuple(choices) if choices else None,
        "short": short,
        "optional": optional,
        "shape": shape,
        "function": function,
    }
    return dataclasses.field(default=default, metadata=meta)


def allowed(meta: Any) -> str:
    """What a parameter may be, in words."""
    if meta["choices"]:
        words = "one of " + ", ".join(meta["choices"]) + (", or a function" if meta.get("function") else "")
    elif meta["kind"] is bool:
        words = "true or false"
    else:
        words = {int: "an integer", float: "a finite number", str: "a text"}[meta["kind"]]
        if meta["shape"]:
            words = f"an array with {meta['shape']} axes of finite numbers"
        low, high = meta["low"], meta["high"]
        if low is not None:
            words += f" {'>' if meta['open_low'] else '>='} {low:g}"
        if high is not None:
            words += f"{' and' if low is not None else ''} {'<' if meta['open_high'] else '<='} {high:g}"
    return words + (", or none" if meta["optional"] else "")


def number(
    name: str,
    value: Any,
    *,
    kind: type = float,
    low: float | None = None,
    high: float | None = None,
    open_low: bool = False,
    open_high: bool = False,
    words: str | None = None,
) -> Any:
    """`value` as an int or a finite float within its bounds, or a ModelError that says what is allowed."""
    meta = {"kind": kind, "low": low, "high": high, "open_low": open_low, "open_high": open_high}
    words = words or "must be " + allowed({**meta, "choices": None, "optional": False, "shape": None})
    if isinstance(value, (bool, np.bool_, str, bytes, complex)) or np.ndim(value) != 0:
        raise ModelError(name, value, words)
    try:
        out = float(value)
    except (TypeError, ValueError):
        raise ModelError(name, value, words) from None
    if not math.isfinite(out) or (kind is int and out != math.floor(out)):
        raise ModelError(name, value, words)
    out = int(value) if kind is int else out
    if low is not None and (out < low or (open_low and out == low)):
        raise ModelError(name, value, words)
    if high is not None and (out > high or (open_high and out == high)):
        raise ModelError(name, value, words)
    return out


def array(name: str, value: Any, shape: tuple[int | None, ...], meaning: str = "") -> np.ndarray:
    """`value` as a float64 array of finite numbers with this shape (None: any length), or a ModelError."""
    words = "must be finite numbers of shape " + "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
    words += f", {meaning}" if meaning else ""
    try:
        out = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise ModelError(name, value, words) from None
    if out.ndim != len(shape) or any(n is not None and n != m for n, m in zip(shape, out.shape, strict=True)):
        raise ModelError(name, f"array of shape {out.shape}", words)
    if not np.isfinite(out).all():
        raise ModelError(name, value, words)
    return out


def _coerce(name: str, value: Any, meta: Any) -> Any:
    if value is None:
        if meta["optional"]:
            return None
        raise ModelError(name, value, "must be " + allowed(meta))
    if meta["shape"]:
        try:
            out = np.array(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise ModelError(name, value, "must be " + allowed(meta)) from None
        if out.ndim != meta["shape"] or not np.isfinite(out).all():
            raise ModelError(name, value, "must be " + allowed(meta))
        return _nested(out.tolist())
    if meta["kind"] is bool:
        if not isinstance(value, (bool, np.bool_)):
            raise ModelError(name, value, "must be " + allowed(meta))
        return bool(value)
    if meta["kind"] is str:
        if meta["function"] and callable(value):
            # A NumPy polynomial has no hash, its method has.
            return value if isinstance(value, Hashable) else value.__call__
        if not isinstance(value, str) or (meta["choices"] and value not in meta["choices"]):
            raise ModelError(name, value, "must be " + allowed(meta))
        return value
    keys = ("kind", "low", "high", "open_low", "open_high")
    return number(name, value, words="must be " + allowed(meta), **{k: meta[k] for k in keys})


def _nested(value: Any) -> Any:
    return tuple(_nested(v) for v in value) if isinstance(value, list) else value


def validate(model: Any) -> None:
    """Coerce and check every parameter of a frozen dataclass; called from its ``__post_init__``."""
    for f in dataclasses.fields(model):
        if f.metadata:
            object.__setattr__(model, f.name, _coerce(f.name, getattr(model, f.name), f.metadata))


def parameters(model: Any) -> dict[str, Any]:
    """The model's parameters as plain values, ready for JSON."""
    return {f.name: plain(getattr(model, f.name)) for f in dataclasses.fields(model) if f.metadata}


def plain(value: Any) -> Any:
    """A parameter for JSON: tuples as lists, a function by its name and fingerprint."""
    if callable(value):
        from tsphys.ground.fingerprint import fingerprint

        return f"{getattr(value, '__name__', type(value).__name__)}:{fingerprint(value)}"
    return [plain(v) for v in value] if isinstance(value, tuple) else value
