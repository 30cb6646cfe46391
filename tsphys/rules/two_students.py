"""Two students of one teacher, each by SGD on its own error, from the same example or from one each.

A step has two examples. A coin, the second noise of the first, tells whether both learn from that, with its label.
"""

from __future__ import annotations

from typing import NamedTuple

from tsphys._jit import njit
from tsphys.physics.activations import dg, g


class Params(NamedTuple):
    """Code of the activation, η, η_v, σ, units of the first student, and below which a normal variable they share."""

    kind: int
    lr: float
    lr_v: float
    noise: float
    first: int
    below: float


@njit
def rule(lam, nu, v, v_star, noise, gram, p, c, dv):
    """Two examples: c (2, K) and dv (2, K), twice those of a step, which is over the mean of both."""
    for student in range(2):
        i = 0 if noise[0, 1] < p.below else student
        begin, end = (0, p.first) if student == 0 else (p.first, lam.shape[1])
        delta = -p.noise * noise[i, 0]
        for m in range(nu.shape[1]):
            delta -= v_star[m] * g(p.kind, nu[i, m])
        for k in range(begin, end):
            dv[i, k] = g(p.kind, lam[i, k])
            delta += v[k] * dv[i, k]
        for k in range(begin, end):
            c[i, k] = -2.0 * p.lr * delta * v[k] * dg(p.kind, lam[i, k])
            dv[i, k] *= -2.0 * p.lr_v * delta
