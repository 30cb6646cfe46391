"""Progress of a job that is made of several runs."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float], None] | None


def share(progress: Progress, done: float, of: float, whole: float) -> Progress:
    """What a run that makes `of` of the `whole`, after `done` of it, reports to; None if nobody listens."""
    return None if progress is None else lambda fraction: progress((done + of * fraction) / whole)
