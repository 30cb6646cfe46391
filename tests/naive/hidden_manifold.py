"""The hidden manifold written the slow, obvious way."""

import math

import numpy as np
from scipy.special import erf


def density(delta, nodes=400):
    """Nodes and weights for ∫ p(ρ) dρ of the Marchenko-Pastur law of FᵀF/N, from its density; the atom at 0 last."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    angle, w = 0.5 * np.pi * (x + 1), 0.5 * np.pi * w
    rho = 1 + delta - 2 * math.sqrt(delta) * np.cos(angle)
    p = (2 * math.sqrt(delta) * np.sin(angle)) ** 2 / (2 * np.pi * delta * rho)
    return np.append(rho, 0.0), np.append(w * p, max(0.0, 1 - 1 / delta))


def averages(model, Q, R, T, v, v_star, nodes):
    """Γ, Λ, E and ⟨dv⟩ of erf by Gauss-Hermite quadrature, the derivatives of c = −η v g'(λ) Δ by hand."""
    K, M = R.shape
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    grid = np.array(np.meshgrid(*[x] * (K + M), indexing="ij")).reshape(K + M, -1)
    weight = np.prod(np.meshgrid(*[w / w.sum()] * (K + M), indexing="ij"), axis=0).ravel()
    lam, nu = np.split(np.linalg.cholesky(np.block([[Q, R], [R.T, T]])) @ grid, [K])
    g, dg = (lambda u: erf(u / math.sqrt(2))), (lambda u: math.sqrt(2 / math.pi) * np.exp(-u * u / 2))
    delta = v @ g(lam) - v_star @ g(nu)
    curved = -lam * dg(lam)
    gamma = -model.lr * np.einsum("k,j,ks,js,s->kj", v, v, dg(lam), dg(lam), weight)
    gamma -= model.lr * np.diag(v * ((curved * delta) @ weight))
    coupling = model.lr * np.einsum("k,m,ks,ms,s->km", v, v_star, dg(lam), dg(nu), weight)
    square = delta**2 + model.noise**2
    E = model.lr**2 / model.minibatch * np.einsum("k,l,ks,ls,s->kl", v, v, dg(lam), dg(lam), square * weight)
    return gamma, coupling, E, -model.lr_v * (g(lam) * delta) @ weight


def derivatives(model, W, r, s, rho, p, v, nodes):
    """d/dt of Q, R, W and v in terms of S = wF/√N: densities r(ρ) of Sθ and s(ρ) of SS over the modes of FᵀF/N."""
    a, b, c2 = model.moments
    kappa2, delta, T, v_star = c2 - a * a - b * b, model.delta, np.array(model.T), np.array(model.v_star)
    R, Q = b * np.einsum("i,ikm->km", p, r), kappa2 * W + b * b * np.einsum("i,ikl->kl", p, s)
    gamma, coupling, E, dv = averages(model, Q, R, T, v, v_star, nodes)
    half = gamma @ Q + coupling @ R.T
    dW = half + half.T + (c2 - a * a) * E
    dR, dQ = np.zeros_like(R), kappa2 * dW
    for i in range(len(rho)):
        d = kappa2 * delta + b * b * rho[i]
        dR += b * p[i] * (d / delta * gamma @ r[i] + b * rho[i] / delta * coupling @ T)
        half = d / delta * gamma @ s[i] + b * rho[i] / delta * coupling @ r[i].T
        dQ += b * b * p[i] * (half + half.T + rho[i] * d / delta * E)
    return dQ, dR, dW, dv


def steps(model, W, v, x, nu, zeta):
    """Weights and readout of erf after a step of SGD on each example x (n, N) with teachers' fields nu (n, M)."""
    W, v, N = W.copy(), v.copy(), W.shape[1]
    for i in range(len(x)):
        lam = [sum(W[k, j] * x[i, j] for j in range(N)) / math.sqrt(N) for k in range(len(W))]
        y = sum(model.v_star[m] * math.erf(nu[i, m] / math.sqrt(2)) for m in range(model.M)) + model.noise * zeta[i]
        out = [math.erf(u / math.sqrt(2)) for u in lam]
        error = sum(v[k] * out[k] for k in range(len(W))) - y
        for k in range(len(W)):
            slope = math.sqrt(2 / math.pi) * math.exp(-(lam[k] ** 2) / 2)
            W[k] -= model.lr / math.sqrt(N) * v[k] * slope * error * x[i]
        for k in range(len(W)):
            v[k] -= model.lr_v / N * out[k] * error
    return W, v
