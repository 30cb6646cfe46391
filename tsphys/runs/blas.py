"""How many threads linear algebra may take where results are made: one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_lock = threading.Lock()
_inside = 0
_limit: Any = None


@cache
def _libraries() -> Any:
    """All BLAS that results are made with; NumPy and SciPy may have one each, and SciPy's comes with its first use."""
    import scipy.linalg  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _in_control() -> None:
    """Let this thread say how many there are; threadpoolctl heeds but the first that did, until it is done."""
    for library in _libraries().lib_controllers:
        getattr(library, "clear_controlling_thread", lambda force: None)(force=True)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Products on one thread, for the whole process, until the last of the blocks that overlap has ended.

    Replicas already fill the cores, and sums over more threads have other last digits.
    """
    global _inside, _limit
    with _lock:
        if _inside == 0:
            _in_control()
            _limit = _libraries().limit(limits=1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _in_control()
                _limit.restore_original_limits()
                _in_control()
