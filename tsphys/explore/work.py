"""What a page computes: theory, the newest wish first, and a simulation that grows replica by replica."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import tsphys
from tsphys.errors import ConvergenceError, DivergedError, ModelError
from tsphys.registry import takes
from tsphys.rules.contract import Online
from tsphys.rules.starts import drawn_start
from tsphys.runs.replicas import available_threads
from tsphys.studies.configuration import describe, on_steps

#: More than this a page refuses: replicas, points of a curve, neurons or inputs, seconds of one simulation.
MOST = {"replicas": 64, "points": 500, "N": 20_000}
SECONDS = 120.0
FAILURES = (ModelError, ConvergenceError, DivergedError, MemoryError)


class Stopped(Exception):
    """Somebody pressed stop."""


@dataclass(frozen=True)
class Wish:
    """What is to be seen.

    Parameters
    ----------
    name : str
        Of the model.
    values : dict
        Parameters and options that are not at their defaults.
    axis : str
        What is drawn over: ``t``, or a parameter.
    points : str
        Its values, ``START:STOP:POINTS[:lin|log]``.
    """

    name: str
    values: dict[str, Any]
    axis: str
    points: str

    @property
    def all(self) -> dict[str, Any]:
        """Everything, as files and commands say it."""
        return {**self.values, self.axis: self.points}

    def described(self) -> tuple[Any, dict[str, Any]]:
        """The model, and the options of simulation and theory, which begin at the same start.

        Raises
        ------
        ModelError
            If something is out of range, or more than a page does.
        """
        model, options = describe(self.name, "compare", self.all)
        if len(options[self.axis]) > MOST["points"]:
            raise ModelError(self.axis, self.points, f"must have at most {MOST['points']} points here")
        if options.get("N", 1) > MOST["N"]:
            raise ModelError("N", options["N"], f"must be at most {MOST['N']} here; the command line has no such bound")
        if isinstance(model, Online):
            options["t"] = on_steps(options["t"], options["N"])
            options["start"] = drawn_start(model, options["N"], options["seed"])
        return model, {**options, "partial": True}


def theory(wish: Wish) -> tsphys.Result:
    """The theory of a wish; what has no solution is missing in it.

    Raises
    ------
    ModelError, ConvergenceError, DivergedError
        As `tsphys.solve`.
    """
    model, options = wish.described()
    return tsphys.solve(model, **{k: v for k, v in options.items() if k in takes(model, "solve")})


@dataclass
class Newest:
    """Computes one thing at a time, in the background, and next only the newest of those asked for meanwhile.

    Parameters
    ----------
    work : callable
        From a wish to what it gives.
    done : callable
        Called with the wish and what it gave, an exception among it, from another thread.
    """

    work: Callable[[Any], Any]
    done: Callable[[Any, Any], None]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _next: Any = None
    _busy: bool = False

    def ask(self, wish: Any) -> None:
        with self._lock:
            self._next = wish
            if self._busy:
                return
            self._busy = True
        self._pool.submit(self._run)

    def _run(self) -> None:
        while True:
            with self._lock:
                wish, self._next = self._next, None
                if wish is None:
                    self._busy = False
                    return
            try:
                found: Any = self.work(wish)
            except Exception as error:
                found = error
            try:
                self.done(wish, found)
            except Exception:
                # Whoever asks next is to be served all the same.
                logging.getLogger(__name__).exception("what came of a wish could not be shown")


class Growing:
    """A simulation that grows replica by replica, to the same bits as one of that many, until it is stopped.

    Parameters
    ----------
    wish : Wish
    replicas : int
        How many at most.
    """

    def __init__(self, wish: Wish, replicas: int):
        self.wish, self.replicas = wish, min(replicas, MOST["replicas"])
        self._stop = threading.Event()

    def start(self, grown: Callable[[Any], None]) -> None:
        """Begin; `grown` is called with each larger Result, with an exception, and with None at the end.

        It is called from another thread.
        """
        self.grown = grown
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it soon; what is finished stays."""
        self._stop.set()

    def wait(self, seconds: float | None = None) -> None:
        """Until it has ended."""
        self._thread.join(seconds)

    def _look(self, _: float) -> None:
        if self._stop.is_set() or monotonic() > self._end:
            raise Stopped

    def _run(self) -> None:
        self._end = monotonic() + SECONDS
        try:
            model, options = self.wish.described()
            options = {k: v for k, v in options.items() if k in takes(model, "simulate")}
            found, step = None, 1
            while (found.replicas or 0 if found is not None else 0) < self.replicas:
                self._look(0.0)
                count = min(self.replicas, ((found.replicas or 0) if found is not None else 0) + step)
                found = tsphys.simulate(
                    model, **{**options, "replicas": count, "progress": self._look, "resume": found}
                )
                self.grown(found)
                step = available_threads()
        except Stopped:
            pass
        except FAILURES as error:
            self.grown(error)
        self.grown(None)
