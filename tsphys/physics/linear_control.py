"""Optimal control of a linear online learner by its labels, for N → ∞: the feedback that costs least in all time.

With u = w − w_t, Δ = w_* − w_t, V = |Δ|²/N, p = u·Δ/(NV), q = |u|²/N and c = q − p²V, the rate of cost is
½CV⟨a²⟩ + ½(V − 2pV + q), and a step on n of P examples moves p and q through A = Σκ² and B = Σκs, κ = Δ·x/√N,
s = u·x/√N. Bellman's equation, discounted at the rate b in units of ηt, is solved by a cost to come of the form

    ½V [k₂x² + k₁x + k₀] + h c,   x = 1 − p,

since B = pA + √(Ac) z with a standard normal z, so that the equation closes on (1, x, x², c) at any learning rate. For
η → 0 it is the feedback of Margiotta, Goldt and Sanguinetti (2023).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def chi2_nodes(n: int, count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the mean over χ²_n: Gauss–Legendre in the root r, to rounding for smooth functions."""
    x, w = np.polynomial.legendre.leggauss(count)
    low, high = max(0.0, math.sqrt(n) - 10.0), math.sqrt(n) + 10.0
    r = low + 0.5 * (high - low) * (x + 1)
    weight = 0.5 * (high - low) * w * np.exp((n - 1) * np.log(r) - 0.5 * r * r + _log_norm(n))
    return r * r, weight


def _log_norm(n: int) -> float:
    """Minus the logarithm of ∫ r^{n−1} exp(−r²/2) dr over r > 0."""
    return -((0.5 * n - 1) * math.log(2.0) + math.lgamma(0.5 * n))


def bellman(model: Any) -> tuple[float, float, float]:
    """The coefficients h, k₂, k₁ of the cost to come of an `OnlineAttack` without bounds on its actions.

    h is the root of bh = ½ − (2 − η/P)h − 2(1 − η/P)²h² I₁(h), with Iₙ = (m/P²)⟨χⁿ/(wC + 2hηχ/P²)⟩ over χ = A/V, for m
    controls of weight w; then bk₂ = 1 − 2k₂ + ε − I₂(k₂ − ε)² and bk₁ = 2k₂ − k₁ − 2ε − 2I₂(k₂ − ε)(k₁/2 + ε), with
    ε = 2hη/P.
    """
    from scipy.optimize import brentq

    eta, P, b = model.lr, model.minibatch, model.discount
    m, n, weight = model.controls
    chi, w = chi2_nodes(n)

    def mean(power: int, h: float) -> float:
        return m / P**2 * float(w @ (chi**power / (weight * model.cost + 2 * h * eta * chi / P**2)))

    def gap(h: float) -> float:
        return 0.5 - (b + 2 - eta / P) * h - 2 * (1 - eta / P) ** 2 * h * h * mean(1, h)

    h = brentq(gap, 0.0, 0.5 / (b + 2 - eta / P), xtol=1e-16, rtol=1e-14)
    eps, second = 2 * h * eta / P, mean(2, h)
    # The positive root for Y = k₂ − ε, without cancellation.
    free = 1 - (1 + b) * eps
    Y = 2 * free / (2 + b + math.sqrt((2 + b) ** 2 + 4 * second * free))
    k1 = 2 * Y * (1 - second * eps) / (1 + b + second * Y)
    return h, Y + eps, k1


def optimal_gains(model: Any) -> tuple[float, float, float, float]:
    """(g₀, g₀', g₁, g₂) of the optimal action a = [(g₀ + g₀'p) A + g₁B]/(wCV + g₂A) of each control."""
    eta, P = model.lr, model.minibatch
    h, k2, k1 = bellman(model)
    lost = 2 * h * (1 - eta / P)
    Y = k2 - 2 * h * eta / P
    Y0 = 0.5 * k1 + 2 * h * eta / P
    return (Y + Y0) / P, (lost - Y) / P, -lost / P, 2 * h * eta / P**2
