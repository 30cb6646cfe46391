"""Outliers with opposing signals: a curvature that sharpens to the edge of stability, and a catapult back from it.

Lines are the exact map for infinite training sets, points means of 8 training sets of 1 000 000 000 examples, bars
standard errors, mostly smaller than the points. (a) The largest eigenvalue of the Hessian; dotted, the edge of
stability 2/η. (b) Losses of the outliers of either sign at η = 0.25, of one set; fewer examples have the spike some
steps off. (c) Curvature at the end over the edge; dashed, the law of small excesses; points are single training sets.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.errors import ModelError
from tsphys.figures.frame import Sheet, drawn
from tsphys.odes.opposing_signals import catapult
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

#: A start beside which sampled moments, which make b_o grow too, count nothing.
START, RATES, BETWEEN, END, LAST = 0.03, (0.15, 0.25, 0.3), 0.25, 100, 6000


@drawn(n=(10**9, 10**9), replicas=(4, 8))
def draw(sheet: Sheet, n: int, replicas: int) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.8))
    for j, lr in enumerate(RATES):
        model = tsphys.OpposingSignals(lr=lr, b_o=START)
        theory = tsphys.solve(model, t=range(END + 1))
        sim = tsphys.simulate(model, n=n, t=range(0, END + 1, 4), replicas=replicas, **sheet.part(j, 1, len(RATES) + 2))
        left.axhline(2 / lr, color=COLOURS[j], lw=0.7, ls=":")
        theory_line(left, theory, "sharpness", color=COLOURS[j], label=f"$\\eta={lr}$")
        simulation_points(left, sim, "sharpness", color=COLOURS[j], fmt=MARKERS[j], ms=3.5)
        runs |= {f"theory_{lr}": theory, f"simulation_{lr}": sim}
    spike = np.arange(26, 56)
    one = tsphys.simulate(tsphys.OpposingSignals(lr=BETWEEN, b_o=START), n=n, t=spike, replicas=1, **sheet.options)
    for name, colour, words in (("loss_up", COLOURS[1], "$x_o=A$"), ("loss_down", COLOURS[3], "$x_o=-A$")):
        theory = runs[f"theory_{BETWEEN}"]
        middle.plot(spike, theory[name][spike], color=colour, label=words, lw=0.9)
        middle.plot(spike, one[name][0], color=colour, marker="o", ls="", ms=3, mfc="white")
    middle.plot(spike, 20 * runs[f"theory_{BETWEEN}"]["loss"][spike], color="black", lw=0.9, label="all, ×20")
    excess = np.linspace(1.8, 2.5, 9 if sheet.quick else 29)
    models = [tsphys.OpposingSignals(lr=G / 10, b_o=1e-3) for G in excess]
    ends = np.array([tsphys.solve(model, t=[LAST])["curvature"][0] * model.lr for model in models])
    seen = np.array([
        tsphys.simulate(model, n=n, t=[LAST], replicas=1, **sheet.options)["curvature"][0, 0] * model.lr
        for model in models[::4]
    ])  # fmt: skip
    law = np.array([_law(model) for model in models])
    right.axhline(2, color="0.4", lw=0.7, ls=":")
    right.plot(excess, ends, color=COLOURS[0], label="map")
    right.plot(excess[::4], seen, color=COLOURS[0], marker="o", ls="", mfc="white", ms=4)
    right.plot(excess, law, color=COLOURS[1], ls="--", label="small excess")
    left.set(xlabel="step", ylabel="sharpness", title="sharpening, and catapults")
    middle.set(xlabel="step", ylabel="loss", title=f"$\\eta={BETWEEN}$: out of phase", ylim=(-1, 34))
    right.set(xlabel=r"$\eta\gamma\beta$, where sharpening leads", ylabel=r"$\eta\gamma c^2$ at the end",
              title="behind the edge")  # fmt: skip
    left.legend(loc="lower right")
    middle.legend(loc="upper left")
    right.legend(loc="lower left")
    return {**runs, "one": one, "excess": excess, "ends": ends, "seen": seen, "law": law}


def _law(model: tsphys.OpposingSignals) -> float:
    try:
        return catapult(replace(model, b_o=0.0))[0] * 10 * model.lr
    except ModelError:
        return np.nan
