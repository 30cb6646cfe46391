"""Reconstruction of patterns, written as slowly and plainly as possible."""

from __future__ import annotations

from itertools import product

import numpy as np

#: A fine grid for averages over N(0, 1).
Z = np.linspace(-10, 10, 20001)
WEIGHT = np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi) * (Z[1] - Z[0])

#: Atoms (value, probability) of a component.
ATOMS = {
    "binary": lambda rho: [(1.0, 0.5), (-1.0, 0.5)],
    "sparse": lambda rho: [(1.0, rho / 2), (-1.0, rho / 2), (0.0, 1 - rho)],
    "tsodyks": lambda rho: [(1 - rho, rho), (-rho, 1 - rho)],
}


def posterior(atoms, A, b):
    """ln Z, mean and covariance of one neuron, by a loop over configurations."""
    P = len(b)
    Z, first, second = 0.0, np.zeros(P), np.zeros((P, P))
    for choice in product(atoms, repeat=P):
        x = np.array([value for value, _ in choice])
        w = np.prod([p for _, p in choice]) * np.exp(b @ x - 0.5 * x @ A @ x)
        Z += w
        first += w * x
        second += w * np.outer(x, x)
    mean = first / Z
    return np.log(Z), mean, second / Z - np.outer(mean, mean)


def amp(atoms, S, Delta, x, steps):
    """Iterates (steps, N, P) of message passing, neuron by neuron, on a dense matrix of scores."""
    N, P = x.shape
    before, V, out = np.zeros((N, P)), np.zeros((P, P)), []
    for _ in range(steps):
        new, covariance = np.zeros((N, P)), np.zeros((P, P))
        A = sum(np.outer(row, row) for row in x) / (N * Delta)
        for i in range(N):
            b = sum(S[i, j] * x[j] for j in range(N) if j != i) / np.sqrt(N) - V @ before[i] / Delta
            _, new[i], c = posterior(atoms, A, b)
            covariance += c / N
        before, x, V = x, new, covariance
        out.append(x)
    return np.array(out)


def score(channel, J, noise, threshold=0.0):
    """∂ ln P(J|H)/∂H at H = 0 by a central difference of fourth order; J = 0 of ``rectified`` has a probability."""
    from scipy.stats import norm

    def log_likelihood(H):
        if channel == "clipped":
            return norm.logcdf(J * H / noise)
        if channel == "rectified":
            return norm.logpdf((J + threshold - H) / noise) if J > 0 else norm.logcdf((threshold - H) / noise)
        return norm.logpdf((J - H) / noise)

    h = 1e-3
    near = log_likelihood(h) - log_likelihood(-h)
    far = log_likelihood(2 * h) - log_likelihood(-2 * h)
    return (8 * near - far) / (12 * h)


def potential(atoms, Delta, M):
    """−M²/(4Δ) + E ln Σ_x P(x) exp(Bx − gx²/2), B = g x⁰ + √g z, g = M/Δ."""
    g = M / Delta
    value = -(M**2) / (4 * Delta)
    for x0, p in atoms:
        B = g * x0 + np.sqrt(g) * Z
        value += p * np.sum(WEIGHT * np.log(sum(q * np.exp(B * x - g * x * x / 2) for x, q in atoms)))
    return value
