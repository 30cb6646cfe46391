"""Core and spurious features."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.validation.checks import Check
from tsphys.validation.one_step import both, stepped
from tsphys.validation.online import averaged, simulated
from tsphys.validation.plain_rules import Plain

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


def checks(quick: bool) -> list[Check]:
    """What is checked of starved features: one student, a second one, both losses."""
    out = [
        Check("simulation", "second student, exact", simulated(LATER, NONE, T, "exact", 500, 32)),
        Check("simulation", "second student, direct", simulated(LATER, NONE, T[:4], "direct", 400, 16)),
        Check("simulation", "square loss, exact", simulated(SQUARE, NONE, T, "exact", 500, 32)),
        Check("integral", "equations", averaged(LATER, TWO, [1.0, 2.0, 2.5, 4.0], 2**12)),
    ]
    out += both("one student", MODEL, Plain(rule(0, 0.5, 1.0, False), noises=2, law=law), ONE)
    for model, square in ((LATER, False), (SQUARE, True)):
        first, second = (rule(i, model.lr, 3.0, square) for i in range(2))
        plain = Plain(first, noises=2, law=law)
        early = replace(model, retrain_at=3 / 24)

        def tasks(step: int, W: Any, v: Any, first: Any = first, second: Any = second) -> Any:
            return (first if step < 3 else second), 0.0, 0.0

        out.append(
            Check("step", f"second, {model.loss}", stepped(early, plain, TWO, "exact", 6, tasks=tasks, replicas=1200))
        )
    return out
