"""The limit of any direct simulation: draw the inputs with the fastest generator, go over the weights once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys._jit import njit
from tsphys.benchmarks.setting import Setting
from tsphys.numerics.caches import aligned
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


@njit(fast=True, cached=False)
def eight(a, x):
    """Products of two rows of a with four of x: eight multiply-adds a coordinate, and six numbers that are read."""
    s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = 0.0
    for i in range(np.uint64(a.shape[1])):
        s0 += a[0, i] * x[0, i]
        s1 += a[0, i] * x[1, i]
        s2 += a[0, i] * x[2, i]
        s3 += a[0, i] * x[3, i]
        t0 += a[1, i] * x[0, i]
        t1 += a[1, i] * x[1, i]
        t2 += a[1, i] * x[2, i]
        t3 += a[1, i] * x[3, i]
    return s0 + s1 + s2 + s3 + t0 + t1 + t2 + t3


@njit(cached=False)
def multiplied(a, x, times):
    """So many times that; each is another, so that the compiler does not do it once for all."""
    for i in range(times):
        a[0, i % a.shape[1]] = 1e-9 * eight(a, x)


def multiply_adds(setting: Setting) -> Callable[[int], object]:
    """The multiply-adds of a step, (2K + M)N, from the first cache: ``advance(steps)``."""
    a, x = (aligned(np.ones((n, BLOCK))) for n in (2, 4))
    each = (2 * setting.K + setting.M) * setting.N / (8 * BLOCK)
    return lambda steps: multiplied(a, x, max(1, round(each * steps)))
