"""Phase diagram of a four-body Hebbian network that learns from noisy examples, with and without a teacher."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import tsphys
from tsphys.ground.progress import share
from tsphys.plotting import COLOURS, MARKERS, PAGE, collect, label, save, simulation_points, style, theory_line
from tsphys.replica.dense_hebbian import highest, learned_load, spinodal_load

P = 4
QUALITY, EXAMPLES = 0.6, (5, 20, 80)
QUALITIES = (0.4, 0.6, 0.8)
#: Load and temperature of the runs.
LOAD, T = 0.0015, 0.12
RULES = {"supervised": "-", "unsupervised": "--"}


def line(model: tsphys.DenseHebbian, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Loads at which retrieval ends, over the temperatures at which there is any."""
    temperatures = highest(model) * np.append(np.linspace(0, 0.97, count), [0.99, 0.998])
    return np.array([spinodal_load(replace(model, T=float(x))) for x in temperatures]), temperatures


def panel_phases(ax: Any, count: int) -> dict[str, np.ndarray]:
    """Where the archetypes are retrieved, for several numbers of examples."""
    clean = line(tsphys.DenseHebbian(P=P), count)
    ax.plot(*clean, color="black", lw=1, label="archetypes known")
    out = {"clean": np.array(clean)}
    for i, M in enumerate(EXAMPLES if count > 10 else EXAMPLES[:2]):
        for rule, ls in RULES.items():
            found = line(tsphys.DenseHebbian(P=P, storage=rule, r=QUALITY, M=M), count)
            ax.plot(*found, ls=ls, color=COLOURS[i], label=f"$M={M}$" if ls == "-" else None)
            out[f"{rule}_M{M}"] = np.array(found)
    ax.set(xscale="log", xlim=(3e-4, 0.06), ylim=(0, None), xlabel=r"load $\alpha=K/N^3$", ylabel="temperature $T$",
           title=f"retrieval, $P={P}$, $r={QUALITY:g}$")  # fmt: skip
    return out


def panel_examples(ax: Any, count: int) -> dict[str, np.ndarray]:
    """Load up to which archetypes are learned, m > 0.9, over the number of examples, for several qualities."""
    numbers = np.unique(np.rint(np.geomspace(2, 200 if count > 10 else 60, count)).astype(int))
    out = {"numbers": numbers}
    for i, r in enumerate(QUALITIES):
        for rule, ls in RULES.items():
            model = tsphys.DenseHebbian(P=P, T=T, storage=rule, r=r)
            loads = np.array([learned_load(replace(model, M=int(M))) for M in numbers])
            ax.plot(numbers, np.where(loads > 0, loads, np.nan), ls=ls, color=COLOURS[3 + i],
                    label=f"$r={r:g}$" if ls == "-" else None)  # fmt: skip
            out[f"{rule}_r{r:g}"] = loads
    ax.axhline(spinodal_load(tsphys.DenseHebbian(P=P, T=T)), color="black", lw=1)
    ax.set(xscale="log", yscale="log", ylim=(1e-4, 0.08), xlabel="examples $M$",
           ylabel=r"largest load with $m>0.9$", title=f"learning, $T={T:g}$")  # fmt: skip
    ax.xaxis.set_minor_formatter("")
    ax.legend(loc="lower right", fontsize=7)
    return out


def panel_overlap(ax: Any, N: int, replicas: int, progress: Any, **options: Any) -> dict[str, Any]:
    """Overlap with the archetype over M: theory at the size of the simulation, whose couplings lack equal indices."""
    factor = float(np.prod(1 - np.arange(1, P) / N))
    simulated, fine = np.array([2, 3, 4, 6, 9, 13, 20]), np.array([2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 20, 25])
    if replicas < 10:
        simulated, fine = simulated[3:], fine[4::2]
    runs: dict[str, Any] = {}
    for i, rule in enumerate(RULES):
        model = tsphys.DenseHebbian(P=P, alpha=LOAD, T=T, storage=rule, r=QUALITY)
        scaled = replace(model, alpha=LOAD / factor, T=T / factor)
        known = [M for M in fine if scaled.alpha < spinodal_load(replace(scaled, M=int(M)))]
        theory = tsphys.solve(scaled, M=known)
        sim = tsphys.simulate(
            model, N=N, M=simulated, replicas=replicas, equilibration=50, sweeps=50, progress=share(progress, i, 1, 2),
            **options,
        )  # fmt: skip
        theory_line(ax, theory, "m", color=COLOURS[6 * i], ls=RULES[rule], label=rule)
        simulation_points(ax, sim, "m", fmt=MARKERS[i], color=COLOURS[6 * i])
        runs |= {f"theory_{rule}": theory, f"simulation_{rule}": sim}
    ax.axhline(QUALITY, color="black", lw=0.7, ls=":", zorder=0)
    ax.annotate("a single example, $m=r$", (25, QUALITY), xytext=(0, -9), textcoords="offset points", ha="right",
                fontsize=7)  # fmt: skip
    ax.set(xlabel="examples $M$", ylabel="overlap $m$ with the archetype", xlim=(1, 26), ylim=(0, 1.02),
           title=rf"$\alpha={LOAD:g}$, $r={QUALITY:g}$, $N={N}$")  # fmt: skip
    ax.legend(loc="lower right")
    return runs


def draw(
    out: Any,
    quick: bool = False,
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> list[Path]:
    """Write the figure to ``out.pdf`` and ``out.png`` and its numbers to ``out.npz``."""
    N, replicas, count = (100, 4, 6) if quick else (160, 24, 40)
    with style() as plt:
        figure, axes = plt.subplots(1, 3, figsize=(PAGE, 2.8))
        phases = panel_phases(axes[0], count)
        examples = panel_examples(axes[1], count)
        part = share(progress, 0.2, 0.8, 1)
        runs = panel_overlap(axes[2], N, replicas, part, seed=seed, threads=threads)
        for panel, letter in zip(axes, "abc", strict=True):
            label(panel, letter)
        axes[0].plot([], [], color="grey", label="with a teacher")
        axes[0].plot([], [], color="grey", ls="--", label="without")
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
        data = {**{f"phases_{k}": v for k, v in phases.items()}, **{f"examples_{k}": v for k, v in examples.items()}}
        parameters = {"P": P, "alpha": LOAD, "T": T, "N": N, "replicas": replicas, "seed": seed, "quick": quick}
        return save(figure, out, {**data, **collect(**runs)}, parameters)


if __name__ == "__main__":
    from tsphys.cli import main

    main(["figure", "dense_hebbian", *sys.argv[1:]])
