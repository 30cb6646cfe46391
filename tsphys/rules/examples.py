"""A learning rule applied to many examples side by side."""

from __future__ import annotations

import numpy as np

from tsphys._jit import njit
from tsphys.rules.binding import bind, rule
from tsphys.rules.learning_rule import LearningRule


@njit
def coefficients_of_each(lam, nu, v, v_star, noise, p, c, dv):
    """c (n, K) and the mean dv (V,) of examples with fields lam (n, K), nu (n, M) and noise (n, n_noise)."""
    one = np.zeros(v.shape[0])
    dv[...] = 0.0
    c[...] = 0.0
    for i in range(lam.shape[0]):
        one[...] = 0.0
        rule(lam[i], nu[i], v, v_star, noise[i], p, c[i], one)
        dv += one / lam.shape[0]


def on_each(
    rule: LearningRule, lam: np.ndarray, nu: np.ndarray, v: np.ndarray, v_star: np.ndarray, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (K, n) and the mean change of the readout (V,) at fields (K, n), (M, n) and noises (n_noise, n)."""
    fields = [np.ascontiguousarray(a.T) for a in (lam, nu, noise)]
    c, dv = np.empty(fields[0].shape), np.empty(v.shape)
    bind(coefficients_of_each, rule.function)(*fields[:2], v, v_star, fields[2], rule.seen_params(), c, dv)
    return c.T, dv
