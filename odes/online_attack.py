"""Attacks on online learners for N → ∞: closed equations of a linear student, averages of the rule for any other.

Linear student, one unit: with Δ = w_* − w_t, V = |Δ|²/N, u = w − w_t, p = u·Δ/(NV), c = |u|²/N − p²V and, where teacher
and target are not opposite, e, the component of u along what the teacher has perpendicular to Δ::

    dp/dt = η(⟨aA⟩/(PV) − p)           de/dt = η(⟨a(B − pA)⟩/(Pc) − 1) e
    dc/dt = 2η(⟨a(B − pA)⟩/P − c) + (η²/P²)⟨a²A − 2aB⟩ + (η²/P)(c + p²V)

with A = Σκ², κ = Δ·x/√N, over the examples that an action moves, V times a χ² variable, and B = Σκs = pA + √(Ac) z with
a standard normal z. Given A an action is linear in z within its bounds, so that its averages over z are closed; that
over A is a quadrature in its root, between the points where the bounds set in.

References
----------
Margiotta, Goldt and Sanguinetti, NeurIPS (2023), arXiv:2305.11132.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import param
from tsphys.models.online_attack import OnlineAttack
from tsphys.numerics.gaussian import density
from tsphys.physics.linear_control import bellman, optimal_gains
from tsphys.physics.order_parameters import DIVERGED, OrderParameters
from tsphys.runs import frames
from tsphys.solvers.ode import integrate

__all__ = ["bellman", "critical_cost", "optimal_gains", "small_lr", "solve", "steady_state"]

#: Nodes between two points where a bound sets in.
NODES = 64
#: Standard deviation of an action below which it counts as certain.
CERTAIN = 1e-100
#: Bounds that stand for none.
UNBOUNDED = 1e100


@dataclass(frozen=True)
class Averages:
    """Averages of an action and what it meets, summed over the controls of a step."""

    action: float
    square: float
    along: float
    """⟨aA⟩"""
    across: float
    """⟨a(B − pA)⟩"""
    power: float
    """⟨a²A⟩"""


def _policy(model: OnlineAttack) -> tuple[float, float, float, float, float]:
    """(g₀, g₀', g₁, g₂, d) of the action a = [(g₀ + g₀'p) A + g₁B]/(d + g₂A) of a control, before its bounds."""
    eta, P, weight = model.lr, model.minibatch, model.controls[2]
    price = weight * model.cost * model.distance()
    if model.strategy == "optimal":
        return (*optimal_gains(model), price)
    if model.strategy == "greedy":
        now = model.rho / P
        return now, 0.0, -now * (1 - eta / P), now * eta / P, price
    # A certain action, as a fraction that does not depend on A.
    return model.fixed_action, 0.0, 0.0, 1.0, 0.0


@cache
def _panel() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on (−1, 1), gathered at the ends, where an action with a small spread changes fastest."""
    x, w = np.polynomial.legendre.leggauss(NODES)
    return 0.5 * (3 * x - x**3), 1.5 * (1 - x**2) * w


