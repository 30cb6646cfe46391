"""What the engines share: a learning rule applied to one example, with the test for divergence."""

from __future__ import annotations

from tsphys._jit import njit
from tsphys.physics.order_parameters import DIVERGED
from tsphys.rules.binding import bind, rule, write_overlaps

__all__ = ["FIELD_LIMIT", "SCALARS", "bind", "coefficients", "rule", "write_overlaps"]

#: A field this large (or NaN) means that the dynamics left every bound.
FIELD_LIMIT = DIVERGED**0.5
#: Examples for which scalars are drawn at once.
SCALARS = 2048


@njit
def coefficients(lam, nu, v, v_star, noise, p, c, dv):
    """Apply the rule to one example; False if the dynamics has diverged.

    lam (K,), nu (M,), noise (n_noise,) in; c (K,), dv (len(v),) out.
    """
    size = 0.0
    for k in range(lam.shape[0]):
        size += abs(lam[k])
    for k in range(v.shape[0]):
        dv[k] = 0.0
        size += abs(v[k])
    rule(lam, nu, v, v_star, noise, p, c, dv)
    return size < FIELD_LIMIT
