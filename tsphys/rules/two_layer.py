"""Online SGD of a two-layer student on the squared error to a two-layer teacher, as a rule on local fields.

One standard normal comes with each example.
"""

from __future__ import annotations

from typing import NamedTuple

from tsphys._jit import njit
from tsphys.physics.activations import dg, g


class Params(NamedTuple):
    """Codes of the activations of student and teacher, learning rates η and η_v, standard deviation σ of the noise."""

    student: int
    teacher: int
    lr: float
    lr_v: float
    noise: float


@njit
def rule(lam, nu, v, v_star, noise, p, c, dv):
    """One example: c_k = −η v_k g'(λ_k) Δ and dv_k = −η_v g(λ_k) Δ with Δ = Σ v_k g(λ_k) − Σ v*_m g*(ν_m) − σζ.

    lam (K,), nu (M,), v (K,), v_star (M,), noise (1,) in; c (K,), dv (K,) out.
    """
    delta = -p.noise * noise[0]
    for m in range(nu.shape[0]):
        delta -= v_star[m] * g(p.teacher, nu[m])
    for k in range(lam.shape[0]):
        # The student's output is needed twice; dv holds it meanwhile.
        dv[k] = g(p.student, lam[k])
        delta += v[k] * dv[k]
    for k in range(lam.shape[0]):
        c[k] = -p.lr * delta * v[k] * dg(p.student, lam[k])
        dv[k] *= -p.lr_v * delta


@njit
def error(lam, nu, v, v_star, p):
    """Half the squared difference of student and noiseless teacher on one example."""
    delta = 0.0
    for m in range(nu.shape[0]):
        delta -= v_star[m] * g(p.teacher, nu[m])
    for k in range(lam.shape[0]):
        delta += v[k] * g(p.student, lam[k])
    return 0.5 * delta * delta
