"""Grokking without features: a linear student fits its examples at once and tells fresh inputs late.

Lines are theory for D → ∞, points means of 16 training sets at D = 1000, bars standard errors. (a) Mean squared errors,
on the examples dashed; points are those on fresh inputs. (b) Shares of answers that are off by at most √κ: it looks
sudden. (c) How much later the test error falls below a threshold; dotted: from the smallest eigenvalue alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.odes.linear_estimator import delay
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

LOADS = (1.1, 1.5, 3.0)
THRESHOLDS = (1e-3, 1e-6, 1e-12)


@drawn(N=(200, 1000), replicas=(8, 16), lines=(41, 81))
def draw(sheet: Sheet, N: int, replicas: int, lines: int) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE * 1.45, 3.0))
    fine, coarse = np.geomspace(0.05, 3000, lines), np.geomspace(0.05, 3000, 13)
    for j, alpha in enumerate(LOADS):
        model = tsphys.LinearEstimator(alpha=alpha)
        theory = tsphys.solve(model, t=fine)
        sim = tsphys.simulate(model, t=coarse, N=N, replicas=replicas, **sheet.part(j, 1, 3))
        theory_line(left, theory, "mse", color=COLOURS[j], label=rf"$\alpha={alpha:g}$")
        theory_line(left, theory, "train_mse", color=COLOURS[j], ls="--")
        simulation_points(left, sim, "mse", color=COLOURS[j], fmt=MARKERS[j])
        runs |= {f"theory_{alpha:g}": theory, f"simulation_{alpha:g}": sim}
        if j == 0:
            for k, (name, words) in enumerate((("train_accuracy", "examples"), ("accuracy", "fresh inputs"))):
                theory_line(middle, theory, name, color=COLOURS[3 + k], label=words)
                simulation_points(middle, sim, name, color=COLOURS[3 + k], fmt=MARKERS[3 + k])
    loads = np.geomspace(1.02, 4, 2 * lines // 4 + 1)
    for j, threshold in enumerate(THRESHOLDS):
        late = np.array([delay(tsphys.LinearEstimator(alpha=a), threshold) for a in loads.tolist()])
        right.plot(loads, late, color=COLOURS[j], label=rf"$10^{{{round(np.log10(threshold))}}}$")
        runs[f"delay_{threshold:g}"] = late
    least = (1 - loads**-0.5) ** 2
    right.plot(loads, np.log(1 / least) / (2 * least), ":", color="0.4")
    left.set(xlabel="time $t$", ylabel="mean squared error", xscale="log", yscale="log", ylim=(1e-6, 3),
             title=f"$D={N}$")  # fmt: skip
    middle.set(xlabel="time $t$", ylabel="right answers", xscale="log", ylim=(-0.03, 1.03),
               title=r"$\alpha=1.1$, $\kappa=10^{-3}$")  # fmt: skip
    right.set(xlabel=r"load $\alpha=P/D$", ylabel="delay of the test error", xscale="log", yscale="log",
              title="thresholds of both errors")  # fmt: skip
    right.set_xticks([1.1, 1.5, 2, 3, 4], ["1.1", "1.5", "2", "3", "4"])
    right.minorticks_off()
    for panel in (left, middle, right):
        panel.legend()
    return {**runs, "loads": loads}
