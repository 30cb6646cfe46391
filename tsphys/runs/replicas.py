"""Independent replicas over threads, with progress, and an end to all of them when one fails or the user interrupts.

No signal reaches Python while a kernel or a call of LAPACK runs in the main thread, and none of them can be broken off.
They run in threads of their own, therefore, for which the calling thread never waits when it is interrupted: they stop
at their next report, and keep the interpreter from ending until then.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from tsphys.errors import ModelError
from tsphys.ground.parameters import number
from tsphys.runs.blas import one_blas_thread

#: Seconds between two reports of progress.
TICK = 0.1
#: Threads that an interruption has left behind.
_left: list[threading.Thread] = []


class Cancelled(Exception):
    """Raised inside of a replica that is to stop; never seen outside."""


class _Ended(NamedTuple):
    replicas: Sequence[int]
    outcomes: Sequence[Any]
    error: BaseException | None


def available_threads() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_count(threads: Any) -> int:
    """`threads` as a positive integer; None means all cores that this process may use."""
    return available_threads() if threads is None else number("threads", threads, kind=int, low=1)


def over_replicas(
    work: Callable[[Any, Callable[[float], None]], Any],
    replicas: Sequence[int],
    *,
    threads: int,
    at_once: int = 0,
    progress: Callable[[float], None] | None = None,
    finished: Callable[[int, Any], None] | None = None,
) -> None:
    """Call ``work(replica, report)`` for each replica on a pool of threads.

    Parameters
    ----------
    work : callable
        Does one replica in pieces, releases the GIL in between, and calls ``report(fraction)`` after each piece.
    replicas : sequence of int
        Which replicas.
    threads : int
        Size of the pool.
    at_once : int
        Give `work` a sequence of so many replicas, or what is left of them, of which it returns a sequence. 0: one.
    progress : callable, optional
        Called in the calling thread with the fraction of the whole that is done, every 0.1 s or so and at the end.
    finished : callable, optional
        Called in the calling thread with a replica and what its `work` returned, in the order of completion. A call
        that is interrupted is made again.
    """
    if progress is not None and not callable(progress):
        raise ModelError("progress", progress, "must be a function that takes the fraction done")
    size = max(at_once, 1)
    todo = iter([replicas[i : i + size] for i in range(0, len(replicas), size)])
    taking = threading.Lock()
    # What has ended stays there until it is settled, so that no interruption finds it nowhere.
    ended: deque[_Ended] = deque()
    news: SimpleQueue[None] = SimpleQueue()
    stop = threading.Event()
    # Replicas that each thread has done, and the fraction of the one that it is at.
    reached = [0.0] * min(threads, len(replicas))

    def serve(slot: int) -> None:
        done, some = 0, replicas[:0]

        def report(fraction: float) -> None:
            reached[slot] = done + fraction * len(some)
            if stop.is_set():
                raise Cancelled

        while True:
            with taking:
                some = next(todo, replicas[:0])
            if not some:
                return
            try:
                report(0.0)
                end = _Ended(some, work(some, report) if at_once else [work(some[0], report)], None)
            except Cancelled:
                return
            except BaseException as error:
                end = _Ended(some, [], error)
            done += len(some)
            reached[slot] = done
            ended.append(end)
            # Who has word of one that it has not read yet will find this one too.
            if news.empty():
                news.put(None)
            if end.error is not None:
                return

    pool = [threading.Thread(target=serve, args=(slot,), daemon=True) for slot in range(len(reached))]

    def settle(end: _Ended) -> None:
        if finished is not None and end.error is None:
            for replica, outcome in zip(end.replicas, end.outcomes, strict=True):
                finished(replica, outcome)

    with one_blas_thread():
        try:
            for thread in pool:
                thread.start()
            left, told = len(replicas), 0.0
            while left:
                with suppress(Empty):
                    news.get(timeout=TICK)
                while ended:
                    if ended[0].error is not None:
                        raise ended[0].error
                    settle(ended[0])
                    left -= len(ended.popleft().replicas)
                if progress is not None and (not left or time.monotonic() - told > TICK):
                    progress(sum(reached) / len(replicas))
                    told = time.monotonic()
        except BaseException as error:
            stop.set()
            _left[:] = [thread for thread in (*_left, *pool) if thread.is_alive()]
            for thread in pool if isinstance(error, Exception) else ():
                thread.join()
            while ended:
                settle(ended[0])
                ended.popleft()
            raise


@atexit.register
def _wait() -> None:
    """An interpreter that ends under a running kernel crashes."""
    try:
        for thread in _left:
            thread.join()
    except KeyboardInterrupt:
        os._exit(130)
