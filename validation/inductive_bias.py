"""Inductive bias in bits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tsphys
from tsphys.replica.saddles.version_space import log_mass, volume
from tsphys.validation.checks import Check, Finding, Setting, on_theory, within


def counted(model: Any, errors: list[float], replicas: int, **more: Any) -> Any:
    """A check of runs on theory; it is exact before examples, but for features, of which single sets differ."""
    exact = model.examples == 0 and model.hypotheses != "features"

    def run(setting: Setting) -> Finding:
        many = setting.replicas(replicas)
        sim = tsphys.simulate(model, error=errors, replicas=many, seed=setting.seed, threads=setting.threads, **more)
        return on_theory(sim, tsphys.solve(model, error=errors), "bits", finite_size=not exact)

    return run


def closed(setting: Setting) -> Finding:
    """Of a perceptron before examples, P = ½ I_s((N − 1)/2, ½), s = sin²(πε); of two modes, one alike, a χ² of two."""
    from scipy.special import betainc

    off = []
    for N, error in ((3, 0.4), (12, 0.3), (50, 0.1)):
        found = tsphys.solve(tsphys.InductiveBias(inputs=N, error=error))["bits"][0]
        off.append(found + math.log2(0.5 * betainc(0.5 * (N - 1), 0.5, math.sin(math.pi * error) ** 2)))
    # Two modes of a process with λ = 1 and |v| = 1: 2·error < χ² with two degrees and the offset 1.
    from scipy.stats import ncx2

    process = tsphys.InductiveBias(hypotheses="gaussian_process", modes=2, decay=0.0, error=0.2)
    off.append(tsphys.solve(process)["bits"][0] + math.log2(ncx2.cdf(0.4, 2, 1.0)))
    # Sums of 1e-12 of what they sum, in bits.
    return within(off, 1e-9, "bits in closed form")


def mass(setting: Setting) -> Finding:
    """Without examples all of a sphere; with them the sum over all angles."""
    alpha, N, theta = 0.5, 40, 0.9
    angles, weights = np.polynomial.legendre.leggauss(80)
    at = 0.5 * theta * (angles + 1)
    logs = np.array([N * volume(alpha, float(x)) for x in at]) - 2 * np.log(np.sin(at))
    direct = math.log(float(0.5 * theta * weights @ np.exp(logs - logs.max()))) + logs.max()
    # Panels of 24 nodes over a fall by e⁴⁰ leave 1e-7.
    return within([log_mass(alpha, N, theta)[0] - direct], [1e-6], "volume by angle")


def checks(quick: bool) -> list[Check]:
    """What is checked of inductive bias: each kind of hypotheses, with examples where it has them."""
    model = tsphys.InductiveBias
    process: dict[str, Any] = {"hypotheses": "gaussian_process", "noise": math.sqrt(0.1)}
    return [
        Check("simulation", "perceptron", counted(model(inputs=25), [0.1, 0.2, 0.35], 16)),
        Check(
            "simulation", "version space", counted(model(inputs=16, examples=12), [0.08, 0.18], 16, chains=60, moves=15)
        ),
        Check("simulation", "features", counted(model(hypotheses="features"), [0.2, 0.3], 24)),
        Check("simulation", "process", counted(model(**process), [0.05, 0.2, 1.0], 24)),
        Check("simulation", "posterior", counted(model(**process, examples=40, ridge=0.05), [0.02, 0.05, 0.2], 16)),
        Check("integral", "closed forms", closed),
        Check("integral", "volume", mass),
    ]
