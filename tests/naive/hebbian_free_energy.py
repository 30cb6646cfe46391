"""Replica-symmetric free energies as they stand in the papers, by plain quadrature on a fine grid of z."""

from __future__ import annotations

from math import factorial

import numpy as np

Z = np.linspace(-9, 9, 6001)
WEIGHT = np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi) * (Z[1] - Z[0])


def gauss(values):
    return float(np.sum(values * WEIGHT))


def log2cosh(x):
    return np.abs(x) + np.log1p(np.exp(-2 * np.abs(x)))


def hopfield(m, q, r, alpha, T, static=0.0):
    """Amit, Gutfreund & Sompolinsky (1985), with static noise as in Sompolinsky (1986)."""
    beta = 1 / T
    C = beta * (1 - q)
    field = m + np.sqrt(alpha * (r + static * q)) * Z
    out = m**2 / 2 + alpha / 2 + alpha / (2 * beta) * (np.log(1 - C) - beta * q / (1 - C))
    out += alpha * beta / 2 * r * (1 - q) - beta * alpha * static / 4 * (1 - q) ** 2
    return out - T * gauss(log2cosh(beta * field))


def mixture(m, q, r, alpha, T):
    """Three condensed patterns with overlaps m (3,): an average over their eight columns."""
    beta = 1 / T
    C = beta * (1 - q)
    out = np.dot(m, m) / 2 + alpha / 2 + alpha / (2 * beta) * (np.log(1 - C) - beta * q / (1 - C))
    out += alpha * beta / 2 * r * (1 - q)
    for column in np.ndindex(2, 2, 2):
        xi = 2 * np.array(column) - 1
        out -= T / 8 * gauss(log2cosh(beta * (xi @ m + np.sqrt(alpha * r) * Z)))
    return out


def dense(n, q, alpha, T, p, scale, v, weights):
    """Gardner (1987), with a condensed vector of values v."""
    beta, A = 1 / T, alpha * factorial(p - 1)
    out = (p - 1) / p * n**p / scale - beta * A / (2 * p) * (1 - p * q ** (p - 1) + (p - 1) * q**p)
    for value, weight in zip(v, weights):
        out -= T * weight * gauss(log2cosh(beta * (value * n ** (p - 1) / scale + np.sqrt(A * q ** (p - 1)) * Z)))
    return out


def crossed(P, c):
    """E (xy)^P of standard Gaussians x, y of correlation c; exact up to P = 20."""
    x, w = np.polynomial.hermite_e.hermegauss(24)
    w = w / w.sum()
    return float(w @ (x[:, None] * (c * x[:, None] + np.sqrt(1 - c**2) * x)) ** P @ w)


def powers(n, q, alpha, T, p, scale, v, weights, pairs=((1.0, 1.0),)):
    """Powers of overlaps: annealed over the vectors that are not retrieved, x = √N m Gaussian, to second order in β.

    Their −H = (N/p) Σ c m^p is a Gaussian process of covariance N g(q), g(q) = (α/p²) Σ w Cov(x^p, y^p) of
    Gaussians of correlation kq, over the pairs (w, k) of vectors of an archetype. What all states share is left out.
    """
    beta = 1 / T

    def g(q):
        return alpha / p**2 * sum(w * crossed(p, k * q) for w, k in pairs)

    slope = alpha * sum(w * k * crossed(p - 1, k * q) for w, k in pairs)
    out = (p - 1) / p * n**p / scale - beta / 2 * (g(1.0) - g(q) - (1 - q) * slope)
    for value, weight in zip(v, weights):
        out -= T * weight * gauss(log2cosh(beta * (value * n ** (p - 1) / scale + np.sqrt(slope) * Z)))
    return out


def sparse(m, Q, q, alpha, T, f, theta):
    """0/1 neurons and the covariance rule (Tsodyks & Feigel'man 1988; the derivation is that of Amit et al.)."""
    beta = 1 / T
    C = beta * (Q - q)
    r = q / (1 - C) ** 2
    diagonal = alpha / 2 * (1 / (1 - C) + beta * r)
    out = f * (1 - f) * m**2 / 2 + alpha / (2 * beta) * (np.log(1 - C) - beta * q / (1 - C))
    out += diagonal * Q - alpha * beta * r * q / 2
    for eta, weight in ((1 - f, f), (-f, 1 - f)):
        x = eta * m - theta - alpha / 2 + diagonal - alpha * beta * r / 2 + np.sqrt(alpha * r) * Z
        out -= T * weight * gauss(np.logaddexp(0, beta * x))
    return out


def gradient(function, x, step=1e-4):
    """Central differences of fourth order: error of order step⁴ + 1e-16/step."""
    x = np.asarray(x, dtype=float)
    out = []
    for e in np.eye(x.size) * step:
        out.append((8 * (function(x + e) - function(x - e)) - function(x + 2 * e) + function(x - 2 * e)) / (12 * step))
    return np.array(out)
