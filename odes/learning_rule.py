"""Online learning by any rule on local fields for N → ∞, its averages taken by quadrature.

dR/dt = ⟨c νᵀ⟩ − κR, dQ/dt = ⟨c λᵀ + λ cᵀ⟩ + ⟨c cᵀ⟩/b − 2κQ, dv/dt = ⟨dv⟩ − κ_v v, with averages over the Gaussian
fields (λ, ν) of covariance [[Q, R], [Rᵀ, T]] and the noises of the rule (Saad and Solla 1995, for a general rule);
with a law of the inputs, ν and the noises have that law and λ its part across the teachers' span. On the sphere, where
each step ends with w → w √N/|w|, dR/dt loses ½R dQ/dt, and Q = 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.odes.equations import online, stored
from tsphys.odes.equations.exchange import Kept, Part, keeping, overlaps
from tsphys.odes.equations.expansion import FIRST, jacobian
from tsphys.odes.equations.phases import Leg, through_phases
from tsphys.odes.equations.stored import Stored
from tsphys.physics.estimation import estimation_noise
from tsphys.physics.order_parameters import DIVERGED, OrderParameters
from tsphys.rules import active_fraction, online_attack, phases, two_layer
from tsphys.rules.binding import batch_rule, bind, given, placed
from tsphys.rules.contract import Online
from tsphys.rules.engines import QUADRATURE, refuse
from tsphys.rules.field_average import (
    ACCEPTED,
    KINDS,
    Nodes,
    combined,
    factors,
    families,
    mean_error_with_estimate,
    moments,
    teacher_factors,
)
from tsphys.rules.learning_rule import LearningRule
from tsphys.runs import frames
from tsphys.solvers.ode import integrate

#: A smooth drift needs some hundred steps, a rough one at too small a tolerance has no end.
MAX_STEPS = 50_000

#: Rules that are the same with units in another order, and on how many sides their teachers stand, whose units change
#: places together. On one side all readouts are of a unit each, on two the first K.
EXCHANGEABLE = {two_layer.rule: 1, active_fraction.rule: 1} | dict.fromkeys(
    (online_attack.fixed, online_attack.blind, online_attack.rule), 2
)

#: A larger step of differences than that of the expansion in 1/N, and the part of the largest derivative by which they
#: may differ: of smooth rules they do by 1e-6, with kinks by 1e-4 or so, with jumps by about all of it.
COARSE, JUMPS = 1e-3, 0.01

State = tuple[np.ndarray, np.ndarray, np.ndarray]


def drift(rule: LearningRule, nodes: Nodes, T: np.ndarray, v_star: np.ndarray) -> Callable[..., State]:
    """The function ``(R, Q, v) -> (dR/dt, dQ/dt, dv/dt)`` with averages over `nodes`."""
    K, M = rule.K, rule.M
    LT, G = teacher_factors(T)
    known = np.zeros((K, M)), np.zeros((K, K))
    p = given(rule, *known)
    A, L, c_nu, c_lam, c_c = np.zeros((K, M)), np.zeros((K, K)), np.zeros((K, M)), np.zeros((K, K)), np.zeros((K, K))
    v_star = np.array(v_star)
    if rule.whole_batch:
        from tsphys.rules.batch_average import batch_moments, by_example

        kernel: Any = bind(batch_moments, placed(rule), batch_rule)
        where: tuple[Any, ...] = (by_example(rule, nodes), nodes.w)
    else:
        kernel, where = bind(moments, placed(rule)), (nodes.kind == "polar", nodes.z, nodes.w)

    def rates(R: np.ndarray, Q: np.ndarray, v: np.ndarray) -> State:
        factors(R, Q, G, A, L)
        known[0][...], known[1][...] = R, Q
        dv = np.zeros(len(v))
        kernel(*where, A, L, LT, v, v_star, p, c_nu, c_lam, c_c, dv)
        dR = c_nu - rule.weight_decay * R
        spread = c_c / rule.minibatch
        spread += np.diag(estimation_noise(np.diag(spread), rule.queries, rule.fraction))
        dQ = c_lam + c_lam.T + spread - 2 * rule.weight_decay * Q
        if rule.sphere:
            dR, dQ = dR - 0.5 * dQ[0, 0] * R, np.zeros((1, 1))
        return dR, dQ, dv - rule.weight_decay_v * v

    return rates


def _flat(R: np.ndarray, Q: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.concatenate([R.ravel(), Q[np.tril_indices(len(Q))], v])


def _shaped(y: np.ndarray, K: int, M: int) -> State:
    """R (…, K, M), Q (…, K, K), v (…, V) of flat states y (…, n)."""
    row, column = np.tril_indices(K)
    R = np.ascontiguousarray(y[..., : K * M]).reshape(*y.shape[:-1], K, M)
    Q = np.empty((*y.shape[:-1], K, K))
    Q[..., row, column] = Q[..., column, row] = y[..., K * M : K * M + len(row)]
    return R, Q, np.ascontiguousarray(y[..., K * M + len(row) :])


@dataclass(frozen=True, kw_only=True)
class Quadrature(frames.Options):
    """How averages are taken; see `tsphys.rules.field_average`."""

    quadrature: str = param(
        "auto",
        "nodes of the averages; auto: gauss if the rule is smooth, then polar if K = M = 1, the first whose two sizes "
        "agree at the start, otherwise sobol",
        kind=str, choices=KINDS,
    )  # fmt: skip
    points: int = param(
        2**16, "most nodes (of the larger set; of all scramblings together)", kind=int, low=64, high=2**24
    )


@dataclass(frozen=True, kw_only=True)
class Averages(Quadrature, Stored):
    """The same, and those over sample paths of a fixed training set."""


@frames.solved(Online, Averages)
def solve(model: Online, start: OrderParameters, options: Averages) -> frames.Equations:
    """Solve online learning by the rule of `model` for N → ∞.

    Any model with a ``learning_rule()`` will do; with a fixed training set by sample paths, see
    `tsphys.odes.equations.stored`. The tolerances are 1e-8 and 1e-10 by default; on n Sobol points the
    relative one is at least 1/n: the average of a rule with jumps jumps itself by about that much whenever a point
    crosses one.

    Returns
    -------
    dict
        ``eps_g`` (len(t),) if the model has an error, ``R`` (…, K, M), ``Q`` (…, K, K), ``v`` (…, V), and constant
        ``T``, ``v_star``. ``meta["quadrature_error"]`` holds, for each observable, an estimate of the largest error
        over all times and entries that the quadrature makes. For gauss and polar the equations are solved on two sets
        of nodes; the result is that of the larger, the estimate the largest difference between them. For sobol they
        are solved on four scramblings; the result is the mean, the estimate its largest standard error.
        ``meta["quadrature"]`` tells family and sizes.

    Raises
    ------
    ModelError
        If an argument is out of range, or the model has a fixed training set, for which these equations do not hold,
        masks, or a schedule with anchors.
    """
    if model.learning_rule().alpha is not None:
        options.unused(Quadrature, "with alpha, where averages are over sample paths")
        return stored.equations(model, start, options)
    return equations(model, start, options)


def equations(model: Any, start: OrderParameters, options: Quadrature | None = None) -> frames.Equations:
    """The equations of the rule of a model on each set of nodes, as `solve` has them."""
    options = options or Quadrature()
    rule = model.learning_rule()
    refuse(QUADRATURE, rule)
    if rule.schedule is not None:
        begun = phases.State(0.0, start.R, start.Q, start.T, np.array(start.v), np.array(start.v_star))
        refuse(QUADRATURE, rule, pull=phases.entered(rule, 0, begun).rates(rule))
    K, M = rule.K, rule.M
    y0 = _flat(start.R, start.Q, start.v)
    noises, points = rule.n_noise, options.points
    choices = families(rule, options.quadrature, noises=noises, points=points, whole=rule.whole_batch)
    for kind, sets in choices:
        if kind == choices[-1][0] or _agree(kind, rule, sets, start):
            break
    least = min(1 / len(sets[0].w), 1e-2) if kind == "sobol" else 0.0

    def on(nodes: Nodes) -> frames.Follow:
        def follow(t: np.ndarray, *, rtol: float, atol: float, method: str) -> frames.Solution:
            more: dict[str, Any] = {"rtol": max(rtol, least), "method": method, "max_steps": MAX_STEPS}
            if rule.schedule is None:
                rates, begun, _ = _kept(rule, nodes, start, y0)
                return integrate(rates, begun, t, atol=atol, limit=DIVERGED, **more)
            return _scheduled(rule, nodes, start, y0, t, atol, more)

        return follow

    def observe(y: np.ndarray) -> dict[str, np.ndarray]:
        R, Q, v = _shaped(y, K, M)
        return {**model.observables(R, Q, start.T, v, start.v_star), "R": R, "Q": Q, "v": v}

    def judge(solutions: Sequence[np.ndarray]) -> frames.Solution:
        y, spread = combined(kind, list(solutions))
        return y, {"quadrature_error": _errors(model, rule, kind, list(solutions), spread, start)}

    record = {"quadrature": {"kind": kind, "points": [len(nodes.w) for nodes in sets]}}
    return frames.Equations(tuple(map(on, sets)), observe, 1e-8, 1e-10, record, judge)


def _right_hand_side(rule: LearningRule, nodes: Nodes, start: OrderParameters) -> Callable[..., np.ndarray]:
    rates = drift(rule, nodes, start.T, start.v_star)
    return lambda _, y: _flat(*rates(*_shaped(y, rule.K, rule.M)))


def _kept(rule: LearningRule, nodes: Nodes, start: OrderParameters, y: np.ndarray) -> Kept:
    """`_right_hand_side` and a state at the beginning, of which units that are alike stay so.

    Points that are drawn are not alike for them. Other rules may tell units apart.
    """
    rates = _right_hand_side(rule, nodes, start)
    if rule.function not in EXCHANGEABLE:
        return Kept(rates, y, lambda z: z)
    sides = EXCHANGEABLE[rule.function]
    K, M = rule.K, rule.M // sides
    R, Q, v = overlaps(K, rule.M, len(start.v) if sides == 1 else K)
    parts = Part("kxm", R.at.reshape(K, sides, M)), Q, v
    given = [("xmyn", np.reshape(start.T, (sides, M, sides, M)), 0.0), ("sm", np.reshape(start.v_star, (-1, M)), 0.0)]
    # A law of the inputs tells teachers apart.
    given += [] if rule.law is None else [("m", np.arange(M), 0.0)]
    return keeping(rates, y, parts, given, K, M)


def _scheduled(
    rule: LearningRule, nodes: Nodes, start: OrderParameters, y0: np.ndarray, t: np.ndarray, atol: float,
    options: dict[str, Any],
) -> frames.Solution:  # fmt: skip
    """Solve through the phases of a rule's schedule; see `tsphys.odes.equations.phases.through_phases`."""
    T, v_star = np.array(start.T), np.array(start.v_star)

    def leg(phase: phases.Phase, y: np.ndarray) -> Leg:
        refuse(QUADRATURE, rule, pull=phase.rates(rule))
        R, Q, v = _shaped(y, rule.K, rule.M)
        R, Q = (R, Q) if phase.units is None else phase.units.of(R, Q)
        y = _flat(R, Q, v if phase.v is None else phase.v)
        rates, begun, over = _kept(phase.of(rule), nodes, start, y)
        return Leg(rates, begun, atol, over)

    def state(time: float, y: np.ndarray) -> phases.State:
        R, Q, v = _shaped(y, rule.K, rule.M)
        return phases.State(time, R, Q, T, v, v_star)

    return through_phases(partial(phases.entered, rule), leg, state, y0, t, **options)


