"""Rules that see the whole minibatch: what stands in the engines' places so that the loop over examples serves them.

Before its examples are taken one by one, the fields and the Gram matrix of the minibatch are handed to the rule, which
writes the coefficients of all of them into a table; the place of the rule of one example then reads the next row. The
table is kept in front of the rule's parameters: number of rows read, b, c (b, K), dv (b, V).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tsphys._jit import njit, rebind
from tsphys.rules.binding import batch_rule, origin, rule
from tsphys.rules.learning_rule import LearningRule
from tsphys.sims.engines.online.local import minibatch_coordinates, minibatch_weights


@njit
def fill(lam, nu, v, v_star, noise, gram, p):
    """Write the table for the fields lam (b, K) and nu (b, M)."""
    b, K, V = lam.shape[0], lam.shape[1], v.shape[0]
    p[0], p[1] = 0.0, b
    table = p[2 : 2 + b * (K + V)]
    for i in range(table.shape[0]):
        table[i] = 0.0
    c, dv = table[: b * K].reshape(b, K), table[b * K :].reshape(b, V)
    batch_rule(lam, nu, v, v_star, noise, gram, p[2 + b * (K + V) :], c, dv)


@njit
def next_row(lam, nu, v, v_star, noise, p, c, dv):
    """The rule of one example: its row of the table."""
    row, b, K, V = int(p[0]), int(p[1]), c.shape[0], dv.shape[0]
    p[0] += 1.0
    for k in range(K):
        c[k] = p[2 + row * K + k]
    for k in range(V):
        dv[k] = p[2 + b * K + row * V + k]


@njit
def of_weights(pool, new, lam, nu, root, v, v_star, noise, p):
    """Engine `direct`: the inputs are at hand."""
    b, N = new.shape[0], pool.shape[1]
    gram = np.empty((b, b))
    for i in range(b):
        for j in range(i + 1):
            s = 0.0
            for n in range(N):
                s += pool[new[i], n] * pool[new[j], n]
            gram[i, j] = gram[j, i] = s / N
    fill(lam / root, nu / root, v, v_star, noise, gram, p)


@njit
def of_coordinates(A, L, LT, z, F, columns, N, v, v_star, p):
    """Engine `exact`: z (b, M + K + n_noise) are coordinates of the inputs, F (b, b) Bartlett's root of their rest."""
    K, M = A.shape
    b = z.shape[0]
    lam, nu, gram = np.zeros((b, K)), np.zeros((b, M)), np.empty((b, b))
    noise = np.empty((b, z.shape[1] - M - K))
    for i in range(b):
        for k in range(K):
            for m in range(M):
                lam[i, k] += A[k, m] * z[i, m]
            for j in range(k + 1):
                lam[i, k] += L[k, j] * z[i, M + j]
        for m in range(M):
            for j in range(m + 1):
                nu[i, m] += LT[m, j] * z[i, j]
        for n in range(noise.shape[1]):
            noise[i, n] = z[i, M + K + n]
        for j in range(i + 1):
            s = 0.0
            for n in range(M + K):
                s += z[i, n] * z[j, n]
            for n in range(min(j + 1, columns)):
                s += F[i, n] * F[j, n]
            gram[i, j] = gram[j, i] = s / N
    fill(lam, nu, v, v_star, noise, gram, p)


@cache
def bind_batch(kernel: Any, function: Any) -> Any:
    """`kernel` of an engine with `function` as its rule of a minibatch."""
    tag = origin(function)
    own: dict[Any, Any] = {batch_rule: function}
    seen = {
        minibatch_weights: rebind(of_weights, own, tag=tag),
        minibatch_coordinates: rebind(of_coordinates, own, tag=tag),
    }
    return rebind(kernel, {rule: next_row, **seen}, tag=tag)


def table(rule: LearningRule, V: int) -> np.ndarray:
    """Room for the table of a rule with a readout of length V."""
    return np.zeros(2 + rule.minibatch * (rule.K + V))
