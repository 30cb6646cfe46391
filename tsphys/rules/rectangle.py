"""Law of two labelled classes in a plane: rectangles, or clones that share only their first moments.

The rule is that of two-layer networks, with the label in the place of its noise, and a teacher without output.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from tsphys._jit import njit

_SQRT_HALF = math.sqrt(0.5)
_SQRT_THREE = math.sqrt(3.0)


class Params(NamedTuple):
    """What the rule wants, see `tsphys.rules.two_layer.Params`, and the law."""

    student: int
    teacher: int
    lr: float
    lr_v: float
    noise: float
    """1."""
    uniform: int
    """Whether coordinates are uniform; otherwise they are normal."""
    mu: Any
    """μ (2,)."""
    plus: Any
    """M_+ (2, 2)."""
    minus: Any
    """M_− (2, 2)."""


@njit
def law(s, noise, p):
    """Two standard normals s become coordinates in the plane, the third, `noise`, the label y = ±1.

    s = yμ + M_y u with u_j iid of unit variance, uniform on [−√3, √3] or normal. All laws read the same normals, so
    that what is trained on one data set and on its clone with the same seed differs by the clone alone.
    """
    y = 1.0 if noise[0] > 0.0 else -1.0
    noise[0] = y
    u0, u1 = s[0], s[1]
    if p.uniform > 0:
        # Φ(z) is uniform on (0, 1).
        u0, u1 = _SQRT_THREE * math.erf(u0 * _SQRT_HALF), _SQRT_THREE * math.erf(u1 * _SQRT_HALF)
    spread = p.plus if y > 0.0 else p.minus
    s[0] = y * p.mu[0] + spread[0, 0] * u0 + spread[0, 1] * u1
    s[1] = y * p.mu[1] + spread[1, 0] * u0 + spread[1, 1] * u1
