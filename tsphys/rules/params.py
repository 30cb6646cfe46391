"""The parameters of a rule, which a kernel sees as ``p``: numbers and arrays by their names, or numbers in a row."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import array, numbers

#: What they may be given as; those with names are kept as a NamedTuple, and arrays as nested tuples.
Params: TypeAlias = Mapping[str, Any] | Sequence[Any] | np.ndarray

_WORDS = "must be a table or NamedTuple of finite numbers and arrays, or finite numbers in a row"
_MADE = "Parameters,"


@cache
def _class(names: tuple[str, ...]) -> Any:
    """The one class for these names: kernels are compiled for a class."""
    made: Any = namedtuple("Parameters", names)  # type: ignore[misc]
    # By this name other processes, and Numba's cache, find it again.
    made.__qualname__, made.__module__ = _MADE + ",".join(names), __name__
    return made


def __getattr__(name: str) -> Any:
    if not name.startswith(_MADE):
        raise AttributeError(name)
    return _class(tuple(name.removeprefix(_MADE).split(",")))


def _whole(params: Any) -> set[str]:
    """Fields that are integers, as the class says, whose other hints may be names that only its own module knows."""
    hints = {k: v for cls in reversed(type(params).__mro__) for k, v in getattr(cls, "__annotations__", {}).items()}
    return {name for name, hint in hints.items() if hint is int or getattr(hint, "__forward_arg__", hint) == "int"}


def _nested(value: Any) -> Any:
    return tuple(_nested(v) for v in value) if isinstance(value, list) else value


def named(params: Any) -> bool:
    """Whether they have names."""
    return isinstance(params, tuple) and hasattr(params, "_fields")


def names(params: Any) -> tuple[str, ...]:
    """Names of parameters; none if they have none."""
    return params._fields if named(params) else ()


def kept(name: str, value: Any) -> Any:
    """Parameters as they are kept, hashable: a NamedTuple of numbers and nested tuples, or a tuple of floats.

    Raises
    ------
    ModelError
        If one is no finite number, or no array of them, or a name is none for Python.
    """
    if isinstance(value, Mapping):
        try:
            value = _class(tuple(value))(*value.values()) if value else ()
        except (ValueError, TypeError) as error:
            raise ModelError(name, list(value), f"must have names of Python's kind ({error})") from None
    if not named(value):
        row = numbers(value)
        if row is None or row.ndim != 1:
            raise ModelError(name, value, _WORDS)
        return tuple(row.tolist())
    out, whole = [], _whole(value)
    for key, given in value._asdict().items():
        x = numbers(given)
        if x is None or (key in whole and (x.ndim or x != np.rint(x))):
            raise ModelError(f"{name}.{key}", given, "must be a finite number, or an array of them")
        out.append(int(x) if key in whole else _nested(x.tolist()))
    return value._make(out)


def changed(params: Any, new: Any) -> Any:
    """`params` with the values of `new`: as many in a row, or, of those with names, a table of some of them.

    Raises
    ------
    ModelError
        If there are others, or they have other shapes.
    """
    if isinstance(new, Mapping) and not new:
        return params
    if not named(params):
        return tuple(array("params", new, (len(params),), "as many as the rule has").tolist())
    if isinstance(new, Mapping):
        if not new.keys() <= {*params._fields}:
            raise ModelError("params", list(new), f"must be some of {', '.join(params._fields)}")
        new = params._replace(**new)
    elif not named(new) and np.iterable(new) and len(row := [*new]) == len(params):
        new = params._make(row)
    if type(new) is not type(params):
        raise ModelError("params", new, f"must be {', '.join(params._fields)}, as the rule has")
    out = kept("params", new)
    for key, a, b in zip(params._fields, params, out, strict=True):
        if np.shape(a) != np.shape(b):
            raise ModelError(f"params.{key}", b, f"must have the shape {np.shape(a)}, as the rule has it")
    return out


def same(a: Any, b: Any) -> bool:
    """Whether two that were given have the same names and equal values."""
    one, other = (x._asdict() if named(x) else x if isinstance(x, Mapping) else dict(enumerate(x)) for x in (a, b))
    return one.keys() == other.keys() and all(np.array_equal(x, other[name]) for name, x in one.items())


def seen(params: Any) -> Any:
    """Parameters as a kernel sees them: a NamedTuple of numbers and arrays, or an array of their own."""
    if not named(params):
        return np.array(params, dtype=np.float64)
    return params._make(np.array(x, dtype=np.float64) if isinstance(x, tuple) else x for x in params)
