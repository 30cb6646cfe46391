"""Gradient descent in plain NumPy, loss by loss as it is defined."""

import numpy as np


def two_layer(W, V, X, Y, lr, steps, phi="linear", eps=0.0, loss="square", decay=0.0, rates=(1, 1), batches=None):
    """W (K, D) and V (c, K) after so many steps on all examples X (n, D), Y (n, c), or on `batches` of them."""
    for step in range(steps):
        x, y = (X, Y) if batches is None else (X[batches[step]], Y[batches[step]])
        h = x @ W.T
        g, slope = {
            "linear": (h, np.ones_like(h)),
            "relu": (np.maximum(h, 0), (h > 0) * 1.0),
            "quadratic": (h + eps / 2 * h**2, 1 + eps * h),
        }[phi]
        f = g @ V.T
        delta = y - f if loss == "square" else y / (1 + np.exp(y * f))
        dW = (delta @ V * slope).T @ x / len(x) - decay * W
        dV = delta.T @ g / len(x) - decay * V
        W, V = W + lr * rates[0] * dW, V + lr * rates[1] * dV
    return W, V


def deep_linear(layers, X, Y, lr, steps, penalty="none", strength=0.0):
    """Layers, from the inputs on, after so many steps on examples X (n, d), Y (n, c)."""
    layers, first = list(layers), list(layers)
    for _ in range(steps):
        outs = [X]
        for W in layers:
            outs.append(outs[-1] @ W.T)
        delta, moves = (Y - outs[-1]) / len(X), []
        for W, W0, x in zip(layers[::-1], first[::-1], outs[-2::-1]):
            slope = {"none": 0 * W, "l2": W, "spectral": (W @ W.T - np.eye(len(W))) @ W, "init": W - W0}[penalty]
            moves.append(delta.T @ x - strength * slope)
            delta = delta @ W
        layers = [W + lr * dW for W, dW in zip(layers, moves[::-1])]
    return layers


def convolution(W, A, X, y, lr, steps):
    """Filters W (F, d) after so many steps on patches X (n, P, d) under readouts A (P, F)."""
    for _ in range(steps):
        error = y - np.einsum("pf,fd,npd->n", A, W, X)
        W = W + lr * np.einsum("n,pf,npd->fd", error, A, X) / len(X)
    return W
