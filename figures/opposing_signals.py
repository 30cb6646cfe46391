"""Outliers with opposing signals: a curvature that sharpens to the edge of stability, and a catapult back from it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tsphys
from tsphys.ground.progress import share
from tsphys.plotting import COLOURS, MARKERS, PAGE, collect, label, save, simulation_points, style, theory_line

#: A start beside which sampled moments, which make b_o grow too, count little.
START, RATES, BETWEEN = 0.03, (0.15, 0.25, 0.3), 0.25


def draw(
    out: Any,
    quick: bool = False,
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> list[Path]:
    """Write the figure to ``out.pdf`` and ``out.png`` and its numbers to ``out.npz``."""
    n, replicas, end = (20_000, 4, 100) if quick else (200_000, 8, 100)
    runs: dict[str, Any] = {}
    with style() as plt:
        figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE, 3.0))
        for j, lr in enumerate(RATES):
            model = tsphys.OpposingSignals(lr=lr, b_o=START)
            theory = tsphys.solve(model, t=range(end + 1))
            sim = tsphys.simulate(
                model, n=n, t=range(0, end + 1, 4), replicas=replicas, seed=seed, threads=threads,
                progress=share(progress, j, 1, len(RATES)),
            )  # fmt: skip
            left.axhline(2 / lr, color=COLOURS[j], lw=0.7, ls=":")
            theory_line(left, theory, "curvature", color=COLOURS[j], label=f"$\\eta={lr}$")
            simulation_points(left, sim, "curvature", color=COLOURS[j], fmt=MARKERS[j])
            runs |= {f"theory_{lr}": theory, f"simulation_{lr}": sim}
        spike = slice(15, 56)
        for name, colour, words in (("loss_up", COLOURS[1], "$x_o=A$"), ("loss_down", COLOURS[3], "$x_o=-A$")):
            theory = runs[f"theory_{BETWEEN}"]
            right.plot(theory["t"][spike], theory[name][spike], color=colour, label=words, marker=".", ms=3, lw=0.8)
        right.plot(theory["t"][spike], 10 * theory["loss"][spike], color="black", lw=0.9, label="all, ×10")
        left.set(xlabel="step", ylabel=r"curvature $\gamma c^2$", title=f"$n={n}$, {replicas} training sets")
        right.set(xlabel="step", ylabel="loss", title=f"$\\eta={BETWEEN}$: out of phase", yscale="log")
        left.legend(loc="lower right", title=r"edge $2/\eta$ dotted")
        right.legend()
        label(left, "a")
        label(right, "b")
        return save(figure, out, collect(**runs), {"n": n, "replicas": replicas, "seed": seed, "quick": quick})


if __name__ == "__main__":
    from tsphys.cli import main

    main(["figure", "opposing_signals", *sys.argv[1:]])
