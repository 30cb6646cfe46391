"""Random features."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

import tsphys
from tsphys.physics.kernels.hermite import parts
from tsphys.physics.kernels.spectra import marchenko_pastur
from tsphys.replica.random_features import effective_ridge, optimal_ridge
from tsphys.validation import free_energies
from tsphys.validation.checks import Check, Finding, Setting, agrees, in_size, stationary, within
from tsphys.validation.glm import least_cost
from tsphys.validation.identities import at_minimum
from tsphys.validation.plain_ridge import random_features
from tsphys.validation.plain_rules import functions


def trained(model: Any, axis: dict[str, Any], N: int, replicas: int, covariates: str) -> Any:
    """A check of trained instances on the theory over an axis."""
    return agrees(model, "eps_g", replicas, sim={"N": N, "covariates": covariates}, **axis)


def sizes(setting: Setting) -> Finding:
    """The error of ridge regression on Gaussian covariates."""
    model, N = tsphys.RandomFeatures(noise=0.3, ridge=0.1), (30, 60, 120)
    samples = [
        tsphys.simulate(
            model, N=n, covariates="gaussian", replicas=setting.replicas(100), seed=setting.seed + n,
            threads=setting.threads,
        )["eps_g"][:, 0]
        for n in N
    ]  # fmt: skip
    return in_size(N, samples, float(tsphys.solve(model)["eps_g"][0]))


def errors(setting: Setting) -> Finding:
    """eps_g of both teachers from m and q."""
    widths = [0.5, 1.5, 6.0]
    line, sign = (tsphys.solve(tsphys.RandomFeatures(teacher=t, ridge=0.1), width=widths) for t in ("linear", "sign"))
    gaps = [
        line["eps_g"] - 0.5 * (1 - 2 * line["m"] + line["q"]),
        sign["eps_g"] - np.arccos(sign["m"] / np.sqrt(sign["q"])) / np.pi,
    ]
    return within(np.array(gaps), np.full((2, 3), 1e-10), "eps_g from m and q")


def saddles(setting: Setting) -> Finding:
    """Stationarity over widths of m, q, the train loss and the responses, for both teachers."""
    return max((_saddles(teacher) for teacher in ("linear", "sign")), key=lambda finding: finding.score)


def _saddles(teacher: str) -> Finding:
    model, widths = tsphys.RandomFeatures(noise=0.3, ridge=0.1, teacher=teacher), [0.5, 1.5, 6.0]
    # Signs of unit variance have the covariance c with the field.
    c, variance = (1.0, 1.09) if teacher == "linear" else ((2 / (np.pi * 1.09)) ** 0.5, 1.0)
    found = tsphys.solve(model, width=widths)
    _, slope, rest = parts(model.activation)
    out = []
    for i, width in enumerate(widths):
        here = dataclasses.replace(model, width=width)
        examples, response = here.alpha / width, here.ridge / effective_ridge(here)
        s, weight = marchenko_pastur(width)
        law = (slope**2 * s + rest, c**2 * width * slope**2 * s, weight)
        m, q, loss = (float(found[name][i]) for name in ("m", "q", "train_loss"))
        point = [examples / response - 1, q, c * m, response, 2 * examples * loss, response]

        def cost(*x: float, examples: float = examples, law: Any = law) -> float:
            return free_energies.square_loss(x, examples, model.ridge, variance, law)

        out.append(stationary(cost, [point]))
    return max(out, key=lambda finding: finding.score)


def activations(setting: Setting) -> Finding:
    """Mean, slope and rest of every activation against sums in steps of 1e-3, which leave 1e-6 of a kink or jump."""
    z = (np.arange(-12_000, 12_000) + 0.5) * 1e-3
    w = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * 1e-3
    gaps = []
    for name, (g, _) in functions().items():
        mean, slope = w @ g(z), w @ (z * g(z))
        gaps += [x - y for x, y in zip(parts(name), (mean, slope, w @ g(z) ** 2 - mean**2 - slope**2))]
    return within(np.array(gaps), np.full(len(gaps), 2e-6), "parts of activations")


def best(setting: Setting) -> Finding:
    """The ridge of the least error, of both losses."""
    out = []
    for given in ({"noise": 0.5}, {"teacher": "sign", "loss": "logistic", "alpha": 2.0}):
        model = tsphys.RandomFeatures(width=1.5, **given)
        out.append(
            at_minimum(lambda x, m=model: tsphys.solve(m, ridge=[x])["eps_g"][0], optimal_ridge(model), "best ridge")
        )
    return max(out, key=lambda finding: finding.score)


def checks(quick: bool) -> list[Check]:
    """What is checked of random features."""
    tanh = tsphys.RandomFeatures(noise=0.3, ridge=0.03)
    signs = tsphys.RandomFeatures(activation="relu", noise=0.3, teacher="sign")
    logistic = tsphys.RandomFeatures(teacher="sign", loss="logistic", alpha=2.0, width=1.5)
    widths, ridges = {"width": [0.5, 1.5, 3, 6]}, {"ridge": [1e-3, 0.1, 10]}
    return [
        Check("simulation", "Gaussian covariates", trained(tanh, widths, 100, 24, "gaussian")),
        Check("simulation", "tanh features", trained(tanh, widths, 100, 16, "features")),
        Check("simulation", "relu features, sign labels", trained(signs, ridges, 100, 16, "features")),
        Check("simulation", "logistic loss", trained(logistic, {"ridge": [0.1, 1]}, 80, 12, "gaussian")),
        Check("integral", "activations", activations),
        Check("identity", "best ridge", best),
        Check("identity", "least risk of a spectrum", least_cost),
        Check("size", "eps_g", sizes),
        Check("step", "Gaussian covariates, NumPy", random_features("linear")),
        Check("step", "sign labels, NumPy", random_features("sign")),
        Check("identity", "eps_g", errors),
        Check("saddle", "square loss", saddles),
    ]
