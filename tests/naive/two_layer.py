"""The two-layer network, slowly and obviously: averages by tensor quadrature, motion by four-index loops."""

import itertools
import math

import numpy as np

NAMES = ("erf", "relu", "linear", "tanh", "quad", "he2", "sign")


def g(name, x):
    """Activations, straight from their definitions."""
    return {
        "erf": lambda: np.vectorize(math.erf)(x / math.sqrt(2)),
        "relu": lambda: np.maximum(x, 0),
        "linear": lambda: 1.0 * x,
        "tanh": lambda: np.tanh(x),
        "quad": lambda: x**2,
        "he2": lambda: (x**2 - 1) / math.sqrt(2),
        "sign": lambda: np.sign(x),
    }[name]()


def dg(name, x):
    """Their derivatives."""
    return {
        "erf": lambda: math.sqrt(2 / math.pi) * np.exp(-(x**2) / 2),
        "relu": lambda: (x > 0) * 1.0,
        "linear": lambda: np.ones_like(x),
        "tanh": lambda: 1 / np.cosh(x) ** 2,
        "quad": lambda: 2 * x,
        "he2": lambda: math.sqrt(2) * x,
    }[name]()


def hermite_average(C, f, nodes):
    """⟨f(x)⟩ over N(0, C) on a tensor grid of Gauss-Hermite nodes; f maps (n, points) to (points,). For smooth f."""
    z, w = np.polynomial.hermite_e.hermegauss(nodes)
    grid = np.array(list(itertools.product(z, repeat=len(C)))).T
    weight = np.prod(np.array(list(itertools.product(w / w.sum(), repeat=len(C)))), axis=1)
    values, vectors = np.linalg.eigh(C)
    return f((vectors * np.sqrt(np.maximum(values, 0))) @ grid) @ weight


def piecewise_average(C, f, nodes):
    """The same for f with kinks at zero of each field: Gauss-Legendre on both sides of zero, with the density."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    axes = []
    for variance in np.diag(C):
        half, weight = 4.25 * np.sqrt(variance) * (x + 1), 4.25 * np.sqrt(variance) * w
        axes.append((np.r_[-half[::-1], half], np.r_[weight[::-1], weight]))
    grid = np.array([a.ravel() for a in np.meshgrid(*(a for a, _ in axes), indexing="ij")])
    weight = np.prod([a.ravel() for a in np.meshgrid(*(b for _, b in axes), indexing="ij")], axis=0)
    density = np.exp(-0.5 * np.einsum("ip,ij,jp->p", grid, np.linalg.inv(C), grid))
    return f(grid) @ (weight * density) / math.sqrt(np.linalg.det(2 * math.pi * C))


def I2(C, a, b):
    """⟨g g⟩ of erf, Saad & Solla (1995)."""
    return 2 / math.pi * math.asin(C[a, b] / math.sqrt((1 + C[a, a]) * (1 + C[b, b])))


def I3(C, k, b, a):
    """⟨g'(x_k) x_b g(x_a)⟩ of erf, Saad & Solla (1995)."""
    determinant = (1 + C[k, k]) * (1 + C[a, a]) - C[k, a] ** 2
    top = C[b, a] * (1 + C[k, k]) - C[k, b] * C[k, a]
    return 2 / math.pi / math.sqrt(determinant) * top / (1 + C[k, k])


def I4(C, k, l, a, b):
    """⟨g'(x_k) g'(x_l) g(x_a) g(x_b)⟩ of erf, Saad & Solla (1995)."""
    K, L = 1 + C[k, k], 1 + C[l, l]
    L4 = K * L - C[k, l] ** 2
    L0 = L4 * C[a, b] - C[l, a] * C[l, b] * K - C[k, a] * C[k, b] * L
    L0 += C[k, l] * (C[k, a] * C[l, b] + C[k, b] * C[l, a])

    def lam(c):
        return L4 * (1 + C[c, c]) - C[l, c] ** 2 * K - C[k, c] ** 2 * L + 2 * C[k, l] * C[k, c] * C[l, c]

    return 4 / math.pi**2 / math.sqrt(L4) * math.asin(L0 / math.sqrt(lam(a) * lam(b)))


def eps_g(C, alpha):
    """½⟨Δ²⟩ of erf."""
    n = range(len(alpha))
    return 0.5 * sum(alpha[a] * alpha[b] * I2(C, a, b) for a in n for b in n)


def erf_motion(R, Q, T, v, v_star, lr, noise, batch):
    """dR/dt and dQ/dt of erf, first layer only: every index a loop."""
    K, M = R.shape
    C = np.block([[Q, R], [R.T, T]])
    alpha = np.r_[v, -v_star]
    n = range(K + M)
    dR, dQ = np.zeros((K, M)), np.zeros((K, K))
    for k in range(K):
        for m in range(M):
            dR[k, m] = -lr * v[k] * sum(alpha[a] * I3(C, k, K + m, a) for a in n)
        for l in range(K):
            dQ[k, l] = -lr * v[k] * sum(alpha[a] * I3(C, k, l, a) for a in n)
            dQ[k, l] -= lr * v[l] * sum(alpha[a] * I3(C, l, k, a) for a in n)
            square = sum(alpha[a] * alpha[b] * I4(C, k, l, a, b) for a in n for b in n)
            square += noise**2 * 2 / math.pi / math.sqrt((1 + C[k, k]) * (1 + C[l, l]) - C[k, l] ** 2)
            dQ[k, l] += lr**2 / batch * v[k] * v[l] * square
    return dR, dQ
