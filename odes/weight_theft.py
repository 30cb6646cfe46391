"""Weight theft for N → ∞: equations in the modes of the queries, and with a mean those of what is beside a fast mode.

Along a chain Ω has the eigenvalues ρ(k) = (1 − τ²)/(1 − 2τ cos k + τ²), k uniform in (0, π), in each of which weights
of independent sites have the same share: modes of `tsphys.odes.equations.modes`. The slowest, (1 − |τ|)/(1 + |τ|),
holds what queries hardly see and natural inputs do.

Queries of mean p put p into each input, and a step changes S = Σ_i w_i/√N by p c, of order one, but R and Q by 1/N.
So S runs through its stationary law at fixed R and Q, over which their rates are averages. With linear units and
E = Q − 2R + T, υ = p(1 − p),

    ⟨(S − S*)²⟩ = η(υE + σ²)/(2 − ηp²),   dE/dt = −2ηυE + 2η²υ(υE + σ²)/(2 − ηp²);

otherwise the stationary law is one of moments of polynomials, π(Pf) = π(f) with the step's operator P on them. The
equations of the mean are our own.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np

from tsphys.errors import ModelError
from tsphys.models.weight_theft import WeightTheft
from tsphys.odes.equations.modes import OBSERVED, Modes, equations, split
from tsphys.runs import frames
from tsphys.runs.memory import check_memory

#: Fewest modes of a chain, and how many to the distance of a pole, for 1e-10.
FEWEST, LENGTHS = 32, 15.0
#: States that a solver keeps.
COPIES = 20
#: Nodes of each field, and of the noise of an example; polynomials in S, over so many of its standard deviations.
FIELD, NOISE, POLYNOMIALS, WIDE = 16, 5, 33, 9.0
_DIMS = {**OBSERVED, "R_query": OBSERVED["R"], "Q_query": OBSERVED["Q"], "S": ("student",)}


@frames.flow(WeightTheft, frames.Options, dims=_DIMS)
def solve(model: WeightTheft, options: frames.Options) -> frames.Equations:
    """Solve the equations of motion, and observe the thief at the times t = queries/N.

    The tolerances are 1e-9 and 1e-11 by default, of erf units and raw queries 1e-7 and 1e-9.

    Returns
    -------
    dict
        ``eps_g`` and ``eps_query`` (len(t),), the errors on natural inputs and on queries; ``R`` (…, K, M), ``Q``
        (…, K, K) and ``v`` (…, K); ``R_query`` and ``Q_query``, covariances of the fields of queries; of raw ones
        ``S`` (…, 1) and ``offset``, the means of S and (S − S*)².

    Raises
    ------
    ModelError
        If raw queries make the mean of a linear thief run away, ηp² ≥ 2.
    """
    return beside_the_mean(model) if model.queries == "raw" else in_modes(model)


def chain_modes(model: WeightTheft) -> Modes:
    """The start in the modes of the queries."""
    e, weight = np.ones(1), np.ones(1)
    slowest = (1 - abs(model.tau)) / (1 + abs(model.tau)) if model.queries == "chain" else 1.0
    # Of weaker correlations than rounding there is one mode.
    root = math.sqrt(slowest)
    n = max(FEWEST, math.ceil(LENGTHS / math.atanh(root))) if root < 1 else 1
    K, M = model.K, model.M
    needed = 8.0 * (2 * (K + M) ** 2 + n * M**2 + COPIES * n * K * (K + M))
    _, name, value = max((K, "K", K), (M, "M", M), (n - FEWEST, "tau", model.tau))
    check_memory(name, value, needed, "the modes of all overlaps")
    start = model.start
    if root < 1:
        # tan(k/2) = root·tan(θ/2) has the poles of ρ as far off as it can; equal steps of θ converge exponentially.
        u2 = np.tan((np.arange(n) + 0.5) * math.pi / (2 * n)) ** 2
        e, weight = (1 + slowest * u2) / (slowest + u2), root * (1 + u2) / (1 + slowest * u2) / n
    column = e[:, None, None]
    return Modes(
        e=e, weight=weight, t=column**2 * start.T, r=column * start.R, q=0 * column + start.Q, T=np.array(start.T)
    )


def in_modes(model: WeightTheft) -> frames.Equations:
    """The equations of queries without a mean."""
    start = chain_modes(model)
    own = equations(model, start, 1e-9, 1e-11)

    def observe(y: np.ndarray) -> dict[str, np.ndarray]:
        seen = own.observe(y)
        r, q, _ = split(start, y)
        R, Q = np.einsum("i,tikm->tkm", start.weight / start.e, r), np.einsum("i,tikl->tkl", start.weight, q)
        found = {"R": R, "Q": Q, "v": seen["v"], "R_query": seen["R"], "Q_query": seen["Q"]}
        return {**model.errors(found, start.T), **found}

    return replace(own, observe=observe)


@cache
def _nodes(noise: bool) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (J, 3) and weights of two fields and the noise."""
    rules = [np.polynomial.hermite_e.hermegauss(n) for n in (FIELD, FIELD, NOISE if noise else 1)]
    z = np.stack([a.ravel() for a in np.meshgrid(*(x for x, _ in rules), indexing="ij")], axis=1)
    w = np.einsum("i,j,k->ijk", *(w / w.sum() for _, w in rules)).ravel()
    keep = w > 1e-14
    return z[keep], w[keep]


