"""Generalised linear models."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.validation.checks import Check, Finding, Setting, on_theory, stationary, threshold, within
from tsphys.validation.identities import identity

_Z = np.linspace(-10, 10, 8001)
_W = np.exp(-(_Z**2) / 2) / np.sqrt(2 * np.pi) * (_Z[1] - _Z[0])


def simulated(given: dict[str, Any], at: dict[str, Any], N: int, replicas: int, names: tuple[str, ...]) -> Any:
    """A check of instances against the theory over loads or iterations."""

    def run(setting: Setting) -> Finding:
        model = tsphys.GLM(**given)
        sim = tsphys.simulate(
            model, N=N, replicas=setting.replicas(replicas), seed=setting.seed, threads=setting.threads, **at
        )
        return on_theory(sim, tsphys.solve(model, **at), names[0], list(names))

    return run


def binary_perceptron(q: float, q_hat: float, alpha: float) -> float:
    """Free entropy of ±1 weights and sign labels as printed (Györgyi 1990; Seung, Sompolinsky & Tishby 1992)."""
    from scipy.special import log_ndtr

    x = np.abs(q_hat + np.sqrt(q_hat) * _Z)
    u = np.sqrt(q / (1 - q)) * _Z
    weights = -q_hat / 2 + _W @ (x + np.log1p(np.exp(-2 * x)) - np.log(2))
    return float(weights + 2 * alpha * _W @ (np.exp(log_ndtr(u)) * log_ndtr(u)) - q * q_hat / 2)


def saddles(loads: list[float]) -> Any:
    """A check that the overlap of the binary perceptron is stationary, with q̂ from q = ∫Dz tanh(q̂ + √q̂ z)."""

    def run(setting: Setting) -> Finding:
        from scipy.optimize import brentq

        found = tsphys.solve(tsphys.GLM(prior="rademacher"), alpha=loads)
        findings = []
        for alpha, q in zip(loads, found["q"].tolist()):
            q_hat = brentq(lambda a, q=q: _W @ np.tanh(a + np.sqrt(a) * _Z) - q, 1e-9, 1e3, xtol=1e-14)
            findings.append(stationary(lambda q, q_hat, alpha=alpha: binary_perceptron(q, q_hat, alpha), [(q, q_hat)]))
        return max(findings, key=lambda finding: finding.score)

    return run


def channels(setting: Setting) -> Finding:
    """g_out of every channel against sums over z of its likelihood, spaced by 1e-3 of the posterior's width.

    The sums of smooth likelihoods are exact to rounding; those with a jump, at the sign and at κ, are not among them.
    """
    from scipy.special import ndtr

    from tsphys.physics.inference.channels import channel

    noise, kappa, V = 0.2, 0.7, 0.6
    smooth = {
        "linear": lambda y, z: np.exp(-((y - z) ** 2) / (2 * noise)),
        "relu": lambda y, z: np.exp(-((y - np.maximum(z, 0)) ** 2) / (2 * noise)),
        "abs": lambda y, z: np.exp(-((y - np.abs(z)) ** 2) / (2 * noise)),
        "sign": lambda y, z: ndtr(y * z / np.sqrt(noise)),
        "threshold": lambda y, z: ndtr((z - kappa) / np.sqrt(noise)) + ndtr((-z - kappa) / np.sqrt(noise)),
        "logistic": lambda y, z: 1 / (1 + np.exp(-y * z)),
    }
    difference, bound = [], []
    for name, likelihood in smooth.items():
        made = channel(name, 0.0 if name == "logistic" else noise, kappa)
        for omega in (-2.0, -0.3, 0.5, 1.7):
            # Beginning at z = 0, so that a kink there is a node, of which the trapezoidal rule makes 1e-6.
            z = np.arange(-10_000, 10_001) * 1e-3
            p = likelihood(1.0, z) * np.exp(-((z - omega) ** 2) / (2 * V))
            difference.append(float(made.moments(1.0, omega, V)[0] - (p @ (z - omega)) / p.sum() / V))
            bound.append(1e-6 if name in ("relu", "abs") else 1e-10)
    return within(np.array(difference), np.array(bound), "g_out")


def labels(setting: Setting) -> Finding:
    """Labels of 4·10⁵ equal fields: their mean and their mean square, as each channel's law has them."""
    from scipy.special import ndtr

    from tsphys.physics.inference.channels import channel

    n, noise, z, kappa = setting.replicas(400_000), 0.3, 0.4, 0.7
    rng, up, scores = np.random.default_rng([setting.seed, 7]), float(ndtr(z / noise**0.5)), []
    out = float(ndtr((z - kappa) / noise**0.5) + ndtr((-z - kappa) / noise**0.5))
    told = {
        "linear": (z, noise), "relu": (z, noise), "abs": (z, noise), "sign": (2 * up - 1, 4 * up * (1 - up)),
        "threshold": (2 * out - 1, 4 * out * (1 - out)), "logistic": (np.tanh(z / 2), np.cosh(z / 2) ** -2),
    }  # fmt: skip
    for name, (mean, variance) in told.items():
        y = channel(name, 0.0 if name == "logistic" else noise, kappa).draw(rng, np.full(n, z))
        scores.append((y.mean() - mean) / np.sqrt(variance / n))
        if name in ("linear", "relu", "abs"):
            scores.append((y.var() / variance - 1) / np.sqrt(2 / n))
    return Finding(float(np.abs(scores).max()), threshold(len(scores)), "means and variances of labels")


