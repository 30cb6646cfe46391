"""Double descent of random features, over their number and over that of the examples."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tsphys
from tsphys.plotting import COLOURS, MARKERS, PAGE, collect, label, save, simulation_points, style, theory_line
from tsphys.replica.random_features import optimal_ridge
from tsphys.runs.progress import share

NOISE, RIDGES, EXAMPLES, WIDTH = 0.3, (1e-4, 1e-2, 1.0), 3.0, 3.0
#: Points in units of where features and examples are equally many; they crowd there.
POINTS = np.array([0.15, 0.3, 0.5, 0.7, 0.85, 1.0, 1.15, 1.4, 2.0, 3.3])


def best(model: tsphys.RandomFeatures, axis: str, values: np.ndarray) -> np.ndarray:
    """eps_g with the optimal ridge of each point."""
    out = []
    for value in values.tolist():
        ridge = optimal_ridge(dataclasses.replace(model, **{axis: value}))
        out.append(tsphys.solve(model, ridge=ridge, **{axis: [value]})["eps_g"][0])
    return np.array(out)


def draw(
    out: Any,
    quick: bool = False,
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> list[Path]:
    """Write the figure to ``out.pdf`` and ``out.png`` and its numbers to ``out.npz``."""
    N, replicas = (100, 10) if quick else (200, 24)
    options = {"N": N, "replicas": replicas, "seed": seed, "threads": threads}
    runs: dict[str, Any] = {}
    data: dict[str, np.ndarray] = {}
    panels = (("width", EXAMPLES, "features per input $p/N$"), ("alpha", WIDTH, "examples per input $n/N$"))
    with style() as plt:
        figure, axes = plt.subplots(1, 2, figsize=(PAGE, 3.0), sharey=True)
        for i, (axis, equal, words) in enumerate(panels):
            model = tsphys.RandomFeatures(noise=NOISE, width=WIDTH, alpha=EXAMPLES)
            lines = np.geomspace(POINTS[0], POINTS[-1], 121) * equal
            for j, ridge in enumerate(RIDGES):
                listen = share(progress, i * len(RIDGES) + j, 1, 2 * len(RIDGES))
                theory = tsphys.solve(model, ridge=ridge, **{axis: lines})
                sim = tsphys.simulate(model, ridge=ridge, **{axis: equal * POINTS}, progress=listen, **options)
                theory_line(
                    axes[i], theory, "eps_g", color=COLOURS[j], label=f"$\\lambda=10^{{{np.log10(ridge):.0f}}}$"
                )
                simulation_points(axes[i], sim, "eps_g", color=COLOURS[j], fmt=MARKERS[j])
                runs |= {f"theory_{axis}_{ridge:g}": theory, f"simulation_{axis}_{ridge:g}": sim}
            optimal = best(model, axis, lines[::4])
            axes[i].plot(lines[::4], optimal, color="black", ls="--", lw=1, label=r"best $\lambda$")
            axes[i].axvline(equal, color="black", lw=0.7, ls=":", zorder=0)
            axes[i].set(xscale="log", yscale="log", xlabel=words)
            data |= {f"best_{axis}": optimal, f"best_{axis}_at": lines[::4]}
            label(axes[i], "ab"[i])
        axes[0].set(ylabel=r"generalisation error $\epsilon_g$", title=f"$n/N={EXAMPLES:g}$, tanh, $\\sigma={NOISE}$")
        axes[1].set(title=f"$p/N={WIDTH:g}$, $N={N}$, {replicas} instances")
        axes[0].annotate("$p=n$", (EXAMPLES, axes[0].get_ylim()[1]), ha="left", va="top", textcoords="offset points",
                         xytext=(3, 0))  # fmt: skip
        axes[1].legend(loc="lower left")
        parameters = {"noise": NOISE, "N": N, "replicas": replicas, "seed": seed, "quick": quick, "alpha": EXAMPLES,
                      "width": WIDTH}  # fmt: skip
        return save(figure, out, {**collect(**runs), **data}, parameters)


if __name__ == "__main__":
    from tsphys.cli import main

    main(["figure", "random_features", *sys.argv[1:]])
