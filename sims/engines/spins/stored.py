"""Stored patterns: drawn, given, padded, and their overlaps with a state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tsphys._jit import njit
from tsphys.errors import ModelError
from tsphys.ground.given import table
from tsphys.ground.parameters import number, numbers
from tsphys.numerics.random import signs, stream, uniforms

#: Rows of patterns are padded with zeros to a multiple of this, so that products over them have no remainder.
PAD = 16


def padded(P: int) -> int:
    """Length of a row that holds P patterns; short ones are left as they are."""
    return P if P < PAD else -(-P // PAD) * PAD


@njit
def _draw_signs(state, X, P):
    row = np.empty(P, np.int8)
    for i in range(X.shape[0]):
        signs(state, row)
        for j in range(P):
            X[i, j] = row[j]


@njit
def _draw_bits(state, X, P, f):
    u = np.empty(P)
    for i in range(X.shape[0]):
        uniforms(state, u)
        for j in range(P):
            X[i, j] = u[j] < f


@njit
def _draw_examples(state, archetypes, K, r, M, X, average):
    u = np.empty(M)
    for i in range(X.shape[0]):
        for j in range(K):
            uniforms(state, u)
            total = 0
            for a in range(M):
                sign = 1 if u[a] < 0.5 * (1.0 + r) else -1
                total += sign
                if not average:
                    X[i, j * M + a] = sign * archetypes[i, j]
            if average:
                X[i, j] = total * archetypes[i, j]


def drawn(N: int, P: int, seed: int, replica: int, purpose: str, mean: float | None = None) -> np.ndarray:
    """Random patterns (N, padded(P)) int8: fair ±1, or 0/1 with the given mean."""
    X = np.zeros((N, padded(P)), np.int8)
    state = stream(seed, replica, purpose)
    if mean is None:
        _draw_signs(state, X, P)
    else:
        _draw_bits(state, X, P, mean)
    return X


def given(patterns: Any, N: int, values: tuple[int, int] = (-1, 1)) -> np.ndarray:
    """A user's patterns (P, N) as rows (N, padded(P)) int8.

    Raises
    ------
    ModelError
        If the shape is not (P, N), or an entry is neither of the two values.
    """
    words = f"must be an array of shape (P, {N}) that holds only {values[0]} and {values[1]}"
    hidden = np.ma.is_masked(patterns)
    try:
        patterns = np.asarray(patterns)
    except Exception:
        raise ModelError("patterns", patterns, words) from None
    if hidden:
        raise ModelError("patterns", "a masked array", words)
    if patterns.ndim != 2 or patterns.shape[1] != N or len(patterns) == 0:
        raise ModelError("patterns", f"array of shape {patterns.shape}", words)
    if patterns.dtype.kind not in "iufb" or not np.isin(patterns, values).all():
        raise ModelError("patterns", patterns, words)
    X = np.zeros((N, padded(len(patterns))), np.int8)
    X[:, : len(patterns)] = patterns.T
    return X


def pictures(path: str, grey: bool = False) -> np.ndarray:
    """Patterns (P, N) from a .npy, .csv or .txt file of numbers (P, N), or of images (P, height, width).

    They are ±1, by the middle between the smallest and the largest number of the file, or those numbers if `grey`.

    Raises
    ------
    ModelError
        If it cannot be read, or holds one number alone.
    """
    found = numbers(table("pattern_file", Path(path)))
    words = "must hold finite numbers, not all the same, of shape (P, N) or (P, height, width)"
    if found is None or found.ndim not in (2, 3) or found.size == 0:
        raise ModelError("pattern_file", path, words)
    low, high = found.min(), found.max()
    if low == high:
        raise ModelError("pattern_file", path, words)
    found = found.reshape(len(found), -1)
    return found if grey else np.where(found > 0.5 * (low + high), 1, -1).astype(np.int8)


def levelled(patterns: Any, N: int) -> np.ndarray:
    """A user's patterns (P, N) of real numbers as columns (N, P), each less its mean and over its standard deviation.

    Raises
    ------
    ModelError
        If they are no finite numbers of that shape, or one has the same number everywhere.
    """
    found = numbers(patterns)
    if found is None or found.ndim != 2 or found.shape[1] != N or len(found) == 0 or not np.ptp(found, axis=1).all():
        words = f"must be finite numbers of shape (P, {N}), not the same everywhere in a pattern"
        raise ModelError("patterns", f"array of shape {np.shape(patterns)}", words)
    found -= found.mean(axis=1, keepdims=True)
    return np.ascontiguousarray((found / found.std(axis=1, keepdims=True)).T)


def counted(n_patterns: Any, given: int | None, loads: bool) -> int | None:
    """The number of patterns that was asked for or given; None: by the load.

    Raises
    ------
    ModelError
        If it contradicts the given patterns, or the axis runs over `loads`.
    """
    if n_patterns is not None:
        n_patterns = number("n_patterns", n_patterns, kind=int, low=1)
        if given not in (None, n_patterns):
            raise ModelError("n_patterns", n_patterns, f"must be none or the number of given patterns, {given}")
    if loads and (n_patterns or given):
        raise ModelError("alpha", "a sequence", "must be one number with a given number of patterns")
    return n_patterns or given


def examples(
    archetypes: np.ndarray, K: int, r: float, M: int, average: bool, seed: int, replica: int, purpose: str
) -> np.ndarray:
    """M examples of quality r of each archetype in (N, ≥ K), as int8 rows: (N, K·M), or their sums (N, K)."""
    X = np.zeros((len(archetypes), padded(K if average else K * M)), np.int8)
    _draw_examples(stream(seed, replica, purpose), archetypes, K, r, M, X, average)
    return X


@njit
def mean_overlaps(X, P, mean):
    """Σ_i ξ_i^μ mean_i, shape (P,), in float64."""
    out = np.zeros(P)
    for i in range(X.shape[0]):
        for j in range(P):
            out[j] += X[i, j] * mean[i]
    return out
