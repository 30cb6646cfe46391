"""Sylvester's Hadamard matrices H (2^n, 2^n), entries ±1, H Hᵀ = 2^n: products by the fast transform, never stored."""

from __future__ import annotations

from tsphys._jit import njit


@njit(fast=True)
def transform(x):
    """Multiply each row of `x` (S, 2^n) by H, in place, in n·2^n additions instead of 4^n."""
    size = x.shape[1]
    for s in range(x.shape[0]):
        row = x[s]
        half = 1
        if size >= 8:
            # The first three stages in registers: their steps are too short for a loop of their own.
            for i in range(0, size, 8):
                a, b, c, d = row[i], row[i + 1], row[i + 2], row[i + 3]
                e, f, g, h = row[i + 4], row[i + 5], row[i + 6], row[i + 7]
                a, b, c, d, e, f, g, h = a + b, a - b, c + d, c - d, e + f, e - f, g + h, g - h
                a, c, b, d, e, g, f, h = a + c, a - c, b + d, b - d, e + g, e - g, f + h, f - h
                row[i], row[i + 1], row[i + 2], row[i + 3] = a + e, b + f, c + g, d + h
                row[i + 4], row[i + 5], row[i + 6], row[i + 7] = a - e, b - f, c - g, d - h
            half = 8
        while half < size:
            for low in range(0, size, 2 * half):
                left, right = row[low : low + half], row[low + half : low + 2 * half]
                for i in range(half):
                    u, v = left[i], right[i]
                    left[i] = u + v
                    right[i] = u - v
            half *= 2
