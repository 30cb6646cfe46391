"""Two classes with a core feature that always tells the label and a spurious one that mostly does, and two students.

The first learns until the second takes its place, which learns more from what the first gets wrong.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from tsphys._jit import njit


class Params(NamedTuple):
    """Strengths of both features, below which a normal variable they agree, whether the loss is the square, η, the
    student that learns and the weight of what the first gets wrong."""

    core: float
    spurious: float
    below: float
    square: int
    lr: float
    student: int
    weight: float


@njit
def law(s, noise, p):
    """The first noise becomes the label y, the second ±1 as both features agree or not; s gets their means."""
    noise[0] = 1.0 if noise[0] > 0.0 else -1.0
    noise[1] = 1.0 if noise[1] < p.below else -1.0
    s[0] += noise[0] * p.core
    s[1] += noise[0] * noise[1] * p.spurious


@njit
def rule(lam, nu, v, v_star, noise, p, c, dv):
    """One example: c = η h σ(−yλ) y of the student that learns, or η h (1 − yλ) y."""
    y = noise[0]
    margin = y * lam[p.student]
    h = p.weight if p.student == 1 and y * lam[0] < 0.0 else 1.0
    c[p.student] = p.lr * h * y * (1.0 - margin if p.square else 1.0 / (1.0 + math.exp(margin)))
