"""In-context regression by linear attention: double descent over prompts, few tasks by heart or the rule of all.

Lines are theory for N → ∞. Points in (a) and (b) are where straight lines in 1/N through means of 24 runs at N = 12
and at N = 24 end, bars their standard errors; crosses in (b) means at N = 24 of one who knows the tasks by heart.
Close to the peak more than straight lines is seen. (c) Means of 24 runs at N = 24, and of (24/N)² as many at smaller
N, parabolas in 1/N through all, and as stars the theory.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, theory_line
from tsphys.replica.linear_icl import best_ridge

SMALL, NAMES = 0.1, (("eps_in", "trained tasks"), ("eps_out", "new tasks"))
TASKS, PROMPTS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0), (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0)
RIDGE = 0.5


def straight(runs: list[Any], name: str) -> tuple[np.ndarray, np.ndarray]:
    """At 1/N = 0, from two sizes; and the standard error."""
    a, b = (1 / sim.meta["N"] for sim in runs)
    shares = np.array([b, -a]) / (b - a)
    mean = sum(c * sim.mean(name) for c, sim in zip(shares, runs, strict=True))
    return mean, np.sqrt(sum((c * sim.sem(name)) ** 2 for c, sim in zip(shares, runs, strict=True)))


@drawn({"sigma": 0.3}, N=((8, 16), (12, 24)), sizes=((6, 8, 12, 16), (6, 8, 12, 16, 24)), replicas=(4, 24))
def draw(sheet: Sheet, N: tuple[int, int], sizes: tuple[int, ...], replicas: int) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    run = {"replicas": replicas, **sheet.options}
    axes = sheet.subplots(1, 3, figsize=(PAGE, 2.8))
    model = tsphys.LinearICL(kappa=1.0, ridge=SMALL)
    lines = np.geomspace(0.1, 10, 81)
    best = [replace(model, tau=tau, ridge=best_ridge(replace(model, tau=tau))) for tau in lines[::4].tolist()]
    theory = tsphys.solve(model, tau=lines)
    pair = [tsphys.simulate(model, tau=PROMPTS, N=n, progress=sheet.share(j, 1, 6), **run) for j, n in enumerate(N)]
    many = replace(model, tau=4.0, ridge=RIDGE)
    tasks = tsphys.solve(many, kappa=np.geomspace(0.1, 10, 61))
    sims = [
        tsphys.simulate(many, kappa=TASKS, N=n, prompts=200, progress=sheet.share(2 + j, 1, 6), **run)
        for j, n in enumerate(N)
    ]
    for j, (name, words) in enumerate(NAMES):
        panels = (axes[0], theory, pair), (axes[1], tasks, sims)
        for panel, curve, points in panels:
            theory_line(panel, curve, name, color=COLOURS[j], label=words)
            mean, sem = straight(points, name)
            panel.errorbar(points[0][curve.axis], mean, sem, color=COLOURS[j], fmt=MARKERS[j], mfc="white", mew=0.9,
                           elinewidth=0.9, capsize=1.5)  # fmt: skip
            runs |= {f"{name}_over_{curve.axis}_mean": mean, f"{name}_over_{curve.axis}_sem": sem}
        least = np.array([tsphys.solve(here)[name][0] for here in best])
        axes[0].plot(lines[::4], least, color=COLOURS[j], ls="--", lw=1.0)
        runs |= {f"{name}_best_ridge": least}
        memory = sims[1].mean(f"memory_{name[4:]}")
        axes[1].plot(TASKS, memory, color=COLOURS[j], ls="none", marker="x", ms=4,
                     label="tasks by heart" if j else None)  # fmt: skip
    for panel in axes[:2]:
        panel.axhline(theory["bayes"][0], color="0.4", lw=0.7, ls=":", label="Bayes, new tasks")
    for j, n in enumerate(sizes):
        listen = sheet.share(4 + 2 * j / len(sizes), 2 / len(sizes), 6)
        # Runs of size N fluctuate like 1/N.
        most = {**run, "replicas": round(replicas * (sizes[-1] / n) ** 2)}
        runs[f"simulation_N{n}"] = tsphys.simulate(model, N=n, progress=listen, **most)
    for j, (name, words) in enumerate(NAMES):
        inverse, found = 1 / np.array(sizes), [runs[f"simulation_N{n}"] for n in sizes]
        means, sems = (np.array([getattr(sim, f)(name)[0] for sim in found]) for f in ("mean", "sem"))
        axes[2].errorbar(inverse, means, sems, color=COLOURS[j], fmt=MARKERS[j], mfc="white", mew=0.9, elinewidth=0.9,
                         capsize=1.5, label=words)  # fmt: skip
        through = np.polyfit(inverse, means, 2, w=1 / sems)
        fine = np.linspace(0, inverse[0], 41)
        axes[2].plot(fine, np.polyval(through, fine), color=COLOURS[j], lw=0.8)
        axes[2].plot(0, tsphys.solve(model)[name][0], color=COLOURS[j], marker="*", ms=9, clip_on=False, zorder=4)
    axes[0].plot([], [], color="black", ls="--", lw=1.0, label=r"best $\lambda$")
    axes[0].set(xscale="log", xlabel=r"prompts $\tau = n/N^2$", ylabel="error in context", ylim=(0, 1.2),
                title=f"$\\kappa=1$, $\\lambda={SMALL:g}$")  # fmt: skip
    axes[1].set(xscale="log", xlabel=r"tasks $\kappa = K/N$", ylim=(0, 1.2), title=f"$\\tau=4$, $\\lambda={RIDGE:g}$")
    axes[2].set(xlabel="$1/N$", xlim=(0, None), title=r"$\tau=2$, $\kappa=1$, $\lambda=0.1$")
    for panel, ncols in zip(axes, (2, 2, 1), strict=True):
        panel.legend(loc="upper left", ncols=ncols, fontsize=7, columnspacing=1.0)
    return {**runs, "theory_over_tau": theory, "theory_over_kappa": tasks, "best_at": lines[::4],
            "memory_in": sims[1].mean("memory_in"), "memory_out": sims[1].mean("memory_out")}  # fmt: skip
