"""A visit to a site of a Potts chain, its fields and its energy: what the sampler does on a CPU and on a GPU."""

from __future__ import annotations

import math

from tsphys._jit import njit


@njit(fast=True)
def add_rows(up, down, row):
    """up += row, down −= row."""
    for j in range(row.shape[0]):
        up[j] += row[j]
        down[j] -= row[j]


@njit(fast=True)
def visit(columns, U, s, M, p, i, u):
    """Draw the colour of site i anew by the uniform u; the rows of columns are the columns of J, p (C,) is work."""
    C = U.shape[0]
    for a in range(C):
        p[a] = 0.0
    for b in range(C):
        field = M[b, i]
        for a in range(C):
            p[a] += U[b, a] * field
    top = p[0]
    for a in range(1, C):
        if p[a] > top:
            top = p[a]
    total = 0.0
    for a in range(C):
        w = math.exp(p[a] - top)
        p[a] = w
        total += w
    rest = u * total
    new = 0
    while new < C - 1 and rest >= p[new]:
        rest -= p[new]
        new += 1
    old = s[i]
    if new != old:
        s[i] = new
        add_rows(M[new], M[old], columns[i])


@njit
def fields(columns, s, M):
    """M from the colours."""
    for a in range(M.shape[0]):
        for i in range(M.shape[1]):
            M[a, i] = 0.0
    for i in range(s.shape[0]):
        row, out = columns[i], M[s[i]]
        for j in range(row.shape[0]):
            out[j] += row[j]


@njit(fast=True)
def energy(U, s, M):
    """H = −½ Σ_i Σ_b U_{s_i b} M_bi."""
    H = 0.0
    for b in range(M.shape[0]):
        for i in range(s.shape[0]):
            H -= U[s[i], b] * M[b, i]
    return 0.5 * H
