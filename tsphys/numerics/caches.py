"""What the processor's caches want of arrays and kernels: where lines begin, and what will be read soon."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.config import DISABLE_JIT  # type: ignore[attr-defined]
from numba.extending import intrinsic

#: Bytes of a line.
LINE = 64


def aligned(a: np.ndarray, dtype: Any = None) -> np.ndarray:
    """A copy that begins with a line: elsewhere every second vector of a kernel lies in two of them."""
    kind = np.dtype(dtype or a.dtype)
    room = np.empty(a.size * kind.itemsize + LINE, np.uint8)
    first = -room.ctypes.data % LINE
    out = room[first : first + a.size * kind.itemsize].view(kind).reshape(a.shape)
    out[...] = a
    return out


@intrinsic
def prefetch(typingctx, a, i):
    """Begin to read the line with a[i] of a contiguous array, which may be beyond its end."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        from numba.np.arrayobj import make_array

        byte, flag = ir.PointerType(ir.IntType(8)), ir.IntType(32)
        place = builder.bitcast(builder.gep(make_array(a)(context, builder, values[0]).data, [values[1]]), byte)
        kind = ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
        fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        # To be read, and kept in all caches; data.
        builder.call(fetch, [place, *(ir.Constant(flag, n) for n in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(a, i), code


def _nothing(a: Any, i: Any) -> None:
    pass


if DISABLE_JIT:
    prefetch = _nothing  # type: ignore[assignment]
