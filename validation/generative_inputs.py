"""Inputs of any covariance."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.models.generative_inputs import instance
from tsphys.odes import learning_rule
from tsphys.validation.checks import Check, Finding, Setting, on_theory, within

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


def checks(quick: bool) -> list[Check]:
    """What is checked of given inputs."""
    return [
        Check("simulation", "coloured Gaussian inputs", coloured),
        Check("integral", "equations, white inputs", white),
    ]
