"""Online SGD of a student with a head for each of several teachers, as a rule on local fields.

Parameters ``p = [student code, teacher code, lr, lr of the heads, tasks S, alternate, clock, σ_1 … σ_S, c_1 … c_S]``.
An example belongs to the first task s with z < c_s, where z is the second noise of the example (0 without one); if
tasks alternate, to the task clock mod S instead, and the clock moves on. Teachers' units, teachers' readouts and heads
stand task after task in ν (S·M,), v_star (S·M,) and v (S·K,).
"""

from __future__ import annotations

from tsphys._jit import njit
from tsphys.physics.activations import dg, g

#: Where the noises of the labels begin in p.
SIGMA = 7
ALTERNATE, CLOCK = 5, 6


@njit
def rule(lam, nu, v, v_star, noise, p, c, dv):
    """One example of task s: c_k = −η h_k g'(λ_k) Δ and dh_k = −η_h g(λ_k) Δ with the head h of that task.

    lam (K,), nu (S·M,), v (S·K,), v_star (S·M,), noise (1 or 2,) in; c (K,), dv (S·K,) out, zero for other heads.
    """
    student, teacher, S = int(p[0]), int(p[1]), int(p[4])
    if p[ALTERNATE] != 0.0:
        s = int(p[CLOCK])
        p[CLOCK] = float((s + 1) % S)
    else:
        z = noise[1] if noise.shape[0] > 1 else 0.0
        s = 0
        while s < S - 1 and z >= p[SIGMA + S + s]:
            s += 1
    K, M = lam.shape[0], nu.shape[0] // S
    delta = -p[SIGMA + s] * noise[0]
    for m in range(s * M, (s + 1) * M):
        delta -= v_star[m] * g(teacher, nu[m])
    for k in range(K):
        # The student's output is needed twice; dv holds it meanwhile.
        dv[s * K + k] = g(student, lam[k])
        delta += v[s * K + k] * dv[s * K + k]
    for k in range(K):
        c[k] = -p[2] * delta * v[s * K + k] * dg(student, lam[k])
        dv[s * K + k] *= -p[3] * delta
