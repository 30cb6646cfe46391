"""Parameters of a model: one description serves validation, the command line, configuration files and the docs."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeAlias

import numpy as np

from tsphys.errors import ModelError

#: What a parameter with one or two axes may be given as; it is kept as nested tuples.
Row: TypeAlias = Sequence[float] | np.ndarray
Rows: TypeAlias = Sequence[Sequence[float]] | np.ndarray

#: What options of many models may be.
ENGINES = ("auto", "direct", "exact", "cuda")
DTYPES = ("float64", "float32")
#: Most students, teachers, noises, or examples of a Gram matrix: overlaps of more would not fit into memory.
MOST_UNITS = 10_000
#: Largest standard deviation of weights or noise: simulations give up at fields of this size.
LARGEST_SCALE = 1e8
#: Integers of the kernels and of the files have 64 bits.
LARGEST_INTEGER = 2**63 - 1
#: Largest number, and inverse of the smallest, of which squares, their sums and ratios are still numbers.
EXTREME = 1e100


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
    shape: int | tuple[int, ...] | None = None,
    function: bool = False,
    array: bool = False,
    check: Callable[[str, Any], Any] | None = None,
) -> Any:
    """A field of a model's dataclass.

    Parameters
    ----------
    default : object
        Its default; `dataclasses.MISSING` makes it required.
    help : str
        Meaning, with unit or scaling, in one line.
    kind : type
        ``int``, ``float``, ``bool``, ``str``, ``list``, ``dict`` or ``object``; with `shape`, the kind of the entries.
    low, high : float, optional
        Bounds, included unless `open_low`, `open_high`.
    choices : sequence of str, optional
        What a string may be.
    short : str, optional
        Its short option on the command line, as in ``-K``.
    optional : bool
        None is allowed, and means what `help` says.
    shape : int or tuple of int, optional
        Number of axes of an array-valued parameter, or what it may be; it is kept as nested tuples so that a model
        stays hashable.
    function : bool
        A Python function is allowed as well, in the library.
    array : bool
        In the place of a word an array is allowed as well, in the library; who takes it checks it.
    check : callable, optional
        ``check(name, value)`` of a list or table, as it is or a ModelError; see `tsphys.ground.times.course`.
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
        "array": array,
        "check": check,
    }
    return dataclasses.field(default=default, metadata=meta)


def handed(help: str, default: Any = None) -> Any:
    """A field that only Python can hand over, as an array or a function; who takes it checks it."""
    return param(default, help, kind=object)


def allowed(meta: Any) -> str:
    """What a parameter may be, in words."""
    if meta["choices"]:
        words = "one of " + ", ".join(meta["choices"]) + (", or a function" if meta.get("function") else "")
        words += ", or an array" if meta.get("array") else ""
    elif meta["kind"] is bool:
        words = "true or false"
    else:
        kinds = {
            int: "an integer",
            float: "a finite number",
            str: "a text",
            list: "increasing numbers",
            dict: "a table",
        }
        words = kinds[meta["kind"]]
        if meta["shape"]:
            words = f"an array with {' or '.join(map(str, axes_of(meta)))} axes of finite numbers"
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
    out = _number(value, kind)
    if out is None:
        raise ModelError(name, value, words)
    if kind is int and abs(out) > LARGEST_INTEGER:
        raise ModelError(name, value, f"{words}, of at most 63 bits")
    if low is not None and (out < low or (open_low and out == low)):
        raise ModelError(name, value, words)
    if high is not None and (out > high or (open_high and out == high)):
        raise ModelError(name, value, words)
    return out


def _number(value: Any, kind: type = float) -> Any:
    """A finite real number, or a whole one, as Python's own; None for anything else, be it only written like one."""
    try:
        if isinstance(value, (bool, str, bytes)) or np.ndim(value) != 0 or np.ma.is_masked(value):
            return None
        if isinstance(value, (np.generic, np.ndarray)) and value.dtype.kind not in "iufO":
            return None
        whole = isinstance(value, (int, np.integer))
        out = int(value) if whole else float(value)
        if kind is int and not whole:
            return int(out) if out == math.floor(out) else None
        # Integers beyond the largest float are none.
        out = out if kind is int else float(out)
    except Exception:
        # Objects of other libraries refuse to be numbers in any way, as tensors that have a gradient do.
        return None
    return out if isinstance(out, int) or math.isfinite(out) else None


def counted(name: str, ratio: float, size: int, what: str) -> int:
    """round(ratio·size), the number of what there is so much of, or a ModelError if that is none, or no number."""
    count = float(ratio) * size
    if not count <= 2**53:
        raise ModelError(name, ratio, f"gives more than 2**53 {what}s at N = {size}")
    if round(count) < 1:
        raise ModelError(name, ratio, f"gives no {what} at N = {size}; at least {1 / size:.3g} does")
    return round(count)


