"""Forces, minus gradients, of two layers on data and of linear nets on moments, deep or of patches, and their steps.

Arrays are copied by loops: an assignment of arrays has Numba compile what an error of shapes would say, which takes
longer than all the rest.
"""

from __future__ import annotations

import math

import numpy as np

from tsphys._jit import njit

#: Hidden units: h, max(h, 0), h + ½εh².
ACTIVATIONS = ("linear", "relu", "quadratic")
#: Of an example: ½|y − f|²; log(1 + e^{−yf}), summed over answers y = ±1.
LOSSES = ("square", "logistic")
#: Of each layer W: none; ½|W|²; ¼|WWᵀ − 1|²; ½|W − W(0)|².
PENALTIES = ("none", "l2", "spectral", "init")
#: Where weights are taken to be lost.
LARGEST = 1e30


@njit(fast=True)
def scalar_products(A, B, C):
    """C (m, n) = A Bᵀ, by blocks of two by four sums, which stay in registers."""
    m, L = A.shape
    n = B.shape[0]
    for i in range(0, m - 1, 2):
        a0, a1 = A[i], A[i + 1]
        for j in range(0, n - 3, 4):
            b0, b1, b2, b3 = B[j], B[j + 1], B[j + 2], B[j + 3]
            s0 = s1 = s2 = s3 = u0 = u1 = u2 = u3 = 0.0
            for l in range(L):
                s0 += a0[l] * b0[l]
                s1 += a0[l] * b1[l]
                s2 += a0[l] * b2[l]
                s3 += a0[l] * b3[l]
                u0 += a1[l] * b0[l]
                u1 += a1[l] * b1[l]
                u2 += a1[l] * b2[l]
                u3 += a1[l] * b3[l]
            C[i, j], C[i, j + 1], C[i, j + 2], C[i, j + 3] = s0, s1, s2, s3
            C[i + 1, j], C[i + 1, j + 1], C[i + 1, j + 2], C[i + 1, j + 3] = u0, u1, u2, u3
    for i in range(m):
        for j in range(n - n % 4 if i < m - m % 2 else 0, n):
            s0 = 0.0
            for l in range(L):
                s0 += A[i, l] * B[j, l]
            C[i, j] = s0


@njit(fast=True)
def activated(h, s, phi, eps):
    """φ of fields (n,) in their place; s has slopes, if φ(h) does not tell them."""
    if phi == 1:
        for j in range(h.size):
            h[j] = h[j] if h[j] > 0.0 else 0.0
    elif phi == 2:
        for j in range(h.size):
            s[j] = 1.0 + eps * h[j]
            h[j] = h[j] + 0.5 * eps * h[j] * h[j]


@njit(fast=True)
def pulled(h, pull, s, phi):
    """In the place of s: slopes times `pull`, with φ in the place of h. Loops without a branch run four at once."""
    if phi == 1:
        for j in range(h.size):
            s[j] = pull[j] if h[j] > 0.0 else 0.0
    elif phi == 2:
        for j in range(h.size):
            s[j] *= pull[j]
    else:
        for j in range(h.size):
            s[j] = pull[j]


@njit
def copied(A, B):
    """B, written over A."""
    for i in range(B.shape[0]):
        for j in range(B.shape[1]):
            A[i, j] = B[i, j]


@njit(fast=True)
def two_layer_force(W, V, X, XT, Y, phi, eps, loss, dW, dV, H, S, E):
    """Minus the gradient of the mean loss of f(x) = V φ(Wx) over all examples.

    Parameters
    ----------
    W, V, dW, dV : (K, D) and (c, K), and what comes out
    X, XT, Y : (n, D), the same transposed, and answers (c, n)
    phi, loss : numbers in `ACTIVATIONS` and `LOSSES`
    H, S, E : room for (K, n), (K, n) and (c + 1, n)
    """
    K, n, c = W.shape[0], X.shape[0], V.shape[0]
    scalar_products(W, X, H)
    E[:] = 0.0
    for k in range(K):
        h = H[k]
        activated(h, S[k], phi, eps)
        for o in range(c):
            f, v = E[o], V[o, k]
            for j in range(n):
                f[j] += v * h[j]
    for o in range(c):
        y, f = Y[o], E[o]
        for j in range(n):
            f[j] = (y[j] - f[j] if loss == 0 else y[j] / (1.0 + math.exp(y[j] * f[j]))) / n
    pull = E[c]
    for k in range(K):
        h = H[k]
        pull[:] = 0.0
        for o in range(c):
            e, v, total = E[o], V[o, k], 0.0
            for j in range(n):
                total += e[j] * h[j]
                pull[j] += v * e[j]
            dV[o, k] = total
        pulled(h, pull, S[k], phi)
    scalar_products(S, XT, dW)


@njit(fast=True)
def moved(W, dW, rate, decay):
    """W a step further, in place; the sum of its sizes, no number where that has none."""
    total = 0.0
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            W[i, j] += rate * (dW[i, j] - decay * W[i, j])
            total += abs(W[i, j])
    return total


