"""How much memory there is for what replicas hold side by side."""

from __future__ import annotations

import os

from tsphys.errors import ModelError

#: Share of the machine's memory that a run may take.
SHARE = 0.8


def memory() -> float:
    """Bytes that a run may take: a share of what the machine, or the control group, has."""
    total = float("inf")
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path) as file:
                total = min(total, float(file.read()))
        except (OSError, ValueError):
            continue
    return SHARE * total


def check_memory(name: str, value: object, needed: float, what: str) -> None:
    """Raise a ModelError about the parameter `name` if it `needed` more bytes than a run may take."""
    if needed > memory():
        words = f"needs {needed / 2**30:.3g} GiB for {what}; this machine gives {memory() / 2**30:.3g} GiB"
        raise ModelError(name, value, words)


def fitting_threads(bytes_each: float, N: int, what: str, threads: int, name: str = "N") -> int:
    """How many of `threads` replicas fit into memory side by side, or a ModelError about `name` if none does."""
    check_memory(name, N, bytes_each, what)
    return max(1, min(threads, int(memory() / max(bytes_each, 1))))
