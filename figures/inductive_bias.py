"""Bits that it takes to find a hypothesis that generalises: before examples, and how many of them examples take away.

Lines are theory at these sizes, points means of 16 runs with an instance each, bars standard errors. (a) A perceptron
of N = 30 weights, after n noise-free labels of its teacher. (b) Features tanh of N = 30 inputs before examples; dotted,
a perceptron. Left of the ends of the lines no weights are as good. (c) A Gaussian process of 200 modes, λ = i^(−1.5),
v² ~ i^(−2), labels with the variance 0.1; dashed, of a posterior that takes it to be 0.02. Features and examples of a
run are its own, which theory averages over: it may be off by a fraction of a bit.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

KNOWN = (0, 10, 20, 30)
ERRORS = (0.2, 0.3)
#: Examples of a Gaussian process, and the variance that it takes their noise to have.
PROCESSES = ((0, None), (20, None), (80, None), (80, 0.02))


@drawn(replicas=(3, 16), points=(3, 7))
def draw(sheet: Sheet, replicas: int, points: int) -> dict[str, Any]:
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.6))
    run: dict[str, Any] = {"replicas": replicas, **sheet.options}
    model = tsphys.InductiveBias
    runs: dict[str, Any] = {}
    fine = 5 if points < 5 else 16
    for i, n in enumerate(KNOWN):
        here = model(examples=n)
        sim = tsphys.simulate(here, error=np.linspace(0.06, 0.42, points), **run, progress=sheet.share(i, 1, 10))
        theory = tsphys.solve(here, error=np.linspace(0.04, 0.45, fine))
        theory_line(left, theory, "bits", color=COLOURS[i], label=f"$n={n}$")
        simulation_points(left, sim, "bits", fmt=MARKERS[i], color=COLOURS[i])
        runs |= {f"theory_{n}": theory, f"simulation_{n}": sim}
    for i, error in enumerate(ERRORS):
        here = model(hypotheses="features", error=error)
        wide = np.unique(np.rint(np.geomspace(12, 300, points))).astype(int)
        sim = tsphys.simulate(here, features=wide, **run, progress=sheet.share(4 + i, 1, 10))
        theory = tsphys.solve(here, features=np.unique(np.rint(np.geomspace(8, 400, 2 * fine))).astype(int))
        theory_line(middle, theory, "bits", color=COLOURS[i], label=rf"$\epsilon={error:g}$")
        simulation_points(middle, sim, "bits", fmt=MARKERS[i], color=COLOURS[i])
        bare = tsphys.solve(model(error=error))
        middle.axhline(bare["bits"][0], ls=":", color=COLOURS[i], lw=1)
        runs |= {f"theory_features_{error}": theory, f"simulation_features_{error}": sim, f"perceptron_{error}": bare}
    for i, (n, ridge) in enumerate(PROCESSES):
        here = model(hypotheses="gaussian_process", examples=n, noise=math.sqrt(0.1), ridge=ridge)
        sim = tsphys.simulate(here, error=np.geomspace(0.012, 0.5, points), **run, progress=sheet.share(6 + i, 1, 10))
        theory = tsphys.solve(here, error=np.geomspace(0.01, 0.6, fine))
        style = "-" if ridge is None else "--"
        line = theory_line(right, theory, "bits", color=COLOURS[i], ls=style)
        line.set_label(f"$n={n}$" + ("" if ridge is None else r", $\delta=0.02$"))
        simulation_points(right, sim, "bits", fmt=MARKERS[i], color=COLOURS[i])
        runs |= {f"theory_process_{i}": theory, f"simulation_process_{i}": sim}
    left.set(xlabel=r"error $\epsilon$", ylabel="bits", ylim=(-2, 95), title="perceptron, $N=30$")
    middle.set(xscale="log", xlabel="features $K$", ylabel="bits", ylim=(0, 62), title="random features, $N=30$")
    right.set(xscale="log", xlabel=r"error $\epsilon_g$", ylabel="bits", ylim=(-5, 360), title="Gaussian process")
    middle.set_xticks([10, 30, 100, 300], ["10", "30", "100", "300"])
    middle.minorticks_off()
    for ax in (left, middle, right):
        ax.legend(loc="upper right", fontsize=6.5, handlelength=1.4)
    return runs
