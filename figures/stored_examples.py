"""Committees that see the same examples again: overfitting, what minibatches change, and the limit of fresh examples.

Lines are theory for N → ∞ on sample paths, the dotted one that of fresh examples; points are means of 12 runs at
N = 1000, bars standard errors. (a) Generalisation error over time, K = M = 2. (b) What minibatches change.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

START = tsphys.OrderParameters(R=[[0.3, 0], [0, 0.1]], Q=[[0.3, 0.05], [0.05, 0.2]], T=np.eye(2))
LOADS = (1.0, 2.0, 4.0, 8.0)
BATCHES = (1, 2, 8)
RULE: dict[str, Any] = {"lr": 1.0, "noise": 0.3}


@drawn({"loads": LOADS, "batches": BATCHES}, last=(3, 6), N=(100, 1000), replicas=(6, 12), paths=(2**11, 2**12))
def draw(sheet: Sheet, last: int, N: int, replicas: int, paths: int) -> dict[str, Any]:
    fine, few = np.linspace(0, last, 21), np.linspace(0, last, 9)
    cases: list[tuple[int, str, dict[str, Any]]] = [(0, rf"$\alpha={a:g}$", {"alpha": a}) for a in LOADS]
    cases += [(1, f"$b={b}$", {"alpha": 2.0, "minibatch": b}) for b in BATCHES]
    axes = sheet.subplots(1, 2, figsize=(PAGE, 2.8), sharey=True)
    runs: dict[str, Any] = {}
    for i, (panel, words, more) in enumerate(cases):
        model, j = tsphys.TwoLayer(**RULE, **more), i - panel * len(LOADS)
        theory = tsphys.solve(model, start=START, t=fine, paths=paths, scramblings=2, lump=0.1)
        sim = tsphys.simulate(model, N=N, start=START, t=few, replicas=replicas, **sheet.part(i, 1, len(cases)))
        theory_line(axes[panel], theory, "eps_g", color=COLOURS[j], label=words)
        simulation_points(axes[panel], sim, "eps_g", color=COLOURS[j], fmt=MARKERS[j])
        runs |= {f"theory_{i}": theory, f"simulation_{i}": sim}
    for panel, title in zip(axes, (r"$K=M=2$, $\eta=1$, $\sigma=0.3$", r"$\alpha=2$"), strict=True):
        fresh = tsphys.solve(tsphys.TwoLayer(**RULE), start=START, t=fine)
        theory_line(panel, fresh, "eps_g", color="black", ls=":", lw=1.1, label="fresh examples, $b=1$")
        panel.set(xlabel="time $t$ = steps$/N$", title=title)
        panel.legend(loc="upper right", fontsize=6.5)
    axes[0].set(ylabel=r"generalisation error $\epsilon_g$", ylim=(0, None))
    return {**runs, "fresh": fresh}
