"""The hidden manifold."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.physics.nonlinearities import attainable_information
from tsphys.validation.checks import Check, Finding, Setting, on_theory, threshold, within

T = np.array([0.0, 0.5, 1, 2, 4, 8])
MODEL = tsphys.HiddenManifold(
    f="sign", delta=0.25, T=[[1, 0.1], [0.1, 1]], A=[[0.3, 0.1], [-0.1, 0.4]], W_xi=[[0.3, 0.05], [0.05, 0.2]],
    lr=0.5, lr_v=0.3, noise=0.1,
)  # fmt: skip
FAST = tsphys.HiddenManifold(
    f="relu", delta=0.5, features="hadamard", A=[[0.3, 0.1], [-0.1, 0.4]], init=0.5, lr=0.5, minibatch=2
)


def simulated(model: tsphys.HiddenManifold, N: int, replicas: int):
    """A check of simulations of one instance on its equations of motion."""

    def run(setting: Setting) -> Finding:
        options: dict[str, Any] = {"N": N, "t": T, "seed": setting.seed}
        n = setting.replicas(replicas)
        sim = tsphys.simulate(model, replicas=n, n_test=0, threads=setting.threads, **options)
        return on_theory(sim, tsphys.solve(model, **options), "eps_g")

    return run


def equivalent(setting: Setting) -> Finding:
    """The error on fresh inputs against that of Gaussian fields, relative to it; 0.3/√N is left to finite sizes."""
    N, n = 400, setting.replicas(12)
    sim = tsphys.simulate(MODEL, N=N, t=T, replicas=n, seed=setting.seed, n_test=2000, threads=setting.threads)
    ratio = (sim["eps_test"] / sim["eps_g"]).mean(axis=1)
    error = np.hypot(ratio.std(ddof=1) / np.sqrt(n), 0.3 / np.sqrt(N))
    detail = f"error on fresh inputs is {ratio.mean():.4f} ± {error:.4f} times that of Gaussian fields"
    return Finding(float(abs(ratio.mean() - 1) / error), threshold(1), detail)


def information(setting: Setting) -> Finding:
    """What can be known of the teacher's field, closed, against averages over Marchenko and Pastur's eigenvalues.

    300 Gauss-Legendre nodes integrate an analytic function over them to 1e-12; the moments of f are sums in steps of
    h = 5e-4 between whose points sign jumps, wrong by h² at most.
    """
    u = 5e-4 * (np.arange(-24_000, 24_000) + 0.5)
    weight = np.exp(-0.5 * u * u)
    weight /= weight.sum()
    x, w = np.polynomial.legendre.leggauss(300)
    theta, w = 0.5 * np.pi * (x + 1), 0.5 * np.pi * w
    difference = []
    for name, f in (("sign", np.sign), ("tanh", np.tanh)):
        a, b, c2 = (weight @ g for g in (f(u), u * f(u), f(u) ** 2))
        for delta in (0.25, 2.0):
            rho = 1 + delta - 2 * np.sqrt(delta) * np.cos(theta)
            density = w * 2 * np.sin(theta) ** 2 / (np.pi * rho)
            average = density @ (b * b * rho / ((c2 - a * a - b * b) * delta + b * b * rho))
            difference.append(attainable_information(name, delta) - average)
    return within(difference, [1e-6] * len(difference), "300 Gauss-Legendre nodes")


def checks(quick: bool) -> list[Check]:
    """What is checked of the hidden manifold."""
    return [
        Check("simulation", "sign, Gaussian features", simulated(MODEL, 300, 12)),
        Check("simulation", "relu, Hadamard features", simulated(FAST, 512, 12)),
        Check("simulation", "Gaussian equivalence", equivalent),
        Check("integral", "attainable information", information),
    ]
