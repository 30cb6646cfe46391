"""Training in a random subspace."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tsphys
from tsphys.replica.intrinsic_dimension import separation
from tsphys.sims.intrinsic_dimension import trained as run_on
from tsphys.validation.checks import Check, Finding, Setting, agrees, within


def trained(model: Any, dimension: list[int], replicas: int) -> Any:
    """A check of runs on theory, without an allowance: at finite size it is exact, but for a perceptron.

    Of that eps_g is off by 4e-3 at D = 60, as much as the error of 80 runs, and all else by a quarter of it.
    """
    return agrees(model, "train_loss", replicas, finite_size=False, dimension=dimension)


def ends(setting: Setting) -> Finding:
    """All labels of n = 2, 3 examples; all of D dimensions; all examples fitted, θ₀ = 0 and infinitely many."""
    model = tsphys.IntrinsicDimension
    few = [float(tsphys.solve(model(task="random_labels", examples=n, dimension=1, inputs=9, start=0.0))["success"][0])
           for n in (2, 3)]  # fmt: skip
    whole = tsphys.solve(model(task="perceptron", examples=1000, inputs=30, dimension=30))
    most = tsphys.solve(model(inputs=50, examples=10**7, dimension=20, start=0.0))
    off = [few[0] - 0.5, few[1] - 0.25, whole["success"][0] - 1, most["eps_g"][0] - 0.3, most["train_loss"][0] - 0.3]
    # The last two to k/n of their size.
    return within(off, [1e-12, 1e-12, 1e-12, 1e-6, 1e-6], "ends")


def separated(setting: Setting) -> Finding:
    """h(ρ) against the mean of squares of fields that are drawn, at the best of many slopes; and its slope."""
    rng, n, scores = np.random.default_rng([setting.seed, 29]), setting.replicas(200_000), []
    for rho in (0.3, 0.8):
        z, w, rest = rng.standard_normal((3, n))
        v = np.abs(w) * np.where(rho * np.abs(w) + math.sqrt(1 - rho * rho) * rest > 0, 1, -1)
        squares = min((np.maximum(z - t * v, 0) ** 2 for t in np.linspace(0, 3, 121)), key=np.mean)
        # The slope is off by 1/80 at most, by which the minimum is too large by 1e-4 at most.
        h, fourth, _ = separation(rho)
        scores.append((squares.mean() - h) / (5 * math.hypot(math.sqrt((fourth - h * h) / n), 3e-5)))
    up, down = (separation(math.sqrt(0.36 + e))[0] for e in (1e-4, -1e-4))
    # Central differences are right to 1e-8 of order one, and rounding to 1e-11.
    scores.append(((up - down) / 2e-4 - separation(0.6)[2]) / 1e-7)
    return within(scores, 1.0, "h and its slope")


def by_hand(setting: Setting) -> Finding:
    """Instances by the pseudoinverse; labels are separated where a linear programme finds a way."""
    from scipy.optimize import linprog

    off, D = [], 30
    for seed, (task, n, k) in enumerate(
        [("regression", 8, 14), ("regression", 20, 6), ("perceptron", 20, 6), ("perceptron", 20, 12),
         ("random_labels", 16, 6), ("random_labels", 16, 10)]
    ):  # fmt: skip
        model = tsphys.IntrinsicDimension(
            task=task, inputs=D, examples=n, dimension=k, start=0.7, noise=0.4 if task == "regression" else 0.0
        )
        rng, found = np.random.default_rng(seed), run_on(model, np.random.default_rng(seed))
        teacher, start = np.linalg.qr(rng.standard_normal((D, 2)))[0].T
        X = rng.standard_normal((n, D))
        if task == "random_labels":
            y = rng.choice([-1.0, 1.0], n)
        else:
            y = X @ teacher + 0.4 * rng.standard_normal(n) if task == "regression" else np.sign(X @ teacher)
        theta = 0.7 * start
        theta[:k] += np.linalg.pinv(X[:, :k]) @ (y - X @ theta)
        off += [found["train_loss"] - 0.5 * np.mean((y - X @ theta) ** 2), found["q"] - theta @ theta]
        if task != "regression":
            # y(A v + b) ≥ s with −1 ≤ v ≤ 1 in units c > 0 of the start: the largest s is positive.
            A = y[:, None] * np.column_stack([X[:, :k], 0.7 * X @ start])
            way = linprog(
                np.append(np.zeros(k + 1), -1.0), np.column_stack([-A, np.ones(n)]), np.zeros(n),
                bounds=[(-1, 1)] * k + [(1e-6, 1), (None, 1)],
            )  # fmt: skip
            off.append(found["success"] - float(way.x[-1] > 1e-9))
        if task == "regression":
            off.append(found["eps_g"] - 0.5 * np.sum((theta - teacher) ** 2))
        if task == "perceptron":
            off.append(found["eps_g"] - np.arccos(theta @ teacher / np.linalg.norm(theta)) / np.pi)
    return within(off, 1e-9, "instances by hand")


def checks(quick: bool) -> list[Check]:
    """What is checked of training in a subspace: more and fewer examples than dimensions, and each task."""
    model = tsphys.IntrinsicDimension
    labels: dict[str, Any] = {"task": "perceptron", "inputs": 60, "examples": 60}
    return [
        Check("simulation", "regression",
              trained(model(inputs=20, examples=8, noise=3.0, start=0.3), [2, 4, 14, 20], 600)),
        Check("simulation", "perceptron", trained(model(**labels), [14, 24, 34], 100)),
        Check("simulation", "random labels",
              trained(model(task="random_labels", inputs=60, examples=30), [8, 13, 19], 400)),
        Check("integral", "separability", separated),
        Check("identity", "ends", ends),
        Check("step", "instances by hand", by_hand),
    ]  # fmt: skip
