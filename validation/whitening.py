"""Whitening of the first layer."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.odes.whitening import profile
from tsphys.sims.whitening import covariance, examples, readouts, trained
from tsphys.validation.checks import Check, Finding, Setting, agrees, within


def seen(model: Any, t: Any, draws: int) -> Any:
    """A check of nets on averages over the spectrum, whose error of order 1/n is far below that of chance."""
    return agrees(model, "power", 16, finite_size=False, sim={"draws": draws}, t=t)


def first_step(setting: Setting) -> Finding:
    """After one step the energies are those of moments of H, ⟨H⟩ = S and ⟨H²⟩ = S² + S tr S/n, by their definitions."""
    off = []
    for P, c, rho, A in ((1, 0.0, 0.0, 0.7), (4, 0.3, 0.4, 1.0)):
        model = tsphys.Whitening(
            patches=P, pooling=c, correlation=rho, readout=A, n=50, teacher=0.2, start=0.3, noise=0.6, lr=0.1
        )
        G = np.array([[A if p == q else c * A for q in range(P)] for p in range(P)])
        S = G @ np.array([[rho ** abs(p - q) for q in range(P)] for p in range(P)])
        variances = np.arange(1, 25) ** -1.5
        one, two = np.trace(S) * variances, np.trace(S @ S) * variances**2
        two = two + one * one.sum() / 50
        foretold = 64 * 0.3**2 + 0.1**2 * ((0.2**2 + 0.3**2) * two + 0.6**2 / 50 * one) - 2 * 0.3**2 * 0.1 * one
        off.append(tsphys.solve(model, t=[1])["energy"][0] - foretold)
    # The tolerance of averages, over what is integrated.
    return within(off, 1e-8, "after one step")


def one_run(setting: Setting) -> Finding:
    """Filters of single nets in the eigenvectors of their own Hessian; to what rounding makes of 300 steps."""
    off = []
    for model in (tsphys.Whitening(teacher=0.3, F=6), tsphys.Whitening(patches=2, correlation=0.3, pooling=0.4, n=30)):
        rng = np.random.default_rng(setting.seed)
        X, A = examples(model, rng), readouts(model, rng)
        (W,) = trained(model, X, covariance(X), A, np.random.default_rng(setting.seed + 1), np.array([300]))
        again = np.random.default_rng(setting.seed + 1)
        inputs, size = X.reshape(model.n, -1), (model.F, model.d)
        y = inputs @ (A @ (model.teacher * again.standard_normal(size))).ravel()
        y = y + model.noise * again.standard_normal(model.n)
        first = model.start * again.standard_normal(size)
        root = np.kron(_root(A @ A.T), np.eye(model.d))
        values, vectors = np.linalg.eigh(root @ inputs.T @ inputs @ root / model.n)
        pull = root @ inputs.T @ (y - inputs @ (A @ first).ravel()) / model.n
        sums = sum((1 - model.lr * values) ** step for step in range(300)) * model.lr
        moved = np.linalg.solve(root, vectors @ (sums * (vectors.T @ pull))).reshape(model.patches, model.d)
        off.append(np.abs(W - first - A.T @ moved).max())
    return within(off, 1e-10, "filters of one run")


def _root(G: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(G)
    return (vectors * np.sqrt(values)) @ vectors.T


def late(setting: Setting) -> Finding:
    """Random labels whiten to σ²/(nAλ(1 − d/n)) with n > d; a teacher's energy goes to b², beside w0² of the rest."""
    random = tsphys.Whitening(n=48, start=0.0, readout=0.5)
    found = tsphys.solve(random, t=[10**6])["energy"][0]
    off = [found * random.variances() * 0.5 * 24 - 1]
    taught = tsphys.Whitening(n=100, teacher=0.5, noise=0.0, start=0.1, patches=2, exponent=1.0)
    off.append(tsphys.solve(taught, t=[10**6])["energy"][0] - (64 * 0.1**2 + 2 * (0.5**2 - 0.1**2)))
    # The same in the examples' own components, where 1 − m is 1.
    own = profile(tsphys.Whitening(n=100, start=0.0), np.array([1, 0.25, 0.04] * 8), [10**6])[0]
    off.append(own - np.array([0.01, 0.04, 0.25] * 8))
    return within(off, 1e-7, "at last")


def checks(quick: bool) -> list[Check]:
    """What is checked of the first layer: labels of either kind, patches, few examples, and both ends of time."""
    t = [1, 10, 100, 1000]
    conv = tsphys.Whitening(patches=3, correlation=0.5, pooling=0.3, n=100, F=6, start=0.2, teacher=0.2)
    return [
        Check("simulation", "random labels", seen(tsphys.Whitening(F=4, start=0.02), t, 32)),
        Check("simulation", "labels of a teacher", seen(tsphys.Whitening(F=4, teacher=0.3, readout=0.6), t, 32)),
        Check("simulation", "patches that correlate", seen(conv, t, 32)),
        Check("simulation", "fewer examples than components", seen(tsphys.Whitening(F=4, n=12), [10, 100], 32)),
        Check("identity", "one run in closed form", one_run),
        Check("identity", "one step", first_step),
        Check("identity", "late times", late),
    ]
