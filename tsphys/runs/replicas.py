"""Independent replicas over threads, with progress, and an end to all of them when one fails or the user interrupts."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

from tsphys.errors import ModelError
from tsphys.ground.parameters import number


class Cancelled(Exception):
    """Raised inside of a replica that is to stop; never seen outside."""


def available_threads() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_count(threads: Any) -> int:
    """`threads` as a positive integer; None means all cores that this process may use."""
    return available_threads() if threads is None else number("threads", threads, kind=int, low=1)


def over_replicas(
    work: Callable[[int, Callable[[float], None]], Any],
    replicas: Sequence[int],
    *,
    threads: int,
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
    progress : callable, optional
        Called in the calling thread with the fraction of the whole that is done.
    finished : callable, optional
        Called in the calling thread with a replica and what its `work` returned, in the order of completion.
    """
    if progress is not None and not callable(progress):
        raise ModelError("progress", progress, "must be a function that takes the fraction done")
    done = dict.fromkeys(replicas, 0.0)
    stop = threading.Event()

    def run(replica: int) -> Any:
        def report(fraction: float) -> None:
            done[replica] = fraction
            if stop.is_set():
                raise Cancelled

        report(0.0)
        return work(replica, report)

    with ThreadPoolExecutor(max_workers=threads) as pool:
        waiting = {pool.submit(run, replica): replica for replica in replicas}
        try:
            while waiting:
                ready, _ = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in ready:
                    replica = waiting.pop(future)
                    result = future.result()
                    if finished is not None:
                        finished(replica, result)
                if progress is not None:
                    progress(sum(done.values()) / max(len(done), 1))
        except BaseException:
            stop.set()
            for future in waiting:
                future.cancel()
            raise
