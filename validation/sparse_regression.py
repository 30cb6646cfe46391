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
from tsphys.replica.sparse_regression import best_lasso, seen
from tsphys.validation.checks import Check, Finding, Setting, on_theory, within


def learned(model: Any, axis: dict[str, Any], replicas: int) -> Any:
    """A check of instances on state evolution."""

    def run(setting: Setting) -> Finding:
        many = setting.replicas(replicas)
        sim = tsphys.simulate(model, N=300, replicas=many, seed=setting.seed, threads=setting.threads, **axis)
        return on_theory(sim, tsphys.solve(model, **axis), "mse")

    return run


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
    ]
