"""Small instances of ridge regression in plain NumPy, many at once; nothing of `tsphys.sims` or `tsphys.physics`."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.validation.checks import Finding, Setting
from tsphys.validation.one_step import MORE, same_moments


def _fitted(A: np.ndarray, y: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the least ½|y − Aw|² + ½λ|w|², and the mean of ½(y − Aw)²."""
    At = A.swapaxes(1, 2)
    w = np.linalg.solve(At @ A + ridge * np.eye(A.shape[2]), At @ y[..., None])
    return w[..., 0], 0.5 * np.mean((y[..., None] - A @ w) ** 2, axis=(1, 2))


def random_features(teacher: str, N: int = 20, width: float = 1.5, alpha: float = 2.0, replicas: int = 1200) -> Any:
    """A check of Gaussian covariates of tanh features: losses and overlaps of small instances."""
    noise, ridge = 0.7, 0.2
    model = tsphys.RandomFeatures(
        activation="tanh", teacher=teacher, noise=noise, ridge=ridge, width=width, alpha=alpha
    )

    def run(setting: Setting) -> Finding:
        n, rng = setting.replicas(replicas), np.random.default_rng([setting.seed, 4])
        sim = tsphys.simulate(model, N=N, covariates="gaussian", replicas=n, seed=setting.seed, threads=setting.threads)
        z = np.linspace(-9, 9, 2001)
        weight = np.exp(-(z**2) / 2)
        slope, power = weight @ (z * np.tanh(z)) / weight.sum(), weight @ np.tanh(z) ** 2 / weight.sum()
        rest, p, examples, count = power - slope**2, round(width * N), round(alpha * N), MORE * n
        F = rng.standard_normal((count, p, N))
        x = rng.standard_normal((count, examples, N))
        v = slope * x @ F.swapaxes(1, 2) / N**0.5 + rest**0.5 * rng.standard_normal((count, examples, p))
        y = x[..., 0] + noise * rng.standard_normal((count, examples))
        w, train = _fitted(v / p**0.5, np.sign(y) if teacher == "sign" else y, ridge)
        H = slope * np.einsum("cp,cpi->ci", w, F) / (N * p) ** 0.5
        m, q = H[:, 0], np.sum(H**2, axis=1) + rest * np.sum(w**2, axis=1) / p
        wrong = np.arccos(m / q**0.5) / np.pi if teacher == "sign" else 0.5 * (1 - 2 * m + q)
        mine = np.stack([sim[name][:, 0] for name in ("eps_g", "train_loss", "m", "q")], axis=1)
        return same_moments(mine, np.stack([wrong, train, m, q], axis=1), f"N = {N}")

    return run


def kernel(
    k: int | None, n: int = 12, modes: int = 30, noise: float = 0.8, ridge: float = 0.1, replicas: int = 1500
) -> Any:
    """A check of the losses of ridge regression on the modes of a kernel, or on k random features of them."""
    model = tsphys.KernelRidge(noise=noise, ridge=ridge, modes=modes, n=n, k=k)

    def run(setting: Setting) -> Finding:
        count, rng = setting.replicas(replicas), np.random.default_rng([setting.seed, 5])
        sim = tsphys.simulate(model, replicas=count, seed=setting.seed, threads=setting.threads)
        values, target = model.spectrum()
        B = np.sqrt(values)[:, None] * np.eye(len(values))
        if k is not None:
            B = np.sqrt(values)[:, None] * rng.standard_normal((MORE * count, len(values), k)) / k**0.5
        phi = rng.standard_normal((MORE * count, n, len(values)))
        w, train = _fitted(phi @ B, phi @ target + noise * rng.standard_normal((MORE * count, n)), ridge)
        wrong = 0.5 * np.sum(((B @ w[..., None])[..., 0] - target) ** 2, axis=1)
        mine = np.stack([sim["eps_g"][:, 0], sim["train_loss"][:, 0]], axis=1)
        return same_moments(mine, np.stack([wrong, train], axis=1), f"{n} examples")

    return run
