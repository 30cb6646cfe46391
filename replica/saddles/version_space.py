"""Students on the sphere that have all of a teacher's labels right: their volume by overlap, N → ∞.

In replica symmetry, which is exact here, ln Vol{consistent w at the angle θ}/N, of the whole sphere, is

    s(θ) = min_q ½ln(1 − q) + (q − R²)/(2(1 − q)) + 2α∫Dt Φ(at) lnΦ(bt),   a = R/√(q − R²), b = √(q/(1 − q)), R = cos θ

(Györgyi & Tishby 1990). Its maximum, at q = R, is the volume of all of them. At finite N shells have the weight
e^(Ns)/sin²θ dθ, exactly without examples, and to O(1) in its logarithm with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from tsphys.ground.parameters import number
from tsphys.numerics.quadrature import panels
from tsphys.physics.inference.channels import hazard

#: Fall of ln of the weight beyond which nothing counts, and nodes up to there.
FALL, NODES = 40.0, 24
#: Logit of q beyond which it is as good as at an end.
FARTHEST = 34.0


def volume(alpha: float, theta: float) -> float:
    """s(θ) at a load α ≥ 0; −∞ at angles at which no student is left.

    Raises
    ------
    ModelError
        If α is no number from 0 on, or θ no angle between 0 and π.
    """
    from scipy.optimize import brentq

    alpha, theta = number("alpha", alpha, low=0), number("theta", theta, low=0, high=math.pi)
    rest = math.sin(theta) ** 2
    if rest == 0 or theta == math.pi:
        return -math.inf
    if alpha == 0:
        return 0.5 * math.log(rest)

    def pull(x: float) -> float:
        return free(alpha, theta, x)[1]

    # q between R² and 1 by its logit, of which s knows the error squared.
    at = 0.0
    step = 2.0 if pull(at) < 0 else -2.0
    while abs(at + step) < FARTHEST and pull(at + step) * step < 0:
        at, step = at + step, 2 * step
    if abs(at + step) >= FARTHEST:
        return -math.inf if step > 0 else free(alpha, theta, -FARTHEST)[0]
    return free(alpha, theta, brentq(pull, *sorted((at, at + step)), xtol=1e-9))[0]


def free(alpha: float, theta: float, x: float) -> tuple[float, float]:
    """What s(θ) is the minimum of, at q = R² + (1 − R²)/(1 + e^(−x)), and (1 − q) times its slope in q."""
    from scipy.special import log_ndtr, ndtr

    R, rest = math.cos(theta), math.sin(theta) ** 2
    left, between = rest / (1 + math.exp(x)), rest / (1 + math.exp(-x))
    q = R * R + between
    a, b = R / math.sqrt(between), math.sqrt(q / left)
    t, w = panels(-12.0, 12.0, [(0.0, 1 / max(abs(a), 1e-3)), (0.0, 1 / b)], most=2.0)
    w = w * np.exp(-0.5 * t * t) * math.sqrt(2 / math.pi)
    known, log = ndtr(a * t), log_ndtr(b * t)
    edge = np.exp(-0.5 * np.minimum((a * t) ** 2, 1400.0)) / math.sqrt(2 * math.pi)
    value = 0.5 * math.log(left) + 0.5 * between / left + alpha * float((w * known) @ log)
    # d/dq, times 1 − q, which has its sign.
    turned = -0.5 * a / between * float((w * edge * t) @ (log + math.log(2))) + 0.5 * b / (q * left) * float(
        (w * known * t) @ hazard(b * t)[0]
    )
    return value, 0.5 * between / left + alpha * left * turned


@lru_cache(maxsize=256)
def log_mass(alpha: float, N: float, theta: float = math.pi) -> tuple[float, float]:
    """ln ∫_0^θ e^(Ns)/sin² dθ', and the mean of θ' in it, N ≥ 2."""
    if alpha == 0 and theta == math.pi:
        return 0.5 * math.log(math.pi) + math.lgamma(0.5 * (N - 1)) - math.lgamma(0.5 * N), 0.5 * math.pi

    def weight(x: float) -> float:
        # Over x = ln tan(θ/2), in which dθ = sin θ dx.
        angle = 2 * math.atan(math.exp(x))
        return N * volume(alpha, angle) - math.log(math.sin(angle))

    def beyond(x: float, by: float) -> float:
        """Where, from the peak, the weight has fallen."""
        step = by
        while weight(x + step) > top - FALL and abs(step) < 64:
            step *= 2
        inside, outside = x, x + step
        for _ in range(4):
            middle = 0.5 * (inside + outside)
            inside, outside = (middle, outside) if weight(middle) > top - FALL else (inside, middle)
        return outside

    end = math.log(math.tan(0.5 * theta)) if theta < math.pi else 9.0
    peak = _peak(weight, end)
    top = weight(peak)
    low, high = beyond(peak, -1 / N), end if peak == end else min(beyond(peak, 1 / N), end)
    x, w = panels(low, high, [(peak, 0.0)], most=0.5 * (high - low), nodes=NODES)
    logs = np.array([weight(float(at)) for at in x]) - top
    masses = w * np.exp(logs)
    return top + math.log(masses.sum()), float(masses @ (2 * np.arctan(np.exp(x))) / masses.sum())


def _peak(weight: Callable[[float], float], end: float) -> float:
    """Of a weight with one maximum below `end`, or there."""
    from scipy.optimize import minimize_scalar

    low = end - 1.0
    while weight(low) > weight(low + 1.0) or weight(low) == -math.inf:
        low -= 1.0
    high = min(low + 2.0, end)
    x = float(minimize_scalar(lambda x: -weight(x), bounds=(low, high), method="bounded", options={"xatol": 1e-9}).x)
    return end if high == end and weight(end) >= weight(x) else x


@lru_cache(maxsize=256)
def typical(alpha: float) -> float:
    """The angle of almost all students, cos θ = q."""
    return 2 * math.atan(math.exp(_peak(lambda x: volume(alpha, 2 * math.atan(math.exp(x))), 9.0)))
