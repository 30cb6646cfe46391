"""Few synthetic points in the place of a training set: they end where it does, or have its moments.

Lines are averages over the spectrum of the real inputs and closed forms, points means of 16 runs, at N = 200 (a, b) and
100 (c), bars standard errors. (a) How far students of the points end from that of the real set: white inputs cannot be
compressed, but the shorter the training the fewer points it takes. (b) Their test error, which keeps the start where
nothing is learned; dotted: the real set; dashed: a random subset. (c) Two classes, n = 300 examples each: points with
their means; or, without a line, with principal components too, which help once they reach the small half of variances.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

TIMES, ALPHA, SPREAD = (0.3, 1.0, 10.0), 2.0, 0.5
CLASSES = tsphys.DatasetDistillation(task="classes", alpha=3.0)
WAYS = {
    "real subset, means": replace(CLASSES, way="subset"),
    "means": CLASSES,
    "real subset, covariance": replace(CLASSES, way="subset", covariance=True),
    "means and components": replace(CLASSES, covariance=True),
}


def panels_regression(axes: Any, sheet: Sheet, run: dict[str, Any], N: int) -> dict[str, Any]:
    """Mismatch and test error over the number of points, at several times."""
    runs: dict[str, Any] = {}
    lines, points = np.linspace(0.01, 1, 100), np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    for i, T in enumerate(TIMES):
        model = tsphys.DatasetDistillation(alpha=ALPHA, time=T, spread=SPREAD)
        theory = tsphys.solve(model, points=lines)
        sim = tsphys.simulate(model, points=points, N=N, **run, progress=sheet.share(i, 1, 7))
        subset = tsphys.solve(replace(model, way="subset"), points=np.linspace(0.01, ALPHA, 100))
        for ax, name in zip(axes, ("mismatch", "eps_g"), strict=True):
            theory_line(ax, theory, name, color=COLOURS[i], label=f"$T={T:g}$")
            simulation_points(ax, sim, name, color=COLOURS[i], fmt=MARKERS[i])
        axes[1].plot(subset["points"], subset["eps_g"], color=COLOURS[i], ls="--", lw=0.9)
        axes[1].plot([0, ALPHA], [theory["eps_real"][0]] * 2, color=COLOURS[i], ls=":", lw=0.9)
        runs |= {f"theory_{T:g}": theory, f"simulation_{T:g}": sim, f"subset_{T:g}": subset}
    axes[0].set(
        xlabel=r"points $\mu=m/N$", ylabel=r"mismatch $|w-\tilde w|^2/N$", title=rf"regression, $\alpha={ALPHA:g}$"
    )
    axes[1].set(xlabel=r"points $\mu=m/N$", ylabel=r"$\epsilon_g$", xlim=(0, 1.5), ylim=(0, 0.9),
                title="dashed: random subset")  # fmt: skip
    axes[0].legend()
    return runs


def panel_classes(ax: Any, sheet: Sheet, run: dict[str, Any], few: bool) -> dict[str, Any]:
    """Error of classifiers over the number of points a class."""
    runs: dict[str, Any] = {}
    points = np.array([1, 5, 20, 50, 100]) / 100 if few else np.array([1, 2, 5, 10, 20, 30, 40, 50, 70, 100]) / 100
    for i, (words, model) in enumerate(WAYS.items()):
        sim = tsphys.simulate(model, points=points, N=100, **run, progress=sheet.share(3 + i, 1, 7))
        if not model.covariance:
            lines = np.geomspace(0.01, 1, 60)
            runs[f"classes_{i}_theory"] = theory = tsphys.solve(model, points=lines)
            ax.plot(100 * lines, theory["eps_g"], color=COLOURS[i])
        else:
            ax.plot(100 * points, sim.mean("eps_g"), color=COLOURS[i], ls=":", lw=0.9)
        bars = {"mfc": "white", "mew": 0.9, "elinewidth": 0.9, "capsize": 1.5, "ls": ""}
        ax.errorbar(
            100 * points, sim.mean("eps_g"), sim.sem("eps_g"), color=COLOURS[i], marker=MARKERS[i], label=words, **bars
        )
        runs[f"classes_{i}"] = sim
    ax.set(xscale="log", yscale="log", ylim=(0.008, 0.6), xlabel="points $m$ of each class",
           ylabel="wrong classes", title="two classes, $n=300$, $N=100$")  # fmt: skip
    ax.legend(fontsize=6.5, loc="lower left", handlelength=1.2)
    return runs


@drawn(N=(100, 200), replicas=(8, 16))
def draw(sheet: Sheet, N: int, replicas: int) -> dict[str, Any]:
    first, second, third = sheet.subplots(1, 3, figsize=(PAGE, 2.6))
    run = {"replicas": replicas, **sheet.options}
    found = panels_regression((first, second), sheet, run, N)
    return found | panel_classes(third, sheet, run, sheet.quick)
