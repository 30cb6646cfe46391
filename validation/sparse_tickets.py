"""Sparse tickets."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.sims.sparse_tickets import Options, drawn
from tsphys.validation.checks import Check, Finding, Setting, agrees, within


def pruned(model: Any, kept: Any, N: int, replicas: int) -> Any:
    """A check of instances on the cavity method, over what is left."""
    return agrees(model, "eps_g", replicas, sim={"N": N}, kept=kept)


def one_shot(model: Any) -> dict[str, float]:
    """A ridge student pruned in one shot, component by component of the teacher, with the derivative of the mask."""
    from scipy.optimize import brentq
    from scipy.special import ndtr

    alpha, noise, first, ridge, kept = model.alpha, model.noise**2, model.ridge, model.ridge_after, model.kept
    share, var = np.array([1 - model.density, model.density]), np.array([0.0, 1 / model.density])
    V11, m1, q11 = 1.0, 0.0, 0.0
    for _ in range(3000):
        a1, E11 = alpha / (1 + V11), (noise + 1 - 2 * m1 + q11) / (1 + V11) ** 2
        V11, m1 = 0.5 * (V11 + 1 / (first + a1)), 0.5 * (m1 + V11 * a1)
        q11 = 0.5 * (q11 + V11**2 * (a1**2 + alpha * E11))
    v1 = V11**2 * (a1**2 * var + alpha * E11)

    def density(x: Any) -> Any:
        return np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)

    theta = brentq(lambda x: float(share @ (2 * ndtr(-x / np.sqrt(v1)))) - kept, 0, 40 * v1.max() ** 0.5, xtol=1e-15)
    z = theta / np.sqrt(v1)
    P, S = 2 * ndtr(-z), v1 * 2 * (ndtr(-z) + z * density(z))
    V22, V21, m2, q12, q22 = kept / (ridge + 1), 0.0, 0.0, 0.0, 0.0
    for _ in range(3000):
        D11, D12, D22 = noise + 1 - 2 * m1 + q11, noise + 1 - m1 - m2 + q12, noise + 1 - 2 * m2 + q22
        E12 = (D12 / (1 + V11) - V21 * E11) / (1 + V22)
        E22 = (D22 - 2 * V21 * D12 / (1 + V11) + V21**2 * D11 / (1 + V11) ** 2) / (1 + V22) ** 2
        a2, b = alpha / (1 + V22), alpha * V21 / ((1 + V11) * (1 + V22))
        g = 1 / (ridge + a2)
        cw, cx = V11 * a1 * var / v1, V11 * alpha * E12 / v1
        beta = (a2 - b) * cw + b + cx
        varF = (a2 - b) ** 2 * (var - cw**2 * v1) + alpha * E22 - cx**2 * v1 - 2 * (a2 - b) * cw * cx * v1
        jump = share @ (2 * theta * beta * density(z) / np.sqrt(v1))
        new = np.array([
            g * kept, g * V11 * (b * kept + jump),
            g * share @ (beta * cw * S + P * ((a2 - b) * (var - cw**2 * v1) - cw * cx * v1)),
            g * share @ (beta * S), g**2 * share @ (beta**2 * S + P * varF),
        ])  # fmt: skip
        V22, V21, m2, q12, q22 = 0.5 * (np.array([V22, V21, m2, q12, q22]) + new)
    return {"eps_g": 0.5 * (1 - 2 * m2 + q22), "m": m2, "q": q22, "recall": float(P[1]), "train_loss": 0.5 * E22}


def written_out(setting: Setting) -> Finding:
    """One shot: truncated moments and integration by parts against equations with the mask's derivative."""
    off = []
    for alpha, noise, ridge, after, kept in ((2, 1, 0.1, 0.1, 0.15), (0.6, 0.7, 0.05, 0.02, 0.5), (1, 0, 1, 0.01, 0.3)):
        model = tsphys.SparseTickets(alpha=alpha, noise=noise, ridge=ridge, ridge_after=after, kept=kept)
        found = tsphys.solve(model)
        off += [found[name][0] - value for name, value in one_shot(model).items()]
    # Both iterate to 1e-11 or better.
    return within(off, 1e-8, "one shot written out")


