"""Inputs of any covariance."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.models.generative_inputs import instance
from tsphys.odes import learning_rule
from tsphys.validation.checks import Check, Finding, Setting, on_theory, within
from tsphys.validation.one_step import at_start
from tsphys.validation.plain_rules import Plain, regression
from tsphys.validation.plain_rules import coloured as rates_of

T = np.array([0.0, 1, 3, 8])
TASK: dict[str, Any] = {
    "T": [[1, 0.1], [0.1, 1]],
    "v_star": [1, 0.8],
    "v": [0.9, 0.7],
    "init": 0.5,
    "lr": 0.5,
    "noise": 0.1,
}


def coloured(setting: Setting) -> Finding:
    """Gaussian inputs with a spectrum that falls like a power, on the equations in its modes."""
    model = tsphys.GenerativeInputs(covariance=np.diag(2.0 / np.arange(1, 101) ** 0.7), inputs="gaussian", **TASK)
    sim = tsphys.simulate(model, t=T, replicas=setting.replicas(10), seed=setting.seed, threads=setting.threads)
    return on_theory(sim, tsphys.solve(model, t=T, seed=setting.seed), "eps_g")


def white(setting: Setting) -> Finding:
    """Inputs without correlations against averages of the two-layer rule by quadrature.

    Bounds: four times the quadrature's estimate of its error, and 1e-7 of the largest value for both integrations.
    """
    N, t = 20, [0.5, 2.0]
    model = tsphys.GenerativeInputs(covariance=np.eye(N), inputs="gaussian", **TASK)
    drawn = instance(model, setting.seed, 0)
    start = tsphys.OrderParameters(R=drawn.W @ drawn.theta.T / N, Q=drawn.W @ drawn.W.T / N, T=drawn.T)
    plain = tsphys.TwoLayer(lr=0.5, noise=0.1, v=[0.9, 0.7], v_star=[1, 0.8])
    modes = tsphys.solve(model, t=t, seed=setting.seed)
    other = learning_rule.solve(plain, start=start, t=t, points=2**13)
    names = ("R", "Q", "eps_g")
    difference = [np.abs(modes[name] - other[name]).max() for name in names]
    estimate = other.meta["quadrature_error"]
    bound = [4 * estimate[name] + 1e-7 * np.abs(modes[name]).max() for name in names]
    return within(difference, bound, f"{other.meta['quadrature']['kind']} quadrature")


def rate(activation: str) -> Any:
    """A check of first rates for inputs of a full covariance, both layers."""
    return lambda setting: _rate(activation, setting.seed)


def _rate(activation: str, seed: int) -> Finding:
    N, lr, lr_v, sigma, b = 30, 0.8, 0.6, 0.7, 2
    A = np.random.default_rng(0).standard_normal((N, 2 * N)) / (2 * N) ** 0.5
    omega = A @ A.T * np.linspace(0.5, 2, N)[:, None] * np.linspace(0.5, 2, N)
    given: dict[str, Any] = {**TASK, "activation": activation, "lr": lr, "lr_v": lr_v, "noise": sigma, "minibatch": b}
    model = tsphys.GenerativeInputs(covariance=omega, inputs="gaussian", **given)
    drawn = instance(model, seed, 0)
    W, U = drawn.W, omega @ drawn.theta.T / N**0.5
    start = tsphys.OrderParameters(
        R=W @ U / N**0.5, Q=W @ omega @ W.T / N, T=drawn.T, v=TASK["v"], v_star=TASK["v_star"]
    )
    plain = Plain(regression(activation, lr, lr_v, sigma), b=b)
    return at_start(model, *rates_of(plain, start, W, U, omega), seed=seed)


def checks(quick: bool) -> list[Check]:
    """What is checked of given inputs."""
    return [
        *(Check("rate", f"coloured inputs, {name}", rate(name)) for name in ("erf", "relu", "linear")),
        Check("simulation", "coloured Gaussian inputs", coloured),
        Check("integral", "equations, white inputs", white),
    ]