def _agree(kind: str, rule: LearningRule, sets: tuple[Nodes, ...], start: OrderParameters) -> bool:
    """Whether the sets of a family agree on the drift at the start."""
    values = [_flat(*drift(rule, nodes, start.T, start.v_star)(start.R, start.Q, np.array(start.v))) for nodes in sets]
    drifts, spread = combined(kind, values)
    return bool(spread.max() <= ACCEPTED[kind] * np.abs(drifts).max())


def _errors(
    model: Any, rule: LearningRule, kind: str, solutions: list[np.ndarray], spread: np.ndarray, start: OrderParameters
) -> dict[str, float]:
    """Estimated quadrature error of each observable, the largest over times and entries."""
    out = {name: float(a.max(initial=0)) for name, a in zip("RQv", _shaped(spread, rule.K, rule.M))}
    curves = []
    for y in solutions:
        R, Q, v = _shaped(y, rule.K, rule.M)
        curves.append(model.eps_g(R, Q, start.T, v, start.v_star))
    if curves[0] is not None:
        out["eps_g"] = float(combined(kind, curves)[1].max())
        if isinstance(model, LearningRule):
            # Its eps_g is a quadrature too, on the same nodes for all solutions.
            R, Q, v = _shaped(solutions[0], rule.K, rule.M)
            out["eps_g"] += float(mean_error_with_estimate(rule, R, Q, start.T, v, start.v_star)[1].max())
    return out


