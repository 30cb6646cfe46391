"""Online SGD of a two-layer student of ReLUs with biases, as a rule on local fields.

Biases move by 1/N a step, as readouts do, and stand behind them: v = (v_1 … v_K, β_1 … β_K), v* = (v*_m, β*_m).
"""

from __future__ import annotations

from typing import NamedTuple

from tsphys._jit import njit


class Params(NamedTuple):
    """Learning rates η, η_v and η_β of weights, readouts and biases; standard deviation σ of the noise."""

    lr: float
    lr_v: float
    lr_b: float
    noise: float


@njit
def rule(lam, nu, v, v_star, noise, p, c, dv):
    """One example: of units that it activates, c_k = −η v_k Δ, dv_k = −η_v (λ_k + β_k) Δ and dβ_k = −η_β v_k Δ."""
    K = lam.shape[0]
    delta = -p.noise * noise[0]
    for m in range(nu.shape[0]):
        delta -= v_star[m] * max(nu[m] + v_star[nu.shape[0] + m], 0.0)
    for k in range(K):
        delta += v[k] * max(lam[k] + v[K + k], 0.0)
    for k in range(K):
        height = lam[k] + v[K + k]
        if height > 0.0:
            c[k] = -p.lr * v[k] * delta
            dv[k] = -p.lr_v * height * delta
            dv[K + k] = -p.lr_b * v[k] * delta
