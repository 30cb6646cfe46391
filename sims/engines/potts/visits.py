"""A visit to a site of a Potts chain, its fields and its energy: what the sampler does on a CPU and on a GPU.

A visit is `logits`, `draw`, and `change` where the colour is another. Loops over sites say so themselves: in a function
of its own around the three Numba's memory management counts the arrays at each visit, which costs as much as the visit.

The couplings of a chain are arrays (A, U, h, kappa, steep) and its state (s, G), in one of two forms. ``factored``:
J_ij U_ab, A = Jᵀ (N, N), and G_ai = Σ_j J_ij [s_j = a], shape (C, N). ``pairs``: a matrix J_ij(a, b) for each pair,
A_iajb = J_ij(a, b) in single precision, and G_ia = h_i(a) + Σ_j J_ij(a, s_j), shape (N, C). The logits of a site are a
column or a row of G, a change of colour adds rows of A to it, and subtracts others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys._jit import njit
from tsphys.numerics.exponential import exp


@njit(fast=True, forceinline=True)
def logits(A, U, h, kappa, G, p, i):
    """The logits of site i, into p (≥ C,). Where kappa is not 0, U is kappa times the identity, as far as it counts."""
    C = h.shape[1]
    if kappa != 0.0:
        for a in range(C):
            p[a] = h[i, a] + kappa * G[a, i]
    else:
        for a in range(C):
            p[a] = h[i, a]
        for b in range(C):
            field = G[b, i]
            for a in range(C):
                p[a] += U[b, a] * field


@njit(fast=True, forceinline=True)
def change(A, G, i, old, new):
    """The fields after a change of colour of site i."""
    for j in range(A.shape[1]):
        G[new, j] += A[i, j]
    for j in range(A.shape[1]):
        G[old, j] -= A[i, j]


@njit(fast=True, forceinline=True)
def logits_of_pairs(A, U, h, kappa, G, p, i):
    """`logits` of the form ``pairs``."""
    for a in range(h.shape[1]):
        p[a] = G[i, a]


@njit(fast=True, forceinline=True)
def change_of_pairs(A, G, i, old, new):
    """`change` of the form ``pairs``."""
    for j in range(G.shape[0]):
        for b in range(G.shape[1]):
            # A difference in single precision would not be that of the two fields.
            G[j, b] += np.float64(A[i, new, j, b]) - np.float64(A[i, old, j, b])


@njit
def room(C):
    """Numbers of work for C colours: whole vector registers, so that no exponential is left over to be done alone."""
    return -(-C // 8) * 8


@njit(fast=True, forceinline=True)
def draw(p, C, steep, u):
    """A colour from the logits p (≥ C,) by the uniform u; p is overwritten. Logits beyond ±300 are `steep`."""
    if steep:
        top = p[0]
        for a in range(1, C):
            if p[a] > top:
                top = p[a]
        for a in range(C):
            x = p[a] - top
            p[a] = x if x > -700.0 else -700.0
    for a in range(C, p.shape[0]):
        p[a] = 0.0
    for a in range(p.shape[0]):
        p[a] = exp(p[a])
    total = 0.0
    for a in range(C):
        total += p[a]
        p[a] = total
    # Counted without a branch, which would be guessed wrong once a visit.
    level, new = u * total, 0
    for a in range(C - 1):
        new += p[a] <= level
    return new


@njit
def fields(A, h, s, G):
    """G from the colours."""
    for a in range(G.shape[0]):
        for i in range(G.shape[1]):
            G[a, i] = 0.0
    for i in range(s.shape[0]):
        row, out = A[i], G[s[i]]
        for j in range(row.shape[0]):
            out[j] += row[j]


@njit
def fields_of_pairs(A, h, s, G):
    """`fields` of the form ``pairs``."""
    for j in range(G.shape[0]):
        for b in range(G.shape[1]):
            G[j, b] = h[j, b]
    for i in range(s.shape[0]):
        rows = A[i, s[i]]
        for j in range(G.shape[0]):
            for b in range(G.shape[1]):
                G[j, b] += rows[j, b]


@njit(fast=True)
def energy(U, h, s, G):
    """H = −½ Σ_i Σ_b U_{s_i b} G_bi − Σ_i h_i(s_i)."""
    H = 0.0
    for i in range(s.shape[0]):
        for b in range(G.shape[0]):
            H -= 0.5 * U[s[i], b] * G[b, i]
        H -= h[i, s[i]]
    return H


@njit(fast=True)
def energy_of_pairs(U, h, s, G):
    """H = −½ Σ_i [G_i(s_i) + h_i(s_i)]."""
    H = 0.0
    for i in range(s.shape[0]):
        H -= 0.5 * (G[i, s[i]] + h[i, s[i]])
    return H


#: Form of the couplings -> what stands in the place of the form ``factored``.
FORMS = {
    "factored": {},
    "pairs": {logits: logits_of_pairs, change: change_of_pairs, fields: fields_of_pairs, energy: energy_of_pairs},
}


@dataclass(frozen=True)
class Couplings:
    """A Potts model as the kernels take it; `sampler.couplings` makes it.

    Parameters
    ----------
    form : {"factored", "pairs"}
        As above.
    A, U, h : ndarray
        Couplings in that form, (C, C), and fields (N, C).
    kappa : float
        U less what has no effect is this multiple of the identity; 0 if it is none.
    steep : bool
        Whether logits may be so large that they are shifted before they are exponents.
    """

    form: str
    A: np.ndarray
    U: np.ndarray
    h: np.ndarray
    kappa: float
    steep: bool

    @property
    def arrays(self) -> tuple[Any, ...]:
        """What all kernels begin with."""
        return self.A, self.U, self.h, self.kappa, self.steep

    def fields(self) -> np.ndarray:
        """Room for the fields of a chain."""
        N, C = self.h.shape
        return np.empty((C, N) if self.form == "factored" else (N, C))
