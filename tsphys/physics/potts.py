"""Potts models with fields and a matrix for each pair: gauge, exact sums, contact scores.

    Prob(s) = e^{−H(s)}/Z        −H = Σ_i h_i(s_i) + Σ_{i<j} J_ij(s_i, s_j)        J_ij(a, b) = J_ji(b, a)

Arrays are h (N, C) and J (N, N, C, C).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import array
from tsphys.physics.curie_weiss import curie_weiss as curie_weiss
from tsphys.physics.curie_weiss import curie_weiss_lines as curie_weiss_lines

#: Most states of an exact sum.
MOST_STATES = 2**22


@dataclass(frozen=True)
class Exact:
    """Sums over all states of a small model.

    Parameters
    ----------
    log_Z : float
        ln Z.
    energy, entropy : float
        ⟨H⟩, and −Σ p ln p = ln Z + ⟨H⟩.
    marginals : ndarray, shape (N, C)
        Prob(s_i = a).
    pairs : ndarray, shape (N, N, C, C)
        Prob(s_i = a, s_j = b); on the diagonal the marginals. Their connected part is the correlation.
    """

    log_Z: float
    energy: float
    entropy: float
    marginals: np.ndarray
    pairs: np.ndarray

    @property
    def correlations(self) -> np.ndarray:
        """Prob(s_i = a, s_j = b) − Prob(s_i = a) Prob(s_j = b), (N, N, C, C)."""
        return self.pairs - np.einsum("ia,jb->ijab", self.marginals, self.marginals)


def checked(h: Any, J: Any) -> tuple[np.ndarray, np.ndarray]:
    """Fields (N, C), zero for None, and couplings (N, N, C, C) as arrays, or a ModelError."""
    J = array("J", J, (None, None, None, None), "a matrix for each pair")
    N, C = J.shape[0], J.shape[2]
    if J.shape != (N, N, C, C) or min(N, C) < 1:
        raise ModelError("J", f"array of shape {J.shape}", "must have the shape (N, N, C, C)")
    if not np.allclose(J, J.transpose(1, 0, 3, 2), rtol=1e-12, atol=1e-12):
        raise ModelError("J", f"array of shape {J.shape}", "must be symmetric, J_ij(a, b) = J_ji(b, a)")
    if J[np.arange(N), np.arange(N)].any():
        raise ModelError("J", "array with a diagonal", "must have a zero diagonal")
    return (np.zeros((N, C)) if h is None else array("h", h, (N, C))), J


def zero_sum(h: np.ndarray, J: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same law in the zero-sum gauge: Σ_a h_i(a) = Σ_a J_ij(a, b) = Σ_b J_ij(a, b) = 0.

    What a matrix has beyond its zero-sum part is a field, or a constant. Of all gauges this one has the smallest ‖J‖.
    J (N, N, C, C) need not be symmetric: row i counts as the couplings of the logits of site i.
    """
    rows, columns = J.mean(axis=3, keepdims=True), J.mean(axis=2, keepdims=True)
    mean = rows.mean(axis=2, keepdims=True)
    h = h + (rows - mean)[..., 0].sum(axis=1)
    return h - h.mean(axis=1, keepdims=True), J - rows - columns + mean


def exact(J: Any, h: Any = None) -> Exact:
    """ln Z, energy, entropy, marginals and pair probabilities by the sum over all C^N states, 4 million at most.

    Parameters
    ----------
    J : array_like, shape (N, N, C, C)
    h : array_like, shape (N, C), optional

    Raises
    ------
    ModelError
        If the arrays are not those of a model, or it has too many states.
    """
    h, J = checked(h, J)
    N, C = h.shape
    if N * math.log(C) > math.log(MOST_STATES) + 1e-9:
        raise ModelError(
            "J", f"array of shape {J.shape}", f"must have at most {MOST_STATES} states C^N for an exact sum"
        )

    # −H of the last sites, over their colours in the order of an array (C, …, C): a site more is an axis more in front.
    log = np.zeros(1)
    for i in reversed(range(N)):
        own = h[i][:, None]
        for j in range(i + 1, N):
            own = (own[:, :, None] + J[i, j][:, None, :]).reshape(C, -1)
        log = (own + log).ravel()
    top = log.max()
    p = np.exp(log - top)
    Z = p.sum()
    p /= Z
    pairs = np.empty_like(J)
    for i in range(N):
        # Sites before i are summed over already, and so are those between i and j.
        rest = p.reshape(C, -1)
        pairs[i, i] = np.diag(rest.sum(axis=1))
        for j in range(i + 1, N):
            rest = rest.reshape(C, C, -1)
            pairs[i, j] = rest.sum(axis=2)
            pairs[j, i] = pairs[i, j].T
            rest = rest.sum(axis=1)
        p = p.reshape(C, -1).sum(axis=0)
    marginals = np.einsum("iiaa->ia", pairs).copy()
    log_Z = float(top + np.log(Z))
    energy = -float(np.sum(h * marginals) + 0.5 * np.sum(J * pairs))
    return Exact(log_Z, energy, log_Z + energy, marginals, pairs)


def contact_scores(J: Any) -> np.ndarray:
    """Frobenius norms of the pairs in the zero-sum gauge with the average product correction, shape (N, N).

    S_ij = F_ij − F_i F_j/F with F_ij the norm of the zero-sum part of ½(J_ij + J_jiᵀ), F_i its mean over the other
    sites and F that over all pairs; zero on the diagonal.

    Parameters
    ----------
    J : array_like, shape (N, N, C, C)
        Need not be symmetric, as couplings from pseudo-likelihoods are not.

    References
    ----------
    Dunn, Wahl & Gloor, Bioinformatics 24, 333 (2008); Ekeberg, Lövkvist, Lan, Weigt & Aurell, PRE 87, 012707 (2013).
    """
    J = array("J", J, (None, None, None, None), "a matrix for each pair")
    N = len(J)
    if N < 2 or J.shape != (N, N, J.shape[2], J.shape[2]):
        raise ModelError("J", f"array of shape {J.shape}", "must have the shape (N, N, C, C), N >= 2")
    J = zero_sum(np.zeros(J.shape[1:3]), 0.5 * (J + J.transpose(1, 0, 3, 2)))[1]
    F = np.sqrt(np.sum(J * J, axis=(2, 3)))
    np.fill_diagonal(F, 0.0)
    each = F.sum(axis=1) / (N - 1)
    mean = each.mean()
    out = F - np.outer(each, each) / mean if mean > 0 else F
    np.fill_diagonal(out, 0.0)
    return out
