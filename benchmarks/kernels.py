"""Benchmark of kernels of infinitely wide nets against the recursion that one writes in NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tsphys.benchmarks import plain_tangents
from tsphys.benchmarks.setting import Setting
from tsphys.benchmarks.table import Row, ratio, row
from tsphys.benchmarks.timing import interleaved
from tsphys.physics.kernels import Layer, kernels, stack

#: Inputs, their dimension, and layers.
P, D, L = 1000, 50, 10
WEIGHTS, BIASES = 1.7, 0.05


def plain_numpy(activation: str, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """NNGP kernel and NTK after L layers with φ, on whole matrices."""
    K = WEIGHTS * (X @ X.T / X.shape[1]) + BIASES
    T = K.copy()
    for _ in range(L):
        q = np.diag(K)
        if activation == "relu":
            scale = np.sqrt(np.outer(q, q))
            angle = np.arccos(np.clip(K / scale, -1, 1))
            slope = WEIGHTS * (np.pi - angle) / (2 * np.pi)
            K = WEIGHTS * scale * (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / (2 * np.pi) + BIASES
        else:
            scale = np.outer(1 + q, 1 + q)
            slope = WEIGHTS * 2 / np.pi / np.sqrt(scale - K**2)
            K = WEIGHTS * 2 / np.pi * np.arcsin(K / np.sqrt(scale)) + BIASES
        T = K + T * slope
    return K, T


def recursion(setting: Setting) -> list[Row]:
    """Time of both kernels of all pairs of inputs, on one thread, and its ratio to the plain recursion, and to JAX."""
    X, rows = np.random.default_rng(1).standard_normal((P, D)), []

    def repeated(work: Callable[[], object]) -> Callable[[int], None]:
        def advance(times: int) -> None:
            for _ in range(times):
                work()

        return advance

    for activation in ("relu", "erf"):
        section = f"kernels, NNGP and NTK of {P} inputs, {L} layers, {activation}"
        layers = stack(L + 1, Layer(activation, WEIGHTS, BIASES))
        cases = {
            "plain NumPy": repeated(lambda: plain_numpy(activation, X)),  # noqa: B023
            "tsphys": repeated(lambda: kernels(layers, X)),  # noqa: B023
        }
        if plain_tangents.installed():
            theirs = plain_tangents.start(activation, WEIGHTS, BIASES, L)
            theirs(X)
            cases["neural-tangents"] = repeated(lambda: theirs(X))  # noqa: B023
        times = interleaved(cases, setting.seconds, setting.rounds)
        rows += [row(section, name, 1e3 * t, "ms") for name, t in times.items()]
        for name in (name for name in cases if name != "tsphys"):
            words = "tsphys: times faster" + ("" if name == "plain NumPy" else f" than {name}")
            rows.append(ratio(section, words, times[name], times["tsphys"]))
    return rows
