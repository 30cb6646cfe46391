"""A neuron that looks for spikes."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.odes import learning_rule
from tsphys.odes.spiked_cumulant import drift, escape_time, leading_drift
from tsphys.validation.checks import Check, Finding, Setting, agrees, within
from tsphys.validation.one_step import both, inputs, rates
from tsphys.validation.plain_rules import Plain, correlation

M = [0.1, 0.2, 0.3]
START = tsphys.OrderParameters(R=[M], Q=np.eye(1), T=np.eye(3))
NEAR = tsphys.OrderParameters(R=[[0.2, 0.5, 0.7]], Q=np.eye(1), T=np.eye(3))
T = np.linspace(0, 20, 6)


def mixed(correlated: bool, **given: Any) -> tsphys.SpikedCumulant:
    """The task with three directions."""
    return tsphys.SpikedCumulant(task="mixed", lr=0.3, beta_m=1.0, beta_u=5.0, correlated=correlated, **given)


def _simulated(correlated: bool, engine: str, N: int, replicas: int):
    return agrees(mixed(correlated), "R", replicas, observables=["R"], sim={"N": N, "engine": engine}, start=START, t=T)


def _averaged(setting: Setting) -> Finding:
    """Four standard errors of Sobol quadrature, and the tolerance of both integrations."""
    theory = tsphys.solve(mixed(True), start=START, t=[1.0, 5.0])
    other = learning_rule.solve(mixed(True), start=START, t=[1.0, 5.0], points=2**14 if setting.quick else 2**17)
    bound = 4 * other.meta["quadrature_error"]["R"] + 1e-7
    return within(np.abs(theory["R"] - other["R"]).max(), bound, "sobol quadrature")


def _latent(name: str, z: np.ndarray) -> np.ndarray:
    """A variable of unit variance as the increasing function of a normal one that makes its distribution."""
    from scipy.special import log_ndtr, ndtr

    if name == "laplace":
        return -np.sign(z) * (np.log(2) + log_ndtr(-np.abs(z))) / 2**0.5
    return {"rademacher": np.sign(z), "uniform": 12**0.5 * (ndtr(z) - 0.5), "normal": z}[name]


def _law(correlated: bool, latent: str = "rademacher") -> Any:
    """Mean, spike in the covariance and spiked cumulant along three directions, for one of two labels."""

    def law(s: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        up = noise[..., 0] > 0
        g = _latent(latent, noise[..., 1 if correlated else 2])
        spike = np.stack([s[..., 0] + 1, s[..., 1] + 5**0.5 * noise[..., 1], (3 * g + s[..., 2]) / 10**0.5], axis=-1)
        return np.where(up[..., None], spike, s), np.where(up, 1.0, -1.0)[..., None]

    return law


def _spike(beta: float, latent: str) -> Any:
    """The spiked cumulant alone."""

    def law(s: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        up = noise[..., :1] > 0
        g = _latent(latent, noise[..., 1:2])
        return np.where(up, (beta**0.5 * g + s) / (1 + beta) ** 0.5, s), np.where(up, 1.0, -1.0)

    return law


def early(setting: Setting) -> Finding:
    """The drift of small overlaps, off by their square; and when an overlap is reached."""
    gaps, bounds = [], []
    for latent in ("rademacher", "laplace"):
        model = tsphys.SpikedCumulant(latent=latent, beta=2.0, lr=0.4)
        far, near = (drift(model, np.array([m]), noise=False)[0] / leading_drift(model, m) for m in (0.02, 0.01))
        gaps.append((4 * near - far) / 3 - 1)
        bounds.append(1e-4)
    model = mixed(True)
    t = escape_time(model, M, 0.4, direction=0)
    gaps.append(tsphys.solve(model, start=START, t=[t])["R"][0, 0, 0] - 0.4)
    return within(np.array(gaps), np.array([*bounds, 1e-4]), "early drift and escape")


def checks(quick: bool) -> list[Check]:
    """What is checked of the search for spikes, on the sphere."""
    out = []
    for correlated in (True, False):
        plain = Plain(correlation("relu", 0.3), noises=3, sphere=True, law=_law(correlated))
        name = "correlated" if correlated else "independent"
        out += both(name, mixed(correlated), plain, START, steps=12)
        out.append(Check("rate", f"{name}, near the spikes", rates(mixed(correlated), plain, NEAR, 2**14)))
    for latent in ("rademacher", "uniform", "laplace", "normal"):
        for correlated in (True, False):
            plain = Plain(correlation("relu", 0.3), law=_law(correlated, latent))
            name = f"inputs, {latent}, {'correlated' if correlated else 'independent'}"
            out.append(Check("identity", name, inputs(mixed(correlated, latent=latent), plain)))
        plain = Plain(correlation("relu", 0.3), law=_spike(2.0, latent))
        model = tsphys.SpikedCumulant(latent=latent, beta=2.0)
        out.append(Check("identity", f"inputs, {latent}", inputs(model, plain)))
    for latent, activation in (("uniform", "erf"), ("laplace", "he2"), ("normal", "linear")):
        model = mixed(True, latent=latent, activation=activation)
        plain = Plain(correlation(activation, 0.3), noises=3, sphere=True, law=_law(True, latent))
        out.append(Check("rate", f"{latent}, {activation}", rates(model, plain, NEAR, 2**14)))
    return [
        *out,
        Check("simulation", "correlated, engine exact", _simulated(True, "exact", 1000, 32)),
        Check("simulation", "independent, engine exact", _simulated(False, "exact", 1000, 32)),
        Check("simulation", "correlated, engine direct", _simulated(True, "direct", 300, 16)),
        Check("integral", "equations", _averaged),
        Check("identity", "early drift and escape", early),
    ]
