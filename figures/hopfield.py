"""Overlap and energy of retrieval over the load at several temperatures, and how its end sharpens with N.

(a, b) Lines are replica theory up to where retrieval ends, points means of 24 networks of N = 4000 over 200 sweeps
after 100, bars standard errors; those of the energy come from the patterns, which differ from network to network. (c)
32 networks of each N, 100 sweeps after 300; near the end some have lost the pattern and some have not, and the mean
is over both. Lines join the points.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line
from tsphys.replica.hopfield import spinodal_load

TEMPERATURES = (0.1, 0.3, 0.5)
#: Temperature at which the end of retrieval is followed over N, in loads relative to the spinodal.
SHARP = 0.3
RELATIVE = np.array([0.6, 0.7, 0.8, 0.86, 0.92, 0.97, 1.02, 1.07, 1.14, 1.22, 1.3])


def retrieved_curve(T: float) -> Any:
    """Theory up to the spinodal, with points that crowd there, where m falls like a square root."""
    end = spinodal_load(tsphys.Hopfield(T=T))
    return tsphys.solve(tsphys.Hopfield(T=T), alpha=end * (1 - np.linspace(0.99, 1e-4, 60) ** 2))


@drawn(N=(2000, 4000), replicas=(8, 24), samples=(12, 32), sizes=((250, 500, 1000), (500, 1000, 2000, 4000)))
def draw(sheet: Sheet, N: int, replicas: int, samples: int, sizes: Any) -> dict[str, Any]:
    options = sheet.options
    runs: dict[str, Any] = {}
    axes = sheet.subplots(1, 3, figsize=(PAGE, 2.7))
    for i, T in enumerate(TEMPERATURES):
        theory = retrieved_curve(T)
        end = float(theory["alpha"][-1])
        sim = tsphys.simulate(
            tsphys.Hopfield(T=T), N=N, alpha=end * np.linspace(0.08, 0.8, 6 if sheet.quick else 9), replicas=replicas,
            equilibration=100, sweeps=200, progress=sheet.share(0.1 * i, 0.1, 1), **options,
        )  # fmt: skip
        for ax, name in zip(axes, ("m", "energy"), strict=False):
            theory_line(ax, theory, name, color=COLOURS[i], label=f"$T={T:g}$")
            simulation_points(ax, sim, name, fmt=MARKERS[i], color=COLOURS[i], ms=2.5)
            runs |= {f"theory_T{T:g}": theory, f"simulation_T{T:g}": sim}
    end = spinodal_load(tsphys.Hopfield(T=SHARP))
    for i, size in enumerate(sizes):
        sim = tsphys.simulate(
            tsphys.Hopfield(T=SHARP), N=size, alpha=end * RELATIVE, replicas=samples, equilibration=300, sweeps=100,
            progress=sheet.share(0.3 + 0.7 * i / len(sizes), 0.7 / len(sizes), 1), **options,
        )  # fmt: skip
        simulation_points(
            axes[2], sim, "m", fmt=MARKERS[i] + "-", lw=0.8, color=COLOURS[i], label=f"$N={size}$", zorder=3 + i
        )
        runs[f"sizes_N{size}"] = sim
    theory_line(axes[2], runs[f"theory_T{SHARP:g}"], "m", color="black", label=r"$N\to\infty$")
    axes[2].axvline(end, color="black", lw=0.7, ls=":", zorder=0)
    axes[0].set(ylabel="overlap $m$", ylim=(0.8, 1.01), title=f"retrieval, $N={N}$")
    axes[1].set(ylabel=r"energy per spin $H/N$", title=f"energy, {replicas} networks")
    axes[2].set(ylabel="overlap $m$", ylim=(0, 1.03), xlim=(0.055, 1.32 * end), title=f"its end at $T={SHARP:g}$")
    axes[0].legend(loc="lower right")
    axes[2].legend(loc="lower left", fontsize=7)
    for panel in axes:
        panel.set_xlabel(r"load $\alpha=P/N$")
    return runs
