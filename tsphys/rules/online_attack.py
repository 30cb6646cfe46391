"""SGD on labels that an attacker moves from a teacher towards a target, as rules on local fields.

The teachers are K units of the teacher, then K of the target. The readout of the student, K ones, is followed by the
integrals over time of the action, of its square, and of the attacker's cost. Parameters
``p = [activation, η, CΩ, a_min, a_max, fixed action, kind, ρ, controls, examples of each, weight of each, overlap of
teacher and target, g₀, g₀', g₁, g₂]``, and the overlaps R and Q behind them where the kind is not `FIXED`.
"""

from __future__ import annotations

import math

import numpy as np

from tsphys._jit import njit
from tsphys.physics.activations import LINEAR, dg, g

FIXED, GREEDY, FEEDBACK = range(3)
#: Parameters before the overlaps.
OWN = 16

_TWO_OVER_PI = 2.0 / math.pi


@njit
def fixed(lam, nu, v, v_star, noise, p, c, dv):
    """One example under the same action at all times."""
    kind, a, K = int(p[0]), p[5], lam.shape[0]
    student, teacher, target = outputs(kind, lam, nu)
    for k in range(K):
        c[k] = p[1] * dg(kind, lam[k]) * ((1.0 - a) * teacher + a * target - student)
    remember(a, a * a, 0.5 * p[2] * a * a + 0.5 * (student - target) ** 2, dv)


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
def greedy(first, last, weight, lam, nu, gram, p, still, shift, D, E):
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
                low, high = (0, b) if weight == 1.0 else (i, i + 1)
                for j in range(low, high):
                    pull += gram[i, j] * still[j, l]
                    if first <= j < last:
                        push += gram[i, j] * shift[j, l]
                linear += 2.0 * D[k, l] * shift[i, k] * (lam[i, l] + pull / b) + E[k, l] * shift[i, k] * nu[i, K + l]
                square += D[k, l] * shift[i, k] * push / b
    strength = p[7] / (p[1] * b)
    curvature = weight * p[2] + 2.0 * strength * square
    if curvature > 0.0:
        return clip(-strength * linear / curvature, p)
    ends = (strength * linear + 0.5 * curvature * p[3]) * p[3] < (strength * linear + 0.5 * curvature * p[4]) * p[4]
    return p[3] if ends else p[4]


@njit
def feedback(first, last, weight, lam, nu, p):
    """The action on these examples by linear feedback from A = Σκ², B = Σκs and the overlap with the target's side."""
    V = 2.0 * (1.0 - p[11])
    progress = (p[OWN + 1] - p[OWN] + 1.0 - p[11]) / V
    A, B = 0.0, 0.0
    for i in range(first, last):
        kappa = nu[i, 1] - nu[i, 0]
        A += kappa * kappa
        B += kappa * (lam[i, 0] - nu[i, 0])
    return clip(((p[12] + p[13] * progress) * A + p[14] * B) / (weight * p[2] + p[15] * A), p)


@njit
def clip(a, p):
    """The action within its bounds."""
    return min(max(a, p[3]), p[4])


@njit
def rule(lam, nu, v, v_star, noise, gram, p, c, dv):
    """A minibatch: the attacker sees its fields and its Gram matrix, and chooses the actions."""
    b, K = lam.shape
    kind, strategy = int(p[0]), int(p[6])
    controls, each, weight = int(p[8]), int(p[9]), p[10]
    shift, D, E = np.empty((b, K)), np.empty((K, K)), np.empty((K, K))
    away = 0.0
    for i in range(b):
        student, teacher, target = outputs(kind, lam[i], nu[i])
        away += (student - target) ** 2 / b
        for k in range(K):
            slope = p[1] * dg(kind, lam[i, k])
            c[i, k] = slope * (teacher - student)
            shift[i, k] = slope * (target - teacher)
    if strategy == GREEDY:
        R = p[OWN : OWN + 2 * K * K].reshape(K, 2 * K)[:, K:]
        slopes(kind, R, p[OWN + 2 * K * K :].reshape(K, K), D, E)
    mean, square = 0.0, 0.0
    actions = np.empty(controls)
    for n in range(controls):
        first, last = n * each, (n + 1) * each
        if strategy == GREEDY:
            actions[n] = greedy(first, last, weight, lam, nu, gram, p, c, shift, D, E)
        elif strategy == FEEDBACK:
            actions[n] = feedback(first, last, weight, lam, nu, p)
        else:
            actions[n] = p[5]
        mean += weight * actions[n]
        square += weight * actions[n] * actions[n]
    for n in range(controls):
        for i in range(n * each, (n + 1) * each):
            for k in range(K):
                c[i, k] += actions[n] * shift[i, k]
    # The engine takes the mean over the examples; these are of the step as a whole.
    remember(b * mean, b * square, 0.5 * b * (p[2] * square + away), dv[0])
