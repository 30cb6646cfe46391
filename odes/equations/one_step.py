"""Mean and covariance of one step of online learning at a given state, by averages over nodes.

A step moves y = (R, S, v), S = Q − R T⁺ Rᵀ, by u/N. With the fields λ = R T⁺ ν + s, s = L z_S, ν = L_T z_T of an
example its share of u is c νᵀ, c sᵀ + s cᵀ + c cᵀ/b and dv; ⟨u⟩ = f + f₁/N without any further order, and the leading
covariance of u is D. The inputs outside of all fields enter through their length x·x/N and their products x·x'/N only,
whose means given the fields are 1 + (hᵀΣ⁺h − rank Σ)/N and hᵀΣ⁺h'/N.

Inputs ±1 have the length N exactly, and fields with fourth cumulants −(2/N)(Σ_ab Σ_cd + 2 permutations), which add
−d²⟨u⟩/ds² at Σ → (1 + s)Σ to f₁. In whitened coordinates z that derivative is an average with the weight
(|z|² − r)²/4 − |z|² + r/2 of any r of them that hold all fields.

On the sphere, Q = 1, where a step ends with w → w √N/|w|, R and v alone are the state. With q the change of Q in a free
step R moves by u − ½Rq + (⅜Rq² − ½uq)/N.

Zeroth-order and partial steps are those of the rule and isotropic noise: of the power ⟨c_k²⟩ (1/s − 1)/b in the weights
of student k if a fraction s of its coordinates takes part, of Σ_l ⟨c_l²⟩/κ along κN directions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tsphys._jit import njit
from tsphys.rules.binding import bind, given, placed, rule
from tsphys.rules.field_average import Nodes, fields, teacher_factors
from tsphys.rules.learning_rule import LearningRule


class Step(NamedTuple):
    """What a step is besides its rule, as numbers for the kernel."""

    batch: float
    """b."""
    share: float
    """1/s − 1."""
    directions: float
    """1/κ of κN random directions, 0 for the gradient."""
    binary: bool
    """Whether inputs are ±1."""
    rank: float
    """Rank of T."""


@njit
def root(S, L):
    """Lower-triangular L with L Lᵀ = S; what rounding or noise has made negative counts as zero."""
    for j in range(S.shape[0]):
        for i in range(j, S.shape[0]):
            s = S[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            if i == j:
                L[j, j] = np.sqrt(s) if s > 0.0 else 0.0
            else:
                L[i, j] = s / L[j, j] if L[j, j] > 0.0 else 0.0
                L[j, i] = 0.0


@njit(fast=True)
def averages(turns, z, w, A, L, LT, T_inv, v, v_star, p, decay, seen, step, mean, square, first, power, across):
    """⟨u⟩ (n,), ⟨u uᵀ⟩ (n, n; lower triangle), the part of f₁ (n,) that is an average, ⟨c²⟩ (K,), ⟨c z_Sᵀ⟩ (K, K).

    For a rule that sees the first `seen` teachers, whose students decay at the rates `decay` (K,).
    """
    K, M = A.shape
    n, after = mean.shape[0], mean.shape[0] - v.shape[0]
    x, u = np.zeros(z.shape[1]), np.empty(n)
    lam, nu, s, c, dv = np.empty(K), np.empty(M), np.empty(K), np.zeros(K), np.zeros(v.shape[0])
    for out in (mean, first, power):
        out[:] = 0.0
    square[:, :] = 0.0
    across[:, :] = 0.0
    for node in range(z.shape[0]):
        weight = fields(turns, z[node], w[node], A, L, LT, x, lam, nu)
        dv[:] = 0.0
        rule(lam, nu[:seen], v, v_star, x[M + K :], p, c, dv)
        inside, outside, total = 0.0, 0.0, 0.0
        for m in range(M):
            for o in range(M):
                inside += nu[m] * T_inv[m, o] * nu[o]
        for k in range(K):
            outside += x[M + k] * x[M + k]
            total += c[k] * c[k]
            s[k] = 0.0
            for j in range(k + 1):
                s[k] += L[k, j] * x[M + j]
        for k in range(K):
            power[k] += weight * c[k] * c[k]
            for j in range(K):
                across[k, j] += weight * c[k] * x[M + j]
        at = K * M
        length = 0.0 if step.binary else inside + outside - K - step.rank
        for k in range(K):
            for m in range(M):
                u[k * M + m] = c[k] * nu[m]
            for l in range(k + 1):
                drawn, pair = c[k] * s[l] + s[k] * c[l], c[k] * c[l] / step.batch
                spread = pair
                if k == l:
                    spread += pair * step.share + total * step.directions
                u[at] = drawn + spread
                lost = decay[k] * s[k] * c[l] + decay[l] * c[k] * s[l]
                first[at] += weight * (spread * length - pair * inside - lost + c[k] * c[l] * step.directions)
                at += 1
        for k in range(v.shape[0]):
            u[after + k] = dv[k]
        if step.binary:
            squared, r = outside, float(K + M)
            for m in range(M):
                squared += x[m] * x[m]
            curving = weight * (0.25 * (squared - r) ** 2 - squared + 0.5 * r)
            for i in range(n):
                first[i] -= curving * u[i]
        for i in range(n):
            share = weight * u[i]
            mean[i] += share
            for j in range(i + 1):
                square[i, j] += share * u[j]


class Moments(NamedTuple):
    """Of a state: ⟨u⟩ (n,) without decay, D (n, n), f₁ (n,), half the difference of D between halves of the points."""

    mean: np.ndarray
    D: np.ndarray
    first: np.ndarray
    doubt: np.ndarray


#: A rule with the probability that an example is one of its.
Shares = Sequence[tuple[float, LearningRule]]


def one_step(rules: Shares, nodes: Nodes, T: np.ndarray, v_star: np.ndarray) -> Callable[..., Moments]:
    """The function (y, decay) -> moments of the state y = (R, triangle of S, v) (n,), whose S decays at rates (K,).

    The decay of R and v, and that of S to leading order, are motion only.

    Parameters
    ----------
    rules : sequence of (float, LearningRule)
        Rules that differ in their parameters only, and how often examples are theirs.
    nodes : Nodes
        Of the law of the inputs.
    T : ndarray (M, M)
        Overlaps of the teachers, of which the rules may see the first only.
    v_star : ndarray
    """
    rule, M = rules[0][1], len(T)
    K, b = rule.K, rule.minibatch
    LT, G = teacher_factors(T)
    T_inv = np.linalg.pinv(T, hermitian=True)
    share = 0.0 if rule.fraction is None else 1.0 / rule.fraction - 1.0
    directions = 0.0 if rule.queries is None else 1.0 / rule.queries
    rank = float(np.linalg.matrix_rank(T, hermitian=True))
    step = Step(float(b), share, directions, rule.inputs == "binary", rank)
    kernel, v_star = bind(averages, placed(rule)), np.array(v_star)
    row, column = np.tril_indices(K)
    shared = K * M + len(row)
    half = len(nodes.w) // 2 if nodes.kind == "sobol" else 0
    parts = [(nodes.z[:half], nodes.w[:half])] * (half > 0) + [(nodes.z[half:], nodes.w[half:])]
    known = np.empty((K, M)), np.empty((K, K))
    own = [(probability, given(one, *known)) for probability, one in rules if probability > 0]

    def moments(y: np.ndarray, decay: np.ndarray) -> Moments:
        n = len(y)
        R, S, v = y[: K * M].reshape(K, M), np.empty((K, K)), y[shared:].copy()
        S[row, column] = S[column, row] = y[K * M : shared]
        A, L = R @ G, np.zeros((K, K))
        root(S, L)
        known[0][...], known[1][...] = R, S + R @ T_inv @ R.T
        found = []
        for z, w in parts:
            total = np.zeros(n), np.zeros((n, n)), np.zeros(n), np.zeros(K), np.zeros((K, K))
            for probability, p in own:
                out = tuple(np.empty_like(a) for a in total)
                kernel(nodes.kind == "polar", z, w, A, L, LT, T_inv, v, v_star, p, decay, rule.M, step, *out)
                for a, more in zip(total, out):
                    a += probability * more
            found.append(total)
        mean, square, first, power, across = (sum(same) for same in zip(*found))
        power = share / b * power + directions * power.sum()
        D = _covariance(mean, square) / b + isotropic(power, T, S, n)
        doubt = np.zeros((n, n))
        if half:
            one, other = (_covariance(out[0] / w.sum(), out[1] / w.sum()) for out, (_, w) in zip(found, parts))
            doubt = 0.5 * (one - other) / b
        # Different examples of a step.
        more = (b - 1) / b * across @ across.T
        if share > 0.0:
            c_nu = mean[: K * M].reshape(K, M)
            along = (b - 1) / b * np.einsum("km,mn,kn->k", c_nu, T_inv, c_nu)
            more += np.diag(share * (np.diag(more) + along))
        more += np.outer(decay, decay) * S - np.diag(rank * power)
        first[K * M : shared] += more[row, column]
        return Moments(mean, D, first, doubt)

    return moments


def on_the_sphere(moments: Callable[..., Moments], T_inv: np.ndarray) -> Callable[[np.ndarray], Moments]:
    """The function (R, v) -> moments of a single student that is put back to Q = 1 after each step."""
    M = len(T_inv)

    def projected(y: np.ndarray) -> Moments:
        R = y[:M]
        free = moments(np.concatenate([R, [max(1.0 - R @ T_inv @ R, 0.0)], y[M:]]), np.zeros(1))
        # q = change · u; the square of what R changes by is of first order.
        change = np.concatenate([2 * T_inv @ R, [1.0], np.zeros(len(y) - M)])
        seen = np.delete(np.eye(len(free.mean)), M, axis=0)
        seen[:M] -= 0.5 * np.outer(R, change)
        second = free.D + np.outer(free.mean, free.mean)
        q_first = change @ free.first + np.sum(T_inv * second[:M, :M])
        first = np.delete(free.first, M)
        first[:M] += 0.375 * R * (change @ second @ change) - 0.5 * (second[:M] @ change + R * q_first)
        return Moments(seen @ free.mean, seen @ free.D @ seen.T, first, seen @ free.doubt @ seen.T)

    return projected


def _covariance(mean: np.ndarray, square: np.ndarray) -> np.ndarray:
    """Of a mean and the lower triangle of a mean square."""
    lower = np.tril(square)
    return lower + np.tril(lower, -1).T - np.outer(mean, mean)


def isotropic(power: np.ndarray, T: np.ndarray, S: np.ndarray, n: int) -> np.ndarray:
    """What isotropic noise of this power (K,) in the weights of each student adds to D (n, n)."""
    K, M, (row, column) = len(S), len(T), np.tril_indices(len(S))
    out, one = np.zeros((n, n)), np.eye(K)
    if power.any():
        out[: K * M, : K * M] = np.kron(np.diag(power), T)
        k, l, p, q = row[:, None], column[:, None], row[None], column[None]
        pairs = slice(K * M, K * M + len(row))
        out[pairs, pairs] = power[k] * (one[k, p] * S[l, q] + one[k, q] * S[l, p])
        out[pairs, pairs] += power[l] * (one[l, p] * S[k, q] + one[l, q] * S[k, p])
    return out
