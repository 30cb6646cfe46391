"""Run the tasks of a study: anywhere, in any order, any number of times, to the same bits."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tsphys.errors import ConvergenceError, DivergedError, ModelError
from tsphys.ground.parameters import number
from tsphys.runs.provenance import provenance
from tsphys.runs.stopping import ENDING
from tsphys.studies.store import Store, folder_of
from tsphys.studies.study import Study, Task

#: Seconds between two looks at futures, and at tasks that another process has claimed.
LOOK, BUSY = 0.02, 0.5


@dataclass(frozen=True)
class Status:
    """How far a study is.

    Parameters
    ----------
    total, done, failed, damaged, missing : int
        Numbers of tasks; a failed one has no result, and computing it again would not give it one.
    failures : dict
        Key of a task that failed -> why.
    """

    total: int
    done: int
    failed: int
    damaged: int
    missing: int
    failures: dict[str, str]

    def __str__(self) -> str:
        words = f"{self.done} of {self.total} tasks done"
        for name in ("failed", "damaged", "missing"):
            if getattr(self, name):
                words += f", {getattr(self, name)} {name}"
        return words


def status(study: Study, store: str | os.PathLike[str]) -> Status:
    """Read every file of a study and check it."""
    return _status([task.key for task in study.tasks()], Store(folder_of(store)))


def _status(keys: Iterable[str], store: Store) -> Status:
    states = {k: store.state(k) for k in keys}
    counts = {name: list(states.values()).count(name) for name in ("done", "failed", "damaged", "missing")}
    return Status(len(states), **counts, failures={k: store.failure(k) for k, s in states.items() if s == "failed"})


def compute(folder: str, task: Task, again: bool, turn: int) -> str:
    """Do a task and keep its result; this is what executors are given, and all that they give back is a word.

    Parameters
    ----------
    folder : str
        The store.
    task : Task
    again : bool
        Whatever there is already.
    turn : int
        How often it was tried; it tells calls apart for executors that remember what they have done.

    Returns
    -------
    {"done", "failed", "kept", "busy"}
        ``busy`` if another process is at it.
    """
    store = Store(Path(folder))
    with store.claim(task.key) as mine:
        if not mine:
            return "busy"
        if not again and store.state(task.key) in ("done", "failed"):
            return "kept"
        try:
            result = task.run()
        except (ModelError, ConvergenceError, DivergedError) as error:
            store.keep_failure(task.key, error)
            return "failed"
        store.keep(task.key, result)
        return "done"


def sweep(
    study: Study,
    store: str | os.PathLike[str],
    *,
    executor: Any = None,
    shard: tuple[int, int] = (0, 1),
    resume: bool = True,
    retry: bool = False,
    progress: Callable[[float], None] | None = None,
) -> Status:
    """Do what is left to do of a study.

    Parameters
    ----------
    study : Study
    store : path-like
        Folder of the results, made if it is not there. Processes may share it, also on several machines.
    executor : optional
        Anything with ``submit(function, *arguments)`` that returns futures with ``done()`` and ``result()``: an
        executor of `concurrent.futures`, a Dask client, …, whose workers see the store under the same path. None: one
        task after the other in this process. `processes` makes one over processes.
    shard : (int, int)
        (i, n): only the tasks i, i + n, i + 2n, …, 0 ≤ i < n.
    resume : bool
        Keep what is there and whole. Otherwise compute everything again.
    retry : bool
        Try again what failed.
    progress : callable, optional
        Called with the fraction of the tasks that is done.

    Returns
    -------
    Status
        Of the shard.

    Raises
    ------
    ModelError
        If the study, the store or the executor is unusable. What goes wrong at a point is kept in its place and
        counted as failed.
    OSError
        If a result cannot be written, all that were finished are kept; or if results have vanished meanwhile.
    """
    i, n = (number("shard", x, kind=int, low=0) for x in shard)
    if not i < n:
        raise ModelError("shard", f"{i}/{n}", "must be i/n with 0 <= i < n")
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise ModelError("executor", executor, "must have submit(function, *arguments), as those of concurrent.futures")
    kept = Store(Path(os.path.realpath(folder_of(store)))).create()
    kept.tidy()
    kept.log({"shard": [i, n], **provenance()})
    mine = {task.key: task for task in study.tasks()[i::n]}
    finished = ("done",) if retry else ("done", "failed")
    todo = [t for k, t in mine.items() if not resume or kept.state(k) not in finished]
    try:
        _run(todo, len(mine), kept, Serial() if executor is None else executor, not resume or retry, progress)
    except OSError as error:
        safe = sum(kept.state(k) == "done" for k in mine)
        words = (
            f"{error.strerror or error}; {safe} of {len(mine)} tasks are finished and kept, the same command goes on"
        )
        raise OSError(error.errno or errno.EIO, words, str(kept.folder)) from error
    found = _status(mine, kept)
    if found.missing or found.damaged:
        lost = found.missing + found.damaged
        words = f"{lost} of {len(mine)} tasks were done and have no whole file now: the folder was removed or changed "
        words += "meanwhile, or workers see another under its path; the same command goes on"
        raise OSError(errno.ENOENT, words, str(kept.folder))
    return found


def _run(todo: list[Task], total: int, store: Store, executor: Any, again: bool, progress: Any) -> None:
    queue = deque(todo)
    pending: dict[Any, Any] = {}
    busy: list[Any] = []
    turn = 0
    try:
        while queue or pending or busy:
            while queue and (not pending or not isinstance(executor, Serial)):
                task = queue.popleft()
                pending[executor.submit(compute, str(store.folder), task, again, turn)] = task
            ready = [future for future in pending if future.done()]
            for future in ready:
                task = pending.pop(future)
                if future.result() == "busy":
                    busy.append(task)
            if progress is not None:
                progress((total - len(queue) - len(pending) - len(busy)) / max(total, 1))
            if not queue and not pending and busy:
                time.sleep(BUSY)
                queue, busy = deque(busy), []
                turn += 1
            elif not ready:
                time.sleep(LOOK)
    except BaseException:
        # Of a `_Pool` its own end does that: if it hears of its lost processes first, it fails on what is cancelled.
        for future in () if isinstance(executor, _Pool) else pending:
            future.cancel()
        raise


class Serial:
    """An executor that does each task at once, in this process."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Call the function; the future holds what it returned or raised."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


