"""The plateau escaped: networks that differ by their random starts leave it one by one, later at large N."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.escape import MODEL, escape_times
from tsphys.figures.frame import Drawing, Sheet, moving
from tsphys.odes.two_layer_limits import plateau
from tsphys.plotting import COLOURS, PAGE


@moving(frames=(40, 120), sizes=((100, 400), (100, 1000, 10_000)), replicas=(30, 40))
def animate(sheet: Sheet, frames: int, sizes: tuple[int, ...], replicas: int) -> Drawing:
    end = 160.0
    t = np.linspace(0, end, 4 * frames + 1)
    height, _ = plateau(MODEL)
    runs: dict[int, Any] = {}
    for n, N in enumerate(sizes):
        part = sheet.share(n, 1, len(sizes))
        runs[N] = tsphys.simulate(MODEL, N=N, t=t, replicas=replicas, **sheet.options, progress=part)
    left, right = sheet.subplots(1, 2, figsize=(PAGE, 2.8))
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
    right.legend(loc="lower right")
    escaped = [escape_times(run, height / 2) for run in runs.values()]

    def redraw(i: int) -> None:
        shown = 4 * (i + 1) + 1
        for lines, run, curve, times in zip(traces, runs.values(), shares, escaped, strict=True):
            for line, row in zip(lines, run["eps_g"], strict=True):
                line.set_data(t[:shown], row[:shown])
            curve.set_data(t[:shown], (times[:, None] <= t[:shown]).mean(axis=0))

    return redraw, frames
