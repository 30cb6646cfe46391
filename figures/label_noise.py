"""Labels that are partly wrong: gradient flow learns the rule first, and memorises the wrong ones later.

Lines are theory for N → ∞, points means of 16 training sets at N = 800, bars standard errors, smaller than the
points. (a) Dotted: from there on wrong labels are memorised.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tsphys
from tsphys.ground.progress import share
from tsphys.odes.label_noise import onset
from tsphys.plotting import COLOURS, MARKERS, PAGE, collect, label, save, simulation_points, style, theory_line

GROUPS = (("clean", "true labels"), ("accuracy", "fresh examples"), ("flipped", "wrong labels"))
LOADS = (0.5, 1.0, 2.0, 5.0)


def draw(
    out: Any,
    quick: bool = False,
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> list[Path]:
    """Write the figure to ``out.pdf`` and ``out.png`` and its numbers to ``out.npz``."""
    N, replicas = (200, 8) if quick else (800, 16)
    points, lines = np.geomspace(0.03, 100, 11), np.geomspace(0.02, 200, 61)
    runs: dict[str, Any] = {}
    with style() as plt:
        figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE, 3.0))
        for j, alpha in enumerate(LOADS):
            model = tsphys.LabelNoise(alpha=alpha)
            theory = tsphys.solve(model, t=lines)
            sim = tsphys.simulate(
                model, N=N, t=points, replicas=replicas, seed=seed, threads=threads,
                progress=share(progress, j, 1, len(LOADS)),
            )  # fmt: skip
            theory_line(right, theory, "accuracy", color=COLOURS[j + 3], label=f"$\\alpha={alpha:g}$")
            simulation_points(right, sim, "accuracy", color=COLOURS[j + 3], fmt=MARKERS[j])
            runs |= {f"theory_{alpha:g}": theory, f"simulation_{alpha:g}": sim}
        for j, (name, words) in enumerate(GROUPS):
            theory_line(left, runs["theory_2"], name, color=COLOURS[j], label=words)
            simulation_points(left, runs["simulation_2"], name, color=COLOURS[j], fmt=MARKERS[j])
        model = tsphys.LabelNoise(alpha=2.0)
        at = onset(model)
        left.axvline(at, color="0.4", lw=0.7, ls=":")
        left.annotate("memorised", (at, 0.24), xytext=(6, 0), textcoords="offset points", color="0.4", va="center")
        left.annotate("rule first", (at, 0.24), xytext=(-6, 0), textcoords="offset points", color="0.4", va="center",
                      ha="right")  # fmt: skip
        left.set(xlabel="time $t$", xscale="log", ylabel="share of true classes told", ylim=(0.2, 1.02),
                 title=f"$\\alpha=2$, $\\Delta={model.flips}$, $N={N}$, {replicas} runs")  # fmt: skip
        right.set(xlabel="time $t$", xscale="log", ylabel="accuracy on fresh examples",
                  title="best when stopped early")  # fmt: skip
        left.legend(loc="lower left", bbox_to_anchor=(0, 0.12))
        right.legend(loc="lower left")
        label(left, "a")
        label(right, "b")
        return save(figure, out, collect(**runs), {"N": N, "replicas": replicas, "seed": seed, "quick": quick})


if __name__ == "__main__":
    from tsphys.cli import main

    main(["figure", "label_noise", *sys.argv[1:]])
