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
def read(a):
    """Sum of a row."""
    total = a.dtype.type(0)
    for i in range(a.shape[0]):
        total += a[i]
    return total


@njit(fast=True, cached=False)
def write(a, factor):
    """Multiply a row."""
    for i in range(a.shape[0]):
        a[i] *= factor


@njit(cached=False)
def many(W, B, x, rng, factor, steps):
    """Draw N normals, write every student weight once, read every teacher weight once, so many times."""
    N = W.shape[1]
    total = W.dtype.type(0)
    for _ in range(steps):
        for low in range(0, N, BLOCK):
            normals(rng, x[: min(BLOCK, N - low)])
        for k in range(W.shape[0]):
            write(W[k], factor)
        for m in range(B.shape[0]):
            total += read(B[m])
    return total


def start(setting: Setting, dtype: Any = np.float64) -> Callable[[int], object]:
    """The function ``advance(steps)``."""
    W, B, *_ = setting.weights(dtype)
    x = np.empty(BLOCK, dtype)
    rng = stream(3, 0, "limit")
    return lambda steps: many(W, B, x, rng, W.dtype.type(1.0), steps)
