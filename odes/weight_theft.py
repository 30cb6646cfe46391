"""Weight theft for N → ∞: equations in the modes of the queries, and with a mean those of what is beside a fast mode.

Along a chain Ω has the eigenvalues ρ(k) = (1 − τ²)/(1 − 2τ cos k + τ²), k uniform in (0, π), in each of which weights
of independent sites have the same share: modes of `tsphys.odes.equations.modes`. The slowest, (1 − |τ|)/(1 + |τ|),
holds what queries hardly see and natural inputs do.

Queries of mean p put p into each input, and a step changes S = Σ_i w_i/√N by p c, of order one, but R and Q by 1/N.
So S runs through its stationary law at fixed R and Q, over which their rates are averages. With linear units and
E = Q − 2R + T, υ = p(1 − p),

    ⟨(S − S*)²⟩ = η(υE + σ²)/(2 − ηp²),   dE/dt = −2ηυE + 2η²υ(υE + σ²)/(2 − ηp²);

otherwise the stationary law, π(Pf) = π(f) with the step's operator P, is found on values of S, between which functions
are polynomials of degree five. The equations of the mean are our own.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np

from tsphys._jit import njit
from tsphys.errors import ConvergenceError, ModelError
from tsphys.models.weight_theft import WeightTheft
from tsphys.odes.equations.modes import OBSERVED, Modes, equations, split
from tsphys.runs import frames
from tsphys.runs.memory import check_memory

#: Fewest modes of a chain, and how many to the distance of a pole, for 1e-10.
FEWEST, LENGTHS = 32, 15.0
#: States that a solver keeps.
COPIES = 20
#: Nodes of each field, and of the noise of an example.
FIELD, NOISE = 16, 5
#: Values of S, about evenly over so many standard deviations on both sides, from there as far as a step leads.
VALUES, WIDE = 121, 2.0
#: Fields of a weight that is less lead to no further values, for which there are so many rounds; what probabilities may
#: add up to without their signs.
RARE, ROUNDS, UNSURE = 1e-9, 50, 1e-3
#: Pull of the victim's mean, in a step, below which its units are called saturated.
SATURATED = 1e-2
#: 1/Π (m − l) over l ≠ m from 0 to 5.
LAGRANGE = (-1 / 120, 1 / 24, -1 / 12, 1 / 12, -1 / 24, 1 / 120)
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
def _nodes(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of a normal variable."""
    x, w = np.polynomial.hermite_e.hermegauss(n)
    return x, w / w.sum()


@njit
def steps(S, p, lr, sigma, own, target, field, w, zeta, w_zeta, centre, scale, low, width, P, means):
    """Fill the transition matrix P (n, n) from the values S (n,) of the mean, and averages over a step from each.

    What is moved to lies between values, S = centre + scale·sinh(low + width·i), and is told by those of a function at
    the nearest six. Nodes have own fields (J,), those of the teacher's `field` and its output `target`, and the weights
    w; zeta, w_zeta are those of the noise. means (n, 5) are ⟨c η⟩, ⟨c λ⟩ without the mean, ⟨c²⟩, ⟨Δ²⟩ and ⟨c⟩.
    """
    n = S.shape[0]
    P[...] = 0.0
    means[...] = 0.0
    for i in range(n):
        for j in range(w.shape[0]):
            lam = p * S[i] + own[j]
            slope, delta = math.sqrt(2.0 / math.pi) * math.exp(-0.5 * lam * lam), math.erf(lam * math.sqrt(0.5))
            delta -= target[j]
            means[i, 3] += w[j] * delta * delta
            for q in range(zeta.shape[0]):
                c, weight = -lr * slope * (delta - sigma * zeta[q]), w[j] * w_zeta[q]
                means[i, 0] += weight * c * field[j]
                means[i, 1] += weight * c * own[j]
                means[i, 2] += weight * c * c
                means[i, 4] += weight * c
                x = (math.asinh((S[i] + p * c - centre) / scale) - low) / width
                first = min(max(math.floor(x) - 2, 0), n - 6)
                u = min(max(x - first, 0.0), 5.0)
                for m in range(6):
                    part = weight * LAGRANGE[m]
                    for l in range(6):
                        if l != m:
                            part *= u - l
                    P[i, first + m] += part


