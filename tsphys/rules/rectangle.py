"""Law of two labelled classes in a plane: rectangles, or clones that share only their first moments.

The parameters ``p`` of the rule hold, from place 5 on: 1 for uniform, 0 for normal coordinates, μ (2,), M_+ (2, 2) and
M_− (2, 2), row by row. The first five are those of the rule of two-layer networks, with the label in the place of its
noise, of standard deviation 1, and a teacher without output.
"""

from __future__ import annotations

import math

from tsphys._jit import njit

#: Where the parameters of the law begin.
AT = 5

_SQRT_HALF = math.sqrt(0.5)
_SQRT_THREE = math.sqrt(3.0)


@njit
def law(s, noise, p):
    """Two standard normals s become coordinates in the plane, the third, `noise`, the label y = ±1.

    s = yμ + M_y u with u_j iid of unit variance, uniform on [−√3, √3] or normal. All laws read the same normals, so
    that what is trained on one data set and on its clone with the same seed differs by the clone alone.
    """
    y = 1.0 if noise[0] > 0.0 else -1.0
    noise[0] = y
    u0, u1 = s[0], s[1]
    if p[AT] > 0.0:
        # Φ(z) is uniform on (0, 1).
        u0, u1 = _SQRT_THREE * math.erf(u0 * _SQRT_HALF), _SQRT_THREE * math.erf(u1 * _SQRT_HALF)
    at = AT + 3 if y > 0.0 else AT + 7
    s[0] = y * p[AT + 1] + p[at] * u0 + p[at + 1] * u1
    s[1] = y * p[AT + 2] + p[at + 2] * u0 + p[at + 3] * u1
