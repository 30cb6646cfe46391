"""Real images as a training set: a student of two handwritten digits beside theory for two Gaussian clouds.

Points are means of 64 random training sets of 120 images in their 30 largest principal components, bars standard
errors; lines are theory for two Gaussians at the distance of the two digits. Images are no Gaussians: more of them are
on the wrong side, and learning for long costs more. (a) Errors on images that are not learned. (b) Training loss.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.images import digits
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

PAIRS, COMPONENTS, ALPHA, LR = ((3, 8), (4, 9)), 30, 4.0, 0.5


def clouds(pair: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, float]:
    """Images of two digits as clouds (n, components) of covariance one, labels ±1, and how far they are from 0."""
    images, labels = digits()
    chosen = np.isin(labels, pair)
    y = np.where(labels[chosen] == pair[0], 1.0, -1.0)
    X = images[chosen].reshape(len(y), -1).astype(float)
    X = X - X.mean(axis=0)
    white = np.sqrt(len(X)) * np.linalg.svd(X, full_matrices=False)[0][:, :COMPONENTS]
    half = 0.5 * (white[y > 0].mean(axis=0) - white[y < 0].mean(axis=0))
    # Along it the whole has variance one, and each cloud what is left.
    within, along = 1 - half @ half, half / np.linalg.norm(half)
    white = white + np.outer(white @ along, along) * (within**-0.5 - 1)
    return white, y, float(np.sqrt(half @ half / within))


@drawn({"pairs": PAIRS, "alpha": ALPHA}, last=(30, 300), replicas=(12, 64), paths=(2**9, 2**12))
def draw(sheet: Sheet, last: int, replicas: int, paths: int) -> dict[str, Any]:
    fine, few = (np.unique(np.rint(np.geomspace(1, last, k))) for k in (31, 8))
    axes = sheet.subplots(1, 2, figsize=(PAGE, 2.8))
    runs: dict[str, Any] = {}
    for i, pair in enumerate(PAIRS):
        X, y, separation = clouds(pair)
        model = tsphys.TrainingSet(alpha=ALPHA, lr=LR, channel="mixture", separation=separation)
        theory = tsphys.solve(model, t=fine, paths=paths, scramblings=2)
        sim = tsphys.simulate(model, X=X, y=y, t=few, replicas=replicas, **sheet.part(i, 1, len(PAIRS)))
        for ax, name in zip(axes, ("eps_g", "train_loss"), strict=True):
            theory_line(ax, theory, name, color=COLOURS[i], label=f"{pair[0]} or {pair[1]}, $r={separation:.2g}$")
            simulation_points(ax, sim, name, color=COLOURS[i], fmt=MARKERS[i])
        name = f"{pair[0]}_{pair[1]}"
        runs |= {f"theory_{name}": theory, f"simulation_{name}": sim}
    for ax, label in zip(axes, ("error on other images", "training loss"), strict=True):
        ax.set(xscale="log", yscale="log", xlabel="steps $t$", ylabel=label)
    axes[0].legend(loc="center right", fontsize=6.5)
    return runs
