"""Learning curves of ridge regression on a power-law spectrum, and why more features are better at the best ridge.

Lines are the eigenframework, points means of 40 instances on a spectrum of 2000 modes, bars standard errors; dotted
in (b), the small ridge of (a) without tuning. At few examples (n or k of about ten) instances lie up to a sixth above
the lines, which hold for large n.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line
from tsphys.replica.kernel_ridge import optimal_ridge

SMALL, NOISE, FEATURES, EXAMPLES = 1e-3, 0.3, (30, 100, 300, None), (50, 200, 800)


@drawn({"noise": NOISE, "ridge": SMALL}, modes=(1000, 2000), replicas=(10, 40))
def draw(sheet: Sheet, modes: int, replicas: int) -> dict[str, Any]:
    options: dict[str, Any] = {"replicas": replicas, **sheet.options}
    runs: dict[str, Any] = {}
    data: dict[str, np.ndarray] = {}
    model = tsphys.KernelRidge(ridge=SMALL, noise=NOISE, modes=modes)
    jobs = len(FEATURES) + len(EXAMPLES)
    left, right = sheet.subplots(1, 2, figsize=(PAGE, 3.0))
    n = np.array([10, 18, 30, 55, 100, 180, 300, 550])
    many = np.unique(np.geomspace(10, 600, 121).astype(int))
    for j, k in enumerate(FEATURES):
        here = dataclasses.replace(model, k=k)
        theory = tsphys.solve(here, n=many)
        sim = tsphys.simulate(here, n=n, progress=sheet.share(j, 1, jobs), **options)
        theory_line(left, theory, "eps_g", color=COLOURS[j], label=f"$k={k}$" if k else "kernel")
        simulation_points(left, sim, "eps_g", color=COLOURS[j], fmt=MARKERS[j])
        runs |= {f"theory_k{k}": theory, f"simulation_k{k}": sim}
    widths = np.array([10, 20, 40, 80, 160, 320, 640])
    many = np.unique(np.geomspace(10, 800, 49).astype(int))
    # Where it diverges, at k = n, the curve is narrow.
    dense = np.arange(10, 801)
    for j, size in enumerate(EXAMPLES):
        colour = COLOURS[4 + j]
        here = dataclasses.replace(model, n=size)
        small = tsphys.solve(here, k=dense)
        right.plot(dense, small["eps_g"], color=colour, ls=":", lw=1)
        best = np.array([optimal_ridge(dataclasses.replace(here, k=int(a))) for a in many])
        lines = [tsphys.solve(here, k=[a], ridge=b)["eps_g"][0] for a, b in zip(many.tolist(), best.tolist())]
        right.plot(many, lines, color=colour, label=f"$n={size}$")
        for i, features in enumerate(widths.tolist()):
            ridge = optimal_ridge(dataclasses.replace(here, k=features))
            listen = sheet.share(len(FEATURES) + j + i / len(widths), 1 / len(widths), jobs)
            sim = tsphys.simulate(here, k=[features], ridge=ridge, progress=listen, **options)
            simulation_points(right, sim, "eps_g", color=colour, fmt=MARKERS[4 + j])
            runs[f"best_n{size}_k{features}"] = sim
        data |= {f"best_n{size}": np.array(lines), f"best_ridge_n{size}": best, f"small_n{size}": small["eps_g"]}
    data |= {"best_k": many, "small_k": dense}
    right.plot([], [], color="black", ls=":", lw=1, label=f"$\\delta=10^{{{np.log10(SMALL):.0f}}}$")
    left.set(xscale="log", yscale="log", xlabel="examples $n$", ylabel=r"generalisation error $\epsilon_g$")
    left.set_title(f"$\\delta=10^{{{np.log10(SMALL):.0f}}}$, $\\sigma={NOISE}$")
    right.set(xscale="log", yscale="log", xlabel="random features $k$", title=f"best $\\delta$, {replicas} instances")
    right.set_ylabel(r"generalisation error $\epsilon_g$")
    left.set_ylim(0.008, 1.6)
    left.legend(loc="lower left", ncols=2)
    right.set_ylim(0.003, 0.9)
    right.legend(loc="lower left", ncols=2)
    return {**runs, **data}
