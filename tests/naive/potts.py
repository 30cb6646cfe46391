"""Potts models by enumeration of all states, and masked language modelling by loops over sites and sequences."""

from itertools import product

import numpy as np


def states(N, C):
    """All colours (C^N, N)."""
    return np.array(list(product(range(C), repeat=N)))


def energy(J, U, s):
    """−Σ_{i<j} J_ij U_{s_i s_j}, pair by pair."""
    return -sum(J[i, j] * U[s[i], s[j]] for i in range(len(s)) for j in range(i))


def law(J, U):
    """All states and their probabilities ∝ exp(−H)."""
    s = states(len(J), len(U))
    weight = np.exp(-np.array([energy(J, U, x) for x in s]))
    return s, weight / weight.sum()


def conditional(J, U, s, i):
    """Probabilities (C,) of the colour of site i by the energies of the states that differ there."""
    weight = np.empty(len(U))
    for a in range(len(U)):
        x = s.copy()
        x[i] = a
        weight[a] = np.exp(-energy(J, U, x))
    return weight / weight.sum()


def row(J, U, s, i):
    """Probabilities (C,) of the colour of site i from the row i of couplings that need not be symmetric."""
    weight = np.array([np.exp(sum(J[i, j] * U[a, s[j]] for j in range(len(s)) if j != i)) for a in range(len(U))])
    return weight / weight.sum()


def loss(kind, W, s, y):
    """Σ ℓ over sequences s (n, N) with targets y (n, N), for logits z_i = Σ_j W_ij s̃_j with W (N, C, N, C)."""
    n, N = s.shape
    C = W.shape[1]
    total = 0.0
    for mu in range(n):
        for i in range(N):
            z = np.zeros(C)
            for j in range(N):
                if j != i:
                    z += W[i, :, j, :] @ (np.eye(C)[s[mu, j]] - 1.0 / C)
            e = np.eye(C)[y[mu, i]]
            if kind == "cross_entropy":
                total -= np.log(np.exp(z[y[mu, i]]) / np.exp(z).sum())
            else:
                total += 0.5 * np.sum((e - 1.0 / C - z) ** 2)
    return total


def fisher(J, U, i, s, weight):
    """Information (N−1, N−1) about the row i of J in its conditional, for inputs s of these weights."""
    others = [j for j in range(len(J)) if j != i]
    out = np.zeros((len(others), len(others)))
    for x, w in zip(s, weight):
        p = conditional(J, U, x, i)
        H = np.diag(p) - np.outer(p, p)
        columns = U[:, x[others]]
        out += w * columns.T @ H @ columns
    return out


def energy_of_pairs(h, J, s):
    """−Σ_i h_i(s_i) − Σ_{i<j} J_ij(s_i, s_j) with J (N, N, C, C), term by term."""
    N = len(s)
    return -sum(h[i, s[i]] for i in range(N)) - sum(J[i, j, s[i], s[j]] for i in range(N) for j in range(i))


def law_of_pairs(h, J):
    """All states and their probabilities ∝ exp(−H)."""
    s = states(*h.shape)
    weight = np.exp(-np.array([energy_of_pairs(h - h.mean(), J, x) for x in s]))
    return s, weight / weight.sum()
