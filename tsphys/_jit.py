"""Every Numba option in one place, and a cache that is right.

Numba stamps a cached kernel with the hash of the one file that holds it, so a kernel keeps a stale inlined copy of a
helper from another file (numba#1833, #9304, #9483). Here the stamp is a hash over all our sources. Where no cache can
be written Numba raises (numba#4032); here the kernel is compiled in memory, with one warning.
"""

from __future__ import annotations

import hashlib
import types
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, overload

import numba
from numba.core.caching import (  # type: ignore[attr-defined]
    CacheImpl,
    InTreeCacheLocator,
    UserProvidedCacheLocator,
    UserWideCacheLocator,
)

F = TypeVar("F", bound=Callable[..., Any])

_HERE = Path(__file__).resolve().parent
_ROOTS = tuple(
    dict.fromkeys(p.resolve() for p in (_HERE, *(_HERE / r for r in ("sims", "odes", "replica", "figures"))) if p.exists())
)

#: Reductions may be reordered and contracted; NaN and infinity keep their meaning, so that divergence is seen.
FAST = frozenset({"contract", "reassoc", "nsz"})


@cache
def source_hash() -> str:
    """One SHA-256 over every source file that a kernel could inline."""
    digest = hashlib.sha256()
    for root in _ROOTS:
        for file in sorted(root.rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _stamped(locator: Any) -> Any:
    """`locator`, for our files only, stale as soon as any of our files changes."""

    class Stamped(locator):
        def get_source_stamp(self) -> str:
            return source_hash()

        @classmethod
        def from_function(cls, py_func: Any, py_file: str) -> Any:
            ours = any(root in Path(py_file).resolve().parents for root in _ROOTS)
            return super().from_function(py_func, py_file) if ours else None

    return Stamped


CacheImpl._locator_classes[:0] = [
    _stamped(c) for c in (UserProvidedCacheLocator, InTreeCacheLocator, UserWideCacheLocator)
]

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


@cache
def _warn_uncached() -> None:
    warnings.warn(
        "no folder for Numba's cache can be written, kernels are compiled anew in each process; "
        "set NUMBA_CACHE_DIR to a writable folder",
        stacklevel=4,
    )


@overload
def njit(func: F, /) -> F: ...
@overload
def njit(*, fast: bool = ..., cached: bool = ..., **options: Any) -> Callable[[F], F]: ...
def njit(func: Any = None, /, *, fast: bool = False, cached: bool = True, **options: Any) -> Any:
    """`numba.njit` without the GIL, with NumPy's division, cached where a cache can be written.

    Parameters
    ----------
    fast : bool
        Let LLVM reorder and contract floating-point sums (`FAST`); never lets it assume away NaN.
    cached : bool
        Keep the machine code on disk.
    options
        Passed on to `numba.njit`.
    """
    options = {**_OPTIONS, **options}
    if fast:
        options["fastmath"] = set(FAST)

    def wrap(f: Any) -> Any:
        if not cached:
            return numba.njit(**options)(f)
        try:
            return numba.njit(cache=True, **options)(f)
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
            _warn_uncached()
            return numba.njit(**options)(f)

    return wrap if func is None else wrap(func)


def rebind(kernel: Any, replace: dict[Any, Any], compiler: Callable[[Any], Any]) -> Any:
    """`kernel` compiled anew, with some of the functions that it calls, however deep, replaced.

    This is how a rule written in analysis code gets into our kernels, and how a CPU kernel becomes a device function:
    the body stays written once.

    Parameters
    ----------
    kernel : function or dispatcher
        The body; globals that are jitted functions of ours are followed.
    replace : dict
        Jitted function -> what to call in its place.
    compiler : callable
        Compiles a plain function, for example ``njit(cached=False)``.
    """
    plain = getattr(kernel, "py_func", kernel)
    names = dict(plain.__globals__)
    changed = False
    for name in plain.__code__.co_names:
        value = names.get(name)
        if not isinstance(value, types.FunctionType) and not hasattr(value, "py_func"):
            continue
        key = getattr(value, "py_func", value)
        if key in replace:
            new = replace[key]
        elif hasattr(value, "py_func"):
            new = rebind(value, replace, compiler)
            if new is value:
                continue
            replace[key] = new
        else:
            continue
        names[name] = new
        changed = True
    if not changed and hasattr(kernel, "py_func") and compiler in _KEEPS_UNCHANGED:
        return kernel
    copy = types.FunctionType(plain.__code__, names, plain.__name__, plain.__defaults__, plain.__closure__)
    return compiler(copy)


def uncached(function: Any) -> Any:
    """Compile in memory only: for kernels that hold a user's function."""
    return njit(cached=False, fast=True)(function)


_KEEPS_UNCHANGED = {uncached}
