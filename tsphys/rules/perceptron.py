"""Rules of the sign perceptron: Hebb, Rosenblatt, AdaTron, and the optimal online rule.

The codes of the first three follow that order. The optimal rule uses the overlaps, and has neither code nor rate.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from tsphys._jit import njit

HEBB, ROSENBLATT, ADATRON = range(3)

#: The optimal step grows like 1/ρ; below this overlap it is kept as it is there.
SMALLEST_OVERLAP = 1e-3

_SQRT_TWO_OVER_PI = math.sqrt(2.0 / math.pi)
_SQRT_HALF = math.sqrt(0.5)


class Params(NamedTuple):
    """Code of the rule, learning rate η."""

    kind: int
    lr: float


@njit
def hazard(u):
    """φ(u)/∫_u^∞ φ of the standard normal density φ; to 1e-10 relative for every u."""
    if u > 35.0:
        # Both underflow; the asymptotic series of Mills' ratio, whose next term is −74/u⁷.
        w = 1.0 / (u * u)
        return u * (1.0 + w * (1.0 - w * (2.0 - 10.0 * w)))
    return _SQRT_TWO_OVER_PI * math.exp(-0.5 * u * u) / math.erfc(u * _SQRT_HALF)


@njit
def optimal(lam, nu, overlap, q):
    """Coefficient of the optimal online rule for a noiseless teacher.

    It maximises dρ/dt over all rules that see λ and the label y = sign ν only:
    c = (√Q/ρ) E[ν − ρh | h, y] = (√Q/ρ) y s φ(z)/Φ(yz), with h = λ/√Q, s = √(1 − ρ²), z = ρh/s.

    Parameters
    ----------
    lam, nu : float
        Fields of student and teacher.
    overlap : float
        ρ = R/√Q for a teacher of norm √N. For ρ < 0, where no rule is optimal, c has 1/|ρ|, which raises ρ.
    q : float
        Squared norm of the student, Q > 0.

    References
    ----------
    Kinouchi & Caticha, J. Phys. A 25, 6243 (1992).
    """
    y = 1.0 if nu > 0.0 else -1.0
    norm = math.sqrt(q)
    s = math.sqrt(max(1.0 - overlap * overlap, 0.0))
    z = overlap * lam / (norm * max(s, 1e-150))
    return norm / max(abs(overlap), SMALLEST_OVERLAP) * y * s * hazard(-y * z)


@njit
def rule(lam, nu, v, v_star, noise, p, c, dv):
    """One example: the coefficient c (1,) of the rule `p.kind`.

    A field of exactly zero counts as an error, so that Rosenblatt's rule starts from w = 0.
    """
    y = 1.0 if nu[0] > 0.0 else -1.0
    if p.kind == HEBB:
        c[0] = p.lr * y
    elif p.kind == ROSENBLATT:
        c[0] = p.lr * y if y * lam[0] <= 0.0 else 0.0
    else:
        c[0] = -p.lr * lam[0] if y * lam[0] <= 0.0 else 0.0


@njit
def optimal_rule(lam, nu, v, v_star, noise, R, Q, p, c, dv):
    """One example of the optimal rule: its coefficient c (1,)."""
    c[0] = optimal(lam[0], nu[0], R[0, 0] / math.sqrt(Q[0, 0]), Q[0, 0])


@njit
def error(lam, nu, v, v_star, p):
    """1 if student and teacher disagree on the example, else 0."""
    return 1.0 if lam[0] * nu[0] < 0.0 else 0.0
