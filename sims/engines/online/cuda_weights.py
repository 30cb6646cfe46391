"""Engine `cuda` for inputs of any law: engine `direct` with a block a replica.

A thread owns every T-th coordinate of the weights, of the teachers and of the inputs, and has a random generator for
them. What couples the threads are sums over the coordinates, and the rule, which the first thread applies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from tsphys._cuda import cuda, device, fitting, kernel
from tsphys._jit import njit
from tsphys.numerics import single
from tsphys.numerics.random import generator
from tsphys.numerics.single import fill_normals, pair, uniform, word
from tsphys.physics.order_parameters import OrderParameters, microscopic
from tsphys.rules.binding import placed
from tsphys.rules.learning_rule import LearningRule
from tsphys.sims.engines.online.cuda_chain import known, on_device, padded, with_overlaps
from tsphys.sims.engines.online.local import coefficients
from tsphys.sims.engines.online.local import rule as place

#: Threads a block come in multiples of this, the threads of a warp, …
WARP = 32
#: … up to this.
MOST_THREADS = 256
#: Sums that are formed at once, and the parts in which each is formed.
SUMS, PARTS = 4, 16
#: Numbers in the shared memory of a block, in float64, that every device has.
SHARED = 6144


def threads_of(N: int) -> int:
    """Threads a block; with the seed they fix which random number goes where, so they depend on nothing but N."""
    return min(MOST_THREADS, -(-N // (2 * WARP)) * WARP)


@njit
def update(W, pool, old, c, decay, i):
    """W_ki ← decay·W_ki + Σ_β c_βk x_β[i]."""
    for k in range(W.shape[0]):
        w = decay * W[k, i]
        for beta in range(c.shape[0]):
            w += c[beta, k] * pool[old[beta], i]
        W[k, i] = w


@njit
def draw(pool, new, binary, src, i, j):
    """The coordinates i and, if it exists, j of fresh inputs."""
    for beta in range(new.shape[0]):
        if binary:
            bits = word(src)
            x = 1.0 if bits >> np.uint64(63) else -1.0
            y = 1.0 if (bits >> np.uint64(62)) & np.uint64(1) else -1.0
        else:
            x, y = pair(src)
        pool[new[beta], i] = x
        if j < pool.shape[1]:
            pool[new[beta], j] = y


@njit
def gather(W, B, pool, new, fields, overlaps, i, sums):
    """Add coordinate i to the sums w_k·x_β, w*_m·x_β for each β, then w_k·w*_m, then w_k·w_j for j ≤ k."""
    K, M = W.shape[0], B.shape[0]
    at = 0
    for beta in range(new.shape[0]):
        if fields:
            x = pool[new[beta], i]
            for k in range(K):
                sums[at + k] += W[k, i] * x
            for m in range(M):
                sums[at + K + m] += B[m, i] * x
        at += K + M
    if overlaps:
        for k in range(K):
            for m in range(M):
                sums[at] += W[k, i] * B[m, i]
                at += 1
        for k in range(K):
            for j in range(k + 1):
                sums[at] += W[k, i] * W[j, i]
                at += 1


@njit
def share(W, B, pool, old, new, c, decay, fresh, binary, fields, overlaps, src, first, stride, sums):
    """A thread's share of a step: the last update, the next inputs, and what they add to the sums."""
    for q in range(sums.shape[0]):
        sums[q] = 0.0
    for i in range(first, W.shape[1], 2 * stride):
        j = i + stride
        update(W, pool, old, c, decay, i)
        if j < W.shape[1]:
            update(W, pool, old, c, decay, j)
        # Fresh inputs take the place of those that the update needed, at both coordinates.
        if fresh and fields:
            draw(pool, new, binary, src, i, j)
        gather(W, B, pool, new, fields, overlaps, i, sums)
        if j < W.shape[1]:
            gather(W, B, pool, new, fields, overlaps, j, sums)


@njit
def unpack(sums, N, at, R, Q):
    """R (K, M) and Q (K, K) from the sums."""
    K, M = R.shape
    for k in range(K):
        for m in range(M):
            R[k, m] = sums[at] / N
            at += 1
    for k in range(K):
        for j in range(k + 1):
            Q[k, j] = sums[at] / N
            Q[j, k] = Q[k, j]
            at += 1


