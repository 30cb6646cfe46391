"""XOR clusters with flipped labels: a net of ReLUs knows all of them by heart at once, and the rule much later.

Points are means of 8 nets of 200 ReLUs on 200 examples in N = 8000 dimensions, bars standard errors. Lines are 16 draws
of fields that move by the Gram matrix with its random part, dashed by its mean alone. (a) A tenth of the labels is
flipped, and learned at the first step. (b) At several distances ν of the centres from 0.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

DISTANCES = (6.0, 8.0, 11.0, 16.0)


@drawn(n=(48, 200), replicas=(4, 8), draws=(8, 16))
def draw(sheet: Sheet, n: int, replicas: int, draws: int) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    left, right = sheet.subplots(1, 2, figsize=(PAGE, 3.0), sharey=True)
    model = tsphys.XorClusters(n=n, K=n, N=40 * n)
    points, lines = [1, 2, 4, 8, 16, 32, 64], [1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64]
    for j, distance in enumerate(DISTANCES):
        here = replace(model, distance=distance)
        theory = tsphys.solve(here, t=lines, draws=draws)
        sim = tsphys.simulate(here, t=points, replicas=replicas, **sheet.part(j, 1, len(DISTANCES)))
        runs |= {f"theory_{distance:g}": theory, f"simulation_{distance:g}": sim}
        theory_line(right, theory, "accuracy", color=COLOURS[j], label=f"$\\nu={distance:g}$")
        simulation_points(right, sim, "accuracy", color=COLOURS[j], fmt=MARKERS[j])
    distance = model.distance
    runs["mean"] = tsphys.solve(model, t=lines, draws=draws, overlaps=False)
    for name, words, j in (("train_accuracy", "training labels", 5), ("accuracy", "fresh examples", 2)):
        theory_line(left, runs[f"theory_{distance:g}"], name, color=COLOURS[j], label=words)
        theory_line(left, runs["mean"], name, color=COLOURS[j], ls="--", lw=1.0)
        simulation_points(left, runs[f"simulation_{distance:g}"], name, color=COLOURS[j], fmt=MARKERS[j])
    left.axhline(1 - model.flips, color="0.4", lw=0.7, ls=":")
    left.annotate("labels that are not flipped", (1, 1 - model.flips), xytext=(0, 3), textcoords="offset points",
                  color="0.4", fontsize=8)  # fmt: skip
    left.set(xlabel="step", ylabel="accuracy", xscale="log", ylim=(0.45, 1.03),
             title=f"$\\nu={distance:g}$, $n={n}$, $N={model.N}$")  # fmt: skip
    right.set(xlabel="step", xscale="log", title="fresh examples")
    left.legend(loc="center left", bbox_to_anchor=(0, 0.62))
    right.legend(loc="upper left")
    return runs
