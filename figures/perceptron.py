"""Learning rules of the sign perceptron: simulation on theory, and the power laws that they end in."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tsphys
from tsphys.ground.progress import share
from tsphys.models.perceptron import RULES
from tsphys.plotting import COLOURS, MARKERS, PAGE, collect, label, save, simulation_points, style, theory_line

NAMES = {"hebb": "Hebb", "rosenblatt": "Rosenblatt", "adatron": "AdaTron", "optimal": "optimal"}
LAWS = {
    "hebb": r"$1/\sqrt{2\pi t}$",
    "rosenblatt": r"$(2/3)^{1/3}\,t^{-1/3}/\pi$",
    "adatron": r"$3/(2t)$",
    "optimal": r"$0.88/t$",
}


def draw(
    out: Any,
    quick: bool = False,
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> list[Path]:
    """Write the figure to ``out.pdf`` and ``out.png`` and its numbers to ``out.npz``."""
    from tsphys.odes.perceptron import asymptote

    N, replicas, end = 100, *((40, 100.0) if quick else (640, 1000.0))
    start = tsphys.OrderParameters(R=[[0.1]], Q=[[1.0]], T=[[1.0]])
    t, t_theory = (np.unique(np.rint(np.geomspace(0.1, end, points) * N)) / N for points in (21, 200))
    late = np.geomspace(5, end, 50)
    runs: dict[str, Any] = {}
    with style() as plt:
        figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE, 3.0), width_ratios=(3, 2))
        for n, rule in enumerate(RULES):
            model = tsphys.Perceptron(rule=rule)
            theory = tsphys.solve(model, start=start, t=t_theory, N=N, fluctuations=True)
            sim = tsphys.simulate(
                model, N=N, t=t, start=start, replicas=replicas, seed=seed, threads=threads,
                progress=share(progress, n, 1, len(RULES)),
            )  # fmt: skip
            left.plot(late, asymptote(model, late), color="black", lw=0.6, ls=":", zorder=1)
            theory_line(left, theory, "eps_g", color=COLOURS[n])
            simulation_points(
                left, sim, "eps_g", fmt=MARKERS[n], color=COLOURS[n], label=f"{NAMES[rule]}, {LAWS[rule]}"
            )
            at = np.exp(np.interp(np.log(t), np.log(t_theory), np.log(theory["eps_g"])))
            right.plot(t_theory, theory.mean("eps_g") / theory["eps_g"], color=COLOURS[n], lw=1)
            shift = 1.05 ** (n - 1.5)
            right.errorbar(t * shift, sim.mean("eps_g") / at, yerr=sim.sem("eps_g") / at, fmt=MARKERS[n],
                           color=COLOURS[n], mfc="white", ms=3, elinewidth=0.8)  # fmt: skip
            runs |= {f"theory_{rule}": theory, f"simulation_{rule}": sim}
        right.axhline(1, color="black", lw=0.7, zorder=0)
        left.set(
            xscale="log", yscale="log", xlabel="time $t=$ examples$/N$", ylabel=r"generalisation error $\epsilon_g$"
        )
        right.set(xscale="log", xlabel="time $t$", ylabel=r"$\epsilon_g$ over that for $N\to\infty$")
        right.set_title(f"theory at $N={N}$, and runs")
        left.legend(loc="lower left", title="rule and late-time law (dotted)")
        left.set_title(f"sign perceptron, $\\eta=1$, $N={N}$, {replicas} runs")
        label(left, "a")
        label(right, "b")
        return save(figure, out, collect(**runs), {"N": N, "replicas": replicas, "seed": seed, "quick": quick})


if __name__ == "__main__":
    from tsphys.cli import main

    main(["figure", "perceptron", *sys.argv[1:]])