def fast(model: WeightTheft, R: float, Q: float, values: int = VALUES) -> tuple[float, float, float, float, float]:
    """⟨S⟩, ⟨(S − S*)²⟩, dR/dt, dQ/dt and the error on queries, over the stationary law of S at these overlaps."""
    T, p, eta, sigma, S_star = model.start.T[0, 0], model.p, model.lr, model.noise, model.mean_star
    variance, E = p * (1 - p), Q - 2 * R + T
    total = variance * E + sigma**2
    if model.activation == "linear":
        offset = eta * total / (2 - eta * p * p)
        dQ = -2 * eta * variance * (Q - R) + variance * eta**2 * (p * p * offset + total)
        return S_star, offset, -eta * variance * (R - T), dQ, 0.5 * (p * p * offset + variance * E)
    from scipy.special import erf

    (x, w), (zeta, w_zeta) = _nodes(FIELD), _nodes(NOISE if sigma > 0 else 1)
    field = math.sqrt(variance * T) * np.repeat(x, FIELD)
    own = R / T * field + math.sqrt(max(Q - R * R / T, 0.0) * variance) * np.tile(x, FIELD)
    w = np.outer(w, w).ravel()
    there = w > 1e-14
    own, field, w = own[there], field[there], w[there]
    target = erf((p * S_star + field) * math.sqrt(0.5))

    def after(S: np.ndarray) -> np.ndarray:
        lam = p * S[:, None] + own[often]
        slope = math.sqrt(2 / math.pi) * np.exp(-0.5 * lam**2)
        error = erf(lam * math.sqrt(0.5)) - target[often]
        return S[:, None] - p * eta * slope * (error + sigma * zeta[-1] * np.array([1.0, -1.0])[:, None, None])

    # The width of a linear law about the mean of the victim, and how far one leads out of it that is not all too rare.
    slope = math.sqrt(2 / math.pi) * np.exp(-0.5 * (p * S_star + own) ** 2)
    size = w @ (slope**2 * ((erf((p * S_star + own) * math.sqrt(0.5)) - target) ** 2 + sigma**2))
    kappa, often = eta * p * p * (w @ slope**2), w > RARE
    if kappa < np.finfo(float).tiny:
        raise _unresolved(eta, S_star, kappa, math.nan)
    scale = WIDE * max(eta * p * math.sqrt(size / (kappa * max(2 - kappa, 0.5))), 1e-4)
    least, most = S_star - scale, S_star + scale
    for _ in range(ROUNDS):
        moved = after(np.linspace(least, most, FIELD))
        before, (least, most) = most - least, (min(least, moved.min()), max(most, moved.max()))
        if most - least < before * (1 + 1e-6):
            break
    low, high = (math.asinh((end - S_star) / scale) for end in (least, most))
    S = S_star + scale * np.sinh(np.linspace(low, high, values))
    P, means = np.empty((values, values)), np.empty((values, 5))
    spacing = (high - low) / (values - 1)
    steps(S, p, eta, sigma, own, target, field, w, zeta, w_zeta, S_star, scale, low, spacing, P, means)
    A = P.T - np.eye(values)
    A[0], right = 1.0, np.eye(values)[0]
    law = np.linalg.solve(A, right)
    along, across, square, error, step = (law @ means).tolist()
    # A law adds up to one, and the mean does not move by it; where it hardly is pulled back, rounding decides.
    excess, adrift = float(abs(law).sum()) - 1.0, abs(p * step) / kappa
    if not (excess < UNSURE and adrift < UNSURE * scale):
        raise _unresolved(eta, S_star, kappa, max(excess, adrift / scale))
    return float(law @ S), float(law @ (S - S_star) ** 2), along, 2 * across + variance * square, 0.5 * error


def _unresolved(eta: float, S_star: float, kappa: float, residual: float) -> ConvergenceError:
    if kappa < SATURATED:
        words = f"mean_star = {S_star:g}: the units of the victim are saturated at its mean"
    else:
        words = f"lr = {eta:g}: steps so large leave the mean where units are saturated, and hardly let it return"
    return ConvergenceError(f"{words}; the law of the mean is not resolved", residual=residual)


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
