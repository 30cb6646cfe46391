"""In-context regression by linear attention."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.numerics.random import generator
from tsphys.physics.kernels.spectra import marchenko_pastur
from tsphys.replica.linear_icl import bayes, endless, of_few_dimensions
from tsphys.solvers.fixed_point import crossing
from tsphys.validation.checks import Check, Finding, Setting, extrapolates, within


def many_prompts(setting: Setting) -> Finding:
    """Endless prompts and tasks at N = 8, exactly; of τN² prompts the excess is the error over τ, to a factor of 3."""
    off, bound = [], []
    for alpha, noise, ridge in ((1.0, 0.5, 0.0), (2.5, 0.2, 0.7), (0.5, 1.0, 0.2)):
        model = tsphys.LinearICL(tau=200, alpha=alpha, kappa=None, noise=noise, ridge=ridge)
        sim = tsphys.simulate(model, N=8, replicas=4, seed=setting.seed, threads=setting.threads)
        exact = endless(8, round(8 * alpha), noise, ridge)
        excess = (2 * exact + noise**2) / 400
        off += [sim.mean(name)[0] - exact - excess for name in ("eps_in", "eps_out")]
        bound += [2 * excess, 2 * excess]
    return within(off, bound, "endless prompts")


def by_hand(setting: Setting) -> Finding:
    """One run, prompt by prompt: the loss of ridge regression on queries times contexts; what Bayes leaves, by traces.

    Errors are what its weights make of prompts of each task, summed over contexts of one example by Wick's theorem.
    """
    N, K, examples, noise, ridge, off = 6, 4, 3, 0.4, 0.3, []
    model = tsphys.LinearICL(tau=2.0, alpha=examples / N, kappa=K / N, noise=noise, ridge=ridge)
    found = tsphys.simulate(model, N=N, replicas=1, seed=setting.seed)
    rng, n = generator(setting.seed, 0, "instance 0"), 2 * N * N
    tasks = rng.standard_normal((K, N))
    tasks *= np.sqrt(N / np.sum(tasks**2, axis=1))[:, None]
    own, query = tasks[rng.integers(K, size=n)], rng.standard_normal((n, N))
    y = np.sum(query * own, axis=1) / np.sqrt(N) + noise * rng.standard_normal(n)
    X = rng.standard_normal((n, examples, N))
    labels = np.sum(X * own[:, None], axis=2) / np.sqrt(N) + noise * rng.standard_normal((n, examples))
    H = np.stack([np.outer(q, x.T @ a / examples).ravel() for q, x, a in zip(query, X, labels, strict=True)])
    weights = np.linalg.solve(H.T @ H + ridge * n / N * np.eye(N * N), H.T @ y)
    off.append(found["train_loss"][0, 0] - 0.5 * np.mean((y - H @ weights) ** 2))
    gamma = weights.reshape(N, N)
    for name, seen in (("eps_in", tasks), ("eps_out", np.sqrt(N) * np.eye(N))):
        errors = []
        for w in seen:
            # Of h = Σ x(x·w/√N + σζ)/l the mean w/√N, and the covariance that of one x(x·w/√N + σζ), over l.
            cov = (np.outer(w, w) / N + (w @ w / N + noise**2) * np.eye(N)) / examples
            miss = w / np.sqrt(N) - gamma @ w / np.sqrt(N)
            errors.append(miss @ miss + np.trace(gamma @ cov @ gamma.T))
        off.append(found[name][0, 0] - 0.5 * np.mean(errors))
    contexts = rng.standard_normal((16, examples, N))
    left = [np.trace(np.linalg.inv(np.eye(N) + x.T @ x / N / noise**2)) / N for x in contexts]
    off.append(found["bayes"][0, 0] - 0.5 * np.mean(left))
    return within(off, 1e-9, "a run by hand")


def few_dimensions(setting: Setting) -> Finding:
    """What Bayes leaves at N = 24, to first order in 1/N, by traces of drawn contexts."""
    N, off, rng = 24, [], np.random.default_rng([setting.seed, 24])
    for alpha, noise in ((1.0, 0.3), (0.5, 0.4), (2.0, 0.5)):
        X = rng.standard_normal((setting.replicas(2000), round(alpha * N), N))
        values = np.linalg.eigvalsh(np.swapaxes(X, 1, 2) @ X / N)
        left = 0.5 * np.mean(noise**2 / (np.maximum(values, 0.0) + noise**2))
        off.append(bayes(alpha, noise) + of_few_dimensions(alpha, noise) / N - left)
    # The second order; standard errors are a tenth of it.
    return within(off, 1 / N**2, "Bayes of few dimensions")


def as_printed(setting: Setting) -> Finding:
    """The eigenframework, unsimplified, on nodes of the law of Marchenko and Pastur in closed form."""
    off = []
    for tau, alpha, kappa, noise, ridge in ((0.5, 1, 0.5, 0.3, 0.2), (2, 2, 4, 0.5, 0.05), (1, 0.7, 1.5, 0.1, 2.0)):
        s, weights = marchenko_pastur(1 / kappa)
        rho = noise**2
        A = s + (1 + rho) / alpha

        def mean(f: Any, weights: Any = weights) -> float:
            return float(np.sum(weights * f))

        k = crossing(lambda k: tau * (1 - ridge / k) - mean(A / (A + k)), ridge, (A.max() + tau * ridge) / tau)  # noqa: B023
        P, G = A / (A + k), s / (A + k)
        e_in = (mean(s - 2 * G * s + G**2 * A) + rho) / (1 - mean(P**2) / tau)
        e_out = mean(1 - 2 * G + G**2 * (1 + (1 + rho) / alpha)) + rho
        e_out += e_in / tau * mean(P**2 * (1 + (1 + rho) / alpha) / A)
        found = tsphys.solve(tsphys.LinearICL(tau=tau, alpha=alpha, kappa=kappa, noise=noise, ridge=ridge))
        off += [2 * found["eps_in"][0] + rho - e_in, 2 * found["eps_out"][0] + rho - e_out]
        off.append(2 * found["train_loss"][0] - (ridge / k) ** 2 * e_in)
        g = found["bayes"][0] * 2
        off.append(g * g + g * (rho + alpha - 1) - rho)
    # Averages to 1e-10 of their size.
    return within(off, 1e-8, "errors as printed")


def checks(quick: bool) -> list[Check]:
    """What is checked of attention in context: few and many prompts and tasks, endless ones, and its integrals."""
    model = tsphys.LinearICL
    return [
        Check("simulation", "fewer tasks than dimensions", extrapolates(model(ridge=0.5), "eps_in", 20, 16)),
        Check("simulation", "more tasks", extrapolates(model(kappa=3.0, alpha=2.0, ridge=1.0), "eps_in", 20, 16)),
        Check(
            "simulation", "few prompts, no ridge", extrapolates(model(tau=0.4, kappa=1.0, ridge=0.0), "eps_in", 20, 16)
        ),
        Check("size", "endless prompts of new tasks", many_prompts),
        Check("integral", "errors as printed", as_printed),
        Check("step", "a run by hand", by_hand),
        Check("size", "Bayes of few dimensions", few_dimensions),
    ]
