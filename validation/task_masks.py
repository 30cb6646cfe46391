"""A mask for each task."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.odes.task_masks import forgotten
from tsphys.validation.checks import Check, Finding, Setting, agrees, within

T = [1.0, 3.0, 4.0, 5.0, 8.0]
TASKS = tsphys.TaskMasks(
    R=[[0.3, 0.15], [0.1, -0.2]], Q=[[0.4, 0.05], [0.05, 0.3]], v=[[0.8, 0.5], [0.6, -0.4]], switch=3, noise=0.4,
)  # fmt: skip
MODELS = {
    "half of the coordinates": TASKS,
    "most of them, none alone": replace(TASKS, density=0.6, overlap=1.0, lr_v=1.0),
    "two units a teacher": tsphys.TaskMasks(K=3, M=2, density=0.6, overlap=0.4, lr=0.6, init=0.5, switch=3),
}
#: One linear unit with a head of one, the overlaps of which are known.
LINEAR = tsphys.TaskMasks(
    K=1, activation="linear", lr=0.4, lr_v=0, noise=0.5, density=0.6, similarity=0.3, R=[[0, 0]], Q=[[0]], switch=200
)


def learned(model: Any) -> Any:
    """A check of runs on the theory."""
    return agrees(model, "eps_g", 32, sim={"N": 400}, t=T)


def linear(setting: Setting) -> Finding:
    """Forgetting and the last error of one linear unit, after t = 300: e^{−120} is left."""
    rho, eta, s2 = LINEAR.density, LINEAR.lr, LINEAR.noise**2
    before, after = tsphys.solve(LINEAR, t=[200, 500])["eps_g"]
    last = 0.5 * (1 - rho + eta * rho * (1 - rho + s2) / (2 - eta * rho))
    found = [after[0] - before[0] - forgotten(LINEAR, np.array(np.inf)), after[1] - last, before[0] - last]
    return within(found, [1e-8] * 3, "one linear unit")


def rates(setting: Setting) -> Finding:
    """First rates of what both tasks see, by averages of erf's rule over draws of the fields, after Stein."""
    rng, n = np.random.default_rng([setting.seed, 3]), setting.replicas(400_000)
    model, h = replace(TASKS, lr_v=0.7), 1e-4
    f, member = model.classes()
    share = float(f @ member[:, 0])
    R, Q, T2 = share * np.array(TASKS.R), share * np.array(TASKS.Q), model.teacher_overlaps()
    C = np.block([[Q, R], [R.T, T2]])
    z = rng.standard_normal((n, 4)) @ np.linalg.cholesky(C).T
    from scipy.special import erf

    g, v = erf(z / 2**0.5), model.heads()[0]
    delta = g[:, :2] @ v - g[:, 2] - model.noise * rng.standard_normal(n)
    c = -model.lr * v * np.sqrt(2 / np.pi) * np.exp(-(z[:, :2] ** 2) / 2) * delta[:, None]
    # The mean of c·x along a class is by Stein's lemma what the fields have of it.
    slopes = np.linalg.solve(C, z.T @ c / n).T
    G, L, E = slopes[:, :2], slopes[:, 2:], c.T @ c / n
    drift = G @ Q + L @ R.T
    told = [G @ R + share * L @ T2, drift + drift.T + share * E, -model.lr_v * (g[:, :2] * delta[:, None]).mean(0)]
    seen = tsphys.solve(model, t=[h, 2 * h], rtol=1e-12, atol=1e-14)
    begun = R, Q, v
    gaps, bounds = [], []
    for name, exact, start in zip("RQv", told, begun, strict=True):
        one, two = (seen[name][i, 0] for i in (0, 1))
        slope = (4 * one - two - 3 * start) / (2 * h)
        gaps.append((slope - exact).ravel())
        # Seven standard errors of means of terms of 0.2.
        bounds.append(np.full(gaps[-1].size, 7 * 0.2 / np.sqrt(n)))
    return within(np.concatenate(gaps), np.concatenate(bounds), "first rates")


def checks(quick: bool) -> list[Check]:
    """What is checked of a mask for each task."""
    out = [Check("simulation", name, learned(model)) for name, model in MODELS.items()]
    return [*out, Check("identity", "one linear unit", linear), Check("rate", "erf", rates)]
