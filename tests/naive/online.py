"""Online learning written the slow, obvious way: one example, one unit, one coordinate after the other."""

import math

import numpy as np


def activation(name, x):
    """Activation and derivative, from their definitions."""
    if name == "erf":
        return math.erf(x / math.sqrt(2)), math.sqrt(2 / math.pi) * math.exp(-x * x / 2)
    if name == "relu":
        return (x, 1.0) if x > 0 else (0.0, 0.0)
    if name == "linear":
        return x, 1.0
    if name == "tanh":
        return math.tanh(x), 1 / math.cosh(x) ** 2
    if name == "quad":
        return x * x, 2 * x
    if name == "he2":
        return (x * x - 1) / math.sqrt(2), math.sqrt(2) * x
    return float(np.sign(x)), 0.0


def two_layer_step(model, W, B, v, v_star, x, zeta):
    """One step of SGD on the examples x (b, N) with standard noise zeta (b,); returns the new W and v."""
    (K, N), b = W.shape, len(x)
    g, g_star = model.activations
    student, teacher = x @ W.T / math.sqrt(N), x @ B.T / math.sqrt(N)
    grad_w, grad_v = np.zeros_like(W), np.zeros_like(v)
    for beta in range(b):
        y = sum(v_star[m] * activation(g_star, teacher[beta, m])[0] for m in range(len(B))) + model.noise * zeta[beta]
        delta = sum(v[k] * activation(g, student[beta, k])[0] for k in range(K)) - y
        for k in range(K):
            value, slope = activation(g, student[beta, k])
            grad_w[k] += v[k] * slope * delta * x[beta] / b
            grad_v[k] += value * delta / b
    new_w = (1 - model.kappa / N) * W - model.eta_w / math.sqrt(N) * grad_w
    new_v = (1 - model.kappa_v / N) * v - model.eta_v / N * grad_v
    return new_w, new_v


def perceptron_step(model, W, B, x):
    """One step of a perceptron's rule on the examples x (b, N); returns the new W. The optimal rule by its integral."""
    from scipy import integrate, stats

    (_, N), b = W.shape, len(x)
    R, Q = (W @ B.T).item() / N, (W @ W.T).item() / N
    change = np.zeros_like(W)
    for beta in range(b):
        lam, nu = (float(a[0] @ x[beta]) / math.sqrt(N) for a in (W, B))
        y = math.copysign(1.0, nu)
        wrong = lam * nu <= 0
        if model.rule == "hebb":
            c = model.lr * y
        elif model.rule == "rosenblatt":
            c = model.lr * y * wrong
        elif model.rule == "adatron":
            c = -model.lr * lam * wrong
        else:
            rho = R / math.sqrt(Q)
            law = stats.norm(rho * lam / math.sqrt(Q), math.sqrt(1 - rho**2))
            ends = (0, law.mean() + 12 * law.std()) if y > 0 else (law.mean() - 12 * law.std(), 0)
            mass, first = (
                integrate.quad(lambda u, f=f, law=law: f(u) * law.pdf(u), *ends, epsabs=1e-14, points=[law.mean()])[0]
                for f in (lambda u: 1.0, lambda u: u)
            )
            c = math.sqrt(Q) / abs(rho) * (first / mass - law.mean())
        change[0] += c * x[beta] / b
    return W + change / math.sqrt(N)


def overlaps(W, B):
    """R, Q and T of weights."""
    N = W.shape[1]
    return W @ B.T / N, W @ W.T / N, B @ B.T / N


def chain_step(decay, A, L, LT, C, z, G, N):
    """The overlaps after a step of the exact chain, from those before and the Gram matrix G of the inputs.

    C (K, b) are the coefficients without the 1/b, z (b, M + K) the inputs in the basis of teachers and students.
    """
    b = C.shape[1]
    M = len(LT)
    R, Q = A @ LT.T, A @ A.T + L @ L.T
    lam, nu = np.hstack([A, L]) @ z.T, LT @ z[:, :M].T
    R = decay * R + C @ nu.T / (N * b)
    Q = decay**2 * Q + decay * (lam @ C.T + C @ lam.T) / (N * b) + C @ G @ C.T / (N * b) ** 2
    return R, Q
