"""The same examples again, or fresh ones: what each way of sampling them costs.

A linear student learns from zero by single examples, η = 0.5, σ = 0.5, of α = 2 examples a weight, t = steps/N, so that
all have been seen at t = 2. Lines are theory, those of reused examples on sample paths with bands of their errors;
points means of 24 runs at N = 800, bars standard errors. (a) On fresh inputs: until t = 2 shuffled examples are fresh
ones. (b) On the examples themselves: noise on weights is driven by what is left of that; of a tenth of them nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

START = tsphys.OrderParameters(R=[[0.0]], Q=[[0.0]], T=[[1.0]])
RULE: dict[str, Any] = {"K": 1, "M": 1, "activation": "linear", "lr": 0.5, "noise": 0.5}
WAYS: dict[str, dict[str, Any]] = {
    "fresh": {},
    "in epochs, shuffled": {"alpha": 2.0, "order": "shuffle"},
    "a new tenth each epoch": {"alpha": 2.0, "order": "shuffle", "epoch": 0.1},
    "with replacement": {"alpha": 2.0},
    "the same tenth": {"alpha": 0.2},
}


@drawn({"ways": list(WAYS)}, last=(1, 8), N=(100, 800), replicas=(4, 24), paths=(2**11, 2**13))
def draw(sheet: Sheet, last: int, N: int, replicas: int, paths: int) -> dict[str, Any]:
    axes = sheet.subplots(1, 2, figsize=(PAGE, 2.9))
    fine = np.array(
        [0, 0.5, *range(1, last + 1)] if sheet.quick else [0, 0.2, 0.4, 0.7, 1, 1.4, *np.arange(2, last + 0.1, 0.5)]
    )
    few = np.array([0.5, 1, 2, 3, 4, 6, 8][: 2 if sheet.quick else 7])
    runs: dict[str, Any] = {}
    for i, (words, more) in enumerate(WAYS.items()):
        model = tsphys.TwoLayer(**RULE, **more)
        stored: dict[str, Any] = {"paths": paths, "scramblings": 2} if more else {}
        theory = tsphys.solve(model, start=START, t=fine, **stored)
        sim = tsphys.simulate(model, start=START, t=few, N=N, replicas=replicas, progress=sheet.share(i, 1, len(WAYS)),
                              engine="direct", **sheet.options)  # fmt: skip
        for ax, name in zip(axes, ("eps_g", "train_loss")):
            if name in theory:
                theory_line(ax, theory, name, color=COLOURS[i], label=words)
                simulation_points(ax, sim, name, color=COLOURS[i], fmt=MARKERS[i])
                if more:
                    y, error = theory[name], theory.sem(name)
                    ax.fill_between(fine, y - error, y + error, color=COLOURS[i], alpha=0.25, lw=0)
        runs |= {f"theory_{i}": theory, f"simulation_{i}": sim}
    words = "time $t$ = steps/$N$"
    axes[0].set(xlabel=words, ylabel=r"generalisation error $\epsilon_g$", yscale="log", ylim=(0.035, 0.6))
    axes[1].set(xlabel=words, ylabel="training loss", yscale="log", ylim=(0.01, 1))
    axes[0].set_yticks([0.05, 0.1, 0.2, 0.4], ["0.05", "0.1", "0.2", "0.4"])
    axes[1].set_yticks([0.01, 0.03, 0.1, 0.3, 1], ["0.01", "0.03", "0.1", "0.3", "1"])
    for ax in axes:
        ax.minorticks_off()
    axes[0].legend(fontsize=6.5)
    return runs
