"""Where online learning starts: given overlaps checked against the model, or the model's own, drawn from the seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.numerics.random import Generators, generator, generators
from tsphys.physics.order_parameters import OrderParameters

#: Difference of teacher overlaps that counts as rounding.
SAME_TEACHER = 1e-12
#: A size at which random overlaps are those of N → ∞.
HUGE = 10**12


def checked_start(rule: Any, start: Any) -> OrderParameters:
    """`start` with the readouts of the rule where it has none, and the shapes of the rule.

    Raises
    ------
    ModelError
        If it is no OrderParameters, the shapes do not fit the rule, the rule is for other teachers, or its functions do
        not work with readouts of these lengths.
    """
    if not isinstance(start, OrderParameters):
        raise ModelError("start", type(start).__name__, "must be tsphys.OrderParameters")
    if start.R.shape != (rule.K, rule.M):
        raise ModelError("start", f"R of shape {start.R.shape}", f"must be ({rule.K}, {rule.M}) = (K, M) of the model")
    if rule.fixed_teacher and np.abs(start.T - rule.teacher_overlaps()).max() > SAME_TEACHER:
        words = f"must be {rule.teacher_overlaps().tolist()}, the teacher that this rule is for"
        raise ModelError("start", f"T = {start.T.tolist()}", words)
    if rule.sphere and abs(start.Q[0, 0] - 1) > SAME_TEACHER:
        raise ModelError("start", f"Q = {start.Q.tolist()}", "must be [[1]] for a student on the sphere")
    return _whole(rule, start)


def _whole(rule: Any, start: OrderParameters) -> OrderParameters:
    v, v_star = (own if own is not None else np.array(rules, float) for own, rules in
                 ((start.v, rule.v), (start.v_star, rule.v_star)))  # fmt: skip
    for name, value, own in (("v", v, rule.v), ("v_star", v_star, rule.v_star)):
        if len(own) and value.shape[-1] != len(own):
            raise ModelError("start", f"{name} of shape {value.shape}", f"must be ({len(own)},) as in the model")
    from tsphys.rules.trial import try_out

    try_out(rule, v.shape[-1], len(v_star))
    return start.read_by(v, v_star)


def mean_start(model: Any) -> tuple[OrderParameters, bool]:
    """What `drawn_start` tends to for N → ∞, and whether R is always that; else its entries are of order 1/√N.

    Raises
    ------
    ModelError
        If readouts are drawn, which differ from run to run for N → ∞ as well, or weights are not iid with the variance
        that the rule tells.
    """
    rule = model.learning_rule()
    one, other = (model.start(HUGE, generator(0, replica, "start")) for replica in range(2))
    if one.v is not None and not np.array_equal(one.v, other.v):
        raise ModelError("start", "drawn", "must be given where readouts are drawn: their mean is no typical start")
    fixed = np.array_equal(one.R, other.R)
    R = one.R if fixed else np.zeros_like(one.R)
    T_inv = np.linalg.pinv(one.T, hermitian=True)
    # Units that are still to come have no weights.
    there = np.diag(np.diag(one.Q) > 0)
    S = there * rule.init**2 if not rule.sphere else 1.0 - R @ R.T
    if np.abs(one.Q - one.R @ T_inv @ one.R.T - S).max() > 1e-4 * np.abs(S).max():
        raise ModelError("start", "drawn", "must be given unless weights are drawn as those of a rule with its init")
    Q = S + R @ T_inv @ R.T
    return checked_start(rule, OrderParameters(R=R, Q=Q, T=one.T, v=one.v, v_star=one.v_star)), fixed


def drawn_start(model: Any, N: int, seed: int, replica: int = 0) -> OrderParameters:
    """The model's own start at size N, as `replica` of a run with this seed has it."""
    return checked_start(model.learning_rule(), model.start(N, generator(seed, replica, "start")))


def drawn_starts(model: Any, N: int, seed: int, replicas: Sequence[int]) -> list[OrderParameters]:
    """`drawn_start` of several replicas, to the same bits; much faster of a start that draws `of_many`."""
    if not getattr(model.start, "of_many", False):
        return [drawn_start(model, N, seed, replica) for replica in replicas]
    rng: Any = Generators(generators(seed, replicas, "start"))
    many = _whole(model.learning_rule(), model.start(N, rng))
    return many.each() if many.R.ndim > 2 else [many] * len(replicas)
