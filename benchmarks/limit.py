"""The limit of any direct simulation: draw the inputs with the fastest generator, go over the weights once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys._jit import njit
from tsphys.benchmarks.setting import Setting
from tsphys.numerics.random import normals, stream

BLOCK = 512


@njit(fast=True, cached=False)
def many(W, B, x, rng, decay, steps):
    """Draw N normals, write every student weight once, read every teacher weight once, so many times."""
    K, N = W.shape
    total = W.dtype.type(0)
    for _ in range(steps):
        for low in range(0, N, BLOCK):
            high = min(low + BLOCK, N)
            normals(rng, x[: high - low])
            for k in range(K):
                for i in range(low, high):
                    W[k, i] *= decay
            for m in range(B.shape[0]):
                for i in range(low, high):
                    total += B[m, i]
    return total


def start(setting: Setting, dtype: Any = np.float64) -> Callable[[int], object]:
    """The function ``advance(steps)``."""
    W, B, *_ = setting.weights(dtype)
    x = np.empty(BLOCK, dtype)
    rng = stream(3, 0, "limit")
    return lambda steps: many(W, B, x, rng, W.dtype.type(1.0), steps)
