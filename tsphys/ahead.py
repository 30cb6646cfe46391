"""Kernels that another core compiles while this process compiles others.

Numba compiles on one core in a process. Beside a theory, a second process asks for the noise of a step, which is needed
last, then begins the simulation; beside a simulation, it compiles parts that are needed late. It leaves kernels in the
cache on disk, where this one finds them. No result depends on it: without a second core, or without a cache, everything
is compiled here.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib import import_module
from typing import Any

import numpy as np

from tsphys.physics.order_parameters import OrderParameters
from tsphys.rules.contract import Online
from tsphys.runs.replicas import available_threads

#: What the other process runs; it imports from where this one does, and ends with it, since then its input does.
PROGRAM = """import os, pickle, sys, threading
sys.path[:] = pickle.load(sys.stdin.buffer)
import tsphys.ahead
work = pickle.load(sys.stdin.buffer)
threading.Thread(target=lambda: (os.read(0, 1), os._exit(1)), daemon=True).start()
getattr(tsphys.ahead, sys.argv[1])(*work)
"""
#: Options that are this process's own.
OWN = ("progress", "checkpoint", "resume")


class _Begun(Exception):
    """A simulation got somewhere, so that its kernels are there."""


def begin(model: Any, options: dict[str, Any]) -> None:
    """Ask for the noise of the first step, and simulate until there is progress."""
    from tsphys.registry import simulate

    def progress(fraction: float) -> None:
        if fraction > 0:
            raise _Begun

    # What is wrong is said by the process that solves.
    with suppress(Exception):
        noise(model, options["start"])
    with suppress(_Begun):
        simulate(model, **options, progress=progress)


def _checked(model: Any, start: Any) -> OrderParameters:
    from tsphys.rules.starts import checked_start

    given = start if isinstance(start, OrderParameters) else OrderParameters(**start)
    return checked_start(model.learning_rule(), given)


def noise(model: Any, start: Any) -> None:
    """The noise of the first step, if the first order in 1/N knows the model."""
    from tsphys.registry import chain, expandable

    expandable(model)
    found = chain(model, _checked(model, start))
    stage = found.stage(0, 0.0, found.start)
    stage.process.noise(stage.enter(found.start) if stage.enter else found.start)


def observed(model: Any, begun: OrderParameters, R: Any, Q: Any, v: Any) -> None:
    """What a simulation observes of such students."""
    T, v_star = np.array(begun.T), np.array(begun.v_star)
    model.observables(np.array(R)[None], np.array(Q)[None], T, np.array(v)[None], v_star)


def errors(model: Any, start: Any) -> None:
    """What is observed at the start, and of the teacher itself, next to which errors are computed in another way."""
    begun = _checked(model, start)
    observed(model, begun, begun.R, begun.Q, begun.v)
    observed(model, begun, begun.T, begun.T, begun.v_star)


def late(model: Any, options: dict[str, Any]) -> None:
    """What a simulation comes to late: parts of its kernel or what draws for it, and the errors that are observed."""
    from tsphys.rules.engines import choose
    from tsphys.rules.starts import drawn_start

    start = options.get("start")
    begun = _checked(model, drawn_start(model, options["N"], options["seed"]) if start is None else start)
    rule, dtype = model.learning_rule(), options["dtype"]
    engine = choose(rule, options["engine"], dtype)
    if engine != "cuda" and rule.batch is None:
        module = import_module(f"tsphys.sims.engines.online.{engine}")
        module.late(rule, options["N"], len(begun.v), np.dtype(dtype))
    observed(model, begun, begun.R, begun.Q, begun.v)


class Other:
    """The other process, once there is one."""

    process: subprocess.Popen[bytes] | None = None

    def __init__(self, task: str, model: Any, options: dict[str, Any]) -> None:
        self.task = task
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
                [sys.executable, "-I", "-c", PROGRAM, self.task], stdin=subprocess.PIPE, stdout=quiet, stderr=quiet
            )
            assert self.process.stdin is not None
            self.process.stdin.write(told)
            self.process.stdin.flush()

    def end(self) -> None:
        """Let nothing of it run on."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdin is not None
            with suppress(OSError):
                self.process.stdin.close()


@contextmanager
def _beside(task: str, model: Any, options: dict[str, Any]) -> Iterator[Other]:
    """From the first compilation in here on there is the other process, if there is a core for it; none is left.

    Only for online learning, whose simulations get somewhere within a second once they are compiled.
    """
    other = Other(task, model, options)
    if not isinstance(model, Online) or available_threads() < 2 or options.get("threads") == 1:
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
    finally:
        other.end()


@contextmanager
def compiling(model: Any, **options: Any) -> Iterator[Other]:
    """From the first compilation in here on, another process compiles what ``simulate(model, **options)`` needs.

    At the end it is waited for, since its kernels are needed next, and meanwhile errors are compiled here.
    """
    with _beside("begin", model, options) as other:
        yield other
        if other.process is not None:
            # Of which there are parts here, from the theory; of what is wrong who needs them tells.
            with suppress(Exception), warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                errors(model, options["start"])
            other.process.wait()


def simulating(model: Any, **options: Any) -> AbstractContextManager[Other]:
    """From the first compilation in here on, another process compiles what the simulation in here needs `late`."""
    return _beside("late", model, options)
