"""Sparse regression: posteriors, right and wrong about their teacher, and the lasso."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

import tsphys
from tsphys.physics.inference.priors import gauss_bernoulli
from tsphys.replica.saddles.lasso import at_cut
from tsphys.replica.sparse_regression import best_lasso, posterior, seen, stability
from tsphys.sims.sparse_regression import Options
from tsphys.sims.sparse_regression import learned as run_on
from tsphys.validation.checks import Check, Finding, Setting, agrees, within


def learned(model: Any, axis: dict[str, Any], replicas: int) -> Any:
    """A check of instances on state evolution."""
    return agrees(model, "mse", replicas, sim={"N": 300}, **axis)


def matched(setting: Setting) -> Finding:
    """What assumes the truth expects its own error, and is where the free entropy of `glm` is stationary."""
    off = []
    for alpha, noise, rho in ((0.5, 0.01, 0.2), (1.0, 0.1, 0.3), (2.0, 1.0, 0.5)):
        here = tsphys.solve(tsphys.SparseRegression(alpha=alpha, noise=noise, density=rho))
        glm = tsphys.GLM(alpha=alpha, noise=noise, density=rho, prior="gauss_bernoulli", channel="linear")
        off += [here["V"][0] - here["mse"][0], tsphys.solve(glm)["mse"][0] - here["mse"][0]]
    # State evolution stops at steps of 1e-11, here at most a tenth of what is left.
    return within(off, 1e-9, "matched")


def ridge(setting: Setting) -> Finding:
    """Where all weights are normal a wrong noise Δ' is ridge regression with λ = Δ', in closed form."""
    off = []
    for alpha, factor in ((0.5, 4.0), (2.0, 0.25)):
        model = tsphys.SparseRegression(alpha=alpha, density=1, noise=0.3, noise_factor=factor)
        found, lam = tsphys.solve(model), 0.3 * factor
        # V = Σ²/(1 + Σ²) of Σ² = (λ + V)/α is a quadratic equation, and E = V² + (1 − V)²(Δ + E)/α a linear one.
        b = lam + alpha - 1
        V = 0.5 * (-b + math.sqrt(b * b + 4 * lam))
        gain = (1 - V) ** 2 / alpha
        E = (V * V + gain * 0.3) / (1 - gain)
        off += [found["V"][0] - V, found["mse"][0] - E]
    return within(off, 1e-9, "ridge")


def averages(setting: Setting) -> Finding:
    """Averages over one weight, of posterior and soft threshold, against adaptive quadrature."""
    from scipy.integrate import quad

    model = tsphys.SparseRegression(density=0.3, noise=0.1, alpha=1.0, density_factor=2.0)
    tau2, sigma2, prior = 0.15, 0.25, gauss_bernoulli(0.6)
    lasso = at_cut(model.alpha, model.density, model.noise, 0.9)
    theta2 = (model.noise + lasso.mse) / model.alpha
    theta = 0.9 * math.sqrt(theta2)

    def average(mean: Any, noise2: float) -> float:
        """E (f(r) − w)²."""
        out = 0.0
        for share, v in ((0.7, 0.0), (0.3, 1 / 0.3)):
            s, k = math.sqrt(v + noise2), v / (v + noise2)

            def density(r: float, s: float = s, k: float = k) -> float:
                return (mean(r) - k * r) ** 2 * math.exp(-0.5 * (r / s) ** 2) / (s * math.sqrt(2 * math.pi))

            cuts = sorted({-12 * s, -theta, 0.0, theta, 12 * s})
            out += share * (v * noise2 / s**2 + sum(quad(density, a, b, epsabs=1e-12)[0] for a, b in pairwise(cuts)))
        return out

    found = seen(model, tau2, sigma2)[0]
    off = [
        found - average(lambda r: float(prior.mean(1 / sigma2, np.array(r / sigma2))), tau2),
        lasso.mse - average(lambda r: math.copysign(max(abs(r) - theta, 0.0), r), theta2),
    ]
    return within(off, 1e-9, "averages over one weight")


def drawn(model: Any, N: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Teacher, inputs and outputs of an instance."""
    rng, k, n = np.random.default_rng(seed), round(model.density * N), round(model.alpha * N)
    teacher = np.append(rng.standard_normal(k), np.zeros(N - k))
    teacher *= math.sqrt(N / (teacher @ teacher))
    X = rng.standard_normal((n, N)) / math.sqrt(N)
    return teacher, X, X @ teacher + math.sqrt(model.noise) * rng.standard_normal(n)