def _enter_worker(parent: Any) -> None:
    """Leave signals to the parent, and end at once when it goes away, in whatever way."""
    for ending in ENDING:
        signal.signal(ending, signal.SIG_IGN)

    def watch() -> None:
        try:
            parent.recv()
        except (EOFError, OSError):
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


class _Pool(ProcessPoolExecutor):
    """Processes that hear no signals from their first instruction on, where the system can block them."""

    def submit(self, *arguments: Any, **options: Any) -> Future[Any]:
        if not hasattr(signal, "pthread_sigmask"):
            return super().submit(*arguments, **options)
        # Processes begin here, with the mask of this thread.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            return super().submit(*arguments, **options)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def workers(count: int) -> Iterator[ProcessPoolExecutor | None]:
    """So many `processes`, or none where one is enough, which is this one: another would compile and import anew."""
    if count == 1:
        yield None
        return
    with processes(count) as pool:
        yield pool


@contextmanager
def processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """An executor over processes of their own, each with one thread; they end with the block, or with this process."""
    context = multiprocessing.get_context("spawn")
    reader, writer = context.Pipe(duplex=False)
    # Spawned workers inherit these, and hold no threads that they do not use.
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "MKL", "OMP", "VECLIB_MAXIMUM")}
    before = {k: os.environ.get(k) for k in threads}
    pool = _Pool(count, mp_context=context, initializer=_enter_worker, initargs=(reader,))
    os.environ.update(threads)
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        # Before its processes end, so that it begins no others.
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    finally:
        writer.close()
        reader.close()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
