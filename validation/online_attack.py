"""Attacks on online learners."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.odes.online_attack import critical_cost, multiplier, small_lr, steady_state
from tsphys.physics.linear_control import bellman, optimal_gains
from tsphys.validation.checks import Check, Finding, Setting, within
from tsphys.validation.one_step import N, both, stepped
from tsphys.validation.online import averaged, simulated, sized
from tsphys.validation.plain_rules import Plain, attack, constant, feedback

START = tsphys.OrderParameters(R=[[0.3, -0.3]], Q=[[0.8]], T=[[1, -1], [-1, 1]])
T = np.linspace(0, 10, 6)
#: A student that is (2 + 0.4)/4 of its way to the target.
AWAY = tsphys.OrderParameters(R=[[-0.2, 0.2]], Q=[[0.3]], T=[[1, -1], [-1, 1]])
GREEDY = tsphys.OnlineAttack(lr=0.6, minibatch=2)
MODELS = {
    "greedy": GREEDY,
    "greedy, within bounds": tsphys.OnlineAttack(lr=0.6, minibatch=3, a_min=0, a_max=1),
    "optimal": tsphys.OnlineAttack(lr=0.6, minibatch=2, strategy="optimal", discount=0.2),
}


#: Attackers without bounds whose minibatch is of three, of two that they get at, and with an action for each example.
FREE: dict[str, dict[str, Any]] = {
    "none": {"strategy": "none"},
    "constant": {"strategy": "constant"},
    "greedy": {"rho": 0.7},
    "greedy, some": {"poisoned": 2},
    "greedy, each": {"control": "example", "poisoned": 2},
    "optimal": {"strategy": "optimal", "discount": 0.3},
}


def slow(setting: Setting) -> Finding:
    """Steady states at small rates against their limit: two rates tell it, up to the square of them."""
    gaps, eta = [], 1e-3
    for given in FREE.values():
        model = tsphys.OnlineAttack(minibatch=3, cost=0.8, a_min=None, a_max=None, lr=eta, **given)
        near, far = steady_state(model), steady_state(replace(model, lr=2 * eta))
        told = small_lr(model)
        gaps += [2 * near[name] - far[name] - told[name] for name in ("p", "action", "action_square", "cost")]
    return within(np.array(gaps), np.full(len(gaps), 20 * eta**2), "steady states for η → 0")


def prices(setting: Setting) -> Finding:
    """Half of the way is gone at the critical price; moments of χ² make the multiplier, by a plain sum."""
    gaps = []
    for name, given in FREE.items():
        model = tsphys.OnlineAttack(minibatch=3, a_min=None, a_max=None, lr=0.1, **given)
        if name != "none":
            gaps.append(small_lr(replace(model, cost=critical_cost(model)))["p"] - 0.5)
        # ⟨A²⟩ of A = χ², a sum over the n examples that an action moves, for m actions of weight w.
        m, n, w = model.controls
        chi = np.linspace(0, 20, 4001)
        density = chi ** (n - 1) * np.exp(-(chi**2) / 2)
        density[0] *= 0.5
        gaps.append(multiplier(model) / (m * (density @ chi**4) / density.sum() / (w * 9)) - 1)
    return within(np.array(gaps), np.full(len(gaps), 1e-5), "critical prices and multipliers")


def paid(model: Any, gains: Any, p: float, c: float, steps: int = 600) -> float:
    """Discounted cost from p and c on of a feedback without bounds, by moments of a normal and nodes of χ²."""
    eta, P, V, b, (m, n, weight) = model.lr, model.minibatch, model.distance(), model.discount, model.controls
    chi = np.linspace(0.005, 12, 1200)
    law = chi ** (n - 1) * np.exp(-(chi**2) / 2)
    A, law = V * chi**2, m * law / law.sum()
    g0, g0p, g1, g2 = gains
    over = weight * model.cost * V + g2 * A

    def rates(y: np.ndarray, t: float) -> np.ndarray:
        p, c, _ = y
        mean, slope = (g0 + (g0p + g1) * p) * A / over, g1 * np.sqrt(A * c) / over
        along, across = law @ (mean * A), law @ (slope * np.sqrt(A * c))
        square = mean**2 + slope**2
        dc = 2 * (across / P - c) + eta / P**2 * (law @ (square * A) - 2 * (across + p * along))
        cost = 0.5 * model.cost * V * weight * (law @ square) + 0.5 * (V * (1 - p) ** 2 + c)
        return np.array([along / (P * V) - p, dc + eta / P * (c + p * p * V), np.exp(-b * t) * cost])

    y, h = np.array([p, c, 0.0]), 12 / b / steps
    for i in range(steps):
        t = i * h
        k1 = rates(y, t)
        k2 = rates(y + 0.5 * h * k1, t + 0.5 * h)
        k3 = rates(y + 0.5 * h * k2, t + 0.5 * h)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + rates(y + h * k3, t + h))
    return float(y[2])


def cheapest(setting: Setting) -> Finding:
    """Of the optimal feedback the cost to come, from three states more than from one, and that each gain is best."""
    model = tsphys.OnlineAttack(
        strategy="optimal", lr=0.8, minibatch=2, cost=0.7, discount=1.5, a_min=None, a_max=None
    )  # fmt: skip
    gains, (h, k2, k1), V = optimal_gains(model), bellman(model), model.distance()
    whole = [paid(model, gains, p, c) for p, c in ((0.6, 0.3), (0.1, 0.3), (0.6, 0.8), (1.3, 0.3))]

    def to_come(p: float, c: float) -> float:
        return 0.5 * V * (k2 * (1 - p) ** 2 + k1 * (1 - p)) + h * c

    off = [
        x - whole[0] - to_come(p, c) + to_come(0.6, 0.3)
        for x, (p, c) in zip(whole[1:], ((0.1, 0.3), (0.6, 0.8), (1.3, 0.3)), strict=True)
    ]
    g0, g0p, g1, g2 = gains
    # The third is the answer to what the overlap has beside its mean pA.
    for way in ((g0, 0, 0, 0), (0, g0p, 0, 0), (0, -g1, g1, 0), (0, 0, 0, g2)):
        more, less = (paid(model, np.add(gains, sign * 0.05 * np.array(way)), 0.6, 0.3) for sign in (1, -1))
        # A gain off by a share s has 2s/0.05 here; third derivatives leave a few per cent.
        off.append(1e-4 * (more - less) / (more + less - 2 * whole[0]) / 0.15)
    # What is left of the discount after its time, e⁻¹² of the cost.
    return within(off, 1e-4, "cost to come, and its gains")


def checks(quick: bool) -> list[Check]:
    """What is checked of attacks."""
    out = [
        Check("simulation", f"{name}, engine exact", simulated(model, START, T, "exact", 1000, 32))
        for name, model in MODELS.items()
    ]
    out.append(Check("simulation", "greedy, engine direct", simulated(GREEDY, START, T, "direct", 300, 32)))
    out.append(Check("size", "greedy, eps_g at t = 4", sized(GREEDY, START, 4.0, (200, 400, 800), 300)))
    out.append(Check("integral", "equations, greedy", averaged(GREEDY, START, [0.5, 2.0], 2**14)))
    out += [Check("identity", "small rates", slow), Check("identity", "critical prices", prices)]
    out.append(Check("identity", "optimal control", cheapest))
    given: dict[str, Any] = {"lr": 1.2, "minibatch": 3, "cost": 0.7}
    steady = tsphys.OnlineAttack(strategy="constant", action=0.4, **given)
    out += both("constant action", steady, Plain(constant("linear", 1.2, 0.7, 0.4), noises=0, b=3), START, steps=2)
    for inputs, engine in (("gaussian", "exact"), ("binary", "direct")):
        idle = tsphys.OnlineAttack(strategy="none", activation="erf", inputs=inputs, **given)
        plain = Plain(constant("erf", 1.2, 0.7, 0.0), noises=0, b=3, binary=inputs == "binary")
        out.append(Check("step", f"no attack, erf, {inputs}", stepped(idle, plain, START, engine, 2)))
    for name, low, high in (("greedy step", -2.0, 3.0), ("greedy step within bounds", 0.0, 1.0)):
        model = tsphys.OnlineAttack(lr=1.2, minibatch=3, a_min=low, a_max=high)
        out += both(name, model, Plain(attack(1.2, 1.0, low, high, N), noises=0, b=3), START, steps=1)
    # Many examples a step and a low price, so that actions hardly differ from their mean, and overlaps make most of it.
    optimal = tsphys.OnlineAttack(
        lr=1.2, minibatch=64, strategy="optimal", discount=0.2, cost=0.01, a_min=None, a_max=None
    )
    plain = Plain(feedback(1.2, 0.01, optimal_gains(optimal), 0.6, -np.inf, np.inf), noises=0, b=64)
    return out + both("optimal step", optimal, plain, AWAY, steps=1, replicas=1000)
