"""Double descent of random features, over their number and over that of the examples.

Lines are theory for N → ∞, points means of 24 instances with N = 200 inputs, bars standard errors; dashed, the best
ridge at each point. Where features and examples are equally many (dotted) single instances scatter most.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line
from tsphys.replica.random_features import optimal_ridge

NOISE, RIDGES, EXAMPLES, WIDTH = 0.3, (1e-4, 1e-2, 1.0), 3.0, 3.0
#: Points in units of where features and examples are equally many; they crowd there.
POINTS = np.array([0.15, 0.3, 0.5, 0.7, 0.85, 1.0, 1.15, 1.4, 2.0, 3.3])
#: Features per input of the classifiers; they crowd where the examples cease to be separable.
CLASSIFIERS = np.array([0.4, 0.7, 1.0, 1.4, 2.1, 3.0, 4.2, 8.0])


def written(ridge: float) -> str:
    """A power of ten, as it is written."""
    return f"10^{{{np.log10(ridge):.0f}}}" if ridge != 1 else "1"


def best(model: tsphys.RandomFeatures, axis: str, values: np.ndarray) -> np.ndarray:
    """eps_g with the optimal ridge of each point."""
    out = []
    for value in values.tolist():
        ridge = optimal_ridge(dataclasses.replace(model, **{axis: value}))
        point: dict[str, Any] = {axis: [value], "ridge": ridge}
        out.append(tsphys.solve(model, **point)["eps_g"][0])
    return np.array(out)


@drawn({"noise": NOISE, "alpha": EXAMPLES, "width": WIDTH}, N=(100, 200), replicas=(8, 24))
def draw(sheet: Sheet, N: int, replicas: int) -> dict[str, Any]:
    options: dict[str, Any] = {"N": N, "replicas": replicas, **sheet.options}
    runs: dict[str, Any] = {}
    data: dict[str, np.ndarray] = {}
    jobs = 2 * len(RIDGES) + 2
    panels = (("width", EXAMPLES, "features per input $p/N$"), ("alpha", WIDTH, "examples per input $n/N$"))
    axes = sheet.subplots(1, 3, figsize=(PAGE, 2.7))
    for i, (axis, equal, words) in enumerate(panels):
        model = tsphys.RandomFeatures(noise=NOISE, width=WIDTH, alpha=EXAMPLES)
        lines = np.geomspace(POINTS[0], POINTS[-1], 121) * equal
        for j, ridge in enumerate(RIDGES):
            listen = sheet.share(i * len(RIDGES) + j, 1, jobs)
            line: dict[str, Any] = {axis: lines, "ridge": ridge}
            theory = tsphys.solve(model, **line)
            sim = tsphys.simulate(model, ridge=ridge, progress=listen, **{**options, axis: equal * POINTS})
            theory_line(axes[i], theory, "eps_g", color=COLOURS[j], label=f"$\\lambda={written(ridge)}$")
            simulation_points(axes[i], sim, "eps_g", color=COLOURS[j], fmt=MARKERS[j])
            runs |= {f"theory_{axis}_{ridge:g}": theory, f"simulation_{axis}_{ridge:g}": sim}
        optimal = best(model, axis, lines[::4])
        axes[i].plot(lines[::4], optimal, color="black", ls="--", lw=1, label=r"best $\lambda$")
        axes[i].set(xlabel=words, yscale="log", ylim=(0.018, 0.9))
        data |= {f"best_{axis}": optimal, f"best_{axis}_at": lines[::4]}
    for j, loss in enumerate(("square", "logistic")):
        model = tsphys.RandomFeatures(noise=NOISE, alpha=EXAMPLES, ridge=RIDGES[0], teacher="sign", loss=loss)
        listen = sheet.share(2 * len(RIDGES) + j, 1, jobs)
        theory = tsphys.solve(model, width=np.geomspace(0.35, 9, 61))
        sim = tsphys.simulate(model, width=CLASSIFIERS, progress=listen, **options)
        theory_line(axes[2], theory, "eps_g", color=COLOURS[4 + 2 * j], label=loss)
        simulation_points(axes[2], sim, "eps_g", color=COLOURS[4 + 2 * j], fmt=MARKERS[4 + j])
        runs |= {f"theory_{loss}": theory, f"simulation_{loss}": sim}
    axes[2].set(xlabel=panels[0][2], ylim=(0.14, 0.45))
    axes[0].set(ylabel=r"generalisation error $\epsilon_g$", title=f"$n/N={EXAMPLES:g}$, tanh, $\\sigma={NOISE}$")
    axes[1].set(title=f"$p/N={WIDTH:g}$, $N={N}$, {replicas} runs")
    axes[2].set(ylabel="probability of a wrong sign", title=f"labels $\\pm1$, $\\lambda={written(RIDGES[0])}$")
    axes[0].legend(loc="lower left")
    axes[2].legend(loc="upper left", ncols=2)
    for ax, equal in zip(axes, (EXAMPLES, WIDTH, EXAMPLES), strict=True):
        ax.set(xscale="log")
        ax.axvline(equal, color="black", lw=0.7, ls=":", zorder=0)
        ax.annotate("$p=n$", (equal, 0.02), xycoords=("data", "axes fraction"), xytext=(2, 0),
                    textcoords="offset points", fontsize=7.5)  # fmt: skip
    return {**runs, **data}
