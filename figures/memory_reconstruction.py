"""Error of reconstructed patterns over the noise, iteration by iteration, and in the hard phase of sparse patterns.

Lines are theory for N → ∞. (a, b) Points are means of 8 networks at N = 2000, bars standard errors, smaller than the
points. Beyond the transition (dotted) principal components of a finite network still overlap with the patterns a
little, and lie below 1. (c) Every point is one of 8 networks at N = 4000: one finds the patterns or does not, and
close to the edges finite networks do either.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.ground.progress import share
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line
from tsphys.replica.memory_reconstruction import thresholds

P = 3
#: Noises of the iterations, all below the threshold ν = 1, and the overlap from which they start.
NOISES, START = (0.4, 0.6, 0.8), 0.1
#: Density of the sparse patterns, whose transition is of first order.
RHO = 0.05


@drawn({"P": P, "rho": RHO}, N=(1000, 2000), N_sparse=(2500, 4000), replicas=(5, 8))
def draw(sheet: Sheet, N: int, N_sparse: int, replicas: int) -> dict[str, Any]:
    options: dict[str, Any] = {
        "N": N,
        "replicas": replicas,
        **sheet.options,
        "iterations": 200 if sheet.quick else 500,
    }
    runs: dict[str, Any] = {}
    axes = sheet.subplots(1, 3, figsize=(PAGE, 2.8))
    model = tsphys.MemoryReconstruction(P=P)
    noise = np.linspace(0.15, 1.25, 6 if sheet.quick else 12)
    runs["simulation"] = tsphys.simulate(model, noise=noise, progress=sheet.share(0, 0.5, 1), **options)
    runs["theory"] = tsphys.solve(model, noise=np.linspace(0.05, 1.3, 126))
    for i, (name, words, theory) in enumerate((("mse", "AMP", "state evolution"), ("mse_pca", "PCA", "BBP"))):
        theory_line(axes[0], runs["theory"], name, color=COLOURS[i], label=theory)
        simulation_points(axes[0], runs["simulation"], name, fmt=MARKERS[i], color=COLOURS[i], label=words)
    axes[0].axvline(np.sqrt(thresholds(model).algorithmic), color="black", lw=0.7, ls=":", zorder=0)
    axes[0].set(xlabel=r"noise $\nu$ of the synapses", ylabel="mean squared error", ylim=(0, 1.09),
                title=f"$\\pm1$, $P={P}$, $N={N}$")  # fmt: skip
    axes[0].legend(loc="upper left", fontsize=6)
    t = np.arange(0, 26)
    for i, value in enumerate(NOISES):
        here = tsphys.MemoryReconstruction(P=P, noise=value)
        part = sheet.share(0.5 + 0.05 * i, 0.05, 1)
        runs[f"steps_{value}"] = tsphys.simulate(here, t=t, overlap=START, progress=part, **options)
        runs[f"evolution_{value}"] = tsphys.solve(here, t=t, overlap=START)
        theory_line(axes[1], runs[f"evolution_{value}"], "mse", color=COLOURS[2 + i], label=rf"$\nu={value:g}$")
        simulation_points(axes[1], runs[f"steps_{value}"], "mse", fmt=MARKERS[i], color=COLOURS[2 + i])
    axes[1].set(yscale="log", xlabel="iteration", title=f"from the overlap {START:g}")
    axes[1].set_ylim(0.01, 1.2)
    axes[1].legend(loc="lower right", fontsize=6.5, ncols=3, columnspacing=0.8, handlelength=1.2)
    single = _hard(axes[2], runs, sheet.quick, sheet.share(0.65, 0.35, 1), {**options, "N": N_sparse})
    return {**runs, **single}


def _hard(ax: Any, runs: dict[str, Any], quick: bool, progress: Any, options: dict[str, Any]) -> dict[str, np.ndarray]:
    """Sparse patterns: what is reached without information and from the patterns themselves, and the best there is."""
    model, single = tsphys.MemoryReconstruction(patterns="sparse", rho=RHO), {}
    at = thresholds(model)
    ratio = np.array([0.6, 0.8, 1.1, 1.25, 1.5] if quick else [0.5, 0.65, 0.8, 0.9, 1.05, 1.15, 1.25, 1.32, 1.45, 1.6])
    # Points crowd at the spinodal, where the error ends like a square root.
    end = at.spinodal / at.algorithmic
    below = np.sort(
        np.concatenate([np.linspace(0.4, 1 - 1e-9, 40), end * (1 - np.geomspace(1e-6, 1, 40) * (1 - 1 / end))])
    )
    fine = np.concatenate([below, end * np.array([1 + 1e-9, 1.25])])
    for i, (name, overlap) in enumerate((("no information", None), ("the patterns", 1.0))):
        part = share(progress, i, 1, 2)
        sim = tsphys.simulate(
            model, noise=np.sqrt(ratio * at.algorithmic), overlap=overlap, pca=False, progress=part, **options
        )
        theory = tsphys.solve(model, noise=np.sqrt(fine * at.algorithmic), overlap=overlap)
        runs |= {f"hard_simulation_{i}": sim, f"hard_theory_{i}": theory}
        single[f"hard_runs_{i}"] = sim["mse"]
        ax.plot(fine, theory["mse"] / RHO, color=COLOURS[5 + i], ls=("-", "--")[i], label=f"from {name}")
        # A run finds the patterns or does not, so that a mean would lie where no run does.
        shift = 0.01 * (2 * i - 1)
        ax.plot(
            ratio + shift, sim["mse"].T / RHO, MARKERS[i], color=COLOURS[5 + i], mfc="none", mew=0.7, ms=3, zorder=3
        )
    ax.axvspan(1, at.information / at.algorithmic, color="black", alpha=0.08, lw=0)
    ax.annotate("hard", ((1 + at.information / at.algorithmic) / 2, 0.03), ha="center", fontsize=7.5)
    ax.set(xlabel=r"noise $\Delta/\Delta_c$", ylabel=r"mean squared error$/\rho$", ylim=(0, 1.45),
           title=f"sparse, $\\rho={RHO:g}$, $N={options['N']}$")  # fmt: skip
    ax.legend(loc="upper left", fontsize=6.5)
    return single
