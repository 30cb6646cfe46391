"""The expansion in 1/N of online learning by rules on local fields: its states, its processes, and what is observed.

The state is y = (R, triangle of S, v) with S = Q − R T⁺ Rᵀ, the overlaps outside of the teachers' span, in which
nothing cancels as students become teachers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.odes.equations.expansion import Process
from tsphys.odes.equations.one_step import Shares, on_the_sphere, one_step
from tsphys.odes.equations.overlaps import Overlaps, States
from tsphys.physics.order_parameters import OrderParameters
from tsphys.rules.engines import EXPANSION, FEATURES, lacking
from tsphys.rules.field_average import SCRAMBLINGS, Nodes, gauss, lawful, polar, sobol
from tsphys.rules.learning_rule import LearningRule
from tsphys.rules.params import same
from tsphys.rules.phases import Phase, State
from tsphys.rules.starts import mean_start
from tsphys.runs.frames import Options
from tsphys.runs.online import readouts

#: Nodes of Sobol's points for a smooth rule, which leave 1 % of D, and for one with kinks; and their variance: averages
#: of high powers of the fields, which the fourth moments of nearly equal students are, need points far out.
SMOOTH, ROUGH, WIDE = 2**12, 2**14, 1.5
#: Most Gauss-Hermite nodes, which are for two fields only: with more of them the same number of points is too coarse.
GAUSS = 2**11


Drift = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Flow(Options):
    """What the equations of a rule without parameters in time are asked for."""

    gradient_flow: bool = param(
        False, "leave out the noise of SGD, the terms of order η²: the limit of small η at fixed ηt", kind=bool
    )


class Stage(NamedTuple):
    """What happens for a while, until the time `end`, in variables z of its own.

    ``enter(y)`` are those of the state y in which it begins, ``back(z)`` the state; none: z is y. `atol`: absolute
    tolerance of the curve z(t).
    """

    process: Process
    atol: Any = 1e-11
    end: float = math.inf
    enter: Callable[[np.ndarray], np.ndarray] | None = None
    back: Callable[[np.ndarray], np.ndarray] | None = None


@dataclass(frozen=True)
class Chain:
    """What the expansion wants to know of a model: its first state, what happens to it, and what is observed of it.

    Parameters
    ----------
    start : ndarray (n,)
    stage : callable
        ``stage(i, t, y)`` is the stage i = 0, 1, … that begins at time t in the state y.
    observe : callable
        ``observe(states (p, n))`` is {observable: (p, …)}, with the names and shapes of the model's theory.
    units : callable
        As those of a `Process`, of the state.
    bias, cov : ndarray (n,), (n, n), optional
        m and C of the first state; none: zero, a given start.
    """

    start: np.ndarray
    stage: Callable[[int, float, np.ndarray], Stage]
    observe: Callable[[np.ndarray], dict[str, np.ndarray]]
    units: Callable[[np.ndarray], np.ndarray]
    bias: np.ndarray | None = None
    cov: np.ndarray | None = None


#: Why it does not.
UNKNOWN = {
    "alpha": "whose examples come again, which overlaps do not tell",
    "masks": "whose overlaps in each class of coordinates fluctuate, which their sums do not tell",
    "whole_batch": "which see how the lengths of inputs fluctuate",
    "schedule": "of students on a sphere",
    "stop": "whose time is random",
    "rewind": "which depends on the state then",
}


def expandable(rule: LearningRule) -> LearningRule:
    """The rule, if the expansion is known for it.

    Raises
    ------
    ModelError
        If it is not.
    """
    _expandable(lacking(EXPANSION, rule))
    return rule


def _expandable(lacks: Sequence[str]) -> None:
    for name in lacks:
        words = f"must be false: {EXPANSION.name} does not know {FEATURES[name]}, {UNKNOWN[name]}"
        raise ModelError("fluctuations", True, words)


def nodes_of(rule: LearningRule, unseen: int = 0) -> Nodes:
    """Nodes for the moments of one step, of the law of the inputs, with teachers that the rule does not see."""
    fields = rule.K + rule.M + unseen
    found = None
    if rule.smooth and fields == 2 and rule.law is None:
        found = gauss(fields, rule.n_noise, GAUSS)
    elif fields == 2 and rule.law is None:
        found = polar(rule.n_noise, GAUSS)
    nodes = found[0] if found else widened(fields + rule.n_noise, SMOOTH if rule.smooth else ROUGH)
    return nodes if rule.law is None else Nodes(nodes.kind, lawful(rule, nodes.z), nodes.w)


@lru_cache(maxsize=16)
def widened(dimensions: int, points: int) -> Nodes:
    """Sobol's points of a normal density of variance `WIDE`, weighted to be of variance one."""
    sets = sobol(dimensions, SCRAMBLINGS * points)
    assert sets is not None
    z = sets[0].z
    w = np.exp(-0.5 * (WIDE - 1) * (z**2).sum(axis=1))
    return Nodes("sobol", np.sqrt(WIDE) * z, w / w.sum())


def process_of(rules: Shares, overlaps: States, v_star: Any, drift: Drift) -> Process:
    """The process of rules, as in `one_step`, whose motion of (R, S, v) is `drift`."""
    rule = rules[0][1]
    moments, decay = one_step(rules, nodes_of(rule), overlaps.T, np.array(v_star)), np.full(rule.K, rule.weight_decay)
    return Process(
        drift, lambda y: moments(y, decay)[1:], lambda y: overlaps.units(y, rough=not rule.smooth, speed=drift(y))
    )


