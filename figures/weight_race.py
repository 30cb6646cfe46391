"""Context against weights: who is first, by numbers of classes; and both, where classes follow Zipf's law.

Lines are theory for infinitely many small steps, dashes in (a) its estimate before the context counts. Points are
means of 8 runs of rate 1/400, bars standard errors, smaller than most points; (a) times at which β = 1 in these runs.
In (c) horizontal lines are β: classes above it are known by heart, and others are read off the context.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.odes.weight_race import acquisition, estimate
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

BURSTS, CLASSES, LONGEST = (0.25, 0.5, 0.8), (2, 3, 5, 10, 20, 50, 200, 1000), 2000.0
RACES = (3, 100)
ZIPF, TIMES = tsphys.WeightRace(classes=100, zipf=2.0, bursty=0.2), (100.0, 1000.0, 10_000.0)


def crossing(t: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Times at which strengths (runs, times) become 1, between points on a logarithmic scale."""
    return np.array([np.interp(0.0, np.log(row), t) for row in beta])


@drawn({"start": ZIPF.start}, N=(100, 400), replicas=(4, 8))
def draw(sheet: Sheet, N: int, replicas: int) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    run = {"N": N, "replicas": replicas, **sheet.options}
    first, second, third = sheet.subplots(1, 3, figsize=(PAGE, 2.8))
    even, lines = tsphys.WeightRace(zipf=0.0), np.unique(np.geomspace(2, 1000, 60).astype(int))
    for j, share in enumerate(BURSTS):
        here = replace(even, bursty=share)
        exact, guess = (np.array([f(replace(here, classes=int(K))) for K in lines]) for f in (acquisition, estimate))
        first.plot(lines, exact, color=COLOURS[j], label=f"$p_B={share:g}$")
        first.plot(lines, guess, color=COLOURS[j], ls="--", lw=0.9)
        some = [K for K in CLASSES if acquisition(replace(here, classes=K)) < LONGEST]
        times = []
        for i, K in enumerate(some):
            around = acquisition(replace(here, classes=K)) * np.linspace(0.5, 1.5, 41)
            listen = sheet.share(j + i / len(some), 1 / len(some), 6)
            sim = tsphys.simulate(replace(here, classes=K), t=around, **run, progress=listen)
            found = crossing(around, sim["beta"])
            times.append((found.mean(), found.std(ddof=1) / np.sqrt(len(found))))
        mean, sem = np.array(times).T
        first.errorbar(some, mean, sem, color=COLOURS[j], fmt=MARKERS[j], mfc="white", mew=0.9, elinewidth=0.9,
                       capsize=1.5)  # fmt: skip
        runs |= {f"acquired_{share:g}": exact, f"estimate_{share:g}": guess, f"classes_{share:g}": np.array(some),
                 f"acquired_{share:g}_mean": mean, f"acquired_{share:g}_sem": sem}  # fmt: skip
    for j, K in enumerate(RACES):
        here = replace(even, classes=K, bursty=0.5)
        theory = tsphys.solve(here, t=np.geomspace(1, 300, 101))
        sim = tsphys.simulate(here, t=np.geomspace(1, 300, 9), **run, progress=sheet.share(3 + j, 1, 6))
        for name, ls, words in (("beta", "-", "context"), ("memory", "--", "weights")):
            theory_line(second, theory, name, color=COLOURS[3 + j], ls=ls, label=f"{words}, $K={K}$")
            simulation_points(second, sim, name, color=COLOURS[3 + j], fmt=MARKERS[3 + j])
        runs |= {f"theory_K{K}": theory, f"simulation_K{K}": sim}
    theory, ranks = tsphys.solve(ZIPF, t=TIMES, each=True), np.arange(1, ZIPF.classes + 1)
    sim = tsphys.simulate(ZIPF, t=TIMES, each=True, **run, progress=sheet.share(5, 1, 6))
    seen = np.array([1, 2, 3, 5, 8, 13, 22, 36, 60, 100]) - 1
    for i, t in enumerate(TIMES):
        colour = COLOURS[(5, 0, 6)[i]]
        third.plot(ranks, theory["w"][i], color=colour, label=f"$t={t:g}$")
        third.axhline(theory["beta"][i], color=colour, lw=0.8, ls=":")
        third.errorbar(ranks[seen], sim.mean("w")[i, seen], sim.sem("w")[i, seen], color=colour, fmt=MARKERS[i],
                       mfc="white", mew=0.9, elinewidth=0.9, capsize=1.5)  # fmt: skip
    first.set(xscale="log", yscale="log", xlabel="classes $K$", ylabel=r"time at which $\beta=1$", ylim=(5, 4000),
              title="equally frequent")  # fmt: skip
    second.set(xscale="log", xlabel="time $t$", ylabel="strength", title="equally frequent, $p_B=0.5$")
    third.set(xscale="log", xlabel="class $k$", ylabel=r"$w_k$, and $\beta$ dotted",
              title=f"$p_k\\propto k^{{-{ZIPF.zipf:g}}}$, $p_B={ZIPF.bursty:g}$")  # fmt: skip
    for panel in (first, second, third):
        panel.legend(fontsize=7)
    return {**runs, "K": lines, "theory_zipf": theory, "simulation_zipf": sim}
