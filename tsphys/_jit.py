"""Every Numba option in one place, and a cache that is right.

Numba stamps a cached kernel with the hash of the one file that holds it, so a kernel keeps a stale inlined copy of a
helper from another file (numba#1833, #9304, #9483). Here the stamp is a hash over all our sources. Where no cache can
be written Numba raises (numba#4032); here the kernel is compiled in memory, with one warning. So it does where a cache
names a NamedTuple that is no more, of an earlier version or of a script of the user's, or where a file of it is
damaged; here it is written anew. And where two processes write one at the same time, either of them may find there
what the other has left.
"""

from __future__ import annotations

import gc
import hashlib
import os
import pickle
import re
import threading
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache, wraps
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar, overload

import numba
import numpy as np
from llvmlite.binding import Linkage
from numba.core.caching import (
    CacheImpl,
    InTreeCacheLocator,
    UserProvidedCacheLocator,
    UserWideCacheLocator,
)
from numba.core.codegen import CPUCodeLibrary, JITCPUCodegen
from numba.core.compiler_lock import global_compiler_lock
from numba.core.environment import lookup_environment
from numba.core.registry import CPUDispatcher, cpu_target
from numba.core.sigutils import normalize_signature

F = TypeVar("F", bound=Callable[..., Any])

_ROOMS = ("sims", "odes", "replica", "figures", "benchmarks", "validation")
#: Where an import finds our sources: a room may lie in this folder, behind a symlink, or where an installer has it.
_ROOTS = (
    Path(__file__).resolve().parent,
    *(Path(s.origin).resolve().parent for s in map(find_spec, (f"tsphys.{r}" for r in _ROOMS)) if s and s.origin),
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

#: Options that a function keeps when it is compiled anew.
_KEPT = ("nogil", "error_model", "fastmath", "inline", "forceinline", "boundscheck")
#: No kernel is handed on as a pointer, which would take a wrapper of its own, a twelfth of all compilation. What may be
#: reordered is said of each: left open, Numba takes it from whichever function first calls this one, so that the bits
#: of one run would depend on what ran before.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, "fastmath": False}


@cache
def _warn_uncached() -> None:
    words = "no folder for Numba's cache can be written, kernels are compiled anew in each process; "
    words += "set NUMBA_CACHE_DIR to a folder that can be written and has room"
    # Wherever a kernel was first called, no line of a source tells more.
    warnings.warn_explicit(words, UserWarning, "tsphys", 1)


#: In the names of kernels with functions of the user's, and how many files of theirs stay in a folder, the last used
#: ones: each change of such a function makes others.
OF_USER, MOST_OF_USER = "of_user_", 1000


def _tidied(folder: Path) -> None:
    """Let no more of them stay."""
    with suppress(OSError):
        files = sorted(folder.glob(f"*{OF_USER}*.nb[ic]"), key=lambda file: file.stat().st_mtime)
        for file in files[: -MOST_OF_USER * 3 // 4] if len(files) > MOST_OF_USER else ():
            file.unlink(missing_ok=True)


def _own(index: Any) -> None:
    """Let an index of the cache give only what was written for its sources and key, as it was written.

    Numba numbers the files of an index, and lists one before it is written: beside another process, or after one that
    was killed in between, a name may have what an earlier version, or another kind of arguments, left there. And a
    machine that goes down may leave half a file. Whatever is not whole, or cannot be read, is compiled anew.
    """
    save, load_index, stamp = index.save, index._load_index, index._source_stamp
    name = re.compile(r"\d+".join(map(re.escape, index._data_name_pattern.split("{number:d}"))))

    def saved(key: Any, data: Any) -> None:
        content = index._dump((key, data))
        save(key, (stamp, hashlib.sha256(content).digest(), content))
        if OF_USER in name.pattern:
            _tidied(Path(index._index_path).parent)

    def loaded(key: Any) -> Any:
        try:
            file = listed()[key]
            of, seal, content = index._load_data(file)
            with suppress(OSError):
                for used in (index._index_path, index._data_path(file)) if OF_USER in name.pattern else ():
                    os.utime(used)
            if of == stamp and seal == hashlib.sha256(content).digest():
                found = pickle.loads(content)
                return found[1] if found[0] == key else None
        except Exception:
            # No such entry, a damaged file, one of another user, a class of arguments that is no more.
            pass
        return None

    def listed() -> dict[Any, str]:
        try:
            # Names that damage has made of others are no files of ours.
            return {key: file for key, file in load_index().items() if name.fullmatch(file)}
        except Exception:
            return {}

    index.save, index.load, index._load_index = saved, loaded, listed


def _where_there_is_room(save: Callable[..., None]) -> Callable[..., None]:
    """Save to the cache; where its disk is full, or its quota, a kernel is compiled anew in each process."""

    def saved(*arguments: Any) -> None:
        try:
            save(*arguments)
        except OSError:
            _warn_uncached()

    return saved


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without looks for garbage, a twentieth of the time of a compiler, which leaves little of it in circles."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _as_needed(finalize: Callable[[Any], None]) -> Callable[[Any], None]:
    """Machine code of our kernels: of those only that Python calls, and with copies of their own.

    Of one that only other kernels take in, they have the code, and its own machine code would be a tenth of all
    compilation.

    A kernel calls the copies that it has of functions that are not inlined. They were made for it: sums that may be
    reordered are, each as it fits where it is called. By their names, which all copies share, code would be bound to
    whichever copy is there first in this process: that of the function by itself where both are compiled, another
    kernel's where both come from the cache, and the last bits of a run would depend on it. Names are private for as
    long as code is made of them; what links this library has to find them.
    """

    def finalized(library: Any) -> None:
        inner = _compiling.get()
        if inner is None:
            finalize(library)
            return _with_environments(library)
        functions = [f for f in library._final_module.functions if not f.is_declaration]
        # A function of the user's that has the same name has an entry, or its code out of the cache.
        called = any(f.name.startswith(ENTRY) for f in functions) or getattr(library, "_compiled_object", None)
        if library.name == inner and not called:
            return _without_code(library, finalize)
        copies = [f for f in functions if f.linkage == Linkage.linkonce_odr]
        for f in copies:
            f.linkage = "internal"
        try:
            finalize(library)
        finally:
            for f in copies:
                f.linkage = "linkonce_odr"
        _with_environments(library)

    return finalized


def _without_code(library: Any, finalize: Callable[[Any], None]) -> None:
    """Finalize a library from which others link, and nothing is called."""
    codegen = library._codegen
    library._finalize_specific = codegen._add_module = lambda *_: None
    try:
        finalize(library)
    finally:
        del library._finalize_specific, codegen._add_module
    # What the cache holds in the place of machine code.
    library._compiled_object = b""


def _with_environments(library: Any) -> None:
    """Tell code of the Python objects of the functions that it has taken in, which have no code to be told."""
    if not isinstance(library._codegen, JITCPUCodegen):
        return
    for name in (x.name for x in library._final_module.global_variables):
        found = lookup_environment(name) if name.startswith("_ZN08NumbaEnv") else None
        if found is not None:
            library._codegen.set_env(name, found)


def _where_it_is(set_env: Callable[..., None]) -> Callable[..., None]:
    """Tell code of the Python objects that it needs, where there is code: Numba would write to nowhere."""

    def told(codegen: Any, name: str, environment: Any) -> None:
        if codegen._engine.get_global_value_address(name):
            set_env(codegen, name, environment)

    return told


#: How names of functions begin that Python calls.
ENTRY = "_ZN7cpython"
#: While a kernel is compiled or loaded: its name if it is ours and only other kernels take it in, otherwise an empty
#: one. Functions of the user's may call themselves, which is done by address.
_compiling: ContextVar[str | None] = ContextVar("_compiling", default=None)
JITCPUCodegen.set_env = _where_it_is(JITCPUCodegen.set_env)  # type: ignore[method-assign]
CPUCodeLibrary._finalize_final_module = _as_needed(CPUCodeLibrary._finalize_final_module)  # type: ignore[method-assign]


class Kernel(CPUDispatcher):
    """A compiled function with an entry for Python once Python calls it.

    Other kernels take in its code alone. Numba would make the entry, which takes arguments out of Python's objects and
    gives results back, for each of the many small functions of a kernel.
    """

    #: Whether a kernel asks for the next overload, whether the one in work is without an entry, and which ones are.
    _asked = _bare = False
    _without_entry: frozenset[Any] = frozenset()
    _compiler: Any

    def get_call_template(self, args: Any, kws: Any) -> Any:
        with global_compiler_lock:
            self._asked = True
            try:
                return super().get_call_template(args, kws)
            finally:
                self._asked = False

    def compile(self, sig: Any) -> Any:
        with global_compiler_lock:
            before, self._bare, self._asked = self._bare, self._asked, False
            inner = self._bare and (self.py_func.__module__ or "").startswith("tsphys.")
            within = _compiling.set(self.py_func.__qualname__ if inner else "")
            try:
                args = tuple(normalize_signature(sig)[0])
                if not self._bare and args in self._without_entry:
                    self._without_entry -= {args}
                    del self.overloads[args]
                self._compiler.targetoptions = {**self.targetoptions, "no_cpython_wrapper": self._bare}
                with _uncollected():
                    return super().compile(sig)
            finally:
                self._bare = before
                _compiling.reset(within)

    def add_overload(self, cres: Any) -> None:
        if not self._bare:
            return super().add_overload(cres)
        args = tuple(cres.signature.args)
        self._without_entry |= {args}
        self.overloads[args] = cres


def taken_in(kernel: Any, *arguments: Any) -> None:
    """Compile a kernel for such arguments, as another one takes it in."""
    if isinstance(kernel, Kernel):
        kernel.get_call_template(tuple(map(numba.typeof, arguments)), {})


def _interpreted(f: Any) -> Any:
    """A kernel where Numba is switched off (``NUMBA_DISABLE_JIT=1``), so that a debugger can step through it.

    Words wrap around and quotients by zero are infinite, as compiled, which NumPy's scalars would warn of.
    """

    @wraps(f)
    def run(*arguments: Any) -> Any:
        with np.errstate(all="ignore"):
            return f(*arguments)

    run.py_func = f  # type: ignore[attr-defined]
    return run


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
        if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
            return _interpreted(f)
        made = numba.njit(**options)(f)
        # Numba looks its dispatcher up by the target's name, so a class of one's own can only be given afterwards.
        made.__class__ = Kernel
        if not cached:
            return made
        try:
            made.enable_caching()
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
            _warn_uncached()
            return made
        kept = made._cache
        key = kept._index_key
        kept._index_key = lambda *asked: (*key(*asked), made._bare)
        kept.save_overload = _where_there_is_room(kept.save_overload)
        _own(kept._cache_file)
        return made

    return wrap if func is None else wrap(func)


def once(f: F) -> F:
    """`functools.cache`, in which of threads that ask at the same time one makes what all of them get.

    Else each of them would have a kernel of its own, to be compiled or loaded again.
    """
    lock, made = threading.RLock(), cache(f)

    @wraps(f)
    def one(*arguments: Any, **named: Any) -> Any:
        with lock:
            return made(*arguments, **named)

    return one  # type: ignore[return-value]


def rebind(kernel: Any, replace: dict[Any, Any], compiler: Callable[[Any], Any] | None = None, tag: str = "") -> Any:
    """`kernel` compiled anew, with some of the functions that it calls, however deep, replaced.

    This is how a learning rule gets into the engines, and how a CPU kernel becomes a device function: the body stays
    written once, and the compiler still sees, and inlines, one plain program.

    Parameters
    ----------
    kernel : dispatcher
        The body; the jitted globals that it calls are followed.
    replace : dict
        Jitted function -> what is called in its place. It grows by what was recompiled on the way.
    compiler : callable, optional
        Compiles a plain function; by default `njit` with the options of `kernel`, uncached unless there is a `tag`.
    tag : str
        Name of the variant; with it the default compiler caches on disk. Only for replacements from our own sources,
        or of which it tells all, since the cache does not see others change.
    """
    plain = getattr(kernel, "py_func", kernel)
    names = dict(plain.__globals__)
    changed = False
    for name in plain.__code__.co_names:
        called = names.get(name)
        if not hasattr(called, "py_func"):
            continue
        if called not in replace:
            replace[called] = rebind(called, replace, compiler, tag)
        if replace[called] is not called:
            names[name] = replace[called]
            changed = True
    if not changed and compiler is None:
        return kernel
    copy = types.FunctionType(plain.__code__, names, plain.__name__, plain.__defaults__, plain.__closure__)
    # Numba names the cache file after the qualified name; without a tag it must not tell who this is.
    copy.__qualname__ = f"{plain.__qualname__}_{tag or '<bound>'}"
    copy.__module__ = plain.__module__
    if compiler is not None:
        return compiler(copy)
    return njit(cached=bool(tag), **options_of(kernel))(copy)


def options_of(dispatcher: Any) -> dict[str, Any]:
    """The options that a function keeps when it is compiled anew; none for one that is not compiled."""
    given = getattr(dispatcher, "targetoptions", {})
    return {name: given[name] for name in _KEPT if name in given}


def known(function: Any) -> bool:
    """Whether Numba knows by itself what a call of `function` means, or it is one of ours that is compiled already."""
    if isinstance(function, (CPUDispatcher, types.FunctionType)) and hasattr(function, "py_func"):
        return (function.py_func.__module__ or "").startswith("tsphys.")
    try:
        cpu_target.typing_context.resolve_value_type(function)
    except (ValueError, numba.core.errors.NumbaError):
        return False
    return True