def _roots(model: OnlineAttack, policy: tuple[float, ...], p: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes r² = A/V and weights of the mean over χ²_n, on panels that end where the mean action meets a bound."""
    n, V = model.controls[1], model.distance()
    g0, g0p, g1, g2, price = policy
    low, high = max(0.0, math.sqrt(n) - 10.0), math.sqrt(n) + 10.0
    ends = [low, high]
    for bound in model.bounds:
        slope = g0 + (g0p + g1) * p - g2 * bound if math.isfinite(bound) else 0.0
        A = price * bound / slope if slope != 0.0 else -1.0
        if A > 0.0 and low < math.sqrt(A / V) < high:
            ends.append(math.sqrt(A / V))
    edges = np.sort(ends)
    x, w = _panel()
    half = 0.5 * np.diff(edges)[:, None]
    r = (edges[:-1, None] + half * (x + 1)).ravel()
    norm = (0.5 * n - 1) * math.log(2.0) + math.lgamma(0.5 * n)
    return r * r, (half * w).ravel() * np.exp((n - 1) * np.log(r) - 0.5 * r * r - norm)


def averages(model: OnlineAttack, policy: tuple[float, ...], p: float, c: float) -> Averages:
    """Averages over the fields of a linear student with overlaps p and c."""
    from scipy.special import ndtr

    g0, g0p, g1, g2, price = policy
    m, _, weight = model.controls
    chi, w = _roots(model, policy, p)
    A = model.distance() * chi
    root = np.sqrt(A * max(c, 0.0))
    mean, slope = (g0 + (g0p + g1) * p) * A / (price + g2 * A), g1 * root / (price + g2 * A)
    low, high = np.clip(model.bounds, -UNBOUNDED, UNBOUNDED)
    s = np.maximum(np.abs(slope), CERTAIN)
    with np.errstate(over="ignore"):
        a, b = (low - mean) / s, (high - mean) / s
        below, above, inside = ndtr(a), ndtr(-b), ndtr(b) - ndtr(a)
        at_low, at_high = map(density, (a, b))
    first = low * below + high * above + mean * inside + s * (at_low - at_high)
    second = low**2 * below + high**2 * above + (mean**2 + s**2) * inside
    second += s * ((mean + low) * at_low - (mean + high) * at_high)
    return Averages(
        action=m * weight * float(w @ first),
        square=m * weight * float(w @ second),
        along=m * float(w @ (first * A)),
        across=m * float(w @ (slope * inside * root)),
        power=m * float(w @ (second * A)),
    )


def _motion(model: OnlineAttack) -> Callable[[float, np.ndarray], np.ndarray]:
    """d/dt of (p, c, e, ∫a, ∫a², ∫cost) of a linear student."""
    eta, P, V, policy = model.lr, model.minibatch, model.distance(), _policy(model)

    def rhs(t: float, y: np.ndarray) -> np.ndarray:
        p, c, e = y[:3]
        f = averages(model, policy, p, c)
        q = c + p * p * V
        dc = 2 * eta * (f.across / P - c) + eta**2 / P**2 * (f.power - 2 * (f.across + p * f.along)) + eta**2 * q / P
        turn = averages(model, policy, p, max(c, 1e-12)).across / max(c, 1e-12) if e != 0.0 else 0.0
        cost = 0.5 * model.cost * V * f.square + 0.5 * (V * (1 - p) ** 2 + c)
        return np.array([eta * (f.along / (P * V) - p), dc, eta * (turn / P - 1) * e, f.action, f.square, cost])

    return rhs


def _coordinates(model: OnlineAttack, R: np.ndarray, Q: np.ndarray) -> np.ndarray:
    """(p, c, e) of overlaps R (1, 2) and Q (1, 1)."""
    V, h = model.distance(), math.sqrt(0.5 * (1 + model.overlap))
    along = R[0, 0] - 1.0
    p = (R[0, 1] - model.overlap - along) / V
    c = Q[0, 0] - 2 * along - 1.0 - p * p * V
    return np.array([p, max(c, 0.0), (along + 0.5 * p * V) / h if h > 0 else 0.0])


def _overlaps(model: OnlineAttack, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R (n, 1, 2) and Q (n, 1, 1) of states (n, …)."""
    V, h = model.distance(), math.sqrt(0.5 * (1 + model.overlap))
    p, c, e = y[:, 0], y[:, 1], y[:, 2]
    teacher, target = 1.0 - 0.5 * p * V + e * h, model.overlap + 0.5 * p * V + e * h
    return np.stack([teacher, target], axis=-1)[:, None], (2 * teacher - 1 + c + p * p * V)[:, None, None]


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What the theory is asked for."""

    points: int = param(2**16, "most nodes of averages by quadrature", kind=int, low=64, high=2**24)


@frames.solved(OnlineAttack, Options)
def solve(model: OnlineAttack, start: OrderParameters, options: Options) -> frames.Equations:
    """Solve the equations of motion of an attack for N → ∞.

    One linear unit has closed equations, whose tolerances are 1e-10 and 1e-12 by default; any other student goes by
    averages of its rule over the fields of a whole minibatch, see `tsphys.odes.learning_rule`, to 1e-6 and 1e-8.
    Without a start the student is the teacher.

    Returns
    -------
    dict
        As the simulation returns, without replicas.

    Raises
    ------
    ModelError
        If an argument is out of range, or the strategy is clairvoyant.
    """
    if model.activation != "linear" or model.K > 1:
        from tsphys.odes import learning_rule

        by_rule = learning_rule.equations(model, start, learning_rule.Quadrature(points=options.points))
        return replace(by_rule, rtol=1e-6, atol=1e-8)

    def observe(y: np.ndarray) -> dict[str, np.ndarray]:
        R, Q = _overlaps(model, y)
        v = np.column_stack([np.ones(len(y)), y[:, 3:]])
        return {"eps_g": 0.5 * (Q[:, 0, 0] - 2 * R[:, 0, 0] + 1), "R": R, "Q": Q, "v": v}

    y0 = np.concatenate([_coordinates(model, start.R, start.Q), start.v[-3:]])
    return frames.Equations((frames.ode(_motion(model), y0),), observe, 1e-10, 1e-12)


def steady_state(model: OnlineAttack) -> dict[str, float]:
    """What a linear student of one unit comes to under attack, for N → ∞.

    Parameters
    ----------
    model : OnlineAttack
        One linear unit, any strategy but the clairvoyant.

    Returns
    -------
    dict
        ``p`` and ``q`` = |u|²/N, the ``action``, its square ``action_square``, and the ``cost`` of a step; ``accuracy``
        and ``distance`` as in `OnlineAttack.measured`.

    Raises
    ------
    ModelError
        If the model is another.
    ConvergenceError
        If there is no stationary state, as for a learning rate that is too large.
    """
    from scipy.optimize import root

    if model.activation != "linear" or model.K > 1 or model.strategy == "clairvoyant":
        raise ModelError("model", model, "must be one linear unit, and its attacker not clairvoyant")
    rhs, V = _motion(model), model.distance()
    guess = integrate(rhs, np.zeros(6), [20.0 / model.lr], rtol=1e-6, limit=DIVERGED)[0][0, :2]
    found = root(lambda y: rhs(0.0, np.array([y[0], abs(y[1]), 0.0, 0.0, 0.0, 0.0]))[:2], guess, tol=1e-13)
    p, c = found.x[0], abs(found.x[1])
    rates = rhs(0.0, np.array([p, c, 0.0, 0.0, 0.0, 0.0]))
    residual = float(np.abs(rates[:2]).max()) / model.lr
    if not residual < 1e-10:
        raise ConvergenceError("no stationary state", residual=residual, iterations=int(found.nfev), last=found.x)
    R, Q = _overlaps(model, np.array([[p, c, 0.0]]))
    seen = model.measured(1.0, R, Q, np.array([[1.0, *rates[3:]]]))
    names = ("action", "action_square", "cost", "distance", "accuracy")
    return {"p": float(p), "q": float(c + p * p * V), **{name: float(seen[name][0]) for name in names}}


def multiplier(model: OnlineAttack) -> float:
    """How much more than a constant action one that follows the minibatch moves the student for its price.

    m = ⟨A²⟩/(PV)², summed over the controls and divided by their weight: 1 + 2/P for one action a minibatch, 3 for
    one action an example, n(n + 2)/P² and 3n/P where only n of P examples are under attack.
    """
    m, n, weight = model.controls
    return m * n * (n + 2) / (weight * model.minibatch**2)


def small_lr(model: OnlineAttack) -> dict[str, float]:
    """The steady state and the rate of approach for η → 0, without bounds on the actions, in closed form.

    Returns
    -------
    dict
        ``p``; ``rate``, of x = p_∞ − p in units of ηt; ``action``, ``action_square`` and ``cost`` of a step.
    """
    if model.activation != "linear" or model.K > 1 or model.strategy == "clairvoyant":
        raise ModelError("model", model, "must be one linear unit, and its attacker not clairvoyant")
    V, m, b = model.distance(), multiplier(model), model.discount
    if model.strategy in ("none", "constant"):
        paid = model.controls[0] * model.controls[2]
        p, rate = model.fixed_action * model.examples / model.minibatch, 1.0
        a, square = paid * model.fixed_action, paid * model.fixed_action**2
    elif model.strategy == "greedy":
        p, rate = 1 / (1 + model.cost / (model.rho * m)), 1 + model.rho * m / model.cost
        a, square = p * model.examples / (model.minibatch * m), p * p / m
    else:
        priced = model.cost / m
        k2 = 2 / (2 + b + math.sqrt((2 + b) ** 2 + 4 / priced))
        p, rate = 1 / (1 + priced * (1 + b)), 1 + k2 / priced
        a, square = p * model.examples / (model.minibatch * m), p * p / m
    cost = 0.5 * V * (model.cost * square + (1 - p) ** 2)
    return {"p": p, "rate": rate, "action": a, "action_square": square, "cost": cost}


def critical_cost(model: OnlineAttack) -> float:
    """The price of actions C_c below which a linear student ends up nearer to the target, for η → 0.

    There p = ½: for w_* = −w_t the accuracy jumps from 1 to 0. It is 1 for the best constant action on all examples,
    ρm for the greedy and m/(1 + b) for the optimal strategy, with m of `multiplier`.
    """
    if model.strategy == "constant" and model.action is None:
        return (model.examples / model.minibatch) ** 2 / (model.controls[0] * model.controls[2])
    if model.strategy in ("greedy", "optimal"):
        return multiplier(model) * (model.rho if model.strategy == "greedy" else 1 / (1 + model.discount))
    raise ModelError("strategy", model.strategy, "must be greedy, optimal, or constant without a given action")