@njit
def two_layer_steps(W, V, X, XT, Y, order, batch, steps, rates, decay, phi, eps, loss):
    """So many steps in place, of all examples or of batches (steps·batch,) in `order`; how many went well."""
    (K, D), c, n = W.shape, V.shape[0], X.shape[0] if batch == 0 else batch
    dW, dV, H, S, E = np.empty((K, D)), np.empty((c, K)), np.empty((K, n)), np.empty((K, n)), np.empty((c + 1, n))
    if batch > 0:
        Z, ZT, U = np.empty((batch, D)), np.empty((D, batch)), np.empty((c, batch))
    else:
        Z, ZT, U = X, XT, Y
    for step in range(steps):
        for j in range(batch):
            i = order[step * batch + j]
            for l in range(D):
                Z[j, l] = ZT[l, j] = X[i, l]
            for o in range(c):
                U[o, j] = Y[o, i]
        two_layer_force(W, V, Z, ZT, U, phi, eps, loss, dW, dV, H, S, E)
        if not moved(W, dW, rates[0], decay) + moved(V, dV, rates[1], decay) < LARGEST:
            return step
    return steps


@njit(fast=True)
def product(A, B, C):
    """C = A B."""
    for i in range(A.shape[0]):
        for j in range(B.shape[1]):
            C[i, j] = 0.0
        for l in range(A.shape[1]):
            a = A[i, l]
            for j in range(B.shape[1]):
                C[i, j] += a * B[l, j]


@njit(fast=True)
def linear_force(w, first, sizes, xx, yx, penalty, strength, out, below, error, gram):
    """Minus the gradient of ½⟨|y − W_L … W_1 x|²⟩ and of `strength` times a penalty of each layer.

    Parameters
    ----------
    w, first, out : all layers one after the other; those at the start, and what comes out
    sizes : (L + 1,) of the inputs, of each layer, and of the answer
    xx, yx : moments ⟨xxᵀ⟩ and ⟨yxᵀ⟩
    penalty : number in `PENALTIES`
    below, error, gram : room for (L, m, d), (2, m, d) and (m, m), with m the largest of the sizes
    """
    L, d = sizes.size - 1, sizes[0]
    at = 0
    for l in range(L):
        p, q = sizes[l + 1], sizes[l]
        W = w[at : at + p * q].reshape(p, q)
        if l == 0:
            copied(below[0], W)
        else:
            product(W, below[l - 1, :q], below[l, :p])
        at += p * q
    c = sizes[L]
    product(below[L - 1, :c], xx, error[L % 2, :c])
    for i in range(c):
        for j in range(d):
            error[L % 2, i, j] = yx[i, j] - error[L % 2, i, j]
    for l in range(L - 1, -1, -1):
        p, q = sizes[l + 1], sizes[l]
        at -= p * q
        W, dW = w[at : at + p * q].reshape(p, q), out[at : at + p * q].reshape(p, q)
        E = error[(l + 1) % 2, :p]
        if l == 0:
            copied(dW, E)
        else:
            product(E, below[l - 1, :q].T, dW)
            product(W.T, E, error[l % 2, :q])
        if penalty == 1:
            for i in range(p):
                for j in range(q):
                    dW[i, j] -= strength * W[i, j]
        elif penalty == 2:
            # The slope of the penalty of WᵀW is the same.
            product(W, W.T, gram[:p, :p])
            for i in range(p):
                gram[i, i] -= 1.0
                for k in range(p):
                    for j in range(q):
                        dW[i, j] -= strength * gram[i, k] * W[k, j]
        elif penalty == 3:
            for i in range(p):
                for j in range(q):
                    dW[i, j] -= strength * (W[i, j] - first[at + q * i + j])


@njit
def linear_steps(w, first, sizes, xx, yx, penalty, strength, steps, rate):
    """So many steps in place; how many went well."""
    m, d = 0, sizes[0]
    for size in sizes:
        m = max(m, size)
    out, below, error = np.empty_like(w), np.empty((sizes.size - 1, m, d)), np.empty((2, m, d))
    gram = np.empty((m, m))
    for step in range(steps):
        linear_force(w, first, sizes, xx, yx, penalty, strength, out, below, error, gram)
        if not moved(w.reshape(1, -1), out.reshape(1, -1), rate, 0.0) < LARGEST:
            return step
    return steps


@njit(fast=True)
def convolution_force(W, A, xx, yx, V, R, out):
    """Minus the gradient, by the filters W, of ½⟨(y − Σ_p a_p·Wx_p)²⟩.

    Parameters
    ----------
    W, out : (F, d), and what comes out
    A : (P, F), the readouts a_p
    xx, yx : moments ⟨xxᵀ⟩ (Pd, Pd) and ⟨yx⟩ (Pd,) of all patches, one after the other
    V, R : room for (P, d) each
    """
    product(A, W, V)
    d = W.shape[1]
    for i in range(yx.size):
        total = 0.0
        for p in range(V.shape[0]):
            for j in range(d):
                total += xx[i, p * d + j] * V[p, j]
        R[i // d, i % d] = yx[i] - total
    product(A.T, R, out)


@njit
def convolution_steps(W, A, xx, yx, steps, rate):
    """So many steps in place; how many went well."""
    V, R, out = np.empty((A.shape[0], W.shape[1])), np.empty((A.shape[0], W.shape[1])), np.empty_like(W)
    for step in range(steps):
        convolution_force(W, A, xx, yx, V, R, out)
        if not moved(W, out, rate, 0.0) < LARGEST:
            return step
    return steps
