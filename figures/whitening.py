"""The first layer of a linear net: labels whiten its energies, from the largest principal component to the smallest.

Lines are theory, points means over 16 data sets with 16 nets each, bars standard errors. (a, b) Energy along each
principal component of the patches, after the steps of the legend. (c) Power of what is learned on fresh patches,
against the number of examples; dotted, as many examples as a patch has entries.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE

STEPS, LATE = (10, 100, 1000, 10_000), (100, 1000, 10_000)
LABELS = (("random labels", 0.0), ("a teacher's labels", 0.3))
D = 24


@drawn({"start": 1e-3}, replicas=(4, 16), draws=(8, 16))
def draw(sheet: Sheet, replicas: int, draws: int) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    panels = sheet.subplots(1, 3, figsize=(PAGE, 2.7))
    for i, (words, teacher) in enumerate(LABELS):
        model = tsphys.Whitening(d=D, F=16, start=1e-3, teacher=teacher)
        theory = tsphys.solve(model, t=STEPS)
        sim = tsphys.simulate(model, t=STEPS, replicas=replicas, draws=draws, **sheet.part(i, 1, 4))
        for j, t in enumerate(STEPS):
            panels[i].plot(model.variances(), theory["energy"][j], color=COLOURS[j], label=f"$10^{np.log10(t):g}$")
            panels[i].errorbar(
                model.variances(), sim.mean("energy")[j], sim.sem("energy")[j], color=COLOURS[j], fmt=MARKERS[j],
                mfc="white", ms=3,
            )  # fmt: skip
        panels[i].set(xlabel=r"variance $\lambda_k$", xscale="log", yscale="log", title=words, ylim=(3e-5, 1))
        runs |= {f"theory_{teacher:g}": theory, f"simulation_{teacher:g}": sim}
    panels[0].set(ylabel=r"energy $e_k$ of the first layer")
    panels[0].legend(loc="lower right", title="step", ncols=2, columnspacing=1)
    lines, points = np.unique(np.geomspace(6, 200, 48).round()).astype(int), (6, 12, 18, 24, 32, 48, 96, 192)
    power = [tsphys.solve(_few(n), t=LATE)["power"] for n in lines]
    seen = []
    for i, n in enumerate(points):
        sim = tsphys.simulate(
            _few(n), t=LATE, replicas=replicas, draws=draws, **sheet.part(2 + 2 * i / len(points), 2 / len(points), 4),
        )  # fmt: skip
        seen.append([sim.mean("power"), sim.sem("power")])
    for j, t in enumerate(LATE):
        panels[2].plot(lines, np.array(power)[:, j], color=COLOURS[j + 1], label=f"$10^{np.log10(t):g}$")
        mean, error = np.array(seen)[:, :, j].T
        panels[2].errorbar(points, mean, error, color=COLOURS[j + 1], fmt=MARKERS[j + 1], mfc="white", ms=3)
    panels[2].axvline(D, color="0.4", lw=0.7, ls=":")
    panels[2].set(xlabel="examples $n$", ylabel="power on fresh patches", xscale="log", yscale="log",
                  title=f"random labels, $d={D}$")  # fmt: skip
    panels[2].legend(title="step")
    return {**runs, "n_theory": lines, "power_theory": np.array(power), "n_simulation": np.array(points),
            "power_simulation": np.array(seen)}  # fmt: skip


def _few(n: int) -> tsphys.Whitening:
    return tsphys.Whitening(d=D, n=int(n), F=8, start=1e-3)
