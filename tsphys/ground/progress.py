"""Progress of a job that is made of several runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, overload

Progress = Callable[[float], None] | None

#: Who is told how far a theory is. Solvers lie too deep to be handed a listener by every model on the way.
_listener: ContextVar[Progress] = ContextVar("listener", default=None)


class listening:
    """Let `progress` be told how far the solvers called within are."""

    __slots__ = ("before", "progress")

    def __init__(self, progress: Progress):
        self.progress = progress

    def __enter__(self) -> None:
        self.before = _listener.set(self.progress)

    def __exit__(self, *_: object) -> None:
        _listener.reset(self.before)


def tell(fraction: float) -> None:
    """Tell who listens, if anybody does."""
    listener = _listener.get()
    if listener is not None:
        listener(fraction)


@contextmanager
def shown(progress: Any, label: str) -> Iterator[Progress]:
    """What is told of progress: a function as it is; for True a bar, that of tqdm (a notebook's own) or click's."""
    if progress is not True:
        yield progress
        return
    try:
        from tqdm.auto import tqdm
    except ImportError:
        import sys

        import click

        with click.progressbar(length=1000, label=label, file=sys.stderr) as bar:
            yield lambda fraction: bar.update(max(0, int(1000 * fraction) - bar.pos))
        return
    with tqdm(total=1.0, desc=label, bar_format="{desc} {percentage:3.0f}% {bar} {elapsed}<{remaining}") as whole:
        yield lambda fraction: whole.update(max(0.0, fraction - whole.n))


@overload
def share(progress: Callable[[float], None], done: float, of: float, whole: float) -> Callable[[float], None]: ...
@overload
def share(progress: Progress, done: float, of: float, whole: float) -> Progress: ...
def share(progress: Progress, done: float, of: float, whole: float) -> Progress:
    """What a run that makes `of` of the `whole`, after `done` of it, reports to; None if nobody listens."""
    return None if progress is None else lambda fraction: progress((done + of * fraction) / whole)
