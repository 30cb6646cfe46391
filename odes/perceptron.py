"""Sign perceptrons by online learning for N → ∞, in closed form.

The state is the student's component along the teacher, a = R/√T, and the squared rest d = Q − a², from which the angle
θ = atan2(√d, a) and eps_g = θ/π keep every digit as the student becomes the teacher; ρ = cos θ, s = sin θ, q = √Q::

    Hebb        da/dt = η√(2/π)             dd/dt = η²/b
    Rosenblatt  da/dt = η(1 − ρ)/√(2π)      dd/dt = η²θ/(πb) − 2ηq s²/√(2π)
    AdaTron     da/dt = ηq(s − θρ)/π        dd/dt = Q [η²(θ − sρ)/b − 2ηθ s²]/π
    optimal     da/dt = q F/ρ               dd/dt = Q F (1/(bρ²) − 2)

with F = ⟨(E[ν|h, y] − ρh)²⟩ = 2s³ ∫dx φ(sx) φ(ρx)²/Φ(ρx), φ and Φ the standard normal density and distribution.

References
----------
Kinzel and Rujan, EPL 13, 473 (1990); Kinouchi and Caticha, J. Phys. A 25, 6243 (1992); Biehl and Riegler, EPL 28, 525
(1994).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.models.perceptron import Perceptron
from tsphys.odes.equations import online, stored
from tsphys.odes.equations.stored import Stored
from tsphys.physics.order_parameters import OrderParameters, coordinates
from tsphys.runs import frames

#: Absolute tolerance of d, which decays like 1/t² while R and Q stay of order one; relative accuracy rules instead.
ATOL_REST = 1e-25

# The integrand of `information` has poles at the zeros of Φ, no nearer to the real line than 2.8, and lies below
# exp(−x²/2): the trapezoidal sum in steps of 1/4 over |x| < 9.25 is wrong by 1e-18.
_X = 0.25 * np.arange(-37, 38)


def information(rho: float) -> float:
    """F/s³, where F = ⟨(E[ν|h, y] − ρh)²⟩ is how much a label tells about the teacher's field; the same for ρ and −ρ.

    F = 2s²⟨φ(z)²/Φ(z)⟩ over the student's field h, with z = ρh/s and s = √(1 − ρ²), in the variable x = h/s, by the
    trapezoidal rule.
    """
    from scipy.special import log_ndtr

    # φ(sx) φ(ρx)² = exp(−(s² + 2ρ²)x²/2)/(2π)^{3/2}, and s² + 2ρ² = 1 + ρ².
    log_density = -0.5 * (1 + rho * rho) * _X**2 - log_ndtr(rho * _X)
    return float(2 * 0.25 * np.exp(log_density).sum() / (2 * math.pi) ** 1.5)


def _lag(x: float) -> float:
    """x − sin x, without cancellation."""
    if x > 0.5:
        return x - math.sin(x)
    term = total = x**3 / 6
    n = 3
    while abs(term) > 1e-18 * abs(total):
        term *= -x * x / ((n + 1) * (n + 2))
        total += term
        n += 2
    return total


def drift(rule: str, lr: float, minibatch: int, a: float, d: float) -> tuple[float, float]:
    """da/dt and dd/dt of a rule; a student of norm zero counts as perpendicular to the teacher, as after one step."""
    eta, b = lr, minibatch
    rest = math.sqrt(max(d, 0.0))
    q = math.hypot(a, rest)
    theta = math.atan2(rest, a) if q > 0 else 0.5 * math.pi
    rho, s = math.cos(theta), math.sin(theta)
    root = math.sqrt(2 * math.pi)
    if rule == "hebb":
        return 2 * eta / root, eta * eta / b
    if rule == "rosenblatt":
        along = 2 * eta * math.sin(0.5 * theta) ** 2 / root
        return along, eta * eta * theta / (math.pi * b) - 2 * eta * q * s * s / root
    if rule == "adatron":
        along = 2 * theta * math.sin(0.5 * theta) ** 2 - _lag(theta)
        across = eta * eta * 0.5 * _lag(2 * theta) / b - 2 * eta * theta * s * s
        return eta * q * along / math.pi, q * q * across / math.pi
    from tsphys.rules.perceptron import SMALLEST_OVERLAP

    gain = max(abs(rho), SMALLEST_OVERLAP)
    F = s**3 * information(rho)
    return q * F / gain, q * q * F * (1 / (b * gain**2) - 2 * rho / gain)


@frames.solved(Perceptron, Stored)
def solve(model: Perceptron, start: OrderParameters, options: Stored) -> frames.Equations:
    """Solve the closed equations of a sign perceptron for N → ∞.

    With `alpha` on sample paths of an example, see `tsphys.odes.equations.stored`; ``result.sem(name)`` is the error.
    The tolerances, 1e-10 and 1e-12 by default, are those of a = R/√T; d = Q − a², which may decay without end, is held
    to the relative one alone. ``eps_g`` comes from a and d, so that it is accurate also where Q T − R² is lost to
    rounding.

    Returns
    -------
    dict
        ``eps_g`` (len(t),), ``R``, ``Q`` (…, 1, 1), an empty ``v``, and constant ``T``, ``v_star``.

    Raises
    ------
    ModelError
        If an argument is out of range, the rule is optimal and T is not 1 or there is a fixed training set, or the
        solution of one does not fit into memory or needs more paths.
    """
    if model.alpha is not None:
        return stored.equations(model, start, options)
    A, L, LT = (float(x[0, 0]) for x in coordinates(start))

    def observe(y: np.ndarray) -> dict[str, np.ndarray]:
        a, d = y[:, 0], np.maximum(y[:, 1], 0.0)
        R, Q = (x[:, None, None] for x in (LT * a, a * a + d))
        return {"eps_g": np.arctan2(np.sqrt(d), a) / math.pi, "R": R, "Q": Q, "v": np.zeros((len(y), 0))}

    def rhs(_: float, y: np.ndarray) -> np.ndarray:
        return np.array(drift(model.rule, model.lr, model.minibatch, y[0], y[1]))

    follow = frames.ode(rhs, [A, L * L], lambda rtol, atol: [atol, ATOL_REST])
    return frames.Equations((follow,), observe, 1e-10, 1e-12)


def asymptote(model: Perceptron, t: Any) -> np.ndarray:
    """Leading behaviour of eps_g as t → ∞, of the equations above about θ = 0.

    Hebb 1/√(2πbt). Rosenblatt (2/3)^{1/3}/π (bt)^{−1/3}, at any learning rate. AdaTron 1/((η − η²/(3b)) t), as long as
    η < 3b. Optimal 1/(π(1 − 1/(2b)) I t) with I = `information` at ρ = 1, the limit of F/θ³;
    0.88/t at b = 1.

    Parameters
    ----------
    model : Perceptron
        The rule, its learning rate and minibatch b.
    t : array_like
        Times, t = steps/N.

    Raises
    ------
    ModelError
        For AdaTron with η ≥ 3b, which does not learn to the end, or with a fixed training set.
    """
    if model.alpha is not None:
        raise ModelError("alpha", model.alpha, "must be none: a fixed training set is not learned to the teacher")
    t, b, eta = np.asarray(t, dtype=np.float64), model.minibatch, model.lr
    if model.rule == "hebb":
        return 1 / np.sqrt(2 * math.pi * b * t)
    if model.rule == "rosenblatt":
        return (2 / 3) ** (1 / 3) / math.pi * (b * t) ** (-1 / 3)
    if model.rule == "adatron":
        if eta >= 3 * b:
            raise ModelError("lr", eta, f"must be < 3b = {3 * b} for AdaTron's error to vanish")
        return 1 / ((eta - eta**2 / (3 * b)) * t)
    return 1 / (math.pi * (1 - 1 / (2 * b)) * information(1.0) * t)


def chain(model: Perceptron, start: OrderParameters) -> online.Chain:
    """What the expansion in 1/N wants to know; the state (R, S) is (√T a, d)."""
    root = math.sqrt(start.T[0, 0])

    def motion(y: np.ndarray) -> np.ndarray:
        da, dd = drift(model.rule, model.lr, model.minibatch, y[0] / root, y[1])
        return np.array([root * da, dd])

    def observe(states: np.ndarray) -> dict[str, np.ndarray]:
        a, d = states[:, 0] / root, np.maximum(states[:, 1], 0.0)
        R, Q = root * a[:, None, None], (a * a + d)[:, None, None]
        return {"eps_g": np.arctan2(np.sqrt(d), a) / math.pi, "R": R, "Q": Q, "v": np.zeros((len(a), 0))}

    return online.chain(model, start, drift=motion, observe=observe)