def nothing_pruned(setting: Setting) -> Finding:
    """With κ = 1 and one λ the student is the dense one, in squares and logistic."""
    off = []
    for student in ("ridge", "logistic"):
        found = tsphys.solve(tsphys.SparseTickets(student=student, noise=0.8, kept=1.0))
        off.append(found["eps_g"][0] - found["eps_dense"][0])
    # Saddle points to 1e-11; the grid of the logistic student against panels, 1e-9.
    return within(off, 1e-7, "nothing pruned")


def by_hand(setting: Setting) -> Finding:
    """Instances: ridge by the Gram matrix, labels by Newton's steps, and what is pruned by the sizes of weights."""
    N, off = 60, []
    for student, alpha in (("ridge", 0.8), ("ridge", 2.0), ("logistic", 2.0)):
        model = tsphys.SparseTickets(
            student=student, alpha=alpha, noise=0.6, density=0.2, ridge=0.3, ridge_after=0.1, kept=0.25, rounds=2
        )  # fmt: skip
        found = drawn(model, Options(N=N, fresh=10), np.random.default_rng(setting.seed))
        rng, n, some = np.random.default_rng(setting.seed), round(alpha * N), round(0.2 * N)
        X = rng.standard_normal((n, N)) / np.sqrt(N)
        teacher = np.append(rng.standard_normal(some), np.zeros(N - some))
        teacher *= np.sqrt(N / (teacher @ teacher))
        y = X @ teacher + 0.6 * rng.standard_normal(n)
        if student == "logistic":
            y = np.sign(y)
        alive = np.ones(N, bool)
        students: list[np.ndarray] = []
        for left, lam in ((N, 0.3), (N // 2, 0.1), (N // 4, 0.1)):
            if students:
                alive[np.argsort(np.abs(students[-1]) + 1e9 * ~alive)[: int(alive.sum()) - left]] = False
            A, w = X[:, alive], np.zeros(N)
            if student == "ridge":
                w[alive] = A.T @ np.linalg.solve(A @ A.T + lam * np.eye(n), y)
            else:
                v = np.zeros(left)
                for _ in range(30):
                    s = 1 / (1 + np.exp(y * (A @ v)))
                    H = (A.T * s * (1 - s)) @ A + lam * np.eye(left)
                    v = v + np.linalg.solve(H, A.T @ (y * s) - lam * v)
                w[alive] = v
            students.append(w)
        h = X @ w
        losses = 0.5 * (y - h) ** 2 if student == "ridge" else np.log1p(np.exp(-y * h))
        told = {"m": teacher @ w / N, "q": w @ w / N, "train_loss": np.mean(losses), "recall": np.mean(alive[:some])}
        for name, v in (("eps_g", w), ("eps_dense", students[0])):
            angle = np.arccos(teacher @ v / np.sqrt(N * (v @ v))) / np.pi
            told[name] = 0.5 * np.sum((v - teacher) ** 2) / N if student == "ridge" else angle
        off += [found[name] - value for name, value in told.items()]
    # Minima to 1e-9 of their size, or so.
    return within(off, 1e-6, "instances by hand")


def checks(quick: bool) -> list[Check]:
    """What is checked of sparse tickets: few and many examples, one shot and rounds, outputs and labels."""
    model = tsphys.SparseTickets
    few = model(alpha=0.6, noise=0.7, ridge=0.05, ridge_after=0.02, rounds=3)
    labels = model(student="logistic", alpha=3.0, noise=0.7, density=0.3)
    return [
        Check("simulation", "one shot, α = 2", pruned(model(noise=1.0), [0.1, 0.4], 300, 32)),
        Check("simulation", "three rounds, α = 0.6", pruned(few, [0.15, 0.5], 300, 32)),
        Check("simulation", "labels", pruned(labels, [0.3, 0.7], 100, 24)),
        Check("integral", "one shot written out", written_out),
        Check("identity", "nothing pruned", nothing_pruned),
        Check("step", "instances by hand", by_hand),
    ]
