"""The places that a learning rule, its error and a law of the inputs take in a kernel; engines and quadratures put the
real ones there."""

from __future__ import annotations

from functools import cache
from typing import Any

from tsphys._jit import njit, rebind


@njit
def rule(lam, nu, v, v_star, noise, p, c, dv):
    """Stands for the learning rule in a kernel."""
    c[0] = 0.0


@njit
def error(lam, nu, v, v_star, p):
    """Stands for the error of the learning rule in a kernel."""
    return 0.0


@njit
def law(s, noise, p):
    """Stands for the law of the inputs along the teachers in a kernel."""


@njit
def through_law(z, M, K, p):
    """Turn rows of standard normals z (P, M + K + n_noise) into inputs along teachers and students, and noises."""
    for i in range(z.shape[0]):
        law(z[i, :M], z[i, M + K :], p)


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


def origin(function: Any) -> str:
    """A name for kernels bound to `function`, with which they are cached on disk; empty unless it is one of ours."""
    module = function.py_func.__module__ or ""
    ours = module.startswith("tsphys.")
    return f"{module}.{function.py_func.__qualname__}".replace(".", "_") if ours else ""


@cache
def bind(kernel: Any, function: Any, place: Any = rule) -> Any:
    """`kernel` with `function` in the `place` of the learning rule (or of its error).

    Cached on disk if the function is one of ours.
    """
    return rebind(kernel, {place: function}, tag=origin(function))
