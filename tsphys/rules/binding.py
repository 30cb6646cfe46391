"""The places that a learning rule, its error and a law of the inputs take in a kernel; engines and quadratures put the
real ones there.

A kernel hands on ``p`` as it is. It is the rule's parameters, or a NamedTuple that has them as ``own`` beside what
somebody else wants to know; in the place of the rule then stands a function that takes the tuple apart.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tsphys._jit import njit, once, rebind


@njit
def rule(lam, nu, v, v_star, noise, p, c, dv):
    """Stands for the learning rule in a kernel."""
    c[0] = 0.0


@njit
def batch_rule(lam, nu, v, v_star, noise, gram, p, c, dv):
    """Stands for the rule of a whole minibatch in a kernel."""
    c[0, 0] = 0.0


@njit
def knowing_rule(lam, nu, v, v_star, noise, R, Q, p, c, dv):
    """Stands for a rule that uses the overlaps."""
    c[0] = 0.0


@njit
def knowing_batch_rule(lam, nu, v, v_star, noise, gram, R, Q, p, c, dv):
    """Stands for a rule of a whole minibatch that uses the overlaps."""
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


class Known(NamedTuple):
    """Parameters of a rule and the overlaps R (K, M) and Q (K, K), which whoever calls it keeps up to date."""

    own: Any
    R: Any
    Q: Any


@njit(forceinline=True)
def _knowing(lam, nu, v, v_star, noise, p, c, dv):
    knowing_rule(lam, nu, v, v_star, noise, p.R, p.Q, p.own, c, dv)


@njit(forceinline=True)
def _knowing_batch(lam, nu, v, v_star, noise, gram, p, c, dv):
    knowing_batch_rule(lam, nu, v, v_star, noise, gram, p.R, p.Q, p.own, c, dv)


class Anchored(NamedTuple):
    """Parameters of a rule and room for the fields (K,) of weights that are known by their differences from anchors."""

    own: Any
    lam: Any


@njit(forceinline=True)
def _anchored(lam, nu, v, v_star, noise, p, c, dv):
    """The rule for such weights, where ``nu`` ends with the K fields of the anchors."""
    K = lam.shape[0]
    M = nu.shape[0] - K
    for k in range(K):
        p.lam[k] = lam[k] + nu[M + k]
    rule(p.lam, nu[:M], v, v_star, noise, p.own, c, dv)


@njit(forceinline=True)
def _own(lam, nu, v, v_star, noise, p, c, dv):
    """The rule, in a kernel that keeps something of its own beside ``p.own``."""
    rule(lam, nu, v, v_star, noise, p.own, c, dv)


@njit
def of_unit(decay, k):
    """What a step leaves of the weights of student k where all decay alike."""
    return decay


@njit
def _of_each(decay, k):
    return decay[k]


def origin(function: Any) -> str:
    """A name for kernels bound to `function`, with which they are cached on disk; empty unless it is one of ours."""
    plain = getattr(function, "py_func", None)
    name = f"{plain.__module__}.{plain.__qualname__}" if plain is not None else ""
    # What a function inside of another computes, its name does not tell.
    return name.replace(".", "_") if name.startswith("tsphys.") and "<" not in name else ""


def tag_of(function: Any) -> str:
    """A name for kernels bound to `function` on disk: `origin`, or what tells all of a user's function that does so."""
    return origin(function) or getattr(function, "identity", "")


@once
def bind(kernel: Any, function: Any, place: Any = rule) -> Any:
    """`kernel` with `function` in the `place` of the learning rule (or of its error).

    Cached on disk if the function is one of ours, or its fingerprint tells all that it depends on.
    """
    return rebind(kernel, {place: function}, tag=tag_of(function))


@once
def _at(function: Any, knows: bool, whole: bool) -> Any:
    if not knows:
        return function
    return bind(_knowing_batch, function, knowing_batch_rule) if whole else bind(_knowing, function, knowing_rule)


def placed(described: Any) -> Any:
    """What stands in the place of a LearningRule, of an example or of the whole minibatch, in a kernel."""
    return _at(described.function, described.uses_overlaps, described.whole_batch)


def given(described: Any, R: np.ndarray, Q: np.ndarray) -> Any:
    """``p`` for what is `placed`: the parameters of a LearningRule, with the overlaps if it uses them."""
    return Known(described.seen_params(), R, Q) if described.uses_overlaps else described.seen_params()


@once
def bind_beside(kernel: Any, function: Any) -> Any:
    """`kernel` with `function` as its learning rule, where ``p`` has more than the rule's parameters, its ``own``."""
    tag = f"beside_{tag_of(function)}" if tag_of(function) else ""
    return rebind(kernel, {rule: rebind(_own, {rule: function}, tag=tag)}, tag=tag)


@once
def bind_anchored(kernel: Any, function: Any) -> Any:
    """`kernel` with `function` as the learning rule of students that anchors pull, each at a rate of its own.

    A pull w ← w + c x/√N − (κ w + Ω (w − w̄))/N is plain decay at the rate κ + Ω of the difference
    u = w − Ω/(κ + Ω) w̄. So the kernel iterates u, takes what is held fixed of w̄ as K more teachers, and an array
    (K,) as decay; the rule itself sees the fields of w.
    """
    tag = f"anchored_{tag_of(function)}" if tag_of(function) else ""
    adapted = rebind(_anchored, {rule: function}, tag=tag)
    return rebind(kernel, {rule: adapted, of_unit: _of_each}, tag=tag)
