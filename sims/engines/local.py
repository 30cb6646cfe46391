"""What the engines share: the place that a learning rule takes in a kernel, and the test for divergence."""

from __future__ import annotations

from functools import cache
from typing import Any

from tsphys._jit import njit, rebind

#: A field this large (or NaN) means that the dynamics left every bound; overlaps are then of order its square.
FIELD_LIMIT = 1e8


@njit
def rule(lam, nu, v, v_star, noise, p, c, dv):
    """Stands for the learning rule; `bind` puts the real one in its place."""
    c[0] = 0.0


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


@njit
def write_overlaps(p, R, Q):
    """Put R and Q, row by row, at the end of the rule's parameters."""
    K, M = R.shape
    at = p.shape[0] - K * M - K * K
    for k in range(K):
        for m in range(M):
            p[at + k * M + m] = R[k, m]
    at += K * M
    for k in range(K):
        for j in range(K):
            p[at + k * K + j] = Q[k, j]


@cache
def bind(kernel: Any, function: Any) -> Any:
    """`kernel` with `function` as its learning rule; cached on disk if the rule is one of ours."""
    module = function.py_func.__module__ or ""
    ours = module.startswith("tsphys.")
    tag = f"{module}.{function.py_func.__qualname__}".replace(".", "_") if ours else ""
    return rebind(kernel, {rule: function}, tag=tag)

