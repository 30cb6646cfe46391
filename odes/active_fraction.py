"""ReLUs with biases for N → ∞: closed equations of one unit and one teacher, averages by quadrature of more.

With q = √Q, h = β/q, h* = β*/√T, ρ = R/(q√T) and P = ⟨1 1*⟩, averages over the part where the unit is active are

    ⟨1Δ⟩ = v q m_1(h) − v*√T ⟨1 (w + h*)₊⟩,    ⟨1Δλ⟩ = Q D + vQΦ(h) − v*R P,    ⟨1Δν⟩ = R D + vRΦ(h) − v*T P,

D = ⟨δ(λ + β) Δ⟩, by Stein's lemma. Of random labels and v = 1, with m_2 = ⟨(u + h)₊²⟩,

    dQ/dt = −2ηQΦ(h) + η²(Q m_2 + σ²Φ(h)),   dβ/dt = −η_β q m_1(h),   m_1 = φ(h) + hΦ(h) :

the bias pays for an output that only costs, and falls for ever, slower and slower, p → 1/(η_β t). The equations with
biases are our own.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from tsphys.models.active_fraction import ActiveFraction
from tsphys.numerics.gaussian import density
from tsphys.odes import learning_rule
from tsphys.odes.learning_rule import Quadrature
from tsphys.physics.committee.biased import beside, both, mean_square, product
from tsphys.physics.order_parameters import OrderParameters
from tsphys.runs import frames


@frames.solved(ActiveFraction, Quadrature)
def solve(model: ActiveFraction, start: OrderParameters, options: Quadrature) -> frames.Equations:
    """Solve the equations of motion for N → ∞, and observe the student at the times t = steps/N.

    They are closed for one unit and one teacher, with tolerances of 1e-10 and 1e-12 by default; otherwise averages are
    quadratures, see `tsphys.odes.learning_rule`, with 1e-3 and 1e-5, which is less than these know.

    Returns
    -------
    dict
        ``eps_g`` (len(t),), ``active`` and ``bias`` (…, K), ``R`` (…, K, M), ``Q`` (…, K, K), ``v`` (…, 2, K) with
        readouts and biases, and constant ``T``, ``v_star``.

    Raises
    ------
    ModelError
        If an argument is out of range, or there is no quadrature where one is asked for.
    """
    if model.K > 1 or model.M > 1:
        # Where points cross a threshold averages jump, and finer steps follow the jumps.
        return replace(learning_rule.equations(model, start, options), rtol=1e-3, atol=1e-5)
    options.unused(Quadrature, "with one unit and one teacher, whose equations are closed")

    def observe(y: np.ndarray) -> dict[str, np.ndarray]:
        R, Q, v = y[:, 0, None, None], y[:, 1, None, None], y[:, 2:]
        return {**model.observables(R, Q, start.T, v, start.v_star), "R": R, "Q": Q, "v": v}

    y0 = [start.R[0, 0], start.Q[0, 0], *start.v]
    follow = frames.ode(lambda _, y: rates(model, y, float(start.T[0, 0]), start.v_star), y0)
    return frames.Equations((follow,), observe, 1e-10, 1e-12)


def rates(model: ActiveFraction, y: np.ndarray, T: float, v_star: np.ndarray) -> np.ndarray:
    """dy/dt of y = (R, Q, v, β)."""
    from scipy.special import ndtr

    (R, Q, v, b), (a, b_star) = y, v_star
    q, root = math.sqrt(max(Q, 1e-300)), math.sqrt(max(T, 1e-300))
    h, k, rho = b / q, b_star / root, min(max(R / (q * root), -1.0), 1.0)
    s, P = float(beside(rho)), float(both(h, k, rho))
    active, edge = float(ndtr(h)), float(density(h))
    k_left, h_left = (k - rho * h) / s, (h - rho * k) / s
    # Of w where the unit is active: ⟨1 1* w⟩, ⟨1 1* w²⟩, and ⟨(w + h*)₊⟩ where the unit is at its threshold.
    at_edge = k_left * ndtr(k_left) + density(k_left)
    first = density(k) * ndtr(h_left) + rho * edge * ndtr(k_left)
    second = P - k * density(k) * ndtr(h_left) - rho * edge * (rho * h * ndtr(k_left) - s * density(k_left))
    above, square, cross = k * P + first, k * k * P + 2 * k * first + second, float(product(h, k, rho))
    jump = -a * root * s * at_edge * edge / q
    mean = v * q * (edge + h * active) - a * root * above
    along = Q * jump + v * Q * active - a * R * P
    teacher = R * jump + v * R * active - a * T * P
    power = v * v * Q * mean_square(h) - 2 * v * a * q * root * cross + a * a * T * square + model.noise**2 * active
    readout = v * Q * mean_square(h) - a * q * root * cross
    step = model.lr * v
    dQ = -2 * step * along + step**2 * power / model.minibatch
    return np.array([-step * teacher, dQ, -model.lr_v * readout, -model.lr_b * v * mean])
