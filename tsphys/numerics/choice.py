"""Choices between numbers as calls, for kernels that run on several numbers at once: `tsphys.numerics.lanes` replaces
them by its own.
"""

from __future__ import annotations

from tsphys._jit import njit


@njit(forceinline=True)
def where(flag, a, b):
    """a if the flag is set, otherwise b."""
    return a if flag else b


@njit(forceinline=True)
def every(flag):
    """Whether the flag is set for all numbers, of which there is one."""
    return flag
