"""What a user hands in: functions, called with arrays of their own, and files; what goes wrong in them is one line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tsphys.errors import ModelError


def table(name: str, path: Path) -> np.ndarray:
    """The numbers of a .npy, .csv or .txt file, or a ModelError."""
    try:
        if path.suffix == ".npy":
            return np.load(path, allow_pickle=False)
        return np.loadtxt(path, delimiter="," if path.suffix == ".csv" else None)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else " ".join(str(error).split())[:100]
        raise ModelError(name, str(path), f"must be a file of numbers that can be read ({why})") from None


def first_line(error: BaseException) -> str:
    """Kind and text of an error, on one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def takes(name: str, function: Any, *arguments: str) -> None:
    """Raise a ModelError unless `function` can be called with so many positional arguments."""
    words = f"must be a function of ({', '.join(arguments)})"
    if not callable(function):
        raise ModelError(name, function, words)
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError as error:
        raise ModelError(name, function, f"{words} ({error})") from None
    except ValueError:  # Built-in functions may have no signature.
        pass


def call(name: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a user's function returns, called with copies of the arrays, which it may change.

    Raises
    ------
    ModelError
        Whatever it raises, with the error itself as its cause.
    """
    try:
        return function(*(np.array(a) if isinstance(a, np.ndarray) else a for a in arguments))
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(name, function, f"must not fail, as it did with {first_line(error)}") from error


def real(name: str, function: Callable[..., Any], *arguments: Any) -> float:
    """The finite real number that a user's function returns, or a ModelError."""
    value = call(name, function, *arguments)
    out = _array(value)
    if out.ndim == 0 and out.dtype.kind in "fiub" and np.isfinite(out):
        return float(out)
    raise ModelError(name, function, f"must return a finite number, and returned {in_words(value)}")


def reals(name: str, function: Callable[..., Any], shape: tuple[int, ...], *arguments: Any) -> np.ndarray:
    """The array of finite real numbers of this shape that a user's function returns, or a ModelError."""
    value = call(name, function, *arguments)
    out = _array(value)
    if out.shape == shape and out.dtype.kind in "fiub" and np.isfinite(out).all():
        return out
    raise ModelError(name, function, f"must return finite numbers of shape {shape}, and returned {in_words(value)}")


def _array(value: Any) -> np.ndarray:
    """As NumPy has it; of objects where it has none, whatever they refuse it with."""
    try:
        return np.asarray(value)
    except Exception:
        return np.asarray(None)


def in_words(value: Any) -> str:
    """What a function returned, in a few words."""
    if isinstance(value, np.ndarray) and value.ndim:
        strange = "" if value.dtype.kind not in "fc" or np.isfinite(value).all() else ", not all finite"
        return f"{value.dtype} of shape {value.shape}{strange}"
    try:
        shown = " ".join(repr(value).split())
    except Exception:
        shown = type(value).__name__
    return shown if len(shown) <= 40 else f"{shown[:37]}..."
