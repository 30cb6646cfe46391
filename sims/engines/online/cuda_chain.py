"""Engine `cuda` where the chain of overlaps is lawful: engine `exact` with a thread a replica."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from tsphys._cuda import cuda, device, kernel
from tsphys._jit import njit
from tsphys.numerics import random, single
from tsphys.numerics.random import chi2
from tsphys.numerics.single import fill_normals, normal
from tsphys.physics.order_parameters import OrderParameters, coordinates
from tsphys.rules.binding import Known, placed
from tsphys.rules.learning_rule import LearningRule
from tsphys.sims.engines.online.exact import advance, overlaps
from tsphys.sims.engines.online.local import rule as place

#: Threads a block; few, so that a thousand replicas are spread over all multiprocessors.
THREADS = 32
#: Replicas at once; more would not be faster.
MOST = 2**18


@njit
def remainder_root(src, F, dof):
    """Bartlett's lower-triangular F (r, r), as far as its columns have degrees of freedom left."""
    for i in range(F.shape[0]):
        for j in range(i):
            F[i, j] = normal(src)
        if i < dof:
            F[i, i] = math.sqrt(chi2(src, dof - i))


@njit
def copy_row(a, b):
    """b ← a, for vectors."""
    for i in range(b.shape[0]):
        b[i] = a[i]


@njit
def copy(a, b):
    """b ← a, for matrices."""
    for i in range(b.shape[0]):
        for j in range(b.shape[1]):
            b[i, j] = a[i, j]


@cache
def chain_kernel(function: Any, knows: bool, K: int, M: int, V: int, V_star: int, n_noise: int, batch: int) -> Any:
    """The kernel for a rule and sizes, which are constants in it: arrays in a thread's own memory need them."""
    # An array must not be empty.
    v_size, v_star_size, noise_size = (max(n, 1) for n in (V, V_star, n_noise))
    small, wide = min(batch, K), max(batch, K)
    n_fields, appended = M + K + n_noise, K + small

    def chains(
        all_A, all_L, all_LT, all_v, all_v_star, all_src, own, N, decay, decay_v, step, stop,
        all_R, all_Q, reached,
    ):  # fmt: skip
        replica = cuda.grid(1)
        if replica >= reached.shape[0] or reached[replica] < step:
            return
        A, L, LT = (
            cuda.local.array((K, M), np.float64),
            cuda.local.array((K, K), np.float64),
            cuda.local.array((M, M), np.float64),
        )
        v, v_star = cuda.local.array(v_size, np.float64)[:V], cuda.local.array(v_star_size, np.float64)[:V_star]
        src = cuda.local.array(4, np.uint64)
        zeta = cuda.local.array(noise_size, np.float64)[:n_noise]
        lam, nu, c = (
            cuda.local.array(K, np.float64),
            cuda.local.array(M, np.float64),
            cuda.local.array(K, np.float64),
        )
        dv, change = cuda.local.array(v_size, np.float64)[:V], cuda.local.array(v_size, np.float64)[:V]
        S, C = cuda.local.array((K, appended), np.float64), cuda.local.array((K, wide), np.float64)
        dA = cuda.local.array((K, M), np.float64)
        z, F = cuda.local.array((1, batch, n_fields), np.float64), cuda.local.array((1, small, small), np.float64)
        R, Q = cuda.local.array((K, M), np.float64), cuda.local.array((K, K), np.float64)
        copy(all_A[replica], A)
        copy(all_L[replica], L)
        copy(all_LT[replica], LT)
        copy_row(all_v[replica], v)
        copy_row(all_v_star[replica], v_star)
        copy_row(all_src[replica], src)
        p, dof = with_overlaps(own, R, Q), N - M - K
        while step < stop:
            for beta in range(batch):
                fill_normals(src, z[0, beta])
            remainder_root(src, F[0], dof)
            done = advance(
                A, L, LT, v, v_star, p, knows, z, F, dof, N, decay, decay_v, R, Q,
                zeta, lam, nu, c, dv, change, S, C, dA,
            )  # fmt: skip
            if done == 0:
                break
            step += 1
        overlaps(A, L, LT, R, Q)
        copy(R, all_R[replica])
        copy(Q, all_Q[replica])
        copy(A, all_A[replica])
        copy(L, all_L[replica])
        copy_row(v, all_v[replica, :V])
        copy_row(src, all_src[replica])
        reached[replica] = step

    made: dict[Any, Any] = {}
    for drawn, mine in ((random.normal, single.normal), (random.uniform, single.uniform), (place, function)):
        made[drawn] = device(mine, made)
    if knows:
        made[with_overlaps] = device(known, made)
    return kernel(chains, made)


@njit
def with_overlaps(own, R, Q):
    """``p`` of a rule that uses no overlaps, …"""
    return own


@njit
def known(own, R, Q):
    """… and of one that does, which takes the place of `with_overlaps`."""
    return Known(own, R, Q)


def on_device(rule: LearningRule) -> Any:
    """The parameters of a rule, the same for all replicas."""
    p = rule.seen_params()
    if isinstance(p, tuple):
        return p._make(cuda.to_device(a) if isinstance(a, np.ndarray) else a for a in p)  # type: ignore[attr-defined]
    return cuda.to_device(p if len(p) else np.zeros(1))


class Chains:
    """Replicas on the device."""

    @staticmethod
    def most(rule: LearningRule, N: int) -> int:
        """Replicas that run at once."""
        return MOST

    def __init__(self, rule: LearningRule, N: int, starts: Sequence[OrderParameters], seed: int, ids: Sequence[int]):
        n, K, M = len(ids), rule.K, rule.M
        A, L, LT = (np.array(a) for a in zip(*(coordinates(s) for s in starts), strict=True))
        v, v_star = (padded([getattr(s, name) for s in starts]) for name in ("v", "v_star"))
        src = np.array([single.states(seed, replica, "cuda chain", 1)[0] for replica in ids])
        self.V = len(starts[0].v)
        self.v = cuda.to_device(v)
        self.state = [*(cuda.to_device(a) for a in (A, L, LT)), self.v, *(cuda.to_device(a) for a in (v_star, src))]
        self.R, self.Q, self.reached = (
            cuda.to_device(a) for a in (np.zeros((n, K, M)), np.zeros((n, K, K)), np.zeros(n, np.int64))
        )
        sizes = self.V, len(starts[0].v_star)
        run = chain_kernel(placed(rule), rule.uses_overlaps, K, M, *sizes, rule.n_noise, rule.minibatch)
        self.run = run[-(-n // THREADS), THREADS]
        self.numbers = on_device(rule), N, 1.0 - rule.weight_decay / N, 1.0 - rule.weight_decay_v / N

    def advance(self, step: int, stop: int) -> None:
        """Do the steps from `step` to `stop` in all replicas that have not diverged."""
        self.run(*self.state, *self.numbers, step, stop, self.R, self.Q, self.reached)


def padded(rows: Sequence[Any]) -> np.ndarray:
    """Rows of equal length as an array of at least one column."""
    a = np.array([np.asarray(row, dtype=np.float64) for row in rows])
    return a if a.shape[1] else np.zeros((len(rows), 1))
