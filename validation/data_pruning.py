"""Data pruning."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.numerics.random import generator
from tsphys.replica.saddles.margin import maximal_margin
from tsphys.replica.saddles.selected import Selection, averages, squares
from tsphys.validation.checks import Check, Finding, Setting, agrees, within


def learned(model: Any, at: dict[str, Any], N: int, replicas: int) -> Any:
    """A check of instances on the saddle point."""
    return agrees(model, "eps_g", replicas, sim={"N": N}, **at)


def ends(setting: Setting) -> Finding:
    """All of the pool, and a probe that knows nothing, are random examples."""
    model, off = tsphys.DataPruning, []
    for student, keeps in (("ridge", ("hard", "easy", "random")), ("logistic", ("hard",))):
        # Random examples know no probe, and with γ = 1 all are on one line.
        plain = tsphys.solve(model(student=student, keep="random"))
        for keep in keeps:
            for given in ({"fraction": 1.0, "gamma": 0.7}, {"fraction": 0.3, "gamma": 0.0}):
                found = tsphys.solve(model(student=student, keep=keep, **given))
                off += [found[name][0] - plain[name][0] for name in ("eps_g", "train_loss")]
    # Saddle points to 1e-9, an angle of their unknowns.
    return within(off, 1e-7, "ends")


def written_out(setting: Setting) -> Finding:
    """Squares by their closed form solve the equations of any loss, and the margin is Gordon's."""
    off = []
    for kind, gamma in (("hard", 0.7), ("easy", 0.9), ("all", 1.0)):
        selection, alpha, lam = Selection(kind, 0.4, gamma), 1.7, 0.3
        at = squares(selection, alpha, lam)
        bend, square, u, e, trained = averages("square", selection, at.V, np.array(at.m), at.r)
        off += [lam * at.m[0] - alpha * u, lam * at.m[1] - alpha * e, at.r - alpha * at.V**2 * square]
        off += [1 / at.V - lam - alpha * bend / at.V, at.train_loss - trained]
    for kind in ("hard", "easy"):
        found = tsphys.solve(tsphys.DataPruning(keep=kind, student="max_margin", fraction=0.5))
        gordon = maximal_margin(2.0, kind, 0.5)
        off += [found["overlap"][0] - gordon.R, found["margin"][0] - gordon.kappa]
    # Sums over panels are right to 1e-9, and so is the saddle point.
    return within(off, 1e-7, "written out")


def by_hand(setting: Setting) -> Finding:
    """Instances: the pool sorted by its probe's fields, and ridge regression by the Gram matrix."""
    N, n, f, gamma, off = 40, 60, 0.3, 0.6, []
    for keep, lam in (("hard", 0.5), ("easy", 0.2), ("random", 1.0)):
        model = tsphys.DataPruning(
            alpha=n / N, fraction=f, gamma=gamma, keep=keep, student="ridge", regularization=lam
        )  # fmt: skip
        found = tsphys.simulate(model, N=N, replicas=1, seed=setting.seed)
        rng = generator(setting.seed, 0, "instance 0")
        u, X = rng.standard_normal(round(n / f)), rng.standard_normal((n, N))
        if keep == "random":
            X[:, 0] = u[rng.permutation(len(u))[:n]]
        else:
            at = np.argpartition(np.abs(u) * (1 if keep == "hard" else -1), n - 1)[:n]
            order = np.sort(np.abs(u))
            off.append(np.max(np.abs(np.sort(np.abs(u[at])) - (order[:n] if keep == "hard" else order[-n:]))))
            X[:, 0] = u[rng.permutation(at)]
        teacher = np.append([gamma, np.sqrt(1 - gamma**2)], np.zeros(N - 2))
        y = np.sign(X @ teacher)
        X /= np.sqrt(N)
        w = X.T @ np.linalg.solve(X @ X.T + lam * np.eye(n), y)
        overlap = w @ teacher / np.linalg.norm(w)
        told = {"q": w @ w / N, "train_loss": 0.5 * np.mean((y - X @ w) ** 2), "overlap": overlap,
                "eps_g": np.arccos(overlap) / np.pi, "overlap_probe": w[0] / np.linalg.norm(w)}  # fmt: skip
        off += [found[name][0, 0] - value for name, value in told.items()]
    return within(off, 1e-8, "instances by hand")


def checks(quick: bool) -> list[Check]:
    """What is checked of data pruning: hard and easy examples, an oracle and a worse probe, all students."""
    model = tsphys.DataPruning
    loads, probes = {"alpha": [0.7, 3.0]}, {"gamma": [0.5, 0.9]}
    margin = model(student="max_margin", keep="hard", fraction=0.5)
    return [
        Check("simulation", "ridge, hard", learned(model(student="ridge", regularization=0.1), loads, 200, 32)),
        Check("simulation", "logistic, easy", learned(model(keep="easy", regularization=0.1), probes, 100, 32)),
        Check("simulation", "hinge, hard", learned(model(student="hinge", regularization=0.3), probes, 80, 32)),
        Check("simulation", "largest margin", learned(margin, {"alpha": [1.5]}, 80, 16)),
        Check("step", "instances by hand", by_hand),
        Check("integral", "squares and margin written out", written_out),
        Check("identity", "ends", ends),
    ]
