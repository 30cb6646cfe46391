"""Two students of one teacher: which unit is which, and when two networks become the same one.

erf students of two units, from independent starts. Lines are the equations of motion, points means of 16 runs at
N = 400, bars standard errors. (a) Mean correlation of matched units, dotted, is large on the plateau already, where all
units are alike; without that of units that are not matched, it is not. (b) Squared distance of the weights of matched
units, that part f of the examples leaves which both see.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

R = 0.3 * np.array([[0.12, 0.02], [-0.05, 0.1], [0.05, 0.15], [0.1, 0]])
Q = np.array([[0.3, 0.05, 0, 0], [0.05, 0.25, 0, 0], [0, 0, 0.25, 0], [0, 0, 0, 0.35]])
START = tsphys.OrderParameters(R=R, Q=Q, T=np.eye(2))
SHARED = (0.0, 0.9, 1.0)


@drawn(N=(100, 400), replicas=(4, 16), end=(60.0, 500.0))
def draw(sheet: Sheet, N: int, replicas: int, end: float) -> dict[str, Any]:
    t, lines = np.unique(np.rint(np.geomspace(0.5, end, 16) * N)) / N, np.geomspace(0.3, end, 200)
    left, right = sheet.subplots(1, 2, figsize=(PAGE, 3.0))
    runs: dict[str, Any] = {}
    for n, f in enumerate(SHARED):
        model = tsphys.TwoStudents(noise=0.3, shared=f)
        theory = tsphys.solve(model, start=START, t=lines)
        sim = tsphys.simulate(model, N=N, t=t, start=START, replicas=replicas, **sheet.part(n, 1, len(SHARED)))
        theory_line(left, theory, "score", color=COLOURS[n], ls=":", lw=1)
        for ax, name in ((left, "contrast"), (right, "distance")):
            theory_line(ax, theory, name, color=COLOURS[n])
            simulation_points(ax, sim, name, fmt=MARKERS[n], color=COLOURS[n], label=f"$f={f:g}$")
        runs |= {f"theory_{n}": theory, f"simulation_{n}": sim}
    left.set(xscale="log", xlabel="time $t=$ steps$/N$", ylabel="correlation of matched units", ylim=(0, 1.05))
    left.set_title("above that of others, and (dotted) by itself")
    right.set(xscale="log", yscale="log", xlabel="time $t$", ylabel=r"distance $|w_k-w'_{\pi(k)}|^2/N$",
              ylim=(1e-4, None))  # fmt: skip
    right.set_title(f"$\\eta=0.5$, $\\sigma=0.3$, $N={N}$, {replicas} runs")
    left.legend(loc="upper left")
    right.legend(loc="lower left")
    return runs
