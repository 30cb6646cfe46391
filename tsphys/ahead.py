"""A simulation's kernels, compiled by another core while this process compiles and solves the theory.

Numba compiles on one core in a process. A second process begins the same simulation and leaves its kernels in the cache
on disk, where this one finds them. No result depends on it: without a second core, or without a cache, everything is
compiled here.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tsphys.rules.contract import Online
from tsphys.runs.replicas import available_threads

#: What the other process runs; it imports from where this one does.
PROGRAM = """import pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
from tsphys.ahead import begin
begin(*pickle.load(sys.stdin.buffer))
"""
#: Options that are this process's own.
OWN = ("progress", "checkpoint", "resume")


class _Begun(Exception):
    """A simulation got somewhere, so that its kernels are there."""


def begin(model: Any, options: dict[str, Any]) -> None:
    """Simulate until there is progress."""
    from tsphys.registry import simulate

    def progress(fraction: float) -> None:
        if fraction > 0:
            raise _Begun

    with suppress(_Begun):
        simulate(model, **options, progress=progress)


class Other:
    """The other process, once there is one."""

    process: subprocess.Popen[bytes] | None = None

    def __init__(self, model: Any, options: dict[str, Any]) -> None:
        kept = {name: value for name, value in options.items() if name not in OWN}
        self.work: tuple[Any, dict[str, Any]] | None = (model, kept)

    def start(self) -> None:
        """Begin, unless that was tried before; nothing if what is to be done cannot be told to another process."""
        if self.work is None:
            return
        work, self.work = self.work, None
        with suppress(pickle.PicklingError, AttributeError, TypeError, OSError):
            told = pickle.dumps(sys.path) + pickle.dumps(work)
            quiet = subprocess.DEVNULL
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=quiet, stderr=quiet
            )
            assert self.process.stdin is not None
            self.process.stdin.write(told)
            self.process.stdin.close()

    def end(self) -> None:
        """Let nothing of it run on."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@contextmanager
def compiling(model: Any, **options: Any) -> Iterator[Other]:
    """From the first compilation in here on, another process compiles what ``simulate(model, **options)`` needs.

    Only for online learning, whose simulations get somewhere within a second once they are compiled; at the end it is
    waited for, since its kernels are needed next.
    """
    other = Other(model, options)
    if not isinstance(model, Online) or available_threads() < 2:
        yield other
        return
    from numba.core import event

    class Starting(event.Listener):
        def on_start(self, event: Any) -> None:
            other.start()

        def on_end(self, event: Any) -> None:
            pass

    try:
        with event.install_listener("numba:compile", Starting()):
            yield other
        if other.process is not None:
            other.process.wait()
    finally:
        other.end()
