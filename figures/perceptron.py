"""Learning rules of the sign perceptron: simulation on theory, and the power laws that they end in.

N = 100, 640 runs of each rule, bars are standard errors. (a) Lines are the equations of motion, bands the spread of
single runs by theory, dotted the laws of late times. (b) The mean of the runs over the limit, and the same by theory
at this N: learning at finite N is up to two per cent better than the limit, by what the first order in 1/N says.
Points are moved sideways so that they do not cover each other; those of one rule come from the same runs and stray
together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.models.perceptron import RULES
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

NAMES = {"hebb": "Hebb", "rosenblatt": "Rosenblatt", "adatron": "AdaTron", "optimal": "optimal"}
LAWS = {
    "hebb": r"$1/\sqrt{2\pi t}$",
    "rosenblatt": r"$(2/3)^{1/3}\,t^{-1/3}/\pi$",
    "adatron": r"$3/(2t)$",
    "optimal": r"$0.88/t$",
}


@drawn(N=(100, 100), replicas=(40, 640), end=(100.0, 1000.0))
def draw(sheet: Sheet, N: int, replicas: int, end: float) -> dict[str, Any]:
    from tsphys.odes.perceptron import asymptote

    start = tsphys.OrderParameters(R=[[0.1]], Q=[[1.0]], T=[[1.0]])
    t, t_theory = (np.unique(np.rint(np.geomspace(0.1, end, points) * N)) / N for points in (21, 200))
    late = np.geomspace(5, end, 50)
    runs: dict[str, Any] = {}
    left, right = sheet.subplots(1, 2, figsize=(PAGE, 3.0), width_ratios=(3, 2))
    for n, rule in enumerate(RULES):
        model = tsphys.Perceptron(rule=rule)
        theory = tsphys.solve(model, start=start, t=t_theory, N=N, fluctuations=True)
        sim = tsphys.simulate(model, N=N, t=t, start=start, replicas=replicas, **sheet.part(n, 1, len(RULES)))
        left.plot(late, asymptote(model, late), color="black", lw=0.6, ls=":", zorder=1)
        theory_line(left, theory, "eps_g", color=COLOURS[n])
        simulation_points(left, sim, "eps_g", fmt=MARKERS[n], color=COLOURS[n], label=f"{NAMES[rule]}, {LAWS[rule]}")
        at = np.exp(np.interp(np.log(t), np.log(t_theory), np.log(theory["eps_g"])))
        right.plot(t_theory, theory.mean("eps_g") / theory["eps_g"], color=COLOURS[n], lw=1)
        shift = 1.05 ** (n - 1.5)
        right.errorbar(t * shift, sim.mean("eps_g") / at, yerr=sim.sem("eps_g") / at, fmt=MARKERS[n],
                       color=COLOURS[n], mfc="white", ms=3, elinewidth=0.8)  # fmt: skip
        runs |= {f"theory_{rule}": theory, f"simulation_{rule}": sim}
    right.axhline(1, color="black", lw=0.7, zorder=0)
    left.set(xscale="log", yscale="log", xlabel="time $t=$ examples$/N$", ylabel=r"generalisation error $\epsilon_g$")
    right.set(xscale="log", xlabel="time $t$", ylabel=r"$\epsilon_g$ over that for $N\to\infty$")
    right.set_title(f"theory at $N={N}$, and runs")
    left.legend(loc="lower left", title="rule and late-time law (dotted)")
    left.set_title(f"sign perceptron, $\\eta=1$, $N={N}$, {replicas} runs")
    return runs
