"""Students of two classes and of their clones: those that know the means only depart first, then the Gaussian ones.

Lines are the equations of motion, points means of 64 runs at N = 10 000, bars standard errors. (c) The three see the
same noise, so that differences of pairs of runs are far more precise than the runs; a point is drawn where it is more
than two bars from zero. Dips are changes of sign. Dashed: when a clone's student leaves by 10⁻³ (dotted) in theory.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.models.simplicity_bias import DATA
from tsphys.odes.simplicity_bias import divergence_times
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

NAMES = {"original": "original", "gaussian": "Gaussian clone", "isotropic": "isotropic clone"}
START = tsphys.OrderParameters(R=[[0.01, -0.01]], Q=[[0.2502]], T=np.eye(2))
THRESHOLD, END = 1e-3, 30.0


@drawn({"lr": 0.5, "threshold": THRESHOLD}, N=(2000, 10_000), replicas=(16, 64))
def draw(sheet: Sheet, N: int, replicas: int) -> dict[str, Any]:
    line, points = np.geomspace(0.03, END, 201), np.geomspace(0.1, END, 14)
    theory, sim = {}, {}
    for n, data in enumerate(DATA):
        model = tsphys.SimplicityBias(trained_on=data)
        theory[data] = tsphys.solve(model, start=START, t=line, N=N, fluctuations=True)
        sim[data] = tsphys.simulate(model, start=START, t=points, N=N, replicas=replicas, **sheet.part(n, 1, len(DATA)))
    leave = divergence_times(tsphys.SimplicityBias(), THRESHOLD, start=START, end=END)
    gaps: dict[str, np.ndarray] = {}
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.7))
    for n, data in enumerate(DATA):
        for ax, name in ((left, "eps_g"), (middle, "accuracy")):
            # The Gaussian clone's line all but covers that of the original.
            wide: dict[str, Any] = {"lw": 4.0, "alpha": 0.4} if data == "original" else {}
            theory_line(ax, theory[data], name, color=COLOURS[n], label=NAMES[data], **wide)
            simulation_points(ax, sim[data], name, color=COLOURS[n], fmt=MARKERS[n])
    for n, data in enumerate(DATA[1:], 1):
        gap = np.abs(theory[data]["eps_g"] - theory["original"]["eps_g"])
        # The same sheet.seed is the same noise: only what the clone changes is left in the difference of two replicas.
        paired = sim[data]["eps_g"] - sim["original"]["eps_g"]
        mean, sem = paired.mean(axis=0), paired.std(axis=0, ddof=1) / np.sqrt(replicas)
        right.plot(line, gap, color=COLOURS[n], label=NAMES[data])
        # What is less than two bars cannot be drawn on this scale.
        seen = np.abs(mean) > 2 * sem
        right.errorbar(points[seen], np.abs(mean)[seen], yerr=sem[seen], fmt=MARKERS[n], color=COLOURS[n],
                       mfc="white", capsize=1.5, zorder=3)  # fmt: skip
        right.plot([leave[data]] * 2, [1e-6, THRESHOLD], color=COLOURS[n], lw=0.8, ls="--")
        gaps |= {f"gap_{data}": gap, f"paired_{data}": paired, f"leaves_{data}": np.array(leave[data])}
    right.axhline(THRESHOLD, color="black", lw=0.8, ls=":")
    time = "time $t=$ examples$/N$"
    left.set(xscale="log", xlabel=time, ylabel=r"error on the original, $\epsilon_g$")
    middle.set(xscale="log", xlabel=time, ylabel="accuracy on the original")
    right.set(xscale="log", yscale="log", xlabel=time, ylim=(1e-6, 0.1),
              ylabel=r"$|\epsilon_g-\epsilon_g^{\mathrm{original}}|$")  # fmt: skip
    left.legend(title="trained on", title_fontsize=7.5)
    right.legend(loc="upper left")
    runs = {f"{kind}_{d}": r[d] for kind, r in (("theory", theory), ("simulation", sim)) for d in DATA}
    return {**runs, **gaps}
