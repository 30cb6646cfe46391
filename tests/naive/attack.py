"""Attacks on online learners written the slow, obvious way: weights, labels, and actions found by search."""

import math

import numpy as np
from scipy import optimize, special


def g(name, x):
    """Activation and derivative."""
    if name == "linear":
        return x, np.ones_like(x)
    return special.erf(x / math.sqrt(2)), math.sqrt(2 / math.pi) * np.exp(-0.5 * x * x)


def output(name, W, X):
    """Σ_k g(w_k·x/√N) on the examples X (P, N)."""
    return g(name, X @ W.T / math.sqrt(X.shape[1]))[0].sum(axis=1)


def learned(model, W, teacher, target, X, a):
    """Weights after a step of SGD on labels (1 − a) φ_t + a φ_*, a (P,)."""
    P, N = X.shape
    y = (1 - a) * output(model.activation, teacher, X) + a * output(model.activation, target, X)
    delta = output(model.activation, W, X) - y
    slope = g(model.activation, X @ W.T / math.sqrt(N))[1]
    return W - model.lr / (P * math.sqrt(N)) * (slope * delta[:, None]).T @ X


def mean_square(name, W, target):
    """⟨(φ_s − φ_*)²⟩, by the arcsine law for erf (Williams 1997), a norm for linear units."""
    C = np.vstack([W, target])
    C = C @ C.T / W.shape[1]
    sign = np.r_[np.ones(len(W)), -np.ones(len(target))]
    if name == "erf":
        norm = np.sqrt(1 + np.diag(C))
        C = 2 / math.pi * np.arcsin(C / np.outer(norm, norm))
    return sign @ C @ sign


def best_action(model, W, teacher, target, X, omega):
    """The scalar action that minimises the one-step objective, by search between its bounds."""
    under = np.arange(len(X)) < model.examples

    def objective(a):
        after = learned(model, W, teacher, target, X, a * under)
        future = model.rho * X.shape[1] / model.lr * 0.5 * mean_square(model.activation, after, target)
        return 0.5 * model.cost * omega * a * a + future

    return optimize.minimize_scalar(objective, bounds=model.bounds, method="bounded", options={"xatol": 1e-10}).x
