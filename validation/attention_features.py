"""Attention with frozen queries and keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.numerics.random import generator
from tsphys.physics.kernels.sphere import on_sphere
from tsphys.replica.attention_features import spectrum
from tsphys.sims.attention_features import features, kernel, target
from tsphys.validation.checks import Check, Finding, Setting, threshold, within


def learned(model: Any, axis: dict[str, Any], replicas: int) -> Any:
    """A check of instances on the eigenframework, to an eighth: harmonic functions are no Gaussian numbers."""

    def run(setting: Setting) -> Finding:
        many = setting.replicas(replicas)
        sim = tsphys.simulate(model, replicas=many, seed=setting.seed, threads=setting.threads, **axis)
        theory = tsphys.solve(model, **axis)
        names = ("eps_g", "train_loss")
        off = np.array([sim.mean(name) - theory[name] for name in names])
        bound = np.array([0.12 * theory[name] + 4 * sim.sem(name) for name in names])
        return replace(within(off, bound, "eps_g and train_loss"), curves=(sim, theory, "eps_g"))

    return run


def eigenvalues(model: Any) -> Any:
    """⟨f(X) K(X, X') f(X')⟩ = λ by drawn sequences, for the target of a model."""

    def run(setting: Setting) -> Finding:
        rng = generator(setting.seed, 0, "sequences")
        x, z = (on_sphere(rng, setting.replicas(600), model.tokens + 1, model.dimension) for _ in range(2))
        f, g = target(model, x), target(model, z)
        found = spectrum(model)
        at = np.all(found.degrees == (model.query_degree, model.token_degree), axis=1)
        expected = float(found.eigenvalues[at][0])
        # Beside the mean of pairs each of both samples fluctuates, as (f² − 1)λ.
        rows = f * (kernel(model, x, z) @ g) / len(g)
        error = np.sqrt(2 * rows.var() / len(f))
        z_score = float(abs(rows.mean() - expected) / error)
        return Finding(z_score, threshold(1), f"eigenvalue {rows.mean():.3g} ± {error:.1g}, theory {expected:.3g}")

    return run


def heads(bias: float) -> Any:
    """The mean over heads of products of their features is the kernel."""

    def run(setting: Setting) -> Finding:
        M, rng = setting.replicas(2000), generator(setting.seed, 0, "heads")
        model = tsphys.AttentionFeatures(dimension=5, tokens=3, bias=bias, query_degree=0, heads=M)
        x = on_sphere(rng, 5, 4, 5)
        parts = features(model, x, rng).reshape(5, M, -1) * np.sqrt(M)
        each = np.einsum("imc,jmc->mij", parts, parts)
        score = np.abs(each.mean(axis=0) - kernel(model, x, x)) / (each.std(axis=0) / np.sqrt(M))
        return Finding(float(score.max()), threshold(15), f"15 pairs of sequences, {M} heads")

    return run


def checks(quick: bool) -> list[Check]:
    """What is checked of frozen attention: curves, heads, the perceptron, and the spectrum by the kernel itself."""
    model = tsphys.AttentionFeatures
    return [
        Check("simulation", "curve (0, 1)", learned(model(noise=0.3), {"n": [100, 200]}, 12)),
        Check("simulation", "curve (1, 1)", learned(model(query_degree=1, bias=1, noise=0.2), {"n": [200, 300]}, 6)),
        Check("simulation", "heads", learned(model(n=100, noise=0.3), {"heads": [20, 40]}, 12)),
        Check("simulation", "perceptron", learned(model(student="mlp", noise=0.3), {"n": [240, 400]}, 12)),
        Check("integral", "λ of (0, 1)", eigenvalues(model(dimension=6, tokens=3))),
        Check("integral", "λ of (1, 1)", eigenvalues(model(dimension=6, tokens=3, query_degree=1, bias=1.0))),
        Check("step", "kernel of heads", heads(0.0)),
        Check("step", "kernel of heads with a bias", heads(0.8)),
    ]
