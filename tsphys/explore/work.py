"""What a page computes: theory, the newest wish first, and a simulation that grows replica by replica."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any

import numpy as np

import tsphys
from tsphys.errors import ConvergenceError, DivergedError, ModelError
from tsphys.ground.times import grid
from tsphys.registry import takes
from tsphys.rules.contract import Online
from tsphys.rules.starts import drawn_start
from tsphys.runs.replicas import available_threads
from tsphys.studies.configuration import describe, on_steps, run_options

#: More than this a page refuses: replicas, points of a curve, neurons or inputs, seconds of one simulation.
MOST = {"replicas": 64, "points": 500, "N": 20_000}
SECONDS = 120.0
#: Of a sketch: every so many points of a curve, and so small a part of what a theory averages over.
EVERY, PART = 4, 8
AVERAGED = ("draws", "sets", "paths")
#: Seconds from which on a curve is sketched before it is drawn.
LONG = 0.25
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

    def sketch(self) -> Wish:
        """The same at fewer points of a parameter, and averaged over less; itself if there is nothing to leave out."""
        points, values = self.points, dict(self.values)
        if self.axis != "t":
            every = np.asarray(grid(self.axis, points)).tolist()
            points = ",".join(map(repr, [*every[:-1:EVERY], every[-1]])) if len(every) > 2 * EVERY else points
        for name, option in run_options(self.name, "compare").items():
            if name in AVERAGED:
                values[name] = max(1, values.get(name, option.default) // PART)
        return replace(self, points=points, values=values)


def theory(wish: Wish, progress: Callable[[float], None] | None = None) -> tsphys.Result:
    """The theory of a wish; what has no solution is missing in it.

    Raises
    ------
    ModelError, ConvergenceError, DivergedError
        As `tsphys.solve`.
    """
    model, options = wish.described()
    options = {k: v for k, v in options.items() if k in takes(model, "solve")}
    return tsphys.solve(model, progress=progress, **options)


class Sketched:
    """Theories of one wish after the other: a sketch at first where the last took long, and then the whole.

    Who has another wish meanwhile does not wait for the whole.
    """

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def __call__(self, wish: Wish, outdated: Callable[[], bool]) -> Iterator[tuple[Any, bool]]:
        """What is found, or the exception of that, and whether it is the whole."""

        def look(_: float) -> None:
            if outdated():
                raise Stopped

        sketch = wish.sketch()
        if self._seconds.get(wish.name, LONG) >= LONG and sketch != wish:
            # What is wrong with it the whole has as well, and says of more points.
            with suppress(Exception):
                yield theory(sketch), False
        begun = monotonic()
        try:
            found = theory(wish, look)
        except Stopped:
            return
        except Exception as error:
            yield error, True
            return
        self._seconds[wish.name] = monotonic() - begun
        yield found, True


@dataclass
class Newest:
    """Computes one thing at a time, in the background, and next only the newest of those asked for meanwhile.

    Parameters
    ----------
    work : callable
        ``work(wish, outdated)`` gives one thing after the other that comes of a wish; ``outdated()`` tells whether
        there is another one by now.
    done : callable
        Called with the wish and each of what it gave, an exception among it, from another thread.
    """

    work: Callable[[Any, Callable[[], bool]], Iterator[Any]]
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
                for found in self.work(wish, lambda: self._next is not None):
                    self._hand(wish, found)
            except Exception as error:
                self._hand(wish, error)

    def _hand(self, wish: Any, found: Any) -> None:
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