def word(name: str, value: Any, choices: Sequence[str]) -> str:
    """`value` if it is one of the words, or a ModelError."""
    if not isinstance(value, str) or value not in choices:
        raise ModelError(name, value, "must be one of " + ", ".join(choices))
    return value


def numbers(value: Any) -> np.ndarray | None:
    """Finite real numbers as a float64 array of their own, whatever its shape; None for anything else.

    Texts, truth values, dates, masked and complex entries are none, though NumPy would make numbers of them.
    """
    try:
        if np.ma.is_masked(value) or _holds_truths(value):
            return None
        raw = np.asarray(value)
        if raw.dtype.kind == "O":
            found = [_number(v) for v in raw.flat]
            return None if None in found else np.array(found, dtype=np.float64).reshape(raw.shape)
        out = np.array(raw, dtype=np.float64) if raw.dtype.kind in "iuf" else None
    except Exception:
        return None
    return out if out is not None and np.isfinite(out).all() else None


def _holds_truths(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        # Asked of kinds, not of entries: a matrix of ten thousand teachers has 1e8 of them.
        kinds = set(map(type, value))
        within = any(issubclass(kind, (list, tuple)) for kind in kinds)
        return any(issubclass(kind, (bool, np.bool_)) for kind in kinds) or (within and any(map(_holds_truths, value)))
    return isinstance(value, (bool, np.bool_))


def array(name: str, value: Any, shape: tuple[int | None, ...], meaning: str = "") -> np.ndarray:
    """`value` as a float64 array of finite numbers with this shape (None: any length), or a ModelError."""
    words = "must be finite numbers of shape " + "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
    words += f", {meaning}" if meaning else ""
    out = numbers(value)
    if out is None:
        raise ModelError(name, value, words)
    if out.ndim != len(shape) or any(n is not None and n != m for n, m in zip(shape, out.shape, strict=True)):
        raise ModelError(name, f"array of shape {out.shape}", words)
    return out


def _coerce(name: str, value: Any, meta: Any) -> Any:
    if meta["kind"] is object:
        return value
    if value is None:
        if meta["optional"]:
            return None
        raise ModelError(name, value, "must be " + allowed(meta))
    if meta["kind"] in (list, dict):
        return meta["check"](name, value)
    if meta["shape"]:
        out = numbers(value)
        if out is None or out.ndim not in axes_of(meta):
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
        if meta["array"] and not isinstance(value, str):
            return value
        if not isinstance(value, str) or (meta["choices"] and value not in meta["choices"]):
            raise ModelError(name, value, "must be " + allowed(meta))
        return value
    keys = ("kind", "low", "high", "open_low", "open_high")
    return number(name, value, words="must be " + allowed(meta), **{k: meta[k] for k in keys})


def axes_of(meta: Any) -> tuple[int, ...]:
    """How many axes an array may have."""
    return meta["shape"] if isinstance(meta["shape"], tuple) else (meta["shape"],)


def _nested(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return tuple(map(_nested, value)) if value and isinstance(value[0], list) else tuple(value)


def described(kind: Any) -> dict[str, dataclasses.Field[Any]]:
    """The fields of a dataclass, or of one of them, that `param` made, in the order of its signature: name → field."""
    made = {f.name: f for f in dataclasses.fields(kind) if f.metadata}
    return dict(sorted(made.items(), key=lambda item: bool(item[1].kw_only)))


def validate(model: Any, hint: str = "") -> None:
    """Coerce and check every parameter of a frozen dataclass; called from its ``__post_init__``.

    Where a function is given that must be none, `hint` says what to do with it.
    """
    for name, f in described(model).items():
        value = getattr(model, name)
        if hint and callable(value) and not f.metadata["function"]:
            raise ModelError(name, value, f"must be {allowed(f.metadata)}; {hint}")
        object.__setattr__(model, name, _coerce(name, value, f.metadata))


def parameters(model: Any) -> dict[str, Any]:
    """The model's parameters as plain values, ready for JSON."""
    return {name: plain(getattr(model, name)) for name in described(model)}


def plain(value: Any) -> Any:
    """A parameter for JSON: tuples as lists, with names as tables, a function by its name and fingerprint."""
    if callable(value):
        from tsphys.ground.fingerprint import fingerprint

        return f"{getattr(value, '__name__', type(value).__name__)}:{fingerprint(value)}"
    if isinstance(value, tuple) and type(value) is not tuple:
        return {k: plain(v) for k, v in value._asdict().items()}  # type: ignore[attr-defined]
    return [plain(v) for v in value] if isinstance(value, tuple) else value
