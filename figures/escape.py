"""How long the symmetric plateau lasts at finite N: escape times for N from 10² to 10⁹, and the ODE's law of ln N.

(a) Lines are 400 walks of the theory's diffusion at each N from 1000 on, points 25 of the runs of the exact chain:
1000 at N = 100, 400 at N = 1000, 50 at N = 10 000. (b) Their medians, with standard errors; dotted, the slope ln N/2λ
of the equations of motion, laid through the largest N.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.odes.finite_size import sample
from tsphys.odes.two_layer_limits import escape_rate, plateau
from tsphys.plotting import COLOURS, PAGE

MODEL = tsphys.TwoLayer(K=2, M=2, activation="erf", lr=1.5, init=0.5)


def escape_times(result: tsphys.Result, level: float) -> np.ndarray:
    """When each replica's eps_g falls below `level` for good, infinite if it does not; interpolated in ln eps_g."""
    t, eps = result["t"], np.log(result["eps_g"] / level)
    above = eps.shape[1] - 1 - (eps[:, ::-1] > 0).argmax(axis=1)
    rows = np.flatnonzero(above < eps.shape[1] - 1)
    times = np.full(len(eps), np.inf)
    x, y = eps[rows, above[rows]], eps[rows, above[rows] + 1]
    times[rows] = t[above[rows]] + (t[above[rows] + 1] - t[above[rows]]) * x / (x - y)
    return times


@drawn(
    {"lr": MODEL.lr, "init": MODEL.init},
    chains=({100: 100, 1000: 20}, {100: 1000, 1000: 400, 10_000: 50}),
    walks=((10**5, 10**9), (10**3, 10**4, 10**5, 10**7, 10**9)),
    walkers=(40, 400),
)
def draw(sheet: Sheet, chains: Any, walks: Any, walkers: int) -> dict[str, Any]:
    height, _ = plateau(MODEL)
    rate = escape_rate(MODEL)
    options = sheet.options
    data: dict[str, np.ndarray] = {}
    parts = len(chains) + len(walks)
    for n, (N, replicas) in enumerate(chains.items()):
        t = np.arange(0, 180, 0.5)
        sim = tsphys.simulate(MODEL, N=N, t=t, replicas=replicas, progress=sheet.share(n, 1, parts), **options)
        data[f"chain_{N}"] = escape_times(sim, height / 2)
    for n, N in enumerate(walks):
        t = np.arange(0, 150 + np.log(N) / rate / 2, 0.5)
        part = sheet.share(len(chains) + n, 1, parts)
        walk = sample(MODEL, N=N, t=t, replicas=walkers, dt=0.1, progress=part, **options)
        data[f"diffusion_{N}"] = escape_times(walk, height / 2)
    left, right = sheet.subplots(1, 2, figsize=(PAGE, 3.1))
    sizes = sorted({*chains, *walks})
    for N in sizes:
        colour = COLOURS[sizes.index(N) % len(COLOURS)]
        for kind, look in (
            ("diffusion", {"ls": "-", "lw": 1.2}),
            ("chain", {"ls": "", "marker": "o", "ms": 2.5}),
        ):
            times = data.get(f"{kind}_{N}")
            if times is None:
                continue
            times = np.sort(times)
            levels = (np.arange(len(times)) + 0.5) / len(times)
            some = slice(None) if kind == "diffusion" else np.linspace(0, len(times) - 1, 25).astype(int)
            left.plot(times[some], levels[some], color=colour, mfc="white", mew=0.8, **look)
            low, median, high = np.quantile(times, [0.25, 0.5, 0.75])
            error = 1.2533 * (high - low) / 1.349 / np.sqrt(len(times))
            mark = {"fmt": "o", "mfc": "white", "zorder": 3} if kind == "chain" else {"fmt": "_", "ms": 9}
            right.errorbar(N, median, yerr=error, color=colour, capsize=2, **mark)
        left.plot([], [], color=colour, label=f"$N=10^{{{np.log10(N):.0f}}}$")
    many = np.geomspace(min(sizes), max(sizes), 50)
    top = max(walks)
    law = np.median(data[f"diffusion_{top}"]) + np.log(many / top) / (2 * rate)
    right.plot(many, law, color="black", lw=0.8, ls=":", label=f"$\\ln N/(2\\lambda)$, $\\lambda={rate:.4f}$")
    right.errorbar([], [], [], fmt="o", mfc="white", color="black", label="exact chain")
    right.errorbar([], [], [], fmt="_", ms=9, color="black", label="diffusion")
    left.set(xlabel=r"escape time $t_{\mathrm{esc}}$", ylabel="fraction of networks escaped", ylim=(0, 1.02))
    right.set(xscale="log", xlabel="size $N$", ylabel=r"median of $t_{\mathrm{esc}}$")
    left.set_title(f"erf, $K=M=2$, $\\eta={MODEL.lr:g}$, random starts")
    left.legend(loc="lower right")
    right.legend(loc="lower right")
    return {**data, "plateau": np.array(height), "rate": np.array(rate)}