def chain(model: Any, start: OrderParameters) -> online.Chain:
    """What the expansion in 1/N wants to know.

    Raises
    ------
    ModelError
        If that is not known, or averages over jumps are taken on points, of which there are no derivatives.
    """
    rule = online.expandable(model.learning_rule())
    overlaps, nodes = online.Overlaps(np.array(start.T), rule.K), online.nodes_of(rule)

    def motion(rule: LearningRule) -> Callable[[np.ndarray], np.ndarray]:
        rates = drift(rule, nodes, overlaps.T, np.array(start.v_star))

        def moved(y: np.ndarray) -> np.ndarray:
            R, S, v = overlaps.split(y)
            dR, dQ, dv = rates(np.ascontiguousarray(R), overlaps.Q(R, S), v)
            turn = dR @ overlaps.T_inv @ R.T
            return overlaps.join(dR, dQ - turn - turn.T, dv)

        return moved

    if rule.sphere:
        rates = drift(rule, nodes, overlaps.T, np.array(start.v_star))

        def turned(y: np.ndarray) -> np.ndarray:
            dR, _, dv = rates(y[None, : rule.M].copy(), np.ones((1, 1)), y[rule.M :].copy())
            return np.concatenate([dR[0], dv])

        return online.spherical(model, start, drift=turned)
    if nodes.kind == "sobol" and not rule.smooth:
        _differentiable(motion(rule), overlaps, start)
    if rule.schedule is None:
        return online.chain(model, start, drift=motion(rule))

    def stage(i: int, t: float, y: np.ndarray) -> online.Stage:
        phase = online.fixed_phase(partial(phases.entered, rule), overlaps, start, i, t, y)
        refuse(QUADRATURE, rule, pull=phase.rates(rule))
        own = phase.of(rule)
        process = online.process_of([(1.0, own)], overlaps, start.v_star, motion(own))
        enter = online.beginning(partial(phases.entered, rule), overlaps, start, i, t)
        return online.Stage(process, end=phase.end(t), enter=enter)

    units = online.process_of([(1.0, rule)], overlaps, start.v_star, motion(rule)).units
    return online.Chain(overlaps.state(start), stage, online.seen(model, start), units)


def _differentiable(
    motion: Callable[[np.ndarray], np.ndarray], overlaps: online.Overlaps, start: OrderParameters
) -> None:
    """Raise a ModelError if jumps of a rule, each at a point, make derivatives of its averages depend on the step."""
    y = overlaps.state(start)
    units = overlaps.units(y, rough=True, speed=motion(y))
    fine, coarse = (jacobian(motion, y, units * part) for part in (1.0, COARSE / FIRST))
    if np.abs(fine - coarse).max() > JUMPS * np.abs(coarse).max():
        words = "must be false: the first order in 1/N is known of rules with jumps on two Gaussian fields only"
        raise ModelError("fluctuations", True, words)
