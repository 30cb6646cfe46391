"""A user's function together with the functions of theirs that it calls, compiled along or as plain Python."""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from tsphys._jit import known, njit, options_of
from tsphys.errors import ModelError
from tsphys.ground.fingerprint import fingerprint

Make = Callable[[Any, dict[str, Any]], Any]


def compiled(name: str, function: Any) -> Any:
    """`function` compiled in memory, its helpers too, however deep; the same twice as long as it computes the same.

    Raises
    ------
    ModelError
        If it is no Python function.
    """
    if not isinstance(function, types.FunctionType):
        raise ModelError(
            name, function, "must be a Python function; what it wants beside its arguments goes into params"
        )
    return _compiled(function, fingerprint(function))


@lru_cache(maxsize=256)
def _compiled(function: Any, what: str) -> Any:
    return _remade(function, {}, lambda copy, options: njit(cached=False, **options)(copy))


@lru_cache(maxsize=256)
def interpreted(function: Any) -> Any:
    """A compiled function and its helpers as plain Python, where NumPy checks bounds."""
    return _remade(function, {}, lambda copy, options: copy)


def call_compiled(name: str, function: Any, *arguments: Any) -> None:
    """Call a compiled function, or a ModelError that says why it cannot be."""
    try:
        function(*arguments)
    except ArithmeticError:  # Where Numba is switched off.
        return
    except Exception as error:
        raise ModelError(name, function, f"must be Python that Numba compiles, which says: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """What Numba says, without where in its pipeline it says so."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith(("Failed in", "File ", "During:", "Overload", "There are"))]
    at = next((i for i, line in enumerate(said) if line.endswith("found for signature:")), None)
    words = said[0] if at is None else f"{said[at]} {' '.join(said[at + 1 : at + 2])}"
    return words if len(words) <= 200 else f"{words[:197]}..."


def _is_helper(x: Any) -> bool:
    return isinstance(getattr(x, "py_func", x), types.FunctionType) and not known(x)


def _names(code: types.CodeType) -> set[str]:
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _remade(function: Any, made: dict[Any, Any], make: Make) -> Any:
    """A copy of `function` that calls copies of its helpers, each as ``make(copy, options)`` gives it."""
    if function in made:
        return made[function]
    plain = getattr(function, "py_func", function)
    names: dict[str, Any] = dict(plain.__globals__)
    closure = plain.__closure__ or ()
    cells = tuple(types.CellType() for _ in closure)
    copy = types.FunctionType(plain.__code__, names, plain.__name__, plain.__defaults__, cells)
    for name in ("__kwdefaults__", "__qualname__", "__module__", "__doc__"):
        setattr(copy, name, getattr(plain, name))
    # Before its helpers, which may call it in turn.
    made[function] = out = make(copy, options_of(function))

    called = _names(plain.__code__)

    def replaced(x: Any) -> Any:
        if not isinstance(x, types.ModuleType):
            return _remade(x, made, make) if _is_helper(x) else x
        theirs = {k: replaced(v) for k, v in vars(x).items() if k in called and _is_helper(v)}
        if not theirs:
            return x
        own = types.ModuleType(x.__name__)
        own.__dict__.update({**vars(x), **theirs})
        return own

    for cell, given in zip(cells, closure, strict=True):
        try:
            cell.cell_contents = replaced(given.cell_contents)
        except ValueError:  # A name without a value yet.
            continue
    for name in called & names.keys():
        names[name] = replaced(names[name])
    return out
