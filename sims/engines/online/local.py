"""What the engines share: a learning rule applied to one example, with the test for divergence."""

from __future__ import annotations

from tsphys._jit import njit
from tsphys.numerics.choice import every
from tsphys.physics.order_parameters import DIVERGED
from tsphys.rules.binding import bind, bind_anchored, of_unit, rule

__all__ = [
    "BLOCK",
    "FIELD_LIMIT",
    "SCALARS",
    "bind",
    "bind_anchored",
    "coefficients",
    "estimate",
    "estimate_of_coordinates",
    "minibatch_coordinates",
    "minibatch_weights",
    "of_unit",
    "rule",
]

#: A field this large (or NaN) means that the dynamics left every bound.
FIELD_LIMIT = DIVERGED**0.5
#: Coordinates handled at once: inputs and weights of a block stay in the first-level cache.
BLOCK = 512
#: Examples for which scalars are drawn at once.
SCALARS = 2048


@njit(forceinline=True)
def coefficients(lam, nu, v, v_star, noise, p, c, dv):
    """Apply the rule to one example; False if the dynamics has diverged.

    lam (K,), nu (M,), noise (n_noise,) in; c (K,), dv (len(v),) out.
    """
    size = 0.0
    for k in range(lam.shape[0]):
        c[k] = 0.0
        size += abs(lam[k])
    for k in range(v.shape[0]):
        dv[k] = 0.0
        size += abs(v[k])
    rule(lam, nu, v, v_star, noise, p, c, dv)
    return every(size < FIELD_LIMIT)


@njit
def minibatch_weights(pool, new, lam, nu, root, v, v_star, noise, step, p):
    """Stands for a look at the whole minibatch in engine `direct`, which rules of one example do not take."""


@njit
def minibatch_coordinates(A, L, LT, z, F, columns, N, v, v_star, p):
    """Stands for the same in engine `exact`."""


@njit
def estimate(W, pool, new, c, step, p, rng):
    """Stands in engine `direct` for what becomes of a step c (b, K), one of those drawn at once, not made as it is."""


@njit
def estimate_of_coordinates(A, S, C, z, F, p, width):
    """Stands for the same in engine `exact`; returns the number of columns of S that are filled."""
    return width
