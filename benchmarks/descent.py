"""Benchmark of the kernel of descent against the loop that one writes in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys.benchmarks.setting import Setting
from tsphys.benchmarks.table import Row, ratio, row
from tsphys.benchmarks.timing import interleaved
from tsphys.runs.replicas import over_replicas
from tsphys.sims.engines.gradient import DeepLinear, TwoLayer, reduced

#: Inputs, examples and hidden units; and inputs where they are many more than examples.
D, P, N, MANY = 50, 200, 30, 10_000
LR = 1e-3


def plain_numpy(X: np.ndarray, y: np.ndarray, W: np.ndarray, v: np.ndarray, phi: str) -> Callable[[int], None]:
    """Full-batch steps of f(x) = v·φ(Wx), the gradient as it is written."""
    W, v, n = W.copy(), v.copy(), len(X)

    def advance(steps: int) -> None:
        nonlocal W, v
        for _ in range(steps):
            h = X @ W.T
            if phi == "relu":
                g, slope = np.maximum(h, 0), h > 0
            elif phi == "quadratic":
                g, slope = h + 0.25 * h**2, 1 + 0.5 * h
            else:
                g, slope = h, 1.0
            delta = (y - g @ v) / n
            W, v = W + LR * ((delta[:, None] * v * slope).T @ X), v + LR * (delta @ g)

    return advance


def steps_of(net: Any, w: np.ndarray) -> Callable[[int], None]:
    """Steps of tsphys, in place."""
    return lambda steps: net.advance(w, LR, steps)


def steps(setting: Setting) -> list[Row]:
    """Time of a step on all examples, and its ratio to the plain loop, on one thread and over replicas.

    Two matrix products, 4KDn operations, are nearly all of a step: how many a second there are is held against those of
    a large matrix product, which is what the machine gives.
    """
    rng = np.random.default_rng(1)
    X, y, W, v = (rng.standard_normal(s) for s in ((P, D), P, (N, D), N))
    X, v, rows = X / np.sqrt(D), v / N, []
    for phi in ("linear", "relu", "quadratic"):
        net: Any = TwoLayer(X, y, N, phi=phi, eps=0.5)
        start = net.pack(W, v)
        if phi == "linear":
            net = DeepLinear((D, N, 1), X.T @ X / P, y[None] @ X / P)
        cases = {"plain NumPy": plain_numpy(X, y, W, v, phi), "tsphys": steps_of(net, start.copy())}
        rows += _rows(
            f"descent, a step, {phi}, {D} inputs, {P} examples, {N} units", cases, setting, 0 if phi == "linear" else D
        )
    wide = rng.standard_normal((P, MANY)) / np.sqrt(MANY)
    Z, Q = reduced(wide)
    W = rng.standard_normal((N, MANY))
    net = TwoLayer(Z, y, N, phi="relu")
    cases = {"plain NumPy": plain_numpy(wide, y, W, v, "relu"), "tsphys": steps_of(net, net.pack(W @ Q, v))}
    rows += _rows(f"descent, a step, relu, {MANY} inputs, {P} examples, {N} units", cases, setting)

    net, count = TwoLayer(X, y, N, phi="relu"), setting.threads
    replicas = [net.pack(rng.standard_normal((N, D)), v) for _ in range(2 * count)]

    def on(threads: int) -> Callable[[int], None]:
        return lambda pieces: over_replicas(
            lambda index, _: net.advance(replicas[index], LR, 200 * pieces), range(len(replicas)), threads=threads
        )

    plain = [plain_numpy(X, y, rng.standard_normal((N, D)), v, "relu") for _ in replicas]

    def one_by_one(pieces: int) -> None:
        for advance in plain:
            advance(200 * pieces)

    square = rng.standard_normal((1000, 1000))
    cases = {"plain NumPy": one_by_one, **{str(k): on(k) for k in (1, count)}}
    times = interleaved(cases, setting.seconds, setting.rounds, setting.steps)
    product = interleaved({"": lambda steps: [square @ square for _ in range(steps)]}, setting.seconds, setting.rounds)
    section = f"descent, relu, {2 * count} nets over threads"
    return [
        *rows,
        ratio(section, f"{count} threads: times faster than one", times["1"], times[str(count)]),
        ratio(section, f"{count} threads: times faster than plain NumPy", times["plain NumPy"], times[str(count)]),
        row("descent, a product of 1000 × 1000 matrices", "plain NumPy", 2 / product[""], "GFlop/s"),
    ]


def _rows(section: str, cases: dict[str, Callable[[int], None]], setting: Setting, inputs: int = 0) -> list[Row]:
    """Times, their ratio, and operations a second where there are so many `inputs` to each field."""
    times = interleaved(cases, setting.seconds, setting.rounds, setting.steps)
    rows = [row(section, name, 1e6 * t, "µs") for name, t in times.items()]
    rows.append(ratio(section, "tsphys: times faster", times["plain NumPy"], times["tsphys"]))
    work = 4e-9 * N * inputs * P
    return [*rows, *(row(section, name, work / t, "GFlop/s") for name, t in times.items() if work)]
