"""CUDA: the only place that imports it.

Kernels and what they call are written as for the CPU and compiled anew here, so that a rule, an activation or a step of
a chain has one body. Kernels keep to what the built-in target of Numba, numba-cuda and the simulator have in common.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from tsphys._jit import rebind
from tsphys.errors import ModelError

try:
    from numba import cuda
except ImportError:
    cuda = None  # type: ignore[assignment]


def require() -> None:
    """Raise a ModelError unless there is a device (or Numba's simulator of one)."""
    if cuda is None or not cuda.is_available():
        raise ModelError(
            "engine", "cuda", "needs an NVIDIA GPU with its driver and numba-cuda: pip install 'tsphys[gpu]'"
        )


def _larger(a, b):
    return b if b > a else a


def _smaller(a, b):
    return b if b < a else a


@cache
def _builtins() -> dict[str, Any]:
    # max and min of two numbers do not compile in the built-in target since Numba 0.66 (numba#10753).
    return {"max": cuda.jit(_larger, device=True), "min": cuda.jit(_smaller, device=True)}


def _compile(function: Any, device: bool) -> Any:
    """Compile a function whose globals are a copy of their own."""
    for name, other in _builtins().items():
        function.__globals__.setdefault(name, other)
    return cuda.jit(function, device=device)


def device(function: Any, made: dict[Any, Any]) -> Any:
    """A jitted function, and all that it calls, as device functions.

    Parameters
    ----------
    function : dispatcher
        Jitted for the CPU; nothing in it may allocate.
    made : dict
        Jitted function -> device function that takes its place; it grows by what is compiled on the way.
    """
    return rebind(function, made, lambda f: _compile(f, True))


def kernel(body: Callable[..., None], made: dict[Any, Any]) -> Any:
    """A plain function as a kernel, with all jitted functions that it calls as device functions; `made` as above."""
    return rebind(body, made, lambda f: _compile(f, f.__code__ is not body.__code__))


def fitting(size: int) -> int:
    """How many things of `size` bytes fit into four fifths of the device's free memory.

    Raises
    ------
    MemoryError
        If not a single one does.
    """
    # The simulator's memory is infinite.
    free = min(0.8 * cuda.current_context().get_memory_info()[0], 2.0**62)
    if free < size:
        raise MemoryError(f"a replica takes {size / 2**20:.0f} MiB on the device, of which {free / 2**20:.0f} are free")
    return int(free) // size
