"""One student taught by the votes of many clients, N → ∞: closed equations of its overlap with the teacher and norm.

Given the fields of a step, the vote of a client on a weight is a coin of bias O(1/√N), and clients are independent. The
majority of M coins of small bias δ has the bias A_M δ, so that with f the part of malicious clients

    dR/dt = η A_M (1 − 2f) √(2/π) ⟨sign(e) ν⟩,    dQ/dt = 2 η A_M (1 − 2f) √(2/π) ⟨sign(e) λ⟩ + η² p,

with p = 1 but for ties. The mean of gradients has the drift of online SGD times (1 − (1 + c) f), and its noise over M
times 1 − (1 − c²) f. The equations are our own.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import number
from tsphys.models.votes import Votes
from tsphys.runs import frames

#: Nodes along ν − λ on either side of 0, where signs turn over a width σ, and along the rest; where they end.
NODES, END = (64, 48), 9.0


def gain(clients: int) -> float:
    """A_M: the bias of the majority of M coins over the small bias of each, √(2M/π) for many."""
    clients = number("clients", clients, kind=int, low=1)
    n = clients - 1
    log = math.lgamma(n + 1) - math.lgamma(n // 2 + 1) - math.lgamma(n - n // 2 + 1) - n * math.log(2)
    return clients * math.exp(log)


def decided(clients: int) -> float:
    """Probability that fair coins make no tie."""
    if clients % 2:
        return 1.0
    half = clients // 2
    return 1.0 - math.exp(math.lgamma(clients + 1) - 2 * math.lgamma(half + 1) - clients * math.log(2))


@lru_cache(maxsize=1)
def nodes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two independent normal variables and weights; the first has many nodes near 0."""
    s, w = np.polynomial.legendre.leggauss(NODES[0])
    s, w = 0.5 * (s + 1), 0.5 * w
    u, du = END * s**3, 3 * END * s**2 * w * np.exp(-0.5 * (END * s**3) ** 2) / math.sqrt(2 * math.pi)
    h, dh = np.polynomial.hermite_e.hermegauss(NODES[1])
    u, du = np.concatenate([-u, u]), np.concatenate([du, du])
    return np.repeat(u, NODES[1]), np.tile(h, 2 * NODES[0]), np.outer(du, dh / dh.sum()).ravel()


def rates(model: Votes, R: float, Q: float) -> tuple[float, float]:
    """dR/dt and dQ/dt."""
    D, f, M = max(Q - 2 * R + 1, 0.0), model.malicious / model.clients, model.clients
    power, variance = 1 - (1 + model.loudness) * f, (1 - (1 - model.loudness**2) * f) / M
    if model.activation == "linear":
        scale = math.sqrt(2 / math.pi / (D + model.noise**2)) if D + model.noise > 0 else 0.0
        along, own = (1 - R) * scale, (R - Q) * scale
        drift, squared = (1 - R, R - Q), D + model.noise**2
    else:
        from scipy.special import erf

        u, h, w = nodes()
        # ν = λ + √D u; λ has the part (R − Q)/√D along u.
        slope = (R - Q) / math.sqrt(D) if D > 0 else 0.0
        lam = slope * u + math.sqrt(max(Q - slope**2, 0.0)) * h
        nu = lam + math.sqrt(D) * u
        e, g1 = erf(nu / math.sqrt(2)) - erf(lam / math.sqrt(2)), math.sqrt(2 / math.pi) * np.exp(-0.5 * lam**2)
        signs = erf(e / (math.sqrt(2) * model.noise)) if model.noise > 0 else np.sign(e)
        along, own = float(w @ (signs * nu)), float(w @ (signs * lam))
        drift = float(w @ (e * g1 * nu)), float(w @ (e * g1 * lam))
        squared = float(w @ (g1**2 * (e**2 + model.noise**2)))
    if model.server == "mean":
        a, b, noise = power * drift[0], power * drift[1], variance * squared
    else:
        strength = gain(M) * (1 - 2 * f) * math.sqrt(2 / math.pi)
        a, b, noise = strength * along, strength * own, decided(M)
    return model.lr * a, 2 * model.lr * b + model.lr**2 * noise


def error(model: Votes, R: np.ndarray, Q: np.ndarray) -> np.ndarray:
    """eps_g at overlaps (…) with a teacher of norm one."""
    from tsphys.physics.committee.gaussian import generalisation_error

    g = model.activation
    return generalisation_error(
        g, g, R[..., None, None], Q[..., None, None], [[1.0]], np.ones((*np.shape(R), 1)), [1.0]
    )  # fmt: skip


@frames.flow(Votes, frames.Options)
def solve(model: Votes, options: frames.Options) -> frames.Equations:
    """Solve the equations of motion, and observe the student at the times t = steps/N.

    The tolerances are 1e-8 and 1e-10 by default.

    Returns
    -------
    dict
        Over the times: ``eps_g``, half the mean squared error without noise; ``R`` = w·w*/N and ``Q`` = |w|²/N.
    """

    def observe(y: np.ndarray) -> dict[str, np.ndarray]:
        R, Q = y[:, 0], y[:, 1]
        return {"eps_g": error(model, R, Q), "R": R, "Q": Q}

    follow = frames.ode(lambda _, y: np.array(rates(model, *y)), [model.R, model.Q])
    return frames.Equations((follow,), observe, 1e-8, 1e-10)


def steady(model: Votes) -> float:
    """eps_g of a linear student for t → ∞; infinite where there is none.

    Raises
    ------
    ModelError
        If the student is not linear.
    """
    if model.activation != "linear":
        raise ModelError("activation", model.activation, "must be linear, whose steady state is known")
    f, eta, c, s2 = model.malicious / model.clients, model.lr, model.loudness, model.noise**2
    if model.server == "mean":
        power, variance = 1 - (1 + c) * f, (1 - (1 - c**2) * f) / model.clients
        rest = 2 * power - eta * variance
        return 0.5 * eta * s2 * variance / rest if rest > 0 else math.inf
    power = gain(model.clients) * (1 - 2 * f)
    if power <= 0:
        return math.inf
    x = math.pi * eta * decided(model.clients) / (4 * power)
    return 0.25 * (x * x + x * math.sqrt(x * x + 4 * s2))
