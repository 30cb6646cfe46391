"""Steps that are not the rule's own: seen through random directions, on some coordinates only, or under fixed masks.

In engine `direct` a function takes the place `local.estimate`. It changes the weights itself, and leaves to the engine
what is still to be added along the input. Engine `exact` has random directions only, for which the weights outside of
the teachers' span are no more than their overlaps. What a function wants to know stands beside the rule's parameters
in ``p``; see `tsphys.rules.binding.bind_beside`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tsphys._jit import njit
from tsphys.errors import ModelError
from tsphys.ground.given import reals
from tsphys.ground.times import MOST_STEPS
from tsphys.numerics.random import generator, normals, uniforms
from tsphys.rules.learning_rule import LearningRule
from tsphys.sims.engines.online.local import BLOCK, SCALARS


class Directions(NamedTuple):
    """Parameters of a rule, their number q, and √(χ²_q/q) of the steps that are drawn at once, in engine `direct`."""

    own: Any
    q: float
    lengths: Any


class Share(NamedTuple):
    """Parameters of a rule, and the probability s with which a coordinate takes part."""

    own: Any
    s: float


class Masks(NamedTuple):
    """Parameters of a rule, and zeros and ones (K, N)."""

    own: Any
    masks: Any


@njit
def along_directions(W, pool, new, c, step, p, rng):
    """Turn the step G, its rows c_k x, into Ĝ = (1/q) Σ_j u_j (u_j·G) of q directions u_j ~ N(0, 1).

    With a² = χ²_q/q Ĝ = a²G + (a/√q)|G| ξ, ξ normal across G: the law of Ĝ, at the cost of a single direction. What ξ
    has along G is drawn too, and taken away from what is left to the engine.
    """
    K, N = W.shape
    x = pool[new[0]]
    length, size = 0.0, 0.0
    for i in range(N):
        length += np.float64(x[i]) * np.float64(x[i])
    for k in range(K):
        size += np.float64(c[0, k]) * np.float64(c[0, k])
    length = math.sqrt(length * size)
    if length == 0.0:
        return
    a, root = p.lengths[step], math.sqrt(p.q)
    scale = W.dtype.type(a * length / root)
    xi = np.empty(BLOCK, W.dtype)
    along = 0.0
    for k in range(K):
        for low in range(0, N, BLOCK):
            w, y = W[k, low : low + BLOCK], x[low : low + BLOCK]
            u = xi[: w.shape[0]]
            normals(rng, u)
            s = 0.0
            for i in range(w.shape[0]):
                w[i] += scale * u[i]
                s += np.float64(u[i]) * np.float64(y[i])
            along += c[0, k] * s
    factor = W.dtype.type(a * a - a / root * along / length)
    for k in range(K):
        c[0, k] *= factor


@njit
def on_some_coordinates(W, pool, new, c, step, p, rng):
    """Make the step on each coordinate with probability s only, 1/s times as large."""
    K, N = W.shape
    s = p.s
    uniform = np.empty(BLOCK)
    for k in range(K):
        for low in range(0, N, BLOCK):
            w = W[k, low : low + BLOCK]
            u = uniform[: w.shape[0]]
            uniforms(rng, u)
            for beta in range(new.shape[0]):
                x, scaled = pool[new[beta], low : low + BLOCK], c[beta, k] / s
                for i in range(w.shape[0]):
                    w[i] += scaled * x[i] if u[i] < s else 0.0
    c.fill(0.0)


@njit
def under_masks(W, pool, new, c, step, p, rng):
    """Make the step under masks (K, N)."""
    (K, N), masks = W.shape, p.masks
    for beta in range(new.shape[0]):
        x = pool[new[beta]]
        for k in range(K):
            for i in range(N):
                W[k, i] += c[beta, k] * x[i] * masks[k, i]
    c.fill(0.0)


@njit
def along_directions_of_coordinates(A, S, C, z, F, p, width):
    """`along_directions` of the step that engine `exact` has made; returns the columns of S that are now filled.

    The last row entries of z: K rows ξ along teachers, students and the rest of x, Bartlett's factor (K, K) of what ξ
    has outside of all of them, and a.
    """
    K, M = A.shape
    n = M + K
    more = z[0, z.shape[1] - K * (n + 1 + K) - 1 :]
    xi, outside, a = more[: K * (n + 1)].reshape(K, n + 1), more[K * (n + 1) : -1].reshape(K, K), more[-1]
    rest = F[0, 0]
    length, size = rest * rest, 0.0
    for j in range(n):
        length += z[0, j] * z[0, j]
    along = 0.0
    for k in range(K):
        size += C[k, 0] * C[k, 0]
        s = xi[k, n] * rest
        for j in range(n):
            s += xi[k, j] * z[0, j]
        along += C[k, 0] * s
    length = math.sqrt(length * size)
    root = math.sqrt(p.q)
    scale = a * length / root
    change = a * a - 1.0 - (a / root * along / length if length > 0.0 else 0.0)
    for k in range(K):
        step = change * C[k, 0]
        for m in range(M):
            A[k, m] += step * z[0, m] + scale * xi[k, m]
        for j in range(K):
            S[k, j] += step * z[0, M + j] + scale * xi[k, M + j]
            S[k, width + j] = scale * outside[k, j] if j <= k else 0.0
        S[k, K] += step * rest + scale * xi[k, n]
    return width + K


def of_weights(rule: LearningRule) -> Any:
    """What takes the place `local.estimate` in engine `direct`; None if the step is the rule's own."""
    if rule.queries is not None:
        return along_directions
    return on_some_coordinates if rule.fraction is not None else under_masks if rule.masks is not None else None


