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
        while half < size:
            for low in range(0, size, 2 * half):
                left, right = row[low : low + half], row[low + half : low + 2 * half]
                for i in range(half):
                    a, b = left[i], right[i]
                    left[i] = a + b
                    right[i] = a - b
            half *= 2
