"""Online SGD in Numba, as one gets it from the NumPy code by a decorator."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tsphys._jit import njit
from tsphys.benchmarks.setting import Setting


@njit(cached=False)
def step(W, B, v, v_star, x, zeta, lr):
    """One step on the example x with the teacher's noise zeta; W changes in place."""
    N = x.size
    delta = -zeta
    c = np.empty(W.shape[0])
    for m in range(B.shape[0]):
        delta -= v_star[m] * math.erf(np.dot(B[m], x) / np.sqrt(2 * N))
    for k in range(W.shape[0]):
        lam = np.dot(W[k], x) / np.sqrt(N)
        delta += v[k] * math.erf(lam / np.sqrt(2))
        c[k] = v[k] * np.sqrt(2 / np.pi) * math.exp(-(lam**2) / 2)
    for k in range(W.shape[0]):
        W[k] -= lr * delta * c[k] / np.sqrt(N) * x


@njit(cached=False)
def many(W, B, v, v_star, noise, lr, steps):
    """So many steps on fresh examples."""
    for _ in range(steps):
        x = np.random.standard_normal(W.shape[1])  # noqa: NPY002 (what Numba knows)
        step(W, B, v, v_star, x, noise * np.random.standard_normal(), lr)  # noqa: NPY002


def start(setting: Setting) -> Callable[[int], object]:
    """A run at t = 0, as the function ``advance(steps)``."""
    state = setting.weights()

    def advance(steps: int) -> np.ndarray:
        many(*state, setting.noise, setting.lr, steps)
        return state[0]

    return advance