def fast(model: WeightTheft, R: float, Q: float) -> tuple[float, float, float, float, float]:
    """⟨S⟩, ⟨(S − S*)²⟩, dR/dt, dQ/dt and the error on queries, over the stationary law of S at these overlaps."""
    T, p, eta, sigma, S_star = model.start.T[0, 0], model.p, model.lr, model.noise, model.mean_star
    variance, E = p * (1 - p), Q - 2 * R + T
    total = variance * E + sigma**2
    if model.activation == "linear":
        offset = eta * total / (2 - eta * p * p)
        dQ = -2 * eta * variance * (Q - R) + variance * eta**2 * (p * p * offset + total)
        return S_star, offset, -eta * variance * (R - T), dQ, 0.5 * (p * p * offset + variance * E)
    from scipy.special import erf

    z, w = _nodes(sigma > 0)
    width = abs(S_star) + WIDE * math.sqrt(eta * total / max(2 - eta * p * p, 0.5)) + 1e-3
    x = np.cos(math.pi * (np.arange(POLYNOMIALS) + 0.5) / POLYNOMIALS)
    eta_field = math.sqrt(variance * T) * z[:, 0]
    own = R / T * eta_field + math.sqrt(max(Q - R * R / T, 0.0) * variance) * z[:, 1]
    lam = p * (S_star + width * x)[:, None] + own
    delta = erf(lam / math.sqrt(2)) - erf((p * S_star + eta_field) / math.sqrt(2))
    c = -eta * math.sqrt(2 / math.pi) * np.exp(-0.5 * lam**2) * (delta - sigma * z[:, 2])
    after = np.clip(x[:, None] + p * c / width, -1.0, 1.0)
    last, now = np.ones_like(after), after
    moved = [np.ones(POLYNOMIALS), now @ w]
    for _ in range(POLYNOMIALS - 2):
        last, now = now, 2 * after * now - last
        moved.append(now @ w)
    # Coefficients of the polynomials T_m through values at x: V⁻¹, rows m.
    V = np.cos(np.arange(POLYNOMIALS) * np.arccos(x)[:, None])
    inverse = V.T * (2 - (np.arange(POLYNOMIALS) == 0))[:, None] / POLYNOMIALS
    A = (inverse @ np.stack(moved, axis=1) - np.eye(POLYNOMIALS)).T
    A[0], right = np.eye(POLYNOMIALS)[0], np.eye(POLYNOMIALS)[0]
    law = np.linalg.solve(A, right)

    def mean(values: np.ndarray) -> float:
        return float(law @ (inverse @ values))

    along, across, square = (c * eta_field) @ w, (c * own) @ w, c**2 @ w
    return (
        S_star + width * mean(x), width**2 * mean(x**2), mean(along), 2 * mean(across) + variance * mean(square),
        0.5 * mean(delta**2 @ w),
    )  # fmt: skip


def beside_the_mean(model: WeightTheft) -> frames.Equations:
    """The equations of raw queries; the state is (R, Q, t)."""
    if model.activation == "linear" and model.lr * model.p**2 >= 2:
        raise ModelError("lr", model.lr, f"must be below 2/p² = {2 / model.p**2:g}, where the mean runs away at once")
    start = model.start

    def rhs(_: float, y: np.ndarray) -> np.ndarray:
        return np.array([*fast(model, y[0], y[1])[2:4], 1.0])

    def observe(y: np.ndarray) -> dict[str, np.ndarray]:
        R, Q = y[:, 0, None, None], y[:, 1, None, None]
        S, offset, _, _, eps_query = np.array([fast(model, *row[:2]) for row in y]).T
        first = y[:, 2] == 0
        S, offset = np.where(first, model.mean, S), np.where(first, (model.mean - model.mean_star) ** 2, offset)
        eps_query = np.where(first, model.beside_the_mean(S[:, None], R, Q), eps_query)
        v = np.ones((len(y), 1))
        eps_g = np.maximum(model.eps_g(R, Q, start.T, v, [1.0]), 0.0)
        return {"eps_g": eps_g, "eps_query": eps_query, "R": R, "Q": Q, "v": v, "S": S[:, None], "offset": offset}

    rtol, atol = (1e-9, 1e-11) if model.activation == "linear" else (1e-7, 1e-9)
    return frames.Equations((frames.ode(rhs, [start.R[0, 0], start.Q[0, 0], 0.0]),), observe, rtol, atol)