@njit
def learn(sums, M, v, v_star, p, zeta, new, c, scratch, N, decay_v):
    """Apply the rule to the examples whose fields are in `sums`; False if the dynamics has diverged."""
    batch, K = c.shape
    root = math.sqrt(N)
    dv, change = scratch[0, : v.shape[0]], scratch[1, : v.shape[0]]
    for k in range(v.shape[0]):
        change[k] = 0.0
    ok = True
    for beta in range(batch):
        fields = sums[beta * (K + M) : (beta + 1) * (K + M)]
        for k in range(K + M):
            fields[k] /= root
        ok = coefficients(fields[:K], fields[K:], v, v_star, zeta[new[beta]], p, c[beta], dv) and ok
        for k in range(K):
            c[beta, k] /= batch * root
        for k in range(v.shape[0]):
            change[k] += dv[k] / (batch * N)
    if ok:
        for k in range(v.shape[0]):
            v[k] = decay_v * v[k] + change[k]
    return ok


@cache
def weights_kernel(
    function: Any, knows: bool, K: int, M: int, V: int, V_star: int, n_noise: int, batch: int, threads: int, kept: int
) -> Any:
    """The kernel for a rule and sizes; `kept` is N if the weights are to be in shared memory, else 0."""
    n_fields = batch * (K + M)
    n_sums = n_fields + K * M + K * (K + 1) // 2
    rows, columns = (K, kept) if kept else (1, 1)
    fold = threads // PARTS

    def blocks(
        all_W, all_B, all_v, all_v_star, params, all_pool, all_zeta, all_rows, all_c, all_sums, all_scratch, all_src,
        fresh, binary, decay, decay_v, step, stop, all_R, all_Q, reached,
    ):  # fmt: skip
        replica, tid = cuda.blockIdx.x, cuda.threadIdx.x
        if reached[replica] < step:
            return
        partial = cuda.shared.array((SUMS, threads), np.float64)
        parts = cuda.shared.array((SUMS, PARTS), np.float64)
        alive = cuda.shared.array(1, np.int32)
        store = cuda.shared.array((rows, columns), np.float64)
        own = cuda.local.array(n_sums, np.float64)
        W = store if kept else all_W[replica]
        B, pool, zeta, scratch = all_B[replica], all_pool[replica], all_zeta[replica], all_scratch[replica]
        c, sums, examples, src = all_c[replica], all_sums[replica], all_rows[replica], all_src[replica]
        v, v_star = all_v[replica, :V], all_v_star[replica, :V_star]
        R, Q, N = all_R[replica], all_Q[replica], all_W.shape[2]
        p = with_overlaps(params, R, Q)
        if kept:
            for i in range(tid, N, threads):
                for k in range(K):
                    W[k, i] = all_W[replica, k, i]
        if tid == 0:
            alive[0] = 1
            for beta in range(batch):
                for k in range(K):
                    c[beta, k] = 0.0
        shrink = 1.0
        cuda.syncthreads()
        while True:
            last = alive[0] == 0 or step >= stop
            new, old = examples[step & 1], examples[1 - (step & 1)]
            if not fresh:
                if tid == 0 and not last:
                    for beta in range(batch):
                        new[beta] = min(int(uniform(src[threads]) * pool.shape[0]), pool.shape[0] - 1)
                cuda.syncthreads()
            overlaps = last or knows
            share(W, B, pool, old, new, c, shrink, fresh, binary, not last, overlaps, src[tid], tid, threads, own)
            for low in range(0, n_sums if overlaps else n_fields, SUMS):
                for q in range(SUMS):
                    if low + q < n_sums:
                        partial[q, tid] = own[low + q]
                cuda.syncthreads()
                for task in range(tid, SUMS * PARTS, threads):
                    q, part = task // PARTS, task % PARTS
                    s = 0.0
                    for a in range(fold):
                        s += partial[q, part + PARTS * a]
                    parts[q, part] = s
                cuda.syncthreads()
                for q in range(tid, SUMS, threads):
                    if low + q < n_sums:
                        s = 0.0
                        for part in range(PARTS):
                            s += parts[q, part]
                        sums[low + q] = s
            cuda.syncthreads()
            if tid == 0:
                if overlaps:
                    unpack(sums, N, n_fields, R, Q)
                if not last:
                    if fresh:
                        for beta in range(batch):
                            fill_normals(src[threads], zeta[new[beta], :n_noise])
                    if not learn(sums, M, v, v_star, p, zeta[:, :n_noise], new, c, scratch, N, decay_v):
                        alive[0] = 0
            cuda.syncthreads()
            if last:
                break
            shrink = decay
            step += 1
        if kept:
            for i in range(tid, N, threads):
                for k in range(K):
                    all_W[replica, k, i] = W[k, i]
        if tid == 0:
            reached[replica] = step if alive[0] else step - 1

    made: dict[Any, Any] = {}
    made[place] = device(function, made)
    if knows:
        made[with_overlaps] = device(known, made)
    return kernel(blocks, made)