def chain(model: Any, start: OrderParameters, *, drift: Drift, observe: Any = None, atol: Any = 1e-11) -> Chain:
    """The chain of a model with a rule on local fields whose motion of (R, S, v) is `drift`."""
    rule = expandable(model.learning_rule())
    overlaps = Overlaps(np.array(start.T), rule.K)
    process = process_of([(1.0, rule)], overlaps, start.v_star, drift)
    stage = Stage(process, atol)
    return Chain(overlaps.state(start), lambda *_: stage, observe or seen(model, start), process.units)


def seen(model: Any, start: OrderParameters) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """What there is to see of states (R, S, v) of a model."""
    overlaps = Overlaps(np.array(start.T), len(start.R))

    def observe(states: np.ndarray) -> dict[str, np.ndarray]:
        R, S, v = overlaps.split(states)
        Q = overlaps.Q(R, S)
        return {**model.observables(R, Q, start.T, v, start.v_star), "R": R, "Q": Q, "v": readouts(model, v)}

    return observe


def spherical(model: Any, start: OrderParameters, *, drift: Drift) -> Chain:
    """The chain of a model whose student stays on the sphere, where (R, v) moves by `drift`."""
    rule = expandable(model.learning_rule())
    overlaps = Overlaps(np.array(start.T), 1)
    M, T_inv = rule.M, overlaps.T_inv

    def outside(R: np.ndarray) -> np.ndarray:
        return 1.0 - np.einsum("...m,mn,...n->...", R, T_inv, R)[..., None]

    def whole(y: np.ndarray) -> np.ndarray:
        """(R, S, v) of states (R, v)."""
        return np.concatenate([y[..., :M], np.maximum(outside(y[..., :M]), 0.0), y[..., M:]], axis=-1)

    free = one_step([(1.0, rule)], nodes_of(rule), overlaps.T, np.array(start.v_star))
    moments, everything = on_the_sphere(free, T_inv), seen(model, start)
    process = Process(
        drift, lambda y: moments(y)[1:], lambda y: np.delete(overlaps.units(whole(y), rough=not rule.smooth), M)
    )

    def observe(states: np.ndarray) -> dict[str, np.ndarray]:
        # Rounding of S must not show as fluctuations of Q.
        return {**everything(whole(states)), "Q": np.ones((len(states), 1, 1))}

    stage = Stage(process)
    return Chain(np.concatenate([start.R[0], start.v]), lambda *_: stage, observe, process.units)


Enter = Callable[[int, State], Phase]


def beginning(enter: Enter, overlaps: States, start: OrderParameters, i: int, t: float) -> Drift:
    """The function y -> state in which a phase begins, with a readout of its own if it has one."""

    state = overlaps.at(start.v_star)

    def begun(y: np.ndarray) -> np.ndarray:
        R, S, v = overlaps.split(y)
        phase = enter(i, state(t, y))
        if phase.units is not None:
            R, S = phase.units.of(R, S)
        return overlaps.join(R, S, v if phase.v is None else phase.v)

    return begun


def fixed_phase(
    enter: Enter, overlaps: States, start: OrderParameters, i: int, t: float, y: np.ndarray, pull: bool = False
) -> Phase:
    """The phase i that begins in a state y at t, if it does not depend on the state but in its readout.

    With `pull` its anchors may depend on it as well.

    Raises
    ------
    ModelError
        If its end or its parameters do: they differ from run to run.
    """
    state = overlaps.at(start.v_star)
    here = enter(i, state(t, y))
    there = enter(i, state(t, y + 1e-3 * overlaps.units(y, rough=False) * np.resize([1.0, 0.5], len(y))))
    _expandable(EXPANSION.lacks(name for name, value in here.asked.items() if value is not None))

    def asked(phase: Phase) -> tuple[Any, ...]:
        rates = () if pull or phase.pull is None else phase.pull
        return phase.params, [phase.until], rates, () if phase.units is None else np.ravel(phase.units)

    if any(not same(one, other) for one, other in zip(asked(here), asked(there), strict=True)):
        raise ModelError("fluctuations", True, "must be false where phases depend on the state, which is random")
    return here


def drawn(chain: Chain, model: Any, start: OrderParameters) -> Chain:
    """The chain from starts that every run draws, iid weights N(0, s²), about their mean for N → ∞.

    N Cov(R_km, R_ln) = s² δ_kl T_mn, and S is Wishart's with N − rank T degrees of freedom. On the sphere s = 1.
    """
    rule, n, T = model.learning_rule(), len(chain.start), np.array(start.T)
    K, M, (row, column) = rule.K, rule.M, np.tril_indices(rule.K)
    s, fixed = 1.0 if rule.sphere else rule.init, mean_start(model)[1]
    # Units that are still to come have no weights.
    bias, cov, one = np.zeros(n), np.zeros((n, n)), np.diag(np.diag(start.Q) > 0).astype(float)
    if not fixed:
        cov[: K * M, : K * M] = s**2 * np.kron(one, T)
    if not rule.sphere:
        pairs = slice(K * M, K * M + len(row))
        bias[pairs] = -(s**2) * np.linalg.matrix_rank(T, hermitian=True) * one[row, column]
        k, l, p, q = row[:, None], column[:, None], row[None], column[None]
        cov[pairs, pairs] = s**4 * (one[k, p] * one[l, q] + one[k, q] * one[l, p])
    return replace(chain, bias=bias, cov=cov)
