"""Continual learning, slowly and obviously: SGD on the weights, and the motion of overlaps with every index a loop."""

import math

import numpy as np

from tests.naive.online import activation
from tests.naive.two_layer import I2, I3, I4


def sgd_step(model, W, B, heads, v_star, examples, anchor=None, omega=None):
    """One step; B (S, M, N), heads (S, K), v_star (S, M), examples a list of (task, x, zeta); new W and heads."""
    (K, N), b = W.shape, len(examples)
    new_W, new_heads = W.copy(), heads.copy()
    for s, x, zeta in examples:
        lam, nu = W @ x / math.sqrt(N), B[s] @ x / math.sqrt(N)
        y = sum(v_star[s, m] * activation(model.activation, nu[m])[0] for m in range(len(nu))) + model.noise * zeta
        delta = sum(heads[s, k] * activation(model.activation, lam[k])[0] for k in range(K)) - y
        for k in range(K):
            value, slope = activation(model.activation, lam[k])
            new_W[k] -= model.lr / b / math.sqrt(N) * heads[s, k] * slope * delta * x
            new_heads[s, k] -= model.eta_v / b / N * value * delta
    if omega is not None:
        for k in range(K):
            new_W[k] -= model.lr / N * omega[k] * (W[k] - anchor[k])
    return new_W, new_heads


def motion(model, task, R, Q, T, head, v_star):
    """dR/dt, dQ/dt and dh/dt of erf students while one task is learned; R, T, v_star of all teachers."""
    K, M = R.shape
    C = np.block([[Q, R], [R.T, T]])
    own = [m // model.M == task for m in range(M)]
    alpha = np.r_[head, [-v_star[m] if own[m] else 0.0 for m in range(M)]]
    n = range(K + M)
    dR, dQ, dh = np.zeros((K, M)), np.zeros((K, K)), np.zeros(K)
    for k in range(K):
        dh[k] = -model.eta_v * sum(alpha[a] * I2(C, k, a) for a in n)
        for m in range(M):
            dR[k, m] = -model.lr * head[k] * sum(alpha[a] * I3(C, k, K + m, a) for a in n)
        for l in range(K):
            dQ[k, l] = -model.lr * head[k] * sum(alpha[a] * I3(C, k, l, a) for a in n)
            dQ[k, l] -= model.lr * head[l] * sum(alpha[a] * I3(C, l, k, a) for a in n)
            square = sum(alpha[a] * alpha[b] * I4(C, k, l, a, b) for a in n for b in n)
            square += model.noise**2 * 2 / math.pi / math.sqrt((1 + C[k, k]) * (1 + C[l, l]) - C[k, l] ** 2)
            dQ[k, l] += model.lr**2 * head[k] * head[l] * square
    return dR, dQ, dh


def penalty(eta, omega, R, Q, R_anchor, Q_anchor, cross):
    """What a pull to anchors adds to dR/dt, dQ/dt and dS/dt, with cross S_kl = w_k·w̄_l/N."""
    K, M = R.shape
    dR, dQ, dS = np.zeros((K, M)), np.zeros((K, K)), np.zeros((K, K))
    for k in range(K):
        for m in range(M):
            dR[k, m] = -eta * omega[k] * (R[k, m] - R_anchor[k, m])
        for l in range(K):
            dS[k, l] = -eta * omega[k] * (cross[k, l] - Q_anchor[k, l])
            dQ[k, l] = -eta * (omega[k] * (Q[k, l] - cross[l, k]) + omega[l] * (Q[k, l] - cross[k, l]))
    return dR, dQ, dS
