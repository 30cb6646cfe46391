"""How much memory there is for what replicas hold side by side."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

from tsphys.errors import ModelError

#: Share of the machine's memory that a run may take.
SHARE = 0.8
#: Bytes that a replica takes in lists of what is to be done and was done.
REPLICA = 400.0


@cache
def memory() -> float:
    """Bytes that a run may take: a share of what the machine, the control group, or the limit of the process has."""
    total = float("inf")
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path) as file:
                total = min(total, float(file.read()))
        except (OSError, ValueError):
            continue
    return SHARE * min(total, _address_space())


def _address_space() -> float:
    """Bytes that the process may still map, which schedulers limit; what is mapped already is no room."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit == resource.RLIM_INFINITY:
            return float("inf")
        with open("/proc/self/statm") as file:
            return max(float(limit) - resource.getpagesize() * float(file.read().split()[0]), 0.0)
    except (ImportError, OSError, ValueError):
        # There is no such limit, or nobody tells what is mapped.
        return float("inf")


def check_memory(name: str, value: object, needed: float, what: str) -> None:
    """Raise a ModelError about the parameter `name` if it `needed` more bytes than a run may take."""
    if needed > memory():
        words = f"needs {needed / 2**30:.3g} GiB for {what}; this machine gives {memory() / 2**30:.3g} GiB"
        raise ModelError(name, value, words)


def fitting_threads(
    bytes_each: float, sizes: Mapping[str, float | None], what: str, threads: int, shared: float = 0.0
) -> int:
    """How many of `threads` replicas fit into memory side by side.

    Parameters
    ----------
    bytes_each : float
        Bytes of a replica.
    sizes : mapping
        Parameters that they depend on and their values; None counts for nothing.
    what : str
        What takes them.
    threads : int
    shared : float
        Bytes that all of them have in common.

    Raises
    ------
    ModelError
        If not even one fits; it names the parameter of the largest value.
    """
    name = max(sizes, key=lambda name: sizes[name] or 0)
    check_memory(name, sizes[name], shared + bytes_each, what)
    return max(1, min(threads, int((memory() - shared) / max(bytes_each, 1))))
