"""One layer on a fixed training set."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.physics.inference.fresh import on_fresh
from tsphys.validation.checks import Check, Finding, Setting, agrees, on_average, within

#: How far a flow, whose steps of half of 0.1 are extrapolated, is from its limit, and averages of samples from theirs.
FLOW = 2e-4


def learned(model: Any, t: Any, replicas: int, N: int = 500) -> Any:
    """A check of descent on drawn examples on sample paths."""
    return agrees(model, "eps_g", replicas, sim={"N": N}, t=t)


def exact(model: Any, t: Any, nodes: int = 4000) -> dict[str, np.ndarray]:
    """Least squares from w = 0, whose modes go by themselves: averages over Marchenko and Pastur's spectrum."""
    alpha, lam, t = model.alpha, model.regularization, np.asarray(t, dtype=float)[:, None]
    low, high = (1 - alpha**-0.5) ** 2, (1 + alpha**-0.5) ** 2
    theta = (np.arange(nodes) + 0.5) * np.pi / nodes
    h = 0.5 * (low + high) - 0.5 * (high - low) * np.cos(theta)
    weight = np.sin(theta) ** 2 / h
    weight *= min(1.0, alpha) / weight.sum()
    left = np.exp(-(h + lam) * t) if model.flow else (1 - model.lr * (h + lam)) ** t
    f = (1 - left) / (h + lam)
    linear = model.channel == "linear"
    rho, square = (1.0, 1 + model.noise**2) if linear else (np.sqrt(2 / np.pi / (1 + model.noise**2)), 1.0)
    rest = square - rho**2
    m = rho * (h * f) @ weight
    q = rho**2 * (h**2 * f**2) @ weight + rest / alpha * (h * f**2) @ weight
    loss = rho**2 * (h * (1 - h * f) ** 2) @ weight
    loss = loss + rest * ((1 - h * f) ** 2 @ weight / alpha + max(1 - 1 / alpha, 0.0))
    return {"m": m, "q": q, "train_loss": 0.5 * loss}


def anew(model: Any, t: list[int], nodes: int = 4000) -> dict[str, np.ndarray]:
    """Steps of least squares on parts that are drawn anew: squares of what the examples are missed by, mode by mode.

    Of r = Xw/√N − y in the eigenvectors of XXᵀ/n, of eigenvalues h, E r² → (1 − ηh)² E r² + (ηh)²(1/b − 1)⟨r²⟩, with
    the mean over all examples, since eigenvectors know nothing of them.
    """
    alpha, theta = model.alpha, (np.arange(nodes) + 0.5) * np.pi / nodes
    h = 1 + 1 / alpha - 2 * alpha**-0.5 * np.cos(theta)
    weight = np.sin(theta) ** 2 / h
    weight *= min(1.0, alpha) / weight.sum()
    noise, start, rows = model.noise**2, alpha * h + model.noise**2, []
    r, kept = start.copy(), np.ones_like(h)
    for step in range(t[-1] + 1):
        whole = weight @ r / alpha + max(1 - 1 / alpha, 0.0) * noise
        if step in t:
            gone = (r - 2 * kept * start + start) / (alpha * h)
            rows.append((weight @ (1 - kept), weight @ gone, 0.5 * whole))
        kept = (1 - model.lr * h) * kept
        r = (1 - model.lr * h) ** 2 * r + (model.lr * h) ** 2 * (1 / model.batch - 1) * whole
    return dict(zip(("m", "q", "train_loss"), np.array(rows).T, strict=True))


def modes(setting: Setting) -> Finding:
    """Steps and flows of least squares against their spectrum, in units of the errors that sample paths tell."""
    found = []
    for model in (
        tsphys.TrainingSet(loss="square", alpha=0.8, lr=0.3, regularization=0.05, noise=0.3),
        tsphys.TrainingSet(loss="square", channel="linear", alpha=2.0, noise=0.5, flow=True),
        tsphys.TrainingSet(loss="square", channel="linear", alpha=2.0, noise=0.5, lr=0.3, batch=0.25),
    ):
        t = [1, 5, 20]
        theory, truth = tsphys.solve(model, t=t), (exact if model.batch == 1 else anew)(model, t)
        error = FLOW if model.flow else 0.0
        found += [(theory[k] - truth[k], 4 * theory.sem(k) + error + 1e-4) for k in truth]
    off, bounds = np.concatenate(found, axis=1)
    return within(off, bounds, "least squares and its spectrum")


