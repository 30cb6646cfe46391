"""ReLUs with biases."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.odes import learning_rule
from tsphys.validation.checks import Check, Finding, Setting, within
from tsphys.validation.one_step import answer, both, stepped
from tsphys.validation.online import simulated
from tsphys.validation.plain_rules import Plain

ONE = tsphys.OrderParameters(R=[[0.3]], Q=[[0.7]], T=[[1.2]])
TWO = tsphys.OrderParameters(R=[[0.2], [0.1]], Q=[[1, 0.1], [0.1, 0.8]], T=[[1]])
T = [1.0, 3.0, 10.0, 30.0]
NOISE = tsphys.ActiveFraction(K=1, M=1, labels="random", lr=0.5, lr_b=0.5)
TAUGHT = tsphys.ActiveFraction(
    K=1, M=1, lr=0.4, lr_v=0.2, lr_b=0.6, noise=0.5, minibatch=2, v=[0.8], b=[0.3], v_star=[1.2], b_star=[-0.6]
)
PAIR = tsphys.ActiveFraction(K=2, M=1, lr_v=0.2, noise=0.7, b=[0.3, -0.2], v=[1, 0.7], v_star=[1.2], b_star=[-0.6])


def rule(K: int, M: int, lr: float, lr_v: float, lr_b: float, sigma: float) -> Any:
    """SGD on ½(Σ v_k (λ_k + β_k)₊ − Σ v*_m (ν_m + β*_m)₊ − σζ)²."""

    def step(lam: Any, nu: Any, v: Any, v_star: Any, noise: Any, gram: Any) -> Any:
        a, g = v[..., :K], np.maximum(lam + v[..., K:], 0)
        delta = (a * g).sum(axis=-1) - (v_star[..., :M] * np.maximum(nu + v_star[..., M:], 0)).sum(axis=-1)
        delta = (delta - sigma * noise[..., 0])[..., None]
        pull = -a * (g > 0) * delta
        return lr * pull, np.concatenate([-lr_v * g * delta, lr_b * pull], axis=-1)

    return step


def closed(setting: Setting) -> Finding:
    """The closed equations of one unit against averages by quadrature.

    Bounds: four standard errors of its scramblings, and 1e-5 for its tolerance.
    """
    t, names = [0.5, 2.0, 8.0], ("R", "Q", "v")
    other = learning_rule.solve(TAUGHT, start=ONE, t=t, points=2**14 if setting.quick else 2**17)
    theory = tsphys.solve(TAUGHT, start=ONE, t=t)
    bound = [4 * other.meta["quadrature_error"][name] + 1e-5 for name in names]
    return within([np.abs(theory[name] - other[name]).max() for name in names], bound, "sobol quadrature")


def last_units(setting: Setting) -> Finding:
    """p η_β t → 1 of random labels, with corrections of order 1/ln t, which is a tenth of it at t = 1e4."""
    late = [1e3, 1e4, 1e5]
    told = tsphys.solve(NOISE, start=tsphys.OrderParameters(R=[[0]], Q=[[1]], T=[[1]]), t=late)
    gap = told["active"][:, 0] * NOISE.lr_b * np.array(late) - 1
    return within(gap, np.full(3, 0.1), "p times η_β t, less one")


def checks(quick: bool) -> list[Check]:
    """What is checked of active fractions."""
    plain = Plain(rule(1, 1, 0.4, 0.2, 0.6, 0.5), b=2)
    more = Plain(rule(2, 1, 0.3, 0.2, 0.3, 0.7))
    return [
        Check("simulation", "random labels, exact", simulated(NOISE, ONE, T, "exact", 500, 32)),
        Check("simulation", "a teacher, direct", simulated(TAUGHT, ONE, T[:3], "direct", 400, 16)),
        Check("integral", "closed equations", closed),
        Check("identity", "law of the last active inputs", last_units),
        *both("one unit", TAUGHT, plain, ONE),
        # Their equations are averages of the rule themselves.
        Check("identity", "two units, the rule", answer(PAIR, more, TWO)),
        Check("step", "two units, exact", stepped(PAIR, more, TWO, "exact")),
    ]
