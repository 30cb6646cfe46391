"""Which function it was: a hash that changes with what a function computes, and not from one process to the next."""

from __future__ import annotations

import dataclasses
import hashlib
import types
from collections.abc import Iterator
from typing import Any

import numpy as np


def fingerprint(function: Any) -> str:
    """Twelve digits over the code of a function, of those it calls, and the values that it takes from around it.

    Other versions of Python compile to other code, and hence give other digits.
    """
    digest = hashlib.sha256()
    for part in _parts(function, set()):
        digest.update(part + b"\0")
    return digest.hexdigest()[:12]


def functions(described: Any) -> dict[str, str]:
    """The functions among the fields of a dataclass, by their fingerprints."""
    given = {f.name: getattr(described, f.name) for f in dataclasses.fields(described)}
    return {name: fingerprint(value) for name, value in given.items() if callable(value)}


def _parts(x: Any, seen: set[int]) -> Iterator[bytes]:
    x = getattr(x, "py_func", x)
    if isinstance(x, types.CodeType):
        yield x.co_code
        yield " ".join((*x.co_names, *x.co_varnames)).encode()
        for constant in x.co_consts:
            yield from _parts(constant, seen)
    elif isinstance(x, types.FunctionType):
        if id(x) in seen:
            return
        seen.add(id(x))
        yield from _parts(x.__code__, seen)
        around = [cell.cell_contents for cell in x.__closure__ or ()]
        around += [x.__globals__[name] for name in x.__code__.co_names if name in x.__globals__]
        for value in (*around, *(x.__defaults__ or ())):
            yield from _parts(value, seen)
    elif isinstance(x, np.ndarray):
        yield f"{x.dtype} {x.shape}".encode() + x.tobytes()
    elif isinstance(x, tuple | list | frozenset):
        for value in sorted(x, key=repr) if isinstance(x, frozenset) else x:
            yield from _parts(value, seen)
    elif isinstance(x, bool | int | float | complex | str | bytes | np.generic | None):
        yield repr(x).encode()
    else:
        # An object's address is no part of what it is; a module or class is known by its name.
        yield f"{type(x).__qualname__} {getattr(x, '__name__', '')}".encode()
