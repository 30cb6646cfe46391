"""Inductive bias in bits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tsphys
from tsphys.replica.inductive_bias import features_cumulants
from tsphys.replica.saddles import tails
from tsphys.replica.saddles.version_space import free, log_mass, volume
from tsphys.sims.engines.inference.arcs import Walkers
from tsphys.sims.inductive_bias import features, process
from tsphys.validation.checks import Check, Finding, Setting, agrees, normal, on_average, threshold, within


def counted(model: Any, errors: list[float], replicas: int, **more: Any) -> Any:
    """A check of runs on theory; it is exact before examples, but for features, of which single sets differ."""
    exact = model.examples == 0 and model.hypotheses != "features"
    return agrees(model, "bits", replicas, finite_size=not exact, sim=more, error=errors)


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


def saddle(setting: Setting) -> Finding:
    """The slope of what a volume is the minimum of, over x = logit of q: dq/dx = (1 − R²)eˣ/(1 + eˣ)²."""
    off, h = [], 1e-3
    for alpha, theta, x in ((0.5, 0.6, 1.0), (5.0, 0.3, -2.0), (1.0, 2.0, -3.0)):
        v = {k: free(alpha, theta, x + k * h)[0] for k in (-2, -1, 1, 2)}
        found = (8 * (v[1] - v[-1]) - v[2] + v[-2]) / (12 * h)
        off.append(found - free(alpha, theta, x)[1] / (1 + math.exp(-x)))
    # Differences of fourth order, and rounding over the step.
    return within(off, 1e-9, "slope of the volume")


def first_cumulant(setting: Setting) -> Finding:
    """Of features, Z on average is K cos²(πε)(Eφ² − (Eφ)²) − (K/N)(Eφz)², at any size, in theory and simulation."""
    model = tsphys.InductiveBias(hypotheses="features", inputs=20, features=30, error=0.2)
    x, w = np.polynomial.hermite_e.hermegauss(200)
    square, phi = math.cos(math.pi * model.error) ** 2, np.tanh(x)
    w = w / w.sum()
    mean = 30 * square * (w @ phi**2) - 1.5 * (w @ (phi * x)) ** 2
    rng = np.random.default_rng([setting.seed, 22])
    drawn = np.array([features(model, square, rng).a.sum() for _ in range(setting.replicas(1500))])
    found = on_average([drawn], [mean], "forms of features")
    twin = np.random.default_rng([setting.seed, 22])
    F, v = twin.standard_normal((30, 20)), twin.standard_normal(20)
    u = (w @ (phi * x)) * F @ v / np.linalg.norm(v) / math.sqrt(20)
    whole = square * ((w @ (phi * x)) ** 2 * np.sum(F * F) / 20 + 30 * (w @ phi**2 - (w @ (phi * x)) ** 2))
    off = [tails.slope(features_cumulants(model)[0], 0.0) + mean, drawn[0] - whole + u @ u]
    # Nodes of the spectrum and of Hermite, of which tanh needs many.
    exact = within(off, 1e-6, "mean of a form of features, and one by hand")
    return max(found, exact, key=lambda f: f.score / f.limit)


def by_kernel(setting: Setting) -> Finding:
    """A posterior by its kernel in place of its modes: the mean error, and forms of weights by moments."""
    off, i, n = [], np.arange(1.0, 31), 12
    model = tsphys.InductiveBias(hypotheses="gaussian_process", modes=30, examples=n, noise=0.4, ridge=0.09)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        form, found = process(model, rng)
        rng, lam, v = np.random.default_rng(seed), i**-1.5, i**-1.0
        v /= np.linalg.norm(v)
        X = rng.standard_normal((n, 30))
        y = X @ v + 0.4 * rng.standard_normal(n)
        gain = lam[:, None] * X.T @ np.linalg.inv(X * lam @ X.T + 0.09 * np.eye(n))
        C, bias = np.diag(lam) - gain @ X * lam, gain @ y - v
        off += [found - np.trace(C) - bias @ bias, form.a.sum() + form.c - found, form.c - bias @ bias]
        # Of a form Σag² + 2bg + c the variance is 2Σa² + 4Σb².
        off.append(2 * form.a @ form.a + 4 * form.b @ form.b - 2 * np.sum(C * C) - 4 * bias @ C @ bias)
    return within(off, 1e-9, "posteriors by their kernel")


def counted_volumes(setting: Setting) -> Finding:
    """Volumes between three half spaces of four dimensions, and within a cap there, against shares of drawn points."""
    rng = np.random.default_rng([setting.seed, 23])
    X, centre = rng.standard_normal((3, 4)), np.array([1.0, 0, 0, 0])
    X *= np.sign(X[:, :1])
    w = rng.standard_normal((4, 400_000))
    w /= np.linalg.norm(w, axis=0)
    inside = (X @ w > 0).all(axis=0)
    logs = []
    for k in range(setting.replicas(16)):
        walkers = Walkers(w[:, 400 * k : 400 * (k + 1)], centre, 20, rng)
        for x in X:
            walkers.add(x)
        known = walkers.log_volume
        walkers.narrow(0.7)
        logs.append((known, walkers.log_volume))
    told, z = np.array(logs), []
    for x, share in zip(told.T, (inside.mean(), (inside & (w[0] > 0.7)).mean()), strict=True):
        error = np.hypot(x.std(ddof=1) / math.sqrt(len(x)), math.sqrt((1 - share) / share / w.shape[1]))
        z.append(float(normal((x.mean() - math.log(share)) / error, len(x) - 1)))
    worst = max(map(abs, z))
    return Finding(worst, threshold(2), f"logarithms of volumes, {worst:.1f} errors off")


def checks(quick: bool) -> list[Check]:
    """What is checked of inductive bias: each kind of hypotheses, with examples where it has them."""
    model = tsphys.InductiveBias
    process: dict[str, Any] = {"hypotheses": "gaussian_process", "noise": math.sqrt(0.1)}
    return [
        Check("simulation", "perceptron", counted(model(inputs=25), [0.1, 0.2, 0.35], 16)),
        Check(
            "simulation", "version space", counted(model(inputs=16, examples=12), [0.08, 0.18], 8, chains=60, moves=15)
        ),
        Check("simulation", "features", counted(model(hypotheses="features"), [0.2, 0.3], 24)),
        Check("simulation", "process", counted(model(**process), [0.05, 0.2, 1.0], 24)),
        Check("simulation", "posterior", counted(model(**process, examples=40, ridge=0.05), [0.02, 0.05, 0.2], 16)),
        Check("integral", "closed forms", closed),
        Check("integral", "volume", mass),
        Check("identity", "slope of the volume", saddle),
        Check("step", "forms of features on average", first_cumulant),
        Check("identity", "posteriors by their kernel", by_kernel),
        Check("step", "volumes by drawing points", counted_volumes),
    ]