class Weights:
    """Replicas on the device."""

    @staticmethod
    def most(rule: LearningRule, N: int) -> int:
        """Replicas whose weights and inputs fit into the device's memory at once."""
        size = 8 * N * (rule.K + rule.M + _examples(rule, N)) + 32 * (threads_of(N) + 1)
        return fitting(size)

    def __init__(self, rule: LearningRule, N: int, starts: Sequence[OrderParameters], seed: int, ids: Sequence[int]):
        n, K, M, b, threads = len(ids), rule.K, rule.M, rule.minibatch, threads_of(N)
        fresh, binary, examples = rule.alpha is None, rule.inputs == "binary", _examples(rule, N)
        W, B = np.empty((n, K, N)), np.empty((n, M, N))
        pool, zeta = np.zeros((n, examples, N)), np.zeros((n, examples, max(rule.n_noise, 1)))
        src = np.empty((n, threads + 1, 4), np.uint64)
        for i, (start, replica) in enumerate(zip(starts, ids, strict=True)):
            rng = generator(seed, replica, "cuda start")
            W[i], B[i] = microscopic(start, N, rng)
            if not fresh:
                pool[i] = rng.choice([-1.0, 1.0], pool[i].shape) if binary else rng.standard_normal(pool[i].shape)
                zeta[i] = rng.standard_normal(zeta[i].shape)
            src[i] = single.states(seed, replica, "cuda weights", threads + 1)
        n_sums = b * (K + M) + K * M + K * (K + 1) // 2
        v, v_star = (padded([getattr(s, name) for s in starts]) for name in ("v", "v_star"))
        rows = np.zeros((n, 2, b), np.int64) + np.arange(b) % examples
        self.V = len(starts[0].v)
        self.v = cuda.to_device(v)
        self.state = [
            *(cuda.to_device(a) for a in (W, B)),
            self.v,
            cuda.to_device(v_star),
            on_device(rule),
            *(cuda.to_device(a) for a in (pool, zeta, rows, np.zeros((n, b, K)), np.zeros((n, n_sums)))),
            *(cuda.to_device(a) for a in (np.zeros((n, 2, v.shape[1])), src)),
        ]
        self.R, self.Q, self.reached = (
            cuda.to_device(a) for a in (np.zeros((n, K, M)), np.zeros((n, K, K)), np.zeros(n, np.int64))
        )
        kept = N if K * N + SUMS * (threads + PARTS) < SHARED else 0
        sizes = self.V, len(starts[0].v_star)
        run = weights_kernel(placed(rule), rule.uses_overlaps, K, M, *sizes, rule.n_noise, b, threads, kept)
        self.run = run[n, threads]
        decays = 1.0 - rule.weight_decay / N, 1.0 - rule.weight_decay_v / N
        self.numbers = fresh, binary, *decays

    def advance(self, step: int, stop: int) -> None:
        """Do the steps from `step` to `stop` in all replicas that have not diverged."""
        self.run(*self.state, *self.numbers, step, stop, self.R, self.Q, self.reached)


def _examples(rule: LearningRule, N: int) -> int:
    """Examples held at once: the training set, or those of a step."""
    return rule.minibatch if rule.alpha is None else int(np.ceil(rule.alpha * N))
