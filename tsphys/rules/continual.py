"""Online SGD of a student with a head for each of several teachers, as a rule on local fields.

Teachers' units, teachers' readouts and heads stand task after task in ν (S·M,), v_star (S·M,) and v (S·K,).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tsphys._jit import njit
from tsphys.physics.activations import dg, g


class Params(NamedTuple):
    """What tells examples apart, beside what a two-layer network has.

    An example belongs to the first task s with z < below_s, where z is the second noise of the example (0 without one).
    Where tasks alternate it is that which the clock shows, and the clock moves on.
    """

    activation: int
    lr: float
    lr_v: float
    alternate: int
    clock: Any
    """The task (1,) whose turn it is."""
    sigma: Any
    """Standard deviations (S,) of the noise of the labels."""
    below: Any
    """(S,)"""


@njit
def rule(lam, nu, v, v_star, noise, p, c, dv):
    """One example of task s: c_k = −η h_k g'(λ_k) Δ and dh_k = −η_h g(λ_k) Δ with the head h of that task.

    lam (K,), nu (S·M,), v (S·K,), v_star (S·M,), noise (1 or 2,) in; c (K,), dv (S·K,) out, zero for other heads.
    """
    S = p.sigma.shape[0]
    if p.alternate != 0:
        s = int(p.clock[0])
        p.clock[0] = float((s + 1) % S)
    else:
        z = noise[1] if noise.shape[0] > 1 else 0.0
        s = 0
        while s < S - 1 and z >= p.below[s]:
            s += 1
    K, M = lam.shape[0], nu.shape[0] // S
    delta = -p.sigma[s] * noise[0]
    for m in range(s * M, (s + 1) * M):
        delta -= v_star[m] * g(p.activation, nu[m])
    for k in range(K):
        # The student's output is needed twice; dv holds it meanwhile.
        dv[s * K + k] = g(p.activation, lam[k])
        delta += v[s * K + k] * dv[s * K + k]
    for k in range(K):
        c[k] = -p.lr * delta * v[s * K + k] * dg(p.activation, lam[k])
        dv[s * K + k] *= -p.lr_v * delta
