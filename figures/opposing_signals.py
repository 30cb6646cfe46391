"""Outliers with opposing signals: a curvature that sharpens to the edge of stability, and a catapult back from it.

(a) Lines are the exact map for infinite training sets, points means of 8 training sets of 200 000 examples, bars
standard errors, smaller than the points; dotted, the edge of stability. (b) Theory alone.
"""

from __future__ import annotations

from typing import Any

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

#: A start beside which sampled moments, which make b_o grow too, count little.
START, RATES, BETWEEN, END = 0.03, (0.15, 0.25, 0.3), 0.25, 100


@drawn(n=(20_000, 200_000), replicas=(4, 8))
def draw(sheet: Sheet, n: int, replicas: int) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    left, right = sheet.subplots(1, 2, figsize=(PAGE, 3.0))
    for j, lr in enumerate(RATES):
        model = tsphys.OpposingSignals(lr=lr, b_o=START)
        theory = tsphys.solve(model, t=range(END + 1))
        sim = tsphys.simulate(
            model, n=n, t=range(0, END + 1, 4), replicas=replicas, **sheet.options,
            progress=sheet.share(j, 1, len(RATES)),
        )  # fmt: skip
        left.axhline(2 / lr, color=COLOURS[j], lw=0.7, ls=":")
        theory_line(left, theory, "curvature", color=COLOURS[j], label=f"$\\eta={lr}$")
        simulation_points(left, sim, "curvature", color=COLOURS[j], fmt=MARKERS[j])
        runs |= {f"theory_{lr}": theory, f"simulation_{lr}": sim}
    spike = slice(15, 56)
    for name, colour, words in (("loss_up", COLOURS[1], "$x_o=A$"), ("loss_down", COLOURS[3], "$x_o=-A$")):
        theory = runs[f"theory_{BETWEEN}"]
        right.plot(theory["t"][spike], theory[name][spike], color=colour, label=words, marker=".", ms=3, lw=0.8)
    right.plot(theory["t"][spike], 10 * theory["loss"][spike], color="black", lw=0.9, label="all, ×10")
    left.set(xlabel="step", ylabel=r"curvature $\gamma c^2$", title=f"$n={n}$, {replicas} training sets")
    right.set(xlabel="step", ylabel="loss", title=f"$\\eta={BETWEEN}$: out of phase", yscale="log")
    left.legend(loc="lower right", title=r"edge $2/\eta$ dotted")
    right.legend()
    return runs
