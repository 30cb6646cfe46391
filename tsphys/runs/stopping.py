"""How a run is stopped: in order by the first SIGINT, SIGTERM or SIGHUP, at once by the second.

In order means that an exception is raised in the main thread, so that what is finished is kept. No handler runs while
the main thread is in a kernel or in LAPACK; on the command line another thread then ends the process in its place.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

#: Signals that end a run, and how they end it where nobody handles them.
ENDING = {
    getattr(signal, name): own
    for name, own in (
        ("SIGINT", signal.default_int_handler),
        ("SIGTERM", signal.SIG_DFL),
        ("SIGHUP", signal.SIG_DFL),
    )
    if hasattr(signal, name)
}
#: Seconds that a run has to end in order.
GRACE = 1.5

# The last signal; whether its exception is still to be raised; how many blocks make it wait.
_last = 0
_pending = False
_held = 0


class Terminated(SystemExit):
    """SIGTERM or SIGHUP; the exit code is 128 and the number of the signal."""

    code: int


def _raise(number: int) -> NoReturn:
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated(128 + number)


def _stop(number: int, frame: object) -> None:
    global _last, _pending
    _last, _pending = number, _held > 0
    if not _pending:
        _raise(number)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextmanager
def _handled(numbers: list[int]) -> Iterator[None]:
    """Handle those of the signals that nobody handles otherwise; only the main thread can."""
    own = [n for n in numbers if _in_main_thread() and signal.getsignal(n) == ENDING[n]]
    try:
        for number in own:
            signal.signal(number, _stop)
        yield
    finally:
        for number in own:
            signal.signal(number, ENDING[number])


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise `Terminated` in the main thread, as SIGINT raises KeyboardInterrupt."""
    with _handled([n for n in ENDING if n != signal.SIGINT]):
        yield


@contextmanager
def held() -> Iterator[None]:
    """Let the first signal wait for the end of this block: what is being written is written whole."""
    global _held, _pending
    if not _in_main_thread():
        yield
        return
    _held += 1
    try:
        yield
    finally:
        _held -= 1
        if _pending and not _held:
            _pending = False
            _raise(_last)


def stopped_by() -> int:
    """Number of the signal that came last within `stoppable`; 0 if there was none."""
    return _last


@contextmanager
def stoppable() -> Iterator[None]:
    """Run a command: the process ends at the second signal, or where the first has not ended it in time."""
    global _last, _pending
    if not _in_main_thread():
        yield
        return
    _last, _pending = 0, False
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    with reader, writer, _handled(list(ENDING)):
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        watcher = threading.Thread(target=_watch, args=(reader,), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            writer.shutdown(socket.SHUT_RDWR)
            watcher.join()


def _watch(reader: socket.socket) -> None:
    """End the process as `stoppable` says; Python writes the number of each signal that it handles to the socket."""
    number, end = 0, float("inf")
    while time.monotonic() < end:
        reader.settimeout(0.05 if number else None)
        try:
            got = reader.recv(1)
        except TimeoutError:
            # What is written when the signal comes does not count.
            end = time.monotonic() + GRACE if _held else end
            continue
        if not got:
            return
        if signal.getsignal(got[0]) is not _stop:
            continue
        if number:
            break
        number, end = got[0], time.monotonic() + GRACE
    leave(128 + number, "tsphys: error: stopped at once")


def leave(code: int, message: str = "") -> NoReturn:
    """End the process without waiting for threads that run kernels or LAPACK, after flushing what was printed."""

    def flush() -> None:
        # Semaphores of pools, of which Python would else tell the terminal that they leaked.
        if pools := sys.modules.get("multiprocessing.util"):
            pools._run_finalizers(0)
        for stream in (sys.stdout, sys.stderr):
            try:
                if message and stream is sys.stderr:
                    stream.write(message + "\n")
                stream.flush()
            except (OSError, ValueError, AttributeError):
                pass

    # A thread that was stopped in the middle of a line holds the lock of its stream.
    flusher = threading.Thread(target=flush, daemon=True)
    flusher.start()
    flusher.join(0.2)
    os._exit(code)