def ends(setting: Setting) -> Finding:
    """Where descent ends is the minimum, that replicas know."""
    model = tsphys.TrainingSet(alpha=2.0, lr=2.0, regularization=0.1, noise=0.3)
    found = tsphys.solve(model, t=[80])
    glm = tsphys.GLM(alpha=2.0, estimator="logistic", noise=model.noise**2, regularization=2.0 * model.regularization)
    least = tsphys.solve(glm)
    names = ("m", "q", "eps_g")
    off = [found[k][0] - least[k][0] for k in names]
    bounds = [4 * found.sem(k)[0] + 3e-4 * least[k][0] for k in names]
    return within(off, bounds, "the end of descent and replicas")


def first_step(setting: Setting) -> Finding:
    """One step at any size: of labels from no weights, and of least squares, by moments of X, from weights beside w*.

    The b examples of a minibatch are as good as a set of b.
    """
    N, n, eta, noise, start, decay, told, exact = 12, 24, 0.3, 0.6, 0.8, 0.8, [], []
    half = 0.5 * np.sqrt(2 / np.pi / (1 + noise**2))
    more: dict[str, Any] = {"alpha": n / N, "lr": eta, "noise": noise}
    squares: dict[str, Any] = {**more, "loss": "square", "channel": "linear", "init": start, "regularization": decay}
    for b in (n, n // 2):
        labels, linear = (tsphys.TrainingSet(**given, batch=b / n) for given in (more, squares))
        for model in (labels, linear):
            sim = tsphys.simulate(
                model, N=N, t=[1], replicas=setting.replicas(800), seed=setting.seed, threads=setting.threads
            )
            told += [sim["m"][:, 0], sim["q"][:, 0]]
        exact += [eta * half, eta**2 * (0.25 * N / b + (1 - 1 / b) * half**2)]
        kept, q = 1 - eta * decay, start**2
        push = (1 + (N + 1) / b) * (1 + q) + noise**2 * N / b
        exact += [eta, kept**2 * q - 2 * kept * eta * q + eta**2 * push]
    return on_average(told, exact, "overlaps after a step")


def wrong(setting: Setting) -> Finding:
    """Errors on fresh examples by their definition: shares and mean squares over nodes of both fields."""
    from scipy.special import ndtr

    x, w = np.polynomial.hermite_e.hermegauss(60)
    w = w / w.sum()
    m, q, noise, r, off = 0.5, 0.9, 0.7, 1.3, []
    rest = np.sqrt(q - m * m)
    nu = np.linspace(-9, 9, 20_001)
    law = np.exp(-0.5 * nu**2)
    law /= law.sum()
    for name, blur in (("eps_g", 0.0), ("test_error", noise)):
        y = np.sign(nu) if blur == 0 else 2 * ndtr(nu / blur) - 1
        found = on_fresh(tsphys.TrainingSet(noise=noise), np.array([m]), np.array([q]))[name][0]
        off.append(found - law @ (0.5 - 0.5 * y * (2 * ndtr(m * nu / rest) - 1)))
    model = tsphys.TrainingSet(loss="square", channel="linear", noise=noise)
    square = 0.5 * np.sum(w[:, None] * w * (m * x[:, None] + rest * x - x[:, None]) ** 2)
    off.append(on_fresh(model, np.array([m]), np.array([q]))["eps_g"][0] - square)
    two = tsphys.TrainingSet(channel="mixture", separation=r)
    off.append(on_fresh(two, np.array([m]), np.array([q]))["eps_g"][0] - law @ ndtr(-m * (nu + r) / rest))
    # The sum's steps of 1e-3 at a kink, squared.
    return within(off, 1e-6, "errors on fresh examples")


def checks(quick: bool) -> list[Check]:
    """What is checked of training sets: all losses, all at once and in parts, and what is known by other ways."""
    t, make = [1, 3, 8, 20], tsphys.TrainingSet
    parts: dict[str, Any] = {"loss": "square", "channel": "linear", "noise": 0.5, "lr": 0.3, "alpha": 2.0}
    return [
        Check("simulation", "logistic, momentum", learned(make(noise=0.3, momentum=0.6), t, 24)),
        Check(
            "simulation", "hinge", learned(make(loss="hinge", alpha=1.5, lr=0.3, regularization=0.1, init=1.0), t, 24)
        ),
        Check("simulation", "perceptron", learned(make(loss="perceptron", alpha=3.0, lr=0.5, init=1.0), [1, 3, 8], 24)),
        Check("simulation", "batch = 1/4", learned(make(**parts, batch=0.25), t, 24)),
        Check("simulation", "mixture", learned(make(channel="mixture", separation=0.8, alpha=1.5), t, 24)),
        Check("simulation", "epochs of 4", learned(make(**parts, batch=0.25, order="shuffle"), t, 24)),
        Check("step", "the first step", first_step),
        Check("integral", "least squares and its spectrum", modes),
        Check("integral", "the end of descent and replicas", ends),
        Check("integral", "errors on fresh examples", wrong),
    ]
