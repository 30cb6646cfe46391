"""A user's function together with the functions of theirs that it calls, compiled along or as plain Python."""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from tsphys._jit import OF_USER, known, njit, options_of
from tsphys.errors import ModelError
from tsphys.ground.fingerprint import fingerprint, globals_of, installed, names_of, whole

Make = Callable[[Any, dict[str, Any]], Any]

#: Of an array that a function takes from around it and that is kept in its code.
MOST_BYTES = 100_000
#: What has no state.
LASTING = types.ModuleType | types.FunctionType | types.BuiltinFunctionType | type | np.ufunc


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
    reached = []

    def make(copy: Any, options: dict[str, Any]) -> Any:
        reached.append((copy, options))
        return njit(cached=False, **options)(copy)

    out = _remade(function, {}, make)
    if all(_told(copy) and not any(options.values()) for copy, options in reached):
        # Of kernels that are compiled with it, on disk.
        out.identity = f"{OF_USER}{whole(function)[:24]}"
    return out


def _told(function: types.FunctionType) -> bool:
    """Whether the fingerprint tells all that the compiled function depends on, but for versions of Numba and Python."""
    around = [function.__globals__[name] for name in globals_of(function.__code__) if name in function.__globals__]
    around += [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    for cell in function.__closure__ or ():
        try:
            around.append(cell.cell_contents)
        except ValueError:
            return False
    modules = [x for x in around if isinstance(x, types.ModuleType) and not _lasting(x)]
    rest = [x for x in around if not isinstance(x, types.ModuleType) or _lasting(x)]
    rest += [vars(module)[name] for module in modules for name in names_of(function.__code__) if name in vars(module)]
    return not installed(function) and all(map(_constant, rest))


def _constant(x: Any) -> bool:
    if type(x) is tuple:
        return all(map(_constant, x))
    if isinstance(x, np.ndarray):
        # Larger ones Numba leaves where they are, and cannot keep.
        return not x.dtype.hasobject and x.nbytes <= MOST_BYTES
    if isinstance(x, bool | int | float | complex | str | np.generic | None):
        return True
    return (hasattr(x, "py_func") and not known(x)) or _lasting(x)


def _lasting(x: Any) -> bool:
    """Whether it is a module, function or class of ours, NumPy's, Numba's or Python's, whose changes the cache sees."""
    if not hasattr(x, "py_func") and not isinstance(x, LASTING):
        return False
    of = x.__name__ if isinstance(x, types.ModuleType) else getattr(x, "__module__", None) or ""
    return of.partition(".")[0] in ("tsphys", "numpy", "numba", "math", "cmath", "builtins")


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

    called = set(names_of(plain.__code__))

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