def query_count(rule: LearningRule, N: int, name: str = "kappa") -> int:
    """Directions q of an estimate: κN, rounded; κ has another name in rules of the user's own.

    Raises
    ------
    ModelError
        If κN < 1.
    """
    assert rule.queries is not None
    # 1/49·49 is a rounding error less than one.
    if rule.queries * N < 1 - 1e-12:
        raise ModelError(name, rule.queries, f"must be at least 1/N = {1 / N:g}, one query a step")
    if not rule.queries * N <= MOST_STEPS:
        raise ModelError(name, rule.queries, f"must be at most {MOST_STEPS / N:.3g} at N = {N}: 2**53 queries a step")
    return round(rule.queries * N)


def roots(rule: LearningRule, N: int, rng: np.random.Generator, shape: Any) -> np.ndarray:
    """a = √(χ²_q/q) of many steps."""
    q = query_count(rule, N)
    return np.sqrt(rng.chisquare(q, shape) / q)


def masked(name: str, function: Any, shape: tuple[int, ...], *arguments: Any) -> Masks:
    """What a function makes of these arguments as masks, or a ModelError of this name."""
    masks = reals(name, function, shape, *arguments)
    if not np.isin(masks, (0, 1)).all():
        raise ModelError(name, function, "must return zeros and ones only")
    return Masks(None, np.array(masks, dtype=np.float64))


def of_replica(rule: LearningRule, N: int, seed: int, replica: int) -> Directions | Share | Masks | None:
    """What stands beside the rule's parameters in ``p``, for engine `direct`; None where steps are the rule's own."""
    if rule.queries is not None:
        return Directions(None, float(query_count(rule, N)), np.empty(SCALARS))
    if rule.fraction is not None:
        return Share(None, rule.fraction)
    if rule.masks is None:
        return None
    return masked("masks", rule.masks, (rule.K, N), N, generator(seed, replica, "masks"))


def of_coordinates(rule: LearningRule, N: int) -> Directions | None:
    """`of_replica` for engine `exact`, which has the lengths among the numbers of each example."""
    return None if rule.queries is None else Directions(None, float(query_count(rule, N)), np.empty(0))


def width(rule: LearningRule) -> int:
    """Numbers that engine `exact` draws with an example besides its own."""
    return 0 if rule.queries is None else rule.K * (rule.M + 2 * rule.K + 1) + 1


def fill(rule: LearningRule, N: int, z: np.ndarray, rng: np.random.Generator) -> None:
    """Put a, and the diagonal of Bartlett's factor, at the end of rows of normals z (steps, 1, …)."""
    K, dof = rule.K, N - rule.M - rule.K - 1
    if dof < K:
        raise ModelError("N", N, f"must be at least M + 2K + 1 = {rule.M + 2 * K + 1} for the engine exact; use direct")
    z[..., -1] = roots(rule, N, rng, z.shape[:2])
    i = np.arange(K)
    z[..., z.shape[2] - 1 - K * K + i * (K + 1)] = np.sqrt(rng.chisquare(dof - i, (*z.shape[:2], K)))
