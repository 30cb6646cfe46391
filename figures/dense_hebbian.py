"""A four-body Hebbian network that learns from noisy examples, with and without a teacher: where, and from how many.

(a, b) Theory: below a line archetypes are retrieved. (c) Points are means of 16 networks of N = 160, bars standard
errors, lines theory with the couplings of this N. Without a teacher most networks of this size stay at their example,
far below the line; (d) shows how that passes as N grows, at load zero: 48 networks up to N = 3200 and 12 beyond, on
the theory's states, dotted the one in which all examples stay equal.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.ground.progress import share
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line
from tsphys.replica.dense_hebbian import highest, learned_load, spinodal_load

P = 4
QUALITY, EXAMPLES = 0.6, (5, 20, 80)
QUALITIES = (0.4, 0.6, 0.8)
#: Few examples, on both sides of where their overlaps become equal.
FEW = (4, 6, 9)
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
    ax.set(xlabel="examples $M$", ylabel="overlap $m$ with the archetype", xlim=(1, 26), ylim=(0, 1.02),
           title=rf"$\alpha={LOAD:g}$, $r={QUALITY:g}$, $N={N}$")  # fmt: skip
    ax.legend(loc="lower right")
    return runs


def panel_sizes(ax: Any, quick: bool, progress: Any, **options: Any) -> dict[str, Any]:
    """Overlap without a teacher and without load over N: examples stay equal, or one draws ahead of the others."""
    sizes = (100, 400, 1600, 6400) if quick else (100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600)
    out: dict[str, Any] = {}
    for i, M in enumerate(FEW):
        model = tsphys.DenseHebbian(P=P, alpha=0.0, T=T, storage="unsupervised", r=QUALITY, M=M)
        found, equal = (float(tsphys.solve(model, M=[M], branch=b)["m"][0]) for b in ("retrieval", "symmetric"))
        ax.axhline(found, color=COLOURS[i], label=f"$M={M}$")
        if found != equal:
            ax.axhline(equal, color=COLOURS[i], ls=":", lw=1)
        seen = []
        for n, N in enumerate(sizes):
            cold = replace(model, T=T * float(np.prod(1 - np.arange(1, P) / N)))
            part = share(progress, (i + n / len(sizes)) / len(FEW), 1 / len(FEW) / len(sizes), 1)
            runs = 8 if quick else 48 if N <= 3200 else 12
            seen.append(
                tsphys.simulate(
                    cold, N=N, n_patterns=1, replicas=runs, equilibration=50, sweeps=50, progress=part, **options
                )
            )
        m, error = ([float(getattr(s, k)("m")[0]) for s in seen] for k in ("mean", "sem"))
        ax.errorbar(sizes, m, yerr=error, fmt=MARKERS[i], color=COLOURS[i], mfc="white", capsize=2)
        out |= {f"m_M{M}": np.array(m), f"sem_M{M}": np.array(error), f"theory_M{M}": np.array([found, equal])}
    ax.set(xscale="log", xlabel="spins $N$", ylabel="overlap $m$ with the archetype", ylim=(0.55, 1.0),
           title=rf"without a teacher, $\alpha=0$, $r={QUALITY:g}$")  # fmt: skip
    ax.legend(loc="upper left", ncols=3, fontsize=7)
    return {**out, "sizes": np.array(sizes)}


@drawn({"P": P, "alpha": LOAD, "T": T}, N=(100, 160), replicas=(4, 16), count=(6, 24))
def draw(sheet: Sheet, N: int, replicas: int, count: int) -> dict[str, Any]:
    axes = sheet.subplots(2, 2, figsize=(PAGE, 5.4))
    axes = axes.ravel()
    phases = panel_phases(axes[0], count)
    examples = panel_examples(axes[1], count)
    options = sheet.options
    runs = panel_overlap(axes[2], N, replicas, sheet.share(0.2, 0.6, 1), **options)
    few = panel_sizes(axes[3], sheet.quick, sheet.share(0.8, 0.2, 1), **options)
    axes[0].plot([], [], color="grey", label="with a teacher")
    axes[0].plot([], [], color="grey", ls="--", label="without")
    sheet.figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    data = {
        **{f"phases_{k}": v for k, v in phases.items()},
        **{f"examples_{k}": v for k, v in examples.items()},
        **few,
    }
    return {**data, **runs}
