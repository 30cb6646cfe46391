"""SGD on labels that an attacker moves from a teacher towards a target, as rules on local fields.

The teachers are K units of the teacher, then K of the target. The readout of the student, K ones, is followed by the
integrals over time of the action, of its square, and of the attacker's cost.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from tsphys._jit import njit
from tsphys.physics.activations import LINEAR, dg, g

FIXED, GREEDY, FEEDBACK = range(3)

_TWO_OVER_PI = 2.0 / math.pi


class Params(NamedTuple):
    """What student and attacker do."""

    activation: int
    lr: float
    price: float
    """CΩ."""
    low: float
    high: float
    """Bounds of the actions."""
    action: float
    """The action of the strategy `FIXED`."""
    strategy: int
    rho: float
    controls: int
    """Actions in a step, …"""
    each: int
    """… examples that each moves, …"""
    weight: float
    """… and the weight of each in the price."""
    overlap: float
    """Of teacher and target."""
    g_0: float
    g_0_slope: float
    g_1: float
    g_2: float
    """Gains of the strategy `FEEDBACK`, see `tsphys.physics.linear_control.optimal_gains`."""


@njit
def fixed(lam, nu, v, v_star, noise, p, c, dv):
    """One example under the same action at all times."""
    a, K = p.action, lam.shape[0]
    student, teacher, target = outputs(p.activation, lam, nu)
    for k in range(K):
        c[k] = p.lr * dg(p.activation, lam[k]) * ((1.0 - a) * teacher + a * target - student)
    remember(a, a * a, 0.5 * p.price * a * a + 0.5 * (student - target) ** 2, dv)


@njit
def outputs(kind, lam, nu):
    """Student, teacher and target on one example."""
    K = lam.shape[0]
    student, teacher, target = 0.0, 0.0, 0.0
    for k in range(K):
        student += g(kind, lam[k])
        teacher += g(kind, nu[k])
        target += g(kind, nu[K + k])
    return student, teacher, target


@njit
def remember(action, square, cost, dv):
    """Put the rates of the three integrals at the end of dv."""
    at = dv.shape[0] - 3
    dv[at], dv[at + 1], dv[at + 2] = action, square, cost


@njit
def slopes(kind, R, Q, D, E):
    """Write the derivatives D (K, K) and E (K, K) of ½⟨(φ_s − φ_*)²⟩ by Q and by the overlaps R with the target.

    For linear and erf units with unit readouts and orthonormal targets; Q_kl and Q_lk count as two.
    """
    K = Q.shape[0]
    for k in range(K):
        for l in range(K):
            D[k, l], E[k, l] = 0.5, -1.0
    if kind == LINEAR:
        return
    for k in range(K):
        # What a change of the variance Q_kk does to the correlations.
        shrink = 0.0
        for l in range(K):
            pair = _TWO_OVER_PI / math.sqrt((1.0 + Q[k, k]) * (1.0 + Q[l, l]) - Q[k, l] * Q[k, l])
            E[k, l] = -_TWO_OVER_PI / math.sqrt(2.0 * (1.0 + Q[k, k]) - R[k, l] * R[k, l])
            D[k, l] = 0.5 * pair
            shrink += Q[k, l] * pair + R[k, l] * E[k, l]
        D[k, k] -= 0.5 * shrink / (1.0 + Q[k, k])


@njit
def greedy(first, last, lam, nu, gram, p, still, shift, D, E):
    """The action on the examples first, …, last − 1 that minimises ½wCΩa² + (ρN/η)·½⟨(φ_s − φ_*)²⟩ after the step.

    A step moves the overlaps by O(1/N), so that this is a quadratic function of a: still (b, K) + a shift (b, K) are
    the coefficients of the minibatch.
    """
    b, K = lam.shape
    linear, square = 0.0, 0.0
    for k in range(K):
        for l in range(K):
            for i in range(first, last):
                pull, push = 0.0, 0.0
                low, high = (0, b) if p.weight == 1.0 else (i, i + 1)
                for j in range(low, high):
                    pull += gram[i, j] * still[j, l]
                    if first <= j < last:
                        push += gram[i, j] * shift[j, l]
                linear += 2.0 * D[k, l] * shift[i, k] * (lam[i, l] + pull / b) + E[k, l] * shift[i, k] * nu[i, K + l]
                square += D[k, l] * shift[i, k] * push / b
    strength = p.rho / (p.lr * b)
    curvature = p.weight * p.price + 2.0 * strength * square
    if curvature > 0.0:
        return clip(-strength * linear / curvature, p.low, p.high)
    at_low = (strength * linear + 0.5 * curvature * p.low) * p.low
    at_high = (strength * linear + 0.5 * curvature * p.high) * p.high
    return p.low if at_low < at_high else p.high


@njit
def feedback(first, last, lam, nu, R, p):
    """The action on these examples by linear feedback from A = Σκ², B = Σκs and the overlap with the target's side."""
    V = 2.0 * (1.0 - p.overlap)
    progress = (R[0, 1] - R[0, 0] + 1.0 - p.overlap) / V
    A, B = 0.0, 0.0
    for i in range(first, last):
        kappa = nu[i, 1] - nu[i, 0]
        A += kappa * kappa
        B += kappa * (lam[i, 0] - nu[i, 0])
    return clip(((p.g_0 + p.g_0_slope * progress) * A + p.g_1 * B) / (p.weight * p.price + p.g_2 * A), p.low, p.high)


@njit
def clip(a, low, high):
    """The action within its bounds."""
    return min(max(a, low), high)


@njit
def rule(lam, nu, v, v_star, noise, gram, R, Q, p, c, dv):
    """A minibatch: the attacker sees its fields, its Gram matrix and the overlaps, and chooses the actions."""
    b, K = lam.shape
    shift, D, E = np.empty((b, K)), np.empty((K, K)), np.empty((K, K))
    away = 0.0
    for i in range(b):
        student, teacher, target = outputs(p.activation, lam[i], nu[i])
        away += (student - target) ** 2 / b
        for k in range(K):
            slope = p.lr * dg(p.activation, lam[i, k])
            c[i, k] = slope * (teacher - student)
            shift[i, k] = slope * (target - teacher)
    if p.strategy == GREEDY:
        slopes(p.activation, R[:, K:], Q, D, E)
    mean, square = 0.0, 0.0
    actions = np.empty(p.controls)
    for n in range(p.controls):
        first, last = n * p.each, (n + 1) * p.each
        if p.strategy == GREEDY:
            actions[n] = greedy(first, last, lam, nu, gram, p, c, shift, D, E)
        elif p.strategy == FEEDBACK:
            actions[n] = feedback(first, last, lam, nu, R, p)
        else:
            actions[n] = p.action
        mean += p.weight * actions[n]
        square += p.weight * actions[n] * actions[n]
    for n in range(p.controls):
        for i in range(n * p.each, (n + 1) * p.each):
            for k in range(K):
                c[i, k] += actions[n] * shift[i, k]
    # The engine takes the mean over the examples; these are of the step as a whole.
    remember(b * mean, b * square, 0.5 * b * (p.price * square + away), dv[0])


@njit
def blind(lam, nu, v, v_star, noise, gram, p, c, dv):
    """A minibatch under the strategy `FIXED`, which does not look at the overlaps."""
    unseen = np.empty((0, 0))
    rule(lam, nu, v, v_star, noise, gram, unseen, unseen, p, c, dv)
