"""Two linear layers: how lazy they stay by the effective rank, the teacher's alignment and the balance of the start.

Lines are theory, points means of 32 runs of networks with d = 20 inputs, bars their standard errors. (a) One output;
crosses are theory for first layers whose eigenvalues fall like 1/√j, 1/j and 1/j² at scale 4, circles in them
networks, at t = 5. (b) A first layer of one direction, or of all; dotted is what is learned. (c) Two outputs, a first
layer of rank two, at t = 5.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.physics.flows.linear_layers import effective_rank
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

RANKS, SEEN = np.arange(1, 21), (1, 3, 8, 20)
#: Size of the first layer, a time at which all is learned but by one stiff unit that must turn, and one for others.
SCALES, AT, BY = (4.0, 40.0), 20.0, 5.0
DECAYS = (0.5, 1.0, 2.0)
NAME = "ntk_alignment"


@drawn(replicas=(8, 32), draws=(16, 64))
def draw(sheet: Sheet, replicas: int, draws: int) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE * 1.45, 3.1))
    parts = len(SCALES) + 2
    for j, scale in enumerate(SCALES):
        model = tsphys.LinearNetwork(scale=scale)
        theory = tsphys.solve(model, rank=RANKS, at=AT)
        sim = tsphys.simulate(model, rank=SEEN, at=AT, replicas=replicas, **sheet.part(j, 1, parts))
        aligned = tsphys.solve(tsphys.LinearNetwork(scale=scale, alignment=1.0), rank=RANKS, at=AT)
        one = tsphys.simulate(tsphys.LinearNetwork(scale=scale, alignment=1.0), rank=SEEN, at=AT, replicas=2,
                              **sheet.options)  # fmt: skip
        words = rf"$\|W_1\|^2={scale:g}$"
        theory_line(left, theory, NAME, color=COLOURS[j], label=f"random, {words}")
        simulation_points(left, sim, NAME, color=COLOURS[j], fmt=MARKERS[0])
        theory_line(left, aligned, NAME, color=COLOURS[j], ls="--", label="aligned")
        simulation_points(left, one, NAME, color=COLOURS[j], fmt=MARKERS[1])
        runs |= {f"random_{scale:g}": theory, f"random_sim_{scale:g}": sim}
        runs |= {f"aligned_{scale:g}": aligned, f"aligned_sim_{scale:g}": one}
    falling = tsphys.LinearNetwork(rank=20)
    spectra = tsphys.solve(falling, decay=DECAYS, at=BY, draws=draws)
    sim = tsphys.simulate(falling, decay=DECAYS, at=BY, replicas=replicas, **sheet.part(len(SCALES), 1, parts))
    first = [tsphys.LinearNetwork(rank=20, decay=decay).squares for decay in DECAYS]
    x = [float(effective_rank(np.diag(s))) for s in first]
    left.plot(x, spectra[NAME], "x", color="black", ms=7, label="falling spectra")
    left.errorbar(x, sim.mean(NAME), sim.sem(NAME), fmt="o", mfc="none", color="black", ms=4)
    runs |= {"decay": spectra, "decay_sim": sim, "decay_rank": np.array(x)}
    t, points = np.linspace(0, 8, 81), np.arange(0, 9, 1.0)
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"rank": 1, "alignment": 1.0}, "one, aligned"),
        ({"rank": 1}, "one, random"),
        ({"rank": 20}, "all"),
    )
    for j, (given, words) in enumerate(cases):
        model = tsphys.LinearNetwork(scale=4.0, **given)
        theory, sim = (tsphys.solve(model, t=t), tsphys.simulate(model, t=points, replicas=replicas, **sheet.options))
        theory_line(middle, theory, NAME, color=COLOURS[j + 2], label=words)
        simulation_points(middle, sim, NAME, color=COLOURS[j + 2], fmt=MARKERS[j])
        theory_line(middle, theory, "learned", color=COLOURS[j + 2], ls=":")
        runs |= {f"time_{j}": theory, f"time_sim_{j}": sim}
    for j, scale in enumerate((0.1, 1.0)):
        model = tsphys.LinearNetwork(teacher=(2.0, 1.0), rank=2, scale=scale, balance=0.0)
        theory = tsphys.solve(model, balance=np.geomspace(0.01, 30, 17), at=BY, draws=draws)
        sim = tsphys.simulate(model, balance=np.geomspace(0.01, 30, 5), at=BY, replicas=replicas, **sheet.options)
        theory_line(right, theory, NAME, color=COLOURS[j], label=rf"$\|W_1\|^2={scale:g}$")
        simulation_points(right, sim, NAME, color=COLOURS[j], fmt=MARKERS[j])
        runs |= {f"balance_{scale:g}": theory, f"balance_sim_{scale:g}": sim}
    left.set(xlabel="effective rank of the first layer", ylabel=f"tangent kernels at $t=0$ and $t={AT:g}$, cosine",
             title="aligned low rank is lazy again")  # fmt: skip
    middle.set(xlabel="time $t$", ylabel="cosine; dotted: learned", title=r"directions, $\|W_1\|^2=4$")
    right.set(xlabel=r"$\lambda$ of $W_2^TW_2-W_1W_1^T$", ylabel="cosine", xscale="log", title="two outputs, balance")
    left.legend(fontsize=7)
    middle.legend(fontsize=7, loc="lower right")
    right.legend(loc="lower right")
    return runs
