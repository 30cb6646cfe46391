"""Engine `direct`: the weights themselves, for any law of the inputs."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from tsphys._jit import njit, rebind
from tsphys.models.learning_rule import LearningRule
from tsphys.numerics.random import generator, normals, signs, stream
from tsphys.physics.order_parameters import OrderParameters, microscopic
from tsphys.runs.memory import fitting_threads
from tsphys.sims.engines.local import SCALARS, bound, coefficients, minibatch_weights, numbers, write_overlaps

#: Coordinates handled at once: inputs and weights of a block stay in the first-level cache.
BLOCK = 512


@njit(fast=True)
def pass_over(W, B, pool, old, new, c, decay, fresh, rng, lam, nu):
    """One pass over the weights: apply the last update, draw the next inputs, gather their fields.

    W ← decay·W + Σ_β c_kβ x_old[β]; then λ_kβ = w_k·x_new[β], ν_mβ = w*_m·x_new[β], both without their 1/√N.
    """
    K, N = W.shape
    M = B.shape[0]
    b = new.shape[0]
    lam.fill(0.0)
    nu.fill(0.0)
    for low in range(0, N, BLOCK):
        high = min(low + BLOCK, N)
        if fresh:
            for beta in range(b):
                normals(rng, pool[new[beta], low:high])
        for beta in range(b):
            x = pool[new[beta], low:high]
            for m in range(M):
                nu[beta, m] += dot(B[m, low:high], x)
        for beta in range(b - 1):
            x = pool[old[beta], low:high]
            for k in range(K):
                axpy(W[k, low:high], decay if beta == 0 else W.dtype.type(1), c[beta, k], x)
        shrink = decay if b == 1 else W.dtype.type(1)
        last, x = pool[old[b - 1], low:high], pool[new[0], low:high]
        for k in range(0, K - 1, 2):
            w, u = W[k, low:high], W[k + 1, low:high]
            s, r = axpy_dot_pair(w, u, shrink, c[b - 1, k], c[b - 1, k + 1], last, x)
            lam[0, k] += s
            lam[0, k + 1] += r
        if K % 2 == 1:
            lam[0, K - 1] += axpy_dot(W[K - 1, low:high], shrink, c[b - 1, K - 1], last, x)
        for beta in range(1, b):
            x = pool[new[beta], low:high]
            for k in range(K):
                lam[beta, k] += dot(W[k, low:high], x)


@njit(fast=True)
def dot(a, b):
    """a·b."""
    s = a.dtype.type(0)
    for i in range(a.shape[0]):
        s += a[i] * b[i]
    return s


@njit(fast=True)
def axpy(w, decay, c, x):
    """w ← decay·w + c x."""
    for i in range(w.shape[0]):
        w[i] = decay * w[i] + c * x[i]


@njit(fast=True)
def axpy_dot(w, decay, c, x, y):
    """w ← decay·w + c x, and w·y."""
    s = w.dtype.type(0)
    for i in range(w.shape[0]):
        new = decay * w[i] + c * x[i]
        w[i] = new
        s += new * y[i]
    return s


@njit(fast=True)
def axpy_dot_pair(w, u, decay, c, d, x, y):
    """`axpy_dot` of two rows, w with c and u with d: x and y are read once for both."""
    s = w.dtype.type(0)
    r = w.dtype.type(0)
    for i in range(w.shape[0]):
        new_w = decay * w[i] + c * x[i]
        new_u = decay * u[i] + d * x[i]
        w[i] = new_w
        u[i] = new_u
        s += new_w * y[i]
        r += new_u * y[i]
    return s, r


@njit(fast=True)
def overlaps(W, B, R, Q):
    """R (K, M) and Q (K, K) of the weights, summed in float64."""
    K, N = W.shape
    for k in range(K):
        for m in range(B.shape[0]):
            s = 0.0
            for i in range(N):
                s += np.float64(W[k, i]) * np.float64(B[m, i])
            R[k, m] = s / N
        for j in range(k + 1):
            s = 0.0
            for i in range(N):
                s += np.float64(W[k, i]) * np.float64(W[j, i])
            Q[k, j] = s / N
            Q[j, k] = s / N


@njit
def advance(
    W, B, v, v_star, p, uses_overlaps, pool, rows, noise, fresh, decay, decay_v, rng, R, Q,
    lam, nu, c, c_example, dv, change,
):  # fmt: skip
    """Do a step for each row of `rows`; returns how many were done, fewer if it diverged.

    W (K, N), B (M, N), v are changed in place; R (K, M), Q (K, K) hold the overlaps at the end. The inputs of step i
    are pool[rows[i]], drawn anew if they are `fresh`, with noise[i] (b, n_noise). The last six are memory: lam and c
    (b, K), nu (b, M), c_example (K,), dv and change like v; allocating here would take half a second to compile.
    """
    K, N = W.shape
    M = B.shape[0]
    batch = rows.shape[1]
    one = W.dtype.type(1)
    root = np.sqrt(N)
    shrink = one
    done = 0
    old = rows[0]
    c.fill(0.0)
    for i in range(rows.shape[0]):
        new = rows[i]
        pass_over(W, B, pool, old, new, c, shrink, fresh, rng, lam, nu)
        if uses_overlaps:
            overlaps(W, B, R, Q)
            write_overlaps(p, R, Q)
        minibatch_weights(pool, new, lam, nu, root, v, v_star, noise[i], p)
        change.fill(0.0)
        ok = True
        for beta in range(batch):
            for k in range(K):
                lam[beta, k] /= root
            for m in range(M):
                nu[beta, m] /= root
            ok = coefficients(lam[beta], nu[beta], v, v_star, noise[i, beta], p, c_example, dv) and ok
            for k in range(K):
                c[beta, k] = c_example[k] / (batch * root)
            for k in range(v.shape[0]):
                change[k] += dv[k] / (batch * N)
        if not ok:
            break
        for k in range(v.shape[0]):
            v[k] = decay_v * v[k] + change[k]
        shrink = W.dtype.type(decay)
        old = new
        done += 1
    if done > 0:
        for k in range(K):
            for beta in range(batch):
                axpy(W[k], shrink if beta == 0 else one, c[beta, k], pool[old[beta]])
    overlaps(W, B, R, Q)
    return done


def pool_size(rule: LearningRule, N: int) -> int:
    """Inputs that a replica holds: two minibatches, or the ⌈αN⌉ examples of a fixed training set."""
    if rule.alpha is None:
        return 2 * rule.minibatch
    # 0.07·100 is 7 and a rounding error, which is no eighth example.
    return math.ceil(rule.alpha * N * (1 - 1e-12))


def fitting(rule: LearningRule, N: int, dtype: np.dtype[Any], threads: int) -> int:
    """How many of `threads` replicas fit into memory side by side, or a ModelError if none does."""
    size = pool_size(rule, N)
    # A start needs a random basis, its factors and the products with them, in float64, before there are weights.
    bytes_each = float(N) * ((rule.K + rule.M) * (dtype.itemsize + 4 * 8) + size * dtype.itemsize)
    what = "the weights and " + ("the inputs" if rule.alpha is None else f"{size} examples")
    return fitting_threads(bytes_each, N, what, threads)


@cache
def of_inputs(law: str) -> Any:
    """`advance` with inputs of this law."""
    return rebind(advance, {normals: signs}, tag="binary") if law == "binary" else advance


def start_replica(
    rule: LearningRule, N: int, start: OrderParameters, seed: int, replica: int, dtype: Any
) -> Callable[[int, int], tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """A replica at t = 0, as the function ``advance(step, stop) -> (step reached, R, Q, v)``."""
    draw = generator(seed, replica, "direct start")
    W, B = (np.ascontiguousarray(a, dtype=dtype) for a in microscopic(start, N, draw))
    rng, scalars = stream(seed, replica, "direct inputs"), generator(seed, replica, "direct scalars")
    b, fresh, binary = rule.minibatch, rule.alpha is None, rule.inputs == "binary"
    size = pool_size(rule, N)
    pool = np.zeros((size, N), dtype)
    if not fresh:
        for x in pool:
            (signs if binary else normals)(rng, x)
        labels = scalars.standard_normal((size, rule.n_noise))
    # Fresh inputs take the two halves of the pool in turn, since the last ones are still wanted for their update.
    halves = np.arange(2 * b).reshape(2, b)

    def examples(step: int, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        count = min(most, max(1, SCALARS // b))
        if fresh:
            return pool, halves[(step + np.arange(count)) & 1], scalars.standard_normal((count, b, rule.n_noise))
        rows = scalars.integers(size, size=(count, b))
        return pool, rows, labels[rows]

    return iterate(rule, W, B, start.v, start.v_star, examples, rng if fresh else None)


def iterate(
    rule: LearningRule, W: np.ndarray, B: np.ndarray, v: np.ndarray, v_star: np.ndarray,
    examples: Callable[[int, int], tuple[np.ndarray, np.ndarray, np.ndarray]], rng: np.ndarray | None = None,
) -> Callable[[int, int], tuple[int, np.ndarray, np.ndarray, np.ndarray]]:  # fmt: skip
    """Weights W (K, N), changed in place, as the function ``advance(step, stop) -> (step reached, R, Q, v)``.

    ``examples(step, most)`` returns pool, rows and noise of the next steps, `most` or fewer, as `advance` wants them.
    With a stream `rng` the kernel draws the inputs into the pool; otherwise, whatever their law, they stand there.
    """
    (K, N), b = W.shape, rule.minibatch
    fresh = rng is not None
    rng = stream(0, 0) if rng is None else rng
    v, p = np.array(v, dtype=np.float64), numbers(rule, len(v))
    v_star = np.array(v_star, dtype=np.float64)
    R, Q = np.empty((K, len(B))), np.empty((K, K))
    decays = 1.0 - rule.weight_decay / N, 1.0 - rule.weight_decay_v / N
    kernel = bound(of_inputs(rule.inputs), rule)
    memory = np.zeros((b, K)), np.zeros((b, len(B))), np.zeros((b, K), W.dtype), np.zeros(K), *np.zeros((2, len(v)))

    def advance_replica(step: int, stop: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        target = step
        while True:
            pool, rows, noise = examples(step, stop - step)
            step += kernel(
                W, B, v, v_star, p, rule.uses_overlaps, pool, rows, noise, fresh, *decays, rng, R, Q, *memory
            )
            target += len(rows)
            if step < target or step == stop:
                return step, R.copy(), Q.copy(), v.copy()

    return advance_replica
