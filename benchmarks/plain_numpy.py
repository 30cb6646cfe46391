"""Online SGD in NumPy, as one writes it on the first day."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import erf

from tsphys.benchmarks.setting import Setting


def step(W: np.ndarray, B: np.ndarray, v: np.ndarray, v_star: np.ndarray, x: np.ndarray, zeta: float, lr: float):
    """One step on the example x with the teacher's noise zeta; W changes in place."""
    root = np.sqrt(len(x))
    lam, nu = W @ x / root, B @ x / root
    delta = v @ erf(lam / np.sqrt(2)) - v_star @ erf(nu / np.sqrt(2)) - zeta
    slope = np.sqrt(2 / np.pi) * np.exp(-(lam**2) / 2)
    W -= lr / root * np.outer(delta * v * slope, x)


def start(setting: Setting) -> Callable[[int], object]:
    """A run at t = 0, as the function ``advance(steps)``."""
    W, B, v, v_star = setting.weights()
    rng = np.random.default_rng(2)

    def advance(steps: int) -> np.ndarray:
        for _ in range(steps):
            step(W, B, v, v_star, rng.standard_normal(setting.N), setting.noise * rng.standard_normal(), setting.lr)
        return W

    return advance
