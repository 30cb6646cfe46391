"""Two students of one teacher."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.validation.checks import Check
from tsphys.validation.one_step import answer, stepped
from tsphys.validation.online import averaged, simulated
from tsphys.validation.plain_rules import Plain

R = np.array([[0.12, 0.02], [-0.05, 0.1], [0.05, 0.15], [0.1, 0]])
Q = np.array([[0.3, 0.05, 0, 0], [0.05, 0.25, 0, 0], [0, 0, 0.25, 0], [0, 0, 0, 0.35]])
START = tsphys.OrderParameters(R=R, Q=Q, T=[[1, 0.2], [0.2, 1]], v=[0.9, 1.1, 1.1, 0.9], v_star=[1, 1.2])
SINGLE = tsphys.OrderParameters(R=[[0.3], [0.1]], Q=[[0.5, 0.1], [0.1, 0.3]], T=[[1]], v=[0.9, 1.1], v_star=[1.0])
T = [0.5, 1.0, 3.0, 10.0]


def pair(lr: float, lr_v: float, sigma: float, f: float) -> Any:
    """SGD of two linear units, each on its own error of its own example, or of that of the first."""
    from scipy.special import ndtr

    def rule(lam: Any, nu: Any, v: Any, v_star: Any, noise: Any, gram: Any) -> Any:
        together = ndtr(noise[:, :1, 1]) < f
        c, dv = np.zeros_like(lam), np.zeros_like(lam)
        for own, apart in ((0, 0), (1, 1)):
            delta = v[..., own] * lam[..., own] - v_star[0] * nu[..., 0] - sigma * noise[..., 0]
            mine = np.where(together, np.array([1.0, 0.0]), np.eye(2)[apart])
            c[..., own] = -2 * lr * mine * delta * v[..., own]
            dv[..., own] = -2 * lr_v * mine * delta * lam[..., own]
        return c, dv

    return rule


def checks(quick: bool) -> list[Check]:
    """What is checked of two students."""
    out = []
    for f, engine, N, replicas in ((0.5, "exact", 500, 32), (0.0, "exact", 500, 32), (1.0, "direct", 200, 16)):
        model = tsphys.TwoStudents(shared=f, lr_v=0.3, noise=0.5)
        out.append(Check("simulation", f"f = {f}, {engine}", simulated(model, START, T, engine, N, replicas, "score")))
    model = tsphys.TwoStudents(K=1, M=1, shared=0.5, lr_v=0.3, noise=0.5)
    out.append(Check("integral", "equations", averaged(model, SINGLE, [0.5, 2.0], 2**12)))
    linear = tsphys.TwoStudents(K=1, M=1, activation="linear", lr=0.8, lr_v=0.6, noise=0.5, shared=0.3)
    plain = Plain(pair(0.8, 0.6, 0.5, 0.3), noises=2, b=2)
    out.append(Check("identity", "linear, the rule", answer(linear, plain, SINGLE)))
    out += [Check("step", f"linear, {e}", stepped(linear, plain, SINGLE, e, 4)) for e in ("exact", "direct")]
    return out
