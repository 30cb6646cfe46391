"""The attack on real images: a linear reader of handwritten digits, turned around by its labels.

Points are means of 32 runs on 30 principal components of the images, bars standard errors. Full lines are the theory
for Gaussian inputs, dotted its limit η → 0 with the fourth moment of the images in place of the Gaussian one. With
single examples (P = 1) the Gaussian theory is off, and it should be: images along the teacher are far from Gaussian.
(b) Dotted: where the sign is to turn.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.images import digits
from tsphys.odes.online_attack import steady_state
from tsphys.plotting import COLOURS, MARKERS, PAGE
from tsphys.sims.online_attack import on_inputs

BATCHES, LR = (1, 10), 0.1
#: Principal components that are kept of the images, N.
COMPONENTS = 30
CLASSES = (1, 7)


def whitened(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images of two digits as white inputs (n, N) and labels ±1, of a half to learn from and a half to test on."""
    images, labels = digits()
    chosen = np.isin(labels, CLASSES)
    X, y = images[chosen].reshape(chosen.sum(), -1).astype(float), np.where(labels[chosen] == CLASSES[0], 1.0, -1.0)
    order = np.random.default_rng(seed).permutation(len(X))
    X, y = X[order], y[order]
    half = len(X) // 2
    X = X - X[:half].mean(axis=0)
    _, s, V = np.linalg.svd(X[:half], full_matrices=False)
    X = X @ V[:COMPONENTS].T * np.sqrt(half) / s[:COMPONENTS]
    return X[:half], y[:half], X[half:], y[half:]


@drawn({"minibatch": BATCHES, "lr": LR, "components": COMPONENTS}, replicas=(8, 32), points=(7, 15))
def draw(sheet: Sheet, replicas: int, points: int) -> dict[str, Any]:
    X, y, X_test, y_test = whitened(sheet.seed)
    # On white inputs the least squares reader is the mean of yx.
    teacher = y @ X
    clean = float(np.mean(np.sign(X_test @ teacher) == y_test))
    prices, fine = np.geomspace(0.2, 20, points), np.geomspace(0.2, 20, 41 if sheet.quick else 121)
    kappa = X @ teacher
    late = np.linspace(5, 10, 11) / LR
    data: dict[str, np.ndarray] = {"prices": prices, "prices_theory": fine, "clean": np.array(clean)}

    def accuracy(W: np.ndarray) -> np.ndarray:
        return np.mean(np.sign(W @ X_test.T) == y_test, axis=-1)

    left, right = sheet.subplots(1, 2, figsize=(PAGE, 2.8))
    for i, P in enumerate(BATCHES):
        colour = COLOURS[3 * i]
        gaussian = np.array([steady_state(tsphys.OnlineAttack(cost=C, minibatch=P, lr=LR))["p"] for C in fine])
        left.plot(fine, gaussian, color=colour, label=f"theory, Gaussian inputs, $P={P}$")
        # What ⟨A²⟩/(PV)² is for the images instead of 1 + 2/P.
        multiplier = 1 + (np.mean(kappa**4) / np.mean(kappa**2) ** 2 - 1) / P
        small = 1 / (1 + fine / multiplier)
        left.plot(fine, small, color=colour, ls=":", lw=1, label=rf"$\eta\to0$, $m={multiplier:.2f}$ of the images")
        turned, right_or_wrong = [], []
        for n, C in enumerate(prices):
            model = tsphys.OnlineAttack(cost=C, minibatch=P, lr=LR)
            W = on_inputs(model, X, teacher, t=late, replicas=replicas, **sheet.options)
            along = W @ teacher / np.sqrt(COMPONENTS * (teacher @ teacher))
            turned.append(0.5 * (1 - along.mean(axis=1)))
            right_or_wrong.append(accuracy(W).mean(axis=1))
            if sheet.progress is not None:
                sheet.progress((i * points + n + 1) / (len(BATCHES) * points))
        for ax, name, found in ((left, "p", turned), (right, "accuracy", right_or_wrong)):
            values = np.array(found)
            error = values.std(axis=1, ddof=1) / np.sqrt(replicas)
            ax.errorbar(prices, values.mean(axis=1), yerr=error, fmt=MARKERS[i], mfc="white", color=colour, capsize=1.5,
                        zorder=3, label=f"digits, $P={P}$")  # fmt: skip
            data[f"{name}_P{P}"] = values
        data |= {f"theory_P{P}": gaussian, f"multiplier_P{P}": np.array(multiplier)}
        right.axvline(multiplier, color=colour, ls=":", lw=1)
    right.axhline(clean, color="black", lw=0.8, ls="--", label="without attack")
    left.set(xscale="log", xlabel="price of actions $C$", ylabel="way $p$ to the target", ylim=(0, 1.05))
    right.set(xscale="log", xlabel="price of actions $C$", ylabel="accuracy on new images", ylim=(-0.03, 1.03))
    left.set_title(f"digits {CLASSES[0]} and {CLASSES[1]}, $N={COMPONENTS}$, $\\eta={LR:g}$")
    left.legend(fontsize=6, loc="upper right")
    right.legend(loc="lower right")
    return data