def by_hand(setting: Setting) -> Finding:
    """Single instances: the lasso by coordinates, and message passing with the posterior of a weight written out."""
    N, off = 100, []
    model = tsphys.SparseRegression(alpha=1.5, noise=0.1, density=0.3, estimator="lasso", regularization=0.2)
    teacher, X, y = drawn(model, N, setting.seed)
    w, square = np.zeros(N), np.sum(X * X, axis=0)
    for i in [*range(N)] * 400:
        pull = X[:, i] @ (y - X @ w) + square[i] * w[i]
        w[i] = np.sign(pull) * max(abs(pull) - 0.2, 0.0) / square[i]
    found = run_on(model, Options(N=N), np.random.default_rng(setting.seed))
    told = {"mse": np.mean((w - teacher) ** 2), "active": np.mean(w != 0), "found": np.mean(w[: round(0.3 * N)] != 0)}
    off += [found[name] - value for name, value in told.items()]
    for rho, factor, estimator in ((0.5, 2.0, "bayes"), (0.15, 1.0, "adaptive")):
        here = replace(model, density_factor=rho / 0.3, noise_factor=factor, estimator=estimator)
        w, z, V = np.zeros(N), y, 1.0
        for _ in range(600):
            s2 = (z @ z / len(y) if estimator == "adaptive" else 0.1 * factor + V) / 1.5
            r = w + X.T @ z / 1.5
            odds = (1 - rho) / rho * math.sqrt(1 + 1 / (rho * s2)) * np.exp(-0.5 * r * r / (s2 * (1 + rho * s2)))
            there, gain = 1 / (1 + odds), 1 / (1 + rho * s2)
            mean, more = there * gain * r, there * (gain * s2 + (gain * r) ** 2)
            w, V = 0.7 * mean + 0.3 * w, 0.7 * float(np.mean(more - mean**2)) + 0.3 * V
            z = y - X @ w + z * V / (1.5 * s2)
        found = run_on(here, Options(N=N, most=600), np.random.default_rng(setting.seed))
        off += [found["mse"] - np.mean((w - teacher) ** 2), found["V"] - V]
    # Both stop at steps of 1e-6 or less, which leaves a hundred of them.
    return within(off, 1e-4, "instances by hand")


def restless(setting: Setting) -> Finding:
    """The growth E f'²/α of perturbations with the slope of f by differences."""
    model = tsphys.SparseRegression(density=0.3, noise=0.1, alpha=1.0, density_factor=2.0, noise_factor=0.5)
    E, V = posterior(model, 1.0)
    s2, prior = 0.05 + V, gauss_bernoulli(0.6)
    r, h = np.linspace(-20, 20, 40_001), 1e-4
    slope = (prior.mean(1 / s2, (r + h) / s2) - prior.mean(1 / s2, (r - h) / s2)) / (2 * h)
    spreads = ((0.7, 0.1 + E), (0.3, 0.1 + E + 1 / 0.3))
    law = sum(p * np.exp(-0.5 * r * r / v) / math.sqrt(2 * math.pi * v) for p, v in spreads)
    return within([stability(model) - 1e-3 * float(law @ slope**2)], 1e-6, "growth of perturbations")


def checks(quick: bool) -> list[Check]:
    """What is checked of sparse regression: wrong densities and noises, measured noise, lasso; and closed forms."""
    model = tsphys.SparseRegression(alpha=1.0, noise=0.1, density=0.3)
    best = replace(model, estimator="lasso", regularization=best_lasso(model).regularization)
    factors, noises = {"density_factor": [1 / 3, 1.0, 3.0]}, {"noise_factor": [0.5, 4.0]}
    return [
        Check("simulation", "densities assumed", learned(model, factors, 24)),
        Check("simulation", "noises assumed", learned(model, noises, 24)),
        Check("simulation", "noise measured", learned(replace(model, estimator="adaptive"), factors, 24)),
        Check("simulation", "lasso", learned(best, {"regularization": [0.1, best.regularization]}, 20)),
        Check("identity", "assumptions that are right", matched),
        Check("identity", "ridge regression", ridge),
        Check("integral", "averages over one weight", averages),
        Check("identity", "growth of perturbations", restless),
        Check("step", "instances by hand", by_hand),
    ]
