"""Zeroth-order and masked SGD of erf students written the slow, obvious way."""

import math

import numpy as np
from scipy.special import erf

from tests.naive.hidden_manifold import averages


def gradient(W, B, v, v_star, x, zeta, sigma):
    """G (K, N) of half the squared error at one input."""
    root = math.sqrt(W.shape[1])
    lam, nu = W @ x / root, B @ x / root
    delta = v @ erf(lam / math.sqrt(2)) - v_star @ erf(nu / math.sqrt(2)) - sigma * zeta
    return (v * math.sqrt(2 / math.pi) * np.exp(-lam * lam / 2) * delta)[:, None] * x


def along_directions(G, q, rng, count):
    """`count` estimates (count, …) of G from q explicit directions each."""
    u = rng.standard_normal((count, q, G.size))
    return np.einsum("nj,njd->nd", u @ G.ravel(), u).reshape(count, *G.shape) / q


def masked_steps(W, B, v, v_star, X, zeta, masks, lr, lr_v, sigma):
    """Weights (K, N) and readout after SGD on the inputs X, one after the other."""
    W, v, N = W * masks, np.array(v, dtype=float), W.shape[1]
    for x, z in zip(X, zeta, strict=True):
        lam, nu = W @ x / math.sqrt(N), B @ x / math.sqrt(N)
        delta = v @ erf(lam / math.sqrt(2)) - v_star @ erf(nu / math.sqrt(2)) - sigma * z
        G = gradient(W, B, v, v_star, x, z, sigma)
        W, v = W - lr / math.sqrt(N) * G * masks, v - lr_v / N * erf(lam / math.sqrt(2)) * delta
    return W, v


def classes(K, densities):
    """Fractions and members of all 2^K classes of independent masks."""
    for pattern in np.ndindex(*(2,) * K):
        member = np.array(pattern, dtype=float)
        yield float(np.prod(np.where(member == 1, densities, 1 - np.asarray(densities)))), member


def pruned(model, densities, R, Q, T, v, v_star, t, steps, nodes=20):
    """R and Q at t of an erf student with independent masks: Runge and Kutta of order four, class by class."""
    K = len(v)
    groups = list(classes(K, densities))
    f, m = np.array([g[0] for g in groups]), np.array([g[1] for g in groups])
    r = f[:, None, None] * m[:, :, None] * R
    q = f[:, None, None] * m[:, :, None] * m[:, None, :] * Q

    def slope(r, q):
        gamma, coupling, E, _ = averages(model, q.sum(0), r.sum(0), T, v, v_star, nodes)
        dr, dq = np.empty_like(r), np.empty_like(q)
        for g in range(len(f)):
            dr[g] = m[g][:, None] * (gamma @ r[g] + coupling @ (f[g] * T))
            drift = m[g][:, None] * (gamma @ q[g] + coupling @ r[g].T)
            dq[g] = drift + drift.T + np.outer(m[g], m[g]) * f[g] * E
        return dr, dq

    h = t / steps
    for _ in range(steps):
        a = slope(r, q)
        b = slope(r + h / 2 * a[0], q + h / 2 * a[1])
        c = slope(r + h / 2 * b[0], q + h / 2 * b[1])
        d = slope(r + h * c[0], q + h * c[1])
        r = r + h / 6 * (a[0] + 2 * b[0] + 2 * c[0] + d[0])
        q = q + h / 6 * (a[1] + 2 * b[1] + 2 * c[1] + d[1])
    return r.sum(0), q.sum(0)
