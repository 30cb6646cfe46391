"""Which function it was: a hash that changes with what a function computes, and not from one process to the next."""

from __future__ import annotations

import dataclasses
import dis
import functools
import hashlib
import sysconfig
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

#: Where the standard library and what is installed stand, and folders of that name elsewhere: of a user, of a system.
_INSTALLED = tuple(sysconfig.get_paths()[key] for key in ("stdlib", "platstdlib", "purelib", "platlib"))
_PACKAGES = {"site-packages", "dist-packages"}


def fingerprint(function: Any) -> str:
    """Twelve digits over the code of a function, of those it calls, and the values that it takes from around it.

    What functions of installed libraries take from around them does not count, nor compiled code, but for its name.
    Other versions of Python compile to other code, and hence give other digits.
    """
    return whole(function)[:12]


def whole(function: Any) -> str:
    """`fingerprint` with all of its 64 digits."""
    return str(_digest(function, {}).hexdigest())


def installed(function: types.FunctionType) -> bool:
    """Whether a function is Python's own or of an installed library."""
    return _is_installed(function.__code__.co_filename)


def of_array(values: Any) -> str:
    """What tells given arrays (patterns, spins, tables of a function) of two runs apart, in sixteen digits."""
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]


def functions(described: Any) -> dict[str, str]:
    """The functions among the fields of a dataclass, by their fingerprints."""
    given = {f.name: getattr(described, f.name) for f in dataclasses.fields(described)}
    return {name: fingerprint(value) for name, value in given.items() if callable(value)}


def _digest(x: Any, seen: dict[int, tuple[int, Any]]) -> Any:
    digest = hashlib.sha256()
    for part in _parts(x, seen):
        digest.update(part + b"\0")
    return digest


def _parts(x: Any, seen: dict[int, tuple[int, Any]]) -> Iterator[bytes]:
    # What Numba compiles, or would if it were not switched off.
    x = getattr(x, "py_func", x)
    if not isinstance(x, types.FunctionType | types.MethodType | functools.partial | type | types.ModuleType):
        # What NumPy's vectorize and caches were made of.
        for name in ("pyfunc", "__wrapped__"):
            x = getattr(x, name, x)
    if isinstance(x, bool | int | float | complex | str | bytes | np.generic | None):
        yield repr(x).encode()
    elif isinstance(x, types.CodeType):
        yield x.co_code
        yield f"{x.co_argcount} {x.co_kwonlyargcount} {' '.join((*x.co_names, *x.co_varnames))}".encode()
        yield getattr(x, "co_exceptiontable", b"")
        for constant in x.co_consts:
            yield from _parts(constant, seen)
    elif isinstance(x, np.ndarray) and not x.dtype.hasobject:
        yield f"{x.dtype} {x.shape}".encode() + np.asarray(x).tobytes()
        if isinstance(x, np.ma.MaskedArray):
            yield np.ma.getmaskarray(x).tobytes()
    elif isinstance(x, set | frozenset):
        yield f"set {len(x)}".encode()
        yield from sorted(_digest(value, dict(seen)).digest() for value in x)
    elif isinstance(x, tuple):
        yield f"tuple {len(x)} {' '.join(getattr(x, '_fields', ()))}".encode()
        for value in x:
            yield from _parts(value, seen)
    elif id(x) in seen:
        yield f"again {seen[id(x)][0]}".encode()
    else:
        # Kept, lest another object gets its address.
        seen[id(x)] = len(seen), x
        inside = _inside(x)
        yield f"{_name(x)} {len(inside)}".encode()
        for value in inside:
            yield from _parts(value, seen)


def _name(x: Any) -> str:
    """Type and, of a function, module or class, its own name; the address of an object is no part of what it is."""
    if isinstance(x, types.FunctionType):
        return "function"
    own = getattr(x, "__name__", "")
    return f"{type(x).__qualname__} {own if isinstance(own, str) else ''}"


def _inside(x: Any) -> list[Any]:
    """What an object is made of, in an order of its own."""
    if isinstance(x, types.FunctionType):
        unset = types.CellType()
        around = [cell.cell_contents for cell in x.__closure__ or () if cell != unset]
        if not installed(x):
            around += [x.__globals__[name] for name in globals_of(x.__code__) if name in x.__globals__]
            # Of what a module of the user's has, and one in it, what may be meant.
            modules = _modules(around)
            for module in modules:
                meant = [vars(module)[name] for name in names_of(x.__code__) if name in vars(module)]
                modules += [more for more in _modules(meant) if more not in modules]
                around += meant
        return [x.__code__, *around, x.__defaults__, x.__kwdefaults__]
    if isinstance(x, types.MethodType):
        return [x.__func__, x.__self__]
    if isinstance(x, functools.partial):
        return [x.func, x.args, x.keywords]
    if isinstance(x, types.BuiltinFunctionType | types.MethodWrapperType):
        return [x.__self__]
    if isinstance(x, dict):
        return [part for item in x.items() for part in item]
    if isinstance(x, list | np.ndarray):
        return list(x) if isinstance(x, list) else [x.shape, x.tolist()]
    if isinstance(x, type | types.ModuleType | np.ufunc):
        return []
    return _state(x)


def _state(x: Any) -> list[Any]:
    """Attributes of an object, but for what it keeps of computed ones, and the methods of its class."""
    kinds = [kind for kind in type(x).__mro__ if kind is not object]
    computed = {name for kind in kinds for name, v in vars(kind).items() if isinstance(v, functools.cached_property)}
    slots = [name for kind in kinds for name in np.atleast_1d(vars(kind).get("__slots__", ())).tolist()]
    names = sorted({*getattr(x, "__dict__", ()), *slots} - computed)
    methods = [v for kind in kinds for v in vars(kind).values() if isinstance(v, types.FunctionType)]
    return [*((name, getattr(x, name)) for name in names if hasattr(x, name)), *methods]


def _modules(around: list[Any]) -> list[types.ModuleType]:
    """Those of the user's."""
    return [x for x in around if isinstance(x, types.ModuleType) and not _of_library(x)]


def _of_library(module: types.ModuleType) -> bool:
    return _is_installed(getattr(module, "__file__", None) or _INSTALLED[0])


def _is_installed(path: str) -> bool:
    return path.startswith(_INSTALLED) or not _PACKAGES.isdisjoint(Path(path).parts)


def names_of(code: types.CodeType) -> list[str]:
    """Names that a code and those inside of it, of comprehensions for instance, look up: around it, or of an object."""
    inner = [name for c in code.co_consts if isinstance(c, types.CodeType) for name in names_of(c)]
    return list(dict.fromkeys([*code.co_names, *inner]))


def globals_of(code: types.CodeType) -> list[str]:
    """Those of them that it looks up around it."""
    found = [x.argval for x in dis.get_instructions(code) if "GLOBAL" in x.opname or x.opname == "LOAD_NAME"]
    inner = [name for c in code.co_consts if isinstance(c, types.CodeType) for name in globals_of(c)]
    return list(dict.fromkeys([*found, *inner]))
