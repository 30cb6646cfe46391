"""The plateau escaped: networks that differ by their random starts leave it one by one, later at large N."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tsphys
from tsphys.animation import save_animation
from tsphys.figures.escape import MODEL, escape_times
from tsphys.ground.progress import share
from tsphys.odes.two_layer_limits import plateau
from tsphys.plotting import COLOURS, PAGE, style


def animate(
    path: Path,
    quick: bool = False,
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Path:
    """Write the animation to `path`, whose suffix is the format."""
    frames, sizes, replicas = (40, (100, 400), 30) if quick else (120, (100, 1000, 10_000), 60)
    end = 160.0
    t = np.linspace(0, end, 4 * frames + 1)
    height, _ = plateau(MODEL)
    runs: dict[int, Any] = {}
    for n, N in enumerate(sizes):
        part = share(progress, 0.5 * n, 0.5, len(sizes))
        runs[N] = tsphys.simulate(MODEL, N=N, t=t, replicas=replicas, seed=seed, threads=threads, progress=part)
    with style() as plt:
        figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE, 2.8))
        traces, shares = [], []
        for n, N in enumerate(runs):
            traces.append([left.plot([], [], color=COLOURS[n], lw=0.5, alpha=0.6)[0] for _ in range(replicas)])
            shares.append(right.plot([], [], color=COLOURS[n], label=f"$N={N}$")[0])
        left.axhline(height, color="black", lw=0.8, ls=":")
        left.annotate("plateau of the ODE", (0.99, height), xycoords=("axes fraction", "data"), xytext=(0, 3),
                      textcoords="offset points", ha="right", fontsize=7)  # fmt: skip
        left.set(xlim=(0, end), ylim=(3e-6, 0.3), yscale="log", xlabel="time $t=$ examples$/N$")
        left.set_ylabel(r"generalisation error $\epsilon_g$")
        left.set_title(f"erf, $K=M=2$, $\\eta={MODEL.lr:g}$, {replicas} networks of each size")
        right.set(xlim=(0, end), ylim=(0, 1.02), xlabel="time $t$", ylabel="fraction of networks escaped")
        right.legend(loc="upper left")
        escaped = [escape_times(run, height / 2) for run in runs.values()]

        def redraw(i: int) -> None:
            shown = 4 * (i + 1) + 1
            for lines, run, curve, times in zip(traces, runs.values(), shares, escaped, strict=True):
                for line, row in zip(lines, run["eps_g"], strict=True):
                    line.set_data(t[:shown], row[:shown])
                curve.set_data(t[:shown], (times[:, None] <= t[:shown]).mean(axis=0))

        return save_animation(figure, redraw, frames, path, progress=share(progress, 0.5, 0.5, 1))
