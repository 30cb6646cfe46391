"""How far from N → ∞: runs at finite N, the band and the shifted mean that theory predicts, and the limit.

(a) Black: N → ∞; blue: mean (dots) and spread (band) of runs at N = 100 by theory; points: means of 6000 runs with
standard errors, grey 25 of them. (b, c) The bias times N and the spread times √N of 6000 runs at N = 25 and 100 and
of 1500 at N = 400, with standard errors; lines are theory, one for all N. Pale points: N is too small for the
expansion (β > ¼), and nothing is claimed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import (
    COLOURS,
    MARKERS,
    PAGE,
    simulation_points,
    theory_band,
    theory_line,
)

MODEL = tsphys.TwoLayer(K=2, M=2, activation="erf", lr=1.2)
START = tsphys.OrderParameters(R=[[0.25, 0.1], [0.1, 0.2]], Q=[[0.3, 0.1], [0.1, 0.25]], T=np.eye(2))
END, SINGLE = 50.0, 25
#: A size at which the spread is √(C/N).
HUGE = 1e9


@drawn(sizes=({25: 300, 100: 300}, {25: 6000, 100: 6000, 400: 1500}))
def draw(sheet: Sheet, sizes: Any) -> dict[str, Any]:
    small, t = 100, np.linspace(0, END, 26)
    theory = tsphys.solve(MODEL, start=START, t=np.linspace(0, END, 101), N=small, fluctuations=True)
    sims = {
        N: tsphys.simulate(MODEL, N=N, start=START, t=t, replicas=runs, **sheet.part(i, 1, len(sizes)))
        for i, (N, runs) in enumerate(sizes.items())
    }  # fmt: skip
    limit = np.interp(t, theory["t"], theory["eps_g"])
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.7), width_ratios=(3, 2, 2))
    sim = sims[small]
    for row in sim["eps_g"][:SINGLE]:
        left.plot(t, row, color="#BBBBBB", lw=0.4, zorder=0)
    theory_line(left, theory, "eps_g", band=False, color="black", lw=1, label="ODE, $N\\to\\infty$")
    theory_band(left, theory, "eps_g", color=COLOURS[0], label=f"theory at $N={small}$")
    simulation_points(left, sim, "eps_g", color=COLOURS[1], label=f"SGD, $N={small}$, {sim.replicas} runs")
    left.plot([], [], color="#BBBBBB", lw=0.8, label="single runs")
    bias = small * (theory.mean("eps_g") - theory["eps_g"])
    spread = np.sqrt(HUGE) * theory.std("eps_g", HUGE)
    middle.plot(theory["t"], bias, color="black", lw=1)
    right.plot(theory["t"], spread, color="black", lw=1)
    middle.axhline(0, color="0.7", lw=0.6, zorder=0)
    for n, (N, sim) in enumerate(sims.items()):
        good = np.interp(t, theory["t"], theory.beta(N)) <= 0.25
        mean, std, runs = sim.mean("eps_g"), sim.std("eps_g"), sim.replicas or 1
        deviation = sim["eps_g"] - mean
        # Of a variance by the runs' own fourth moment.
        kurtosis = np.divide((deviation**4).mean(axis=0), std**4, out=np.ones_like(std), where=std > 0)
        for ax, y, error in (
            (middle, N * (mean - limit), N * std / np.sqrt(runs)),
            (right, np.sqrt(N) * std, np.sqrt(N) * std * 0.5 * np.sqrt(np.maximum(kurtosis - 1, 0) / runs)),
        ):
            look = {"fmt": MARKERS[n], "color": COLOURS[1 + n], "ms": 3, "elinewidth": 0.7}
            ax.errorbar(t[good], y[good], yerr=error[good], mfc="white", mew=0.8, **look, label=f"$N={N}$")
            ax.errorbar(t[~good], y[~good], yerr=error[~good], mec="none", alpha=0.35, **look)
    left.set(yscale="log", xlabel="time $t$", ylabel=r"generalisation error $\epsilon_g$")
    left.set_title(f"erf, $K=M=2$, $\\eta={MODEL.lr:g}$")
    middle.set(xlabel="time $t$", ylabel=r"bias $N(\langle\epsilon_g\rangle-\epsilon_g^\infty)$")
    right.set(xlabel="time $t$", ylabel=r"spread $\sqrt{N}\,\mathrm{sd}(\epsilon_g)$", ylim=(0, None))
    left.legend(loc="lower left")
    right.legend(loc="upper right")
    results = {"theory": theory, **{f"simulation_{N}": sim for N, sim in sims.items()}}
    return {**results, "bias": bias, "spread": spread, "beta": theory.beta()}
