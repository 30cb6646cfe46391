"""Rules that see the whole minibatch: what stands in the engines' places so that the loop over examples serves them.

Before its examples are taken one by one, the fields and the Gram matrix of the minibatch are handed to the rule, which
writes the coefficients of all of them into a table; the place of the rule of one example then reads the next row.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tsphys._jit import njit, once, rebind
from tsphys.rules.binding import batch_rule, rule, tag_of
from tsphys.rules.learning_rule import LearningRule
from tsphys.sims.engines.online.local import minibatch_coordinates, minibatch_weights


class Table(NamedTuple):
    """Parameters of a rule, the number (1,) of rows that are read, and the table: c (b, K) and dv (b, V)."""

    own: Any
    read: Any
    c: Any
    dv: Any


@njit(forceinline=True)
def tabulate(lam, nu, v, v_star, noise, gram, p):
    """Write the table for the fields lam (b, K) and nu (b, M)."""
    c, dv = p.c, p.dv
    p.read[0] = 0
    c.fill(0.0)
    dv.fill(0.0)
    batch_rule(lam, nu, v, v_star, noise, gram, p.own, c, dv)


@njit(forceinline=True)
def next_row(lam, nu, v, v_star, noise, p, c, dv):
    """The rule of one example: its row of the table."""
    # Whoever takes an array out of a tuple counts a reference to it, which costs as much as a number.
    read, all_c, all_dv = p.read, p.c, p.dv
    row = read[0]
    read[0] = row + 1
    for k in range(c.shape[0]):
        c[k] = all_c[row, k]
    for k in range(dv.shape[0]):
        dv[k] = all_dv[row, k]


@njit
def of_weights(pool, new, lam, nu, root, v, v_star, noise, step, p):
    """Engine `direct`: the inputs are at hand, with noise (steps, b, n_noise)."""
    b, N = new.shape[0], pool.shape[1]
    gram = np.empty((b, b))
    for i in range(b):
        for j in range(i + 1):
            s = 0.0
            for n in range(N):
                s += pool[new[i], n] * pool[new[j], n]
            gram[i, j] = gram[j, i] = s / N
    tabulate(lam / root, nu / root, v, v_star, noise[step], gram, p)


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
    tabulate(lam, nu, v, v_star, noise, gram, p)


@once
def bind_batch(kernel: Any, function: Any) -> Any:
    """`kernel` of an engine with `function` as its rule of a minibatch."""
    tag = tag_of(function)
    own: dict[Any, Any] = {batch_rule: function}
    seen = {
        minibatch_weights: rebind(of_weights, own, tag=tag),
        minibatch_coordinates: rebind(of_coordinates, own, tag=tag),
    }
    return rebind(kernel, {rule: next_row, **seen}, tag=tag)


def table(rule: LearningRule, V: int, own: Any) -> Table:
    """Parameters of a rule with a readout of length V, and room for its table."""
    b = rule.minibatch
    return Table(own, np.zeros(1, np.int64), np.zeros((b, rule.K)), np.zeros((b, V)))
