"""Weight theft by queries that are noise."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.odes.weight_theft import fast
from tsphys.validation.checks import Check, Finding, Setting, agrees, within

T = [0.5, 1.0, 3.0, 8.0]
PAIR: dict[str, Any] = {
    "R": [[0.12, 0.02], [-0.05, 0.1]],
    "Q": [[0.3, 0.05], [0.05, 0.25]],
    "T": [[1, 0.2], [0.2, 1]],
    "v_star": [1, 1.2],
}
ONE: dict[str, Any] = {"K": 1, "M": 1, "queries": "raw", "R": [[0.1]], "Q": [[0.3]], "mean": 0.2, "mean_star": 0.7}
MODELS = {
    "chain": tsphys.WeightTheft(tau=0.6, noise=0.3, lr_v=0.2, **PAIR),
    "signs, linear": tsphys.WeightTheft(queries="signs", activation="linear", lr=0.3, **PAIR),
    "bernoulli, relu": tsphys.WeightTheft(queries="bernoulli", activation="relu", p=0.3, lr=0.2, **PAIR),
    "raw": tsphys.WeightTheft(p=0.4, lr=1.5, noise=0.2, **ONE),
    "raw, linear": tsphys.WeightTheft(activation="linear", p=0.8, lr=1.5, noise=0.3, **ONE),
}


def stolen(model: Any) -> Any:
    """A check of runs on the theory; those of single units are large, so that their size does not show."""
    return agrees(model, "eps_query", 32, sim={"N": 1000 if model.K == 1 else 400, "n_test": 0}, t=T)


def linear_chain(setting: Setting) -> Finding:
    """A linear thief: ε(k) = |w − w*|² in a mode of ρ obeys dε/dt = −2ηρε + η²ρ(⟨ρε⟩ + σ²).

    By a matrix exponential on 400 equal steps of k, a rule that is exact for what is periodic and smooth.
    """
    from scipy.linalg import expm

    eta, sigma, tau, t = 0.4, 0.5, -0.7, [1.0, 4.0]
    model = tsphys.WeightTheft(K=1, M=1, activation="linear", lr=eta, noise=sigma, tau=tau, R=[[0.2]], Q=[[0.5]])
    k = (np.arange(400) + 0.5) * np.pi / 400
    rho = (1 - tau**2) / (1 - 2 * tau * np.cos(k) + tau**2)
    A = np.diag(-2 * eta * rho) + eta**2 * np.outer(rho, rho) / 400
    A = np.block([[A, (eta**2 * sigma**2 * rho)[:, None]], [np.zeros((1, 401))]])
    first = np.append(np.full(400, 0.5 - 0.4 + 1), 1.0)
    told = np.array([(expm(A * time) @ first)[:-1] for time in t])
    theory = tsphys.solve(model, t=t)
    difference = [theory["eps_g"] - told.mean(axis=1) / 2, theory["eps_query"] - (told @ rho) / 800]
    return within(np.abs(difference).max(axis=1), [1e-7, 1e-7], "errors of a linear thief")


def stationary_mean(setting: Setting) -> Finding:
    """Averages over the mean of weights against steps of that mean alone at fixed overlaps, 4000 at once.

    To five standard errors of 40 lots, each of so many steps that it has forgotten the one before.
    """
    from scipy.special import erf

    model: Any = MODELS["raw"]
    R, Q, p, S = 0.4, 0.5, model.p, np.full(4000, 0.5)
    root, rng = (p * (1 - p)) ** 0.5, np.random.default_rng([setting.seed, 3])
    rows = []
    for step in range(setting.replicas(30) + 30):
        z, x, zeta = rng.standard_normal((3, 4000))
        own = root * (R * z + (Q - R * R) ** 0.5 * x)
        lam = p * S + own
        delta = erf(lam / 2**0.5) - erf((p * model.mean_star + root * z) / 2**0.5)
        c = -model.lr * (2 / np.pi) ** 0.5 * np.exp(-(lam**2) / 2) * (delta - model.noise * zeta)
        if step >= 30:
            away = S - model.mean_star
            rows.append([S, away**2, c * root * z, 2 * c * own + root**2 * c**2, 0.5 * delta**2])
        S = S + p * c
    # Each of the 4000 is independent of the others, over all of its steps.
    each = np.mean(rows, axis=0)
    error = each.std(axis=1) / 4000**0.5
    return within(each.mean(axis=1) - np.array(fast(model, R, Q)), 5 * error, "averages over the mean")


def checks(quick: bool) -> list[Check]:
    """What is checked of weight theft: each law of queries."""
    return [
        *(Check("simulation", name, stolen(model)) for name, model in MODELS.items()),
        Check("integral", "linear chain", linear_chain),
        Check("integral", "stationary mean", stationary_mean),
    ]