def per_example(y: Any, slope: Any, alpha: float) -> float:
    """∂Φ/∂α less what an example tells: E ln Z of the sign of a field, of which the part q is known."""
    from scipy.special import log_ndtr

    u = np.sqrt(y["q"] / (1 - y["q"])) * _Z
    return float(slope["free_entropy"] - 2 * _W @ (np.exp(log_ndtr(u)) * log_ndtr(u)))


def least(y: Any, slope: Any, strength: float) -> float:
    """The least risk α·loss + ½λq changes with λ by ½q alone; α = 2."""
    return 2.0 * slope["train_loss"] + 0.5 * strength * slope["q"]


def reached(setting: Setting) -> Finding:
    """State evolution ends in the fixed point; the error of any estimate is 1 − 2m + q."""
    model = tsphys.GLM(prior="rademacher", alpha=1.0)
    end, fixed = tsphys.solve(model, t=[300])["mse"][0], tsphys.solve(model, alpha=[1.0])["mse"][0]
    risk = tsphys.solve(tsphys.GLM(estimator="logistic"), alpha=[0.5, 2.0])
    gaps = [end - fixed, *(risk["mse"] - 1 + 2 * risk["m"] - risk["q"])]
    return within(np.array(gaps), np.full(3, 1e-7), "fixed point, mse")


def checks(quick: bool) -> list[Check]:
    """What is checked of generalised linear models."""
    steps = {"t": [0, 1, 2, 4, 8]}
    binary = {"prior": "rademacher", "alpha": 1.2}
    sparse = {"prior": "gauss_bernoulli", "density": 0.3, "channel": "linear", "noise": 0.05, "alpha": 0.6}
    noisy = {"channel": "linear", "noise": 0.5, "alpha": 1.5}
    outliers = {"channel": "linear", "noise": 0.25, "outliers": 0.2, "estimator": "huber"}
    names = ("mse", "m", "q")
    return [
        Check("simulation", "outliers", simulated(outliers, {"alpha": [1.0, 4.0]}, 100, 80, ("eps_g", "train_loss"))),
        Check("simulation", "binary perceptron, step by step", simulated(binary, steps, 500, 12, ("eps_g", *names))),
        Check("simulation", "sparse regression, step by step", simulated(sparse, steps, 500, 12, names)),
        Check("simulation", "noisy regression, step by step", simulated(noisy, steps, 500, 12, names)),
        Check("simulation", "Bayes, loads", simulated({}, {"alpha": [1.0, 3.0]}, 300, 12, ("eps_g", "m", "q"))),
        Check(
            "simulation", "logistic regression",
            simulated({"estimator": "logistic"}, {"alpha": [0.5, 2.0]}, 200, 12, ("eps_g", "m", "q", "train_loss")),
        ),
        Check("identity", "∂Φ/∂α", identity(tsphys.GLM(prior="rademacher"), "alpha", [0.5, 1.0], per_example, "∂Φ/∂α")),
        Check("identity", "∂Φ/∂α, Gauss", identity(tsphys.GLM(), "alpha", [1.0, 3.0], per_example, "∂Φ/∂α")),
        Check(
            "identity", "least risk",
            identity(tsphys.GLM(estimator="logistic", alpha=2.0), "regularization", [0.1, 1.0], least, "∂risk/∂λ"),
        ),
        Check("identity", "state evolution and errors", reached),
        Check("integral", "output channels", channels),
        Check("step", "labels", labels),
        Check("saddle", "binary perceptron", saddles([0.5, 1.0, 1.3])),
    ]  # fmt: skip
