"""What a layer of frozen attention learns first: a staircase of degrees, far ahead of a random perceptron.

Lines are the eigenframework, points means of 8 draws with 600 fresh sequences each, bars standard errors; N = 16 and
L = 4. (a) Infinitely many heads with a bias β = 1, for targets of degrees (a, b) in query and tokens, and dashed a
perceptron of infinitely many random units, which sees a sequence as one vector (crosses, for the first target); it does
not learn (1, 2) at all. At few sequences, and where errors are large, points lie up to a tenth off. (b) Few heads,
each with N features: double descent at MN = n.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

TARGETS = ((0, 1), (1, 1), (1, 2))
NOISE, COUNTS = 0.3, (50, 100, 200)


@drawn({"dimension": 16, "tokens": 4, "noise": NOISE}, replicas=(2, 8), most=(150, 800))
def draw(sheet: Sheet, replicas: int, most: int) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    left, right = sheet.subplots(1, 2, figsize=(PAGE, 3.0))
    options: dict[str, Any] = {"replicas": replicas, **sheet.options}
    lines, jobs = np.unique(np.geomspace(10, 30_000, 81).astype(int)), len(TARGETS) + 1 + len(COUNTS)
    points = [n for n in (25, 50, 100, 200, 400, 800) if n <= most]
    for j, (a, b) in enumerate(TARGETS):
        model = tsphys.AttentionFeatures(query_degree=a, token_degree=b, bias=1.0, ridge=1e-3, noise=NOISE)
        theory = tsphys.solve(model, n=lines)
        sim = tsphys.simulate(model, n=points, progress=sheet.share(j, 1, jobs), **options)
        theory_line(left, theory, "eps_g", color=COLOURS[j], label=f"$({a},{b})$")
        simulation_points(left, sim, "eps_g", color=COLOURS[j], fmt=MARKERS[j])
        runs |= {f"theory_{a}{b}": theory, f"simulation_{a}{b}": sim}
        if (a + b) % 2 == 0 or a + b == 1:
            plain = replace(model, student="mlp", bias=0.0)
            runs[f"perceptron_{a}{b}"] = theory_line(
                left, tsphys.solve(plain, n=lines), "eps_g", color=COLOURS[j], ls="--"
            ).get_ydata()
    plain = tsphys.AttentionFeatures(student="mlp", ridge=1e-3, noise=NOISE)
    sim = tsphys.simulate(plain, n=points, progress=sheet.share(len(TARGETS), 1, jobs), **options)
    simulation_points(left, sim, "eps_g", color=COLOURS[0], fmt="x")
    runs["simulation_perceptron"] = sim
    heads, drawn_heads = np.unique(np.geomspace(1, 100, 61).astype(int)), [1, 2, 4, 8, 12, 20, 40, 80]
    for j, n in enumerate(COUNTS):
        model = tsphys.AttentionFeatures(n=n, ridge=0.01, noise=NOISE)
        theory = tsphys.solve(model, heads=heads)
        listen = sheet.share(len(TARGETS) + 1 + j, 1, jobs)
        sim = tsphys.simulate(model, heads=drawn_heads, progress=listen, **options)
        theory_line(right, theory, "eps_g", color=COLOURS[4 + j], label=f"$n={n}$")
        simulation_points(right, sim, "eps_g", color=COLOURS[4 + j], fmt=MARKERS[4 + j])
        right.axvline(n / 16, color=COLOURS[4 + j], lw=0.7, ls=":")
        runs |= {f"heads_theory_{n}": theory, f"heads_simulation_{n}": sim}
    left.set(xscale="log", yscale="log", xlabel="sequences $n$", ylabel=r"generalisation error $\epsilon_g$")
    left.set(ylim=(3e-3, 1.5), title="attention, and perceptron dashed")
    left.legend(loc="lower left", title="target $(a,b)$")
    right.set(xscale="log", yscale="log", xlabel="heads $M$", ylabel=r"$\epsilon_g$ of target $(0,1)$")
    right.set_title("dotted: $MN=n$")
    right.legend()
    return runs
