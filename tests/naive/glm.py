"""Message passing and the replica free entropy written as they are defined: plain loops, plain sums, no closed form."""

import numpy as np

_U = np.linspace(-9, 9, 1801)
_DU = np.exp(-(_U**2) / 2) / np.sqrt(2 * np.pi) * (_U[1] - _U[0])


def sign_likelihood(y, z):
    return 0.5 * (1 + y * np.sign(z))


def logistic_likelihood(y, z):
    return 1 / (1 + np.exp(-y * z))


def g_out(likelihood, y, omega, V):
    """E[(z − ω)/V] and its derivative, under P(y | z) N(z; ω, V), by sums over z."""
    z = omega + np.sqrt(V) * _U
    p = _DU * likelihood(y, z)
    p = p / p.sum()
    mean = p @ (z - omega)
    return mean / V, (p @ (z - omega) ** 2 - mean**2) / V**2 - 1 / V


def posterior(values, weights, A, b):
    """Mean and variance of a weight that takes `values`."""
    p = np.array([w * np.exp(b * x - A * x * x / 2) for x, w in zip(values, weights)])
    p = p / p.sum()
    mean = p @ values
    return mean, p @ (np.array(values) - mean) ** 2


def message_passing(X, y, likelihood, values, weights, steps):
    """Estimates after 1, …, `steps` iterations from no knowledge; one variance for all."""
    n, N = X.shape
    w, c, g = np.zeros(N), np.ones(N), np.zeros(n)
    out = []
    for _ in range(steps):
        V = sum(c) / N
        omega = [sum(X[a, i] * w[i] for i in range(N)) - V * g[a] for a in range(n)]
        pairs = [g_out(likelihood, y[a], omega[a], V) for a in range(n)]
        g = np.array([p[0] for p in pairs])
        A = -sum(p[1] for p in pairs) / N
        b = [A * w[i] + sum(X[a, i] * g[a] for a in range(n)) for i in range(N)]
        moments = [posterior(values, weights, A, b[i]) for i in range(N)]
        w, c = np.array([m[0] for m in moments]), np.array([m[1] for m in moments])
        out.append(w)
    return out


def free_entropy(q, q_hat, alpha, likelihood, values, weights, rho=1.0):
    """Φ = E ln ∫P(w) e^{bw − q̂w²/2} + α E ln ∫P(y | z) N(z; √q ξ, ρ − q) − q q̂/2 over points `values` and labels."""
    prior = 0.0
    for w_star, p in zip(values, weights):
        b = q_hat * w_star + np.sqrt(q_hat) * _U
        Z = sum(pw * np.exp(b * x - q_hat * x * x / 2) for x, pw in zip(values, weights))
        prior += p * (_DU @ np.log(Z))
    z = np.sqrt(q) * _U[:, None] + np.sqrt(rho - q) * _U[None, :]
    out = 0.0
    for y in (-1, 1):
        Z = likelihood(y, z) @ _DU
        out += _DU @ (Z * np.log(np.maximum(Z, 1e-300)))
    return prior + alpha * out - q * q_hat / 2
