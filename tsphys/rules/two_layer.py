"""Online SGD of a two-layer student on the squared error to a two-layer teacher, as a rule on local fields.

Parameters ``p = [student code, teacher code, lr, lr_v, sigma]``; one standard normal with each example.
"""

from __future__ import annotations

from tsphys._jit import njit
from tsphys.physics.activations import dg, g


@njit
def rule(lam, nu, v, v_star, noise, p, c, dv):
    """One example: c_k = −η v_k g'(λ_k) Δ and dv_k = −η_v g(λ_k) Δ with Δ = Σ v_k g(λ_k) − Σ v*_m g*(ν_m) − σζ.

    lam (K,), nu (M,), v (K,), v_star (M,), noise (1,), p (5,) in; c (K,), dv (K,) out.
    """
    student, teacher = int(p[0]), int(p[1])
    delta = -p[4] * noise[0]
    for m in range(nu.shape[0]):
        delta -= v_star[m] * g(teacher, nu[m])
    for k in range(lam.shape[0]):
        # The student's output is needed twice; dv holds it meanwhile.
        dv[k] = g(student, lam[k])
        delta += v[k] * dv[k]
    for k in range(lam.shape[0]):
        c[k] = -p[2] * delta * v[k] * dg(student, lam[k])
        dv[k] *= -p[3] * delta


@njit
def error(lam, nu, v, v_star, p):
    """Half the squared difference of student and noiseless teacher on one example."""
    student, teacher = int(p[0]), int(p[1])
    delta = 0.0
    for m in range(nu.shape[0]):
        delta -= v_star[m] * g(teacher, nu[m])
    for k in range(lam.shape[0]):
        delta += v[k] * g(student, lam[k])
    return 0.5 * delta * delta
