"""Random teachers, distilled and probed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.numerics.random import generator
from tsphys.replica.random_teacher import filtered
from tsphys.sims.random_teacher import Options, course
from tsphys.validation.checks import Check, Finding, Setting, agrees, within

SMALL = tsphys.RandomTeacher(inputs=200, n=120, features=80)


def probed(model: Any, name: str, replicas: int, **where: Any) -> Any:
    """A check of students on the eigenframework."""
    return agrees(model, name, replicas, **where)


def equations(setting: Setting) -> Finding:
    """The probe's error by the equations as they are written, of filters as they are written."""
    off = []
    for model in (SMALL, replace(SMALL, t=10.0), replace(SMALL, t=None, weight_decay=0.01, n=60)):
        i = np.arange(1.0, model.inputs + 1)
        rate = i**-model.decay
        young = 1.0 if model.t is None else 1 - np.exp(-rate * model.t)
        kernel = rate * (young * rate / (rate + model.weight_decay)) ** 2
        power = i**-model.target_decay / np.sum(i**-model.target_decay)
        found = written(kernel, power, model.n, model.features, model.ridge, model.noise**2)
        off.append(2 * tsphys.solve(model, n=[model.n])["eps_g"][0] - found)
    return within(off, 1e-9, "probe")


def shares(setting: Setting) -> Finding:
    """Of the flow of a student in parts of its teacher and its start: variances of weights, and of what is missing."""
    off = []
    for model in (replace(SMALL, scale=0.7, overlap=0.4, t=2.0), replace(SMALL, weight_decay=0.3, scale=1.5, t=0.7)):
        a, b = course(model, [model], Options())[model.t]
        along, across = model.scale * model.overlap, (model.scale * b) ** 2 * (1 - model.overlap**2)
        told = filtered(model, model.spectrum()[0])
        off += [told[0] - (a + b * along) ** 2 - across, told[1] - (a + b * along - 1) ** 2 - across]
    # A hundred times the tolerance of a step.
    return within(np.concatenate(off), 1e-6, "shares of teacher and start")


def by_hand(setting: Setting) -> Finding:
    """A student of its own weights by a matrix of its flow, and its probe by the Gram matrix of its features."""
    off, n, p, d = [], 30, 25, 40
    for seed in (setting.seed, setting.seed + 1):
        model = tsphys.RandomTeacher(
            inputs=d, n=n, features=p, t=1.5, scale=0.7, overlap=0.4, weight_decay=0.1, ridge=0.01, noise=0.5
        )  # fmt: skip
        teacher, other, g, noise = (
            generator(seed, 0, name).standard_normal(shape)
            for name, shape in (("teacher", (p, d)), ("start", (p, d)), ("inputs", (n, d)), ("noise", n))
        )
        i = np.arange(1.0, d + 1)
        rate, target = i**-1.2, i**-0.8 / np.linalg.norm(i**-0.8)
        start, end = 0.7 * (0.4 * teacher + np.sqrt(1 - 0.16) * other), teacher * rate / (rate + 0.1)
        W = end + (start - end) * np.exp(-(rate + 0.1) * 1.5)
        y = g @ target + 0.5 * noise
        # k(x, x') = Wx·Wx'/p, x_i = √λ_i g_i.
        h = (g * np.sqrt(rate)) @ W.T
        K = h @ h.T / p
        dual = np.linalg.solve(K + 0.01 * np.eye(n), y)
        f = np.sqrt(rate) * (W.T @ (h.T @ dual)) / p
        found = tsphys.simulate(model, n=[n], replicas=1, seed=seed)
        told = {"eps_g": 0.5 * np.sum((f - target) ** 2), "train_loss": 0.5 * np.mean((K @ dual - y) ** 2),
                "distance": np.sum((W - teacher) ** 2 * rate) / np.sum(teacher**2 * rate)}  # fmt: skip
        off += [found[name][0, 0] - value for name, value in told.items()]
    # The tolerance of the flow, a hundred times.
    return within(off, 1e-6, "instances by hand")


def written(kernel: np.ndarray, power: np.ndarray, n: float, p: float, ridge: float, noise: float) -> float:
    """⟨(f̂ − f)²⟩ of p features: n = Σ Λ/(Λ + g) + δ/κ, p = Σ Λ/(Λ + g) + pκ/g, by bisection."""
    from scipy.optimize import brentq

    def kept(log: float) -> np.ndarray:
        return kernel / (kernel + np.exp(log))

    def gap(log: float) -> float:
        z = kept(log).sum()
        return float((z - n) * np.exp(log) * (p - z) / p + ridge)

    few = brentq(lambda log: kept(log).sum() - 0.999999 * min(n, p), -60, 20, xtol=1e-15)
    log = brentq(gap, few, 20, xtol=1e-15)
    u, g = kept(log), np.exp(log)
    z, q, kappa = u.sum(), np.sum(u**2), g * (p - u.sum()) / p
    bias = np.sum((g / (kernel + g) - kappa * kernel / (kernel + g) ** 2 * p / (p - q)) * power)
    return float((bias + noise) / (1 - (q * (p - 2 * z) + z**2) / (n * (p - q))) - noise)


def ends(setting: Setting) -> Finding:
    """White inputs are scaled and no more; long times are the teacher; a start at the teacher stays there."""
    white = tsphys.RandomTeacher(decay=0.0, inputs=100, n=80, features=60)
    early, late = (tsphys.solve(white, t=t) for t in ([0.3, 2.0], [30.0]))
    scaled = [
        tsphys.solve(replace(white, t=None, ridge=white.ridge / (-np.expm1(-t)) ** 2), n=[80])["eps_g"][0]
        for t in (0.3, 2.0)
    ]
    teacher = tsphys.solve(replace(SMALL, t=None), n=[120])
    close = tsphys.solve(replace(SMALL, scale=1.0, overlap=1.0), t=[0, 1.0, 50.0])
    off = [early["eps_g"] - scaled, late["eps_g"] - tsphys.solve(replace(white, t=None), n=[80])["eps_g"],
           close["eps_g"] - teacher["eps_g"], close["distance"]]  # fmt: skip
    return within(np.concatenate(off), 1e-9, "probe")


def checks(quick: bool) -> list[Check]:
    """What is checked of random teachers: times, starts, decay, examples, and ends."""
    off = replace(SMALL, scale=0.5, overlap=0.4)
    end = replace(SMALL, t=None, weight_decay=0.03)
    return [
        Check("simulation", "over times", probed(SMALL, "eps_g", 48, t=[0.5, 3.0, 20.0])),
        Check("simulation", "training loss over examples", probed(SMALL, "train_loss", 48, n=[60, 240])),
        Check("simulation", "a start near the teacher", probed(off, "distance", 16, t=[0.0, 1.0, 8.0])),
        Check("simulation", "a start near the teacher, probed", probed(off, "eps_g", 48, t=[0.0, 1.0, 8.0])),
        Check("simulation", "weight decay", probed(end, "eps_g", 48, features=[40, 160])),
        Check("identity", "equations as they are written", equations),
        Check("identity", "ends", ends),
        Check("identity", "the course of a student", shares),
        Check("step", "instances by hand", by_hand),
    ]
