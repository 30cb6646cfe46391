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
def batch_rule(lam, nu, v, v_star, noise, gram, p, c, dv):
    """Stands for the rule of a whole minibatch in a kernel."""
    c[0, 0] = 0.0


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


@njit
def of_unit(decay, k):
    """What a step leaves of the weights of student k where all decay alike."""
    return decay


@njit
def _of_each(decay, k):
    return decay[k]


@njit
def _anchored(lam, nu, v, v_star, noise, p, c, dv):
    """The rule for weights that are known by their differences from anchors.

    ``nu`` ends with the K fields of the anchors, ``p`` with room for K numbers.
    """
    K = lam.shape[0]
    M, P = nu.shape[0] - K, p.shape[0] - K
    for k in range(K):
        p[P + k] = lam[k]
        lam[k] += nu[M + k]
    rule(lam, nu[:M], v, v_star, noise, p[:P], c, dv)
    for k in range(K):
        lam[k] = p[P + k]


@njit
def _behind_head(lam, nu, v, v_star, noise, p, c, dv):
    """The rule in a kernel that keeps numbers of its own where the rule has its parameters and noises.

    ``p`` = [how many numbers stand before the rule's, how many noises behind the rule's, …, the rule's].
    """
    rule(lam, nu, v, v_star, noise[: noise.shape[0] - int(p[1])], p[int(p[0]) :], c, dv)


def origin(function: Any) -> str:
    """A name for kernels bound to `function`, with which they are cached on disk; empty unless it is one of ours."""
    plain = getattr(function, "py_func", None)
    name = f"{plain.__module__}.{plain.__qualname__}" if plain is not None else ""
    # What a function inside of another computes, its name does not tell.
    return name.replace(".", "_") if name.startswith("tsphys.") and "<" not in name else ""


@cache
def bind(kernel: Any, function: Any, place: Any = rule) -> Any:
    """`kernel` with `function` in the `place` of the learning rule (or of its error).

    Cached on disk if the function is one of ours.
    """
    return rebind(kernel, {place: function}, tag=origin(function))


@cache
def bind_behind_head(kernel: Any, function: Any) -> Any:
    """`bind` for a kernel with numbers of its own in front of the rule's parameters, see `_behind_head`."""
    tag = f"behind_head_{origin(function)}" if origin(function) else ""
    return rebind(kernel, {rule: rebind(_behind_head, {rule: function}, tag=tag)}, tag=tag)


@cache
def bind_anchored(kernel: Any, function: Any) -> Any:
    """`kernel` with `function` as the learning rule of students that anchors pull, each at a rate of its own.

    A pull w ← w + c x/√N − (κ w + Ω (w − w̄))/N is plain decay at the rate κ + Ω of the difference
    u = w − Ω/(κ + Ω) w̄. So the kernel iterates u, takes what is held fixed of w̄ as K more teachers, and an array
    (K,) as decay; the rule itself sees the fields of w.
    """
    tag = f"anchored_{origin(function)}" if origin(function) else ""
    own = rebind(_anchored, {rule: function}, tag=tag)
    return rebind(kernel, {rule: own, of_unit: _of_each}, tag=tag)
