"""Core and spurious features."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.odes.gradient_starvation import resting
from tsphys.validation.checks import Check, Finding, Setting, on_average, within
from tsphys.validation.one_step import at_start, both, stepped
from tsphys.validation.online import averaged, simulated
from tsphys.validation.plain_rules import Plain, motion

ONE = tsphys.OrderParameters(R=[[0.3, 0.5]], Q=[[0.6]], T=np.eye(2))
TWO = tsphys.OrderParameters(R=[[0.3, 0.5], [0.6, 0.2]], Q=[[0.6, 0.3], [0.3, 0.9]], T=np.eye(2))
NONE = tsphys.OrderParameters(R=np.zeros((2, 2)), Q=np.zeros((2, 2)), T=np.eye(2))
T = [1.0, 2.0, 4.0, 8.0, 16.0]
MODEL = tsphys.GradientStarvation(core=0.8, spurious=1.5, majority=0.8, lr=0.5)
LATER = replace(MODEL, retrain_at=2.0, weight=3.0)
SQUARE = replace(LATER, loss="square", lr=0.2)


def law(s: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and features that agree with probability 0.8."""
    from scipy.special import ndtr

    y, agree = np.where(noise[..., 0] > 0, 1.0, -1.0), np.where(ndtr(noise[..., 1]) < 0.8, 1.0, -1.0)
    return s + y[..., None] * np.stack([0.8 + 0 * y, 1.5 * agree], axis=-1), np.stack([y, agree], axis=-1)


def rule(student: int, lr: float, weight: float, square: bool) -> Any:
    """SGD of one of the students, on examples that the first gets wrong so much more."""

    def steps(lam: Any, nu: Any, v: Any, v_star: Any, noise: Any, gram: Any) -> Any:
        f = noise[..., :1] * lam
        pull = 1 - f if square else np.exp(-f) / (1 + np.exp(-f))
        more = np.where(f[..., :1] < 0, weight, 1.0) if student else 1.0
        return lr * noise[..., :1] * more * pull * (np.arange(lam.shape[-1]) == student), np.zeros((*lam.shape[:-1], 0))

    return steps


def right(setting: Setting) -> Finding:
    """Accuracies by drawing features and labels: the majority, the minority and all."""
    n, rng = setting.replicas(200_000), np.random.default_rng([setting.seed, 21])
    R, Q = np.array(TWO.R), np.array(TWO.Q)
    z = rng.standard_normal((n, 2)) @ np.linalg.cholesky(Q).T
    agree = rng.random(n) < MODEL.majority
    good = np.stack([0.8 + 0 * agree, 1.5 * np.where(agree, 1, -1)], axis=1) @ R.T + z > 0
    told = LATER.observables(R, Q, np.eye(2), (), ())
    seen = {"majority": good[agree], "minority": good[~agree], "eps_g": ~good}
    exact = np.concatenate([told[name] for name in seen])
    return on_average([x.astype(float) for a in seen.values() for x in a.T], exact.tolist(), "shares of right answers")


def rest(setting: Setting) -> Finding:
    """Where a single student with the square loss ends."""
    model = replace(MODEL, loss="square", lr=0.2)
    return within(tsphys.solve(model, t=[300])["R"][0, 0] - resting(model), 1e-7, "overlaps at rest")


def taken_over(model: Any, plain: Plain) -> Any:
    """A check of the rates of the equations where a second student takes over."""

    def run(setting: Setting) -> Finding:
        told = motion(plain, replace(TWO, v=(), v_star=()), 2**13 if setting.quick else 2**15)
        early = 1e-9
        return at_start(replace(model, retrain_at=early), *told, begin=early, start=TWO)

    return run


def checks(quick: bool) -> list[Check]:
    """What is checked of starved features: one student, a second one, both losses."""
    out = [
        Check("simulation", "second student, exact", simulated(LATER, NONE, T, "exact", 500, 32)),
        Check("simulation", "second student, direct", simulated(LATER, NONE, T[:4], "direct", 400, 16)),
        Check("simulation", "square loss, exact", simulated(SQUARE, NONE, T, "exact", 500, 32)),
        Check("step", "accuracies", right),
        Check("identity", "at rest", rest),
        Check("integral", "equations", averaged(LATER, TWO, [1.0, 2.0, 2.5, 4.0], 2**12)),
    ]
    out += both("one student", MODEL, Plain(rule(0, 0.5, 1.0, False), noises=2, law=law), ONE)
    for model, square in ((LATER, False), (SQUARE, True)):
        first, second = (rule(i, model.lr, 3.0, square) for i in range(2))
        plain = Plain(first, noises=2, law=law)
        early = replace(model, retrain_at=3 / 24)
        out.append(Check("rate", f"second, {model.loss}", taken_over(model, Plain(second, noises=2, law=law))))

        def tasks(step: int, W: Any, v: Any, first: Any = first, second: Any = second) -> Any:
            return (first if step < 3 else second), 0.0, 0.0

        out.append(
            Check("step", f"second, {model.loss}", stepped(early, plain, TWO, "exact", 6, tasks=tasks, replicas=1200))
        )
    return out
