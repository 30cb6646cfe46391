"""Plateau and specialisation of two-layer networks: simulation on theory, K = M = 2 and K = 3, M = 2.

Lines are the equations of motion for N → ∞; dots and bands, where they can be told from them, the mean and the spread
of single runs at N = 10 000 by the first order in 1/N. Points are means of 16 runs at that N, bars their standard
errors; grey, ten single runs at N = 1000. At late times the mean in (b) lies above the limit: runs specialise at
times of their own, and the latest ones count most.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.ahead import compiling
from tsphys.figures.frame import Sheet, drawn
from tsphys.odes.two_layer_limits import plateau
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

LR = 1.0


def start(K: int) -> tsphys.OrderParameters:
    """Almost unspecialised: each unit has a small overlap of its own with one of the two teachers."""
    R = np.array([[0.06, 0.0], [0.0, 0.04], [0.03, 0.0]])[:K]
    return tsphys.OrderParameters(R=R, Q=np.diag([0.2, 0.1, 0.15][:K]), T=np.eye(2))


def panel_errors(ax: Any, theory: Any, sim: Any, single: Any, height: float | None) -> None:
    """Generalisation error, with thin lines of single networks under it."""
    for row in single["eps_g"]:
        ax.plot(single["t"], row, color="#BBBBBB", lw=0.4, zorder=1)
    theory_line(ax, theory, "eps_g", color=COLOURS[0], label="ODE, $N\\to\\infty$ (dots, band: at $N$)")
    simulation_points(ax, sim, "eps_g", color=COLOURS[1], label=f"SGD, $N={sim.meta['N']}$, {sim.replicas} runs")
    ax.plot([], [], color="#BBBBBB", lw=0.8, label=f"single runs, $N={single.meta['N']}$")
    if height is not None:
        ax.axhline(height, color="black", lw=0.7, ls=":", zorder=0)
        ax.annotate("symmetric fixed point", (0.99, height), xycoords=("axes fraction", "data"), xytext=(0, 2),
                    textcoords="offset points", ha="right", fontsize=7)  # fmt: skip
    ax.set(yscale="log", ylabel=r"generalisation error $\epsilon_g$")
    ax.legend(loc="lower left")


def panel_teacher(ax: Any, theory: Any, sim: Any) -> None:
    """Overlaps R_km: colours tell the student unit, line styles and markers the teacher unit."""
    K, M = theory["R"].shape[-2:]
    for k in range(K):
        for m in range(M):
            theory_line(ax, theory, "R", (k, m), color=COLOURS[k], ls=("-", "--")[m], label=f"$R_{{{k + 1}{m + 1}}}$")
            simulation_points(ax, sim, "R", (k, m), fmt=MARKERS[m], color=COLOURS[k], ms=3)
    ax.set(ylabel="teacher overlaps $R_{km}$")
    ax.legend(ncols=K, loc="upper left", columnspacing=0.8, handlelength=1.6)


def panel_student(ax: Any, theory: Any, sim: Any) -> None:
    """Overlaps Q_kl: solid the norms, dashed the others."""
    K = theory["Q"].shape[-1]
    pairs = [(k, k) for k in range(K)] + [(j, k) for k in range(K) for j in range(k)]
    for n, (j, k) in enumerate(pairs):
        options: dict[str, Any] = {"color": COLOURS[n if j == k else 3 + n - K], "ls": "-" if j == k else "--"}
        theory_line(ax, theory, "Q", (j, k), label=f"$Q_{{{j + 1}{k + 1}}}$", **options)
        simulation_points(ax, sim, "Q", (j, k), fmt=MARKERS[n % 6], color=options["color"], ms=3)
    ax.set(xlabel="time $t=$ examples$/N$", ylabel="student overlaps $Q_{kl}$")
    ax.legend(ncols=K, loc="upper left", columnspacing=0.8, handlelength=1.6)


@drawn({"lr": LR}, N=(3000, 10_000), replicas=(6, 16), singles=(5, 10))
def draw(sheet: Sheet, N: int, replicas: int, singles: int) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    axes = sheet.subplots(3, 2, figsize=(PAGE, 6.6), sharex="col", sharey="row")
    for column, (K, end) in enumerate(((2, 120.0), (3, 240.0))):
        t_theory, t = np.linspace(0, end, 301), np.linspace(0, end, 26)
        model = tsphys.TwoLayer(K=K, M=2, activation="erf", lr=LR)
        options = {"start": start(K), **sheet.options}
        sizes = {"N": N, "t": t, "replicas": replicas}
        with compiling(model, **sizes, **options):
            theory = tsphys.solve(model, start=start(K), t=t_theory, N=N, fluctuations=True)
        sim = tsphys.simulate(model, **sizes, progress=sheet.share(column * 1.0, 0.9, 2), **options)
        single = tsphys.simulate(
            model, N=1000, t=t_theory, replicas=singles, progress=sheet.share(column + 0.9, 0.1, 2), **options
        )
        height = plateau(model)[0] if K == 2 else None
        panel_errors(axes[0, column], theory, sim, single, height)
        panel_teacher(axes[1, column], theory, sim)
        panel_student(axes[2, column], theory, sim)
        axes[0, column].set_title(f"erf, $K={K}$, $M=2$, $\\eta={LR:g}$")
        runs |= {f"theory_K{K}": theory, f"simulation_K{K}": sim, f"single_K{K}": single}
    axes[1, 0].set_ylim(-0.25, 1.5)
    axes[2, 0].set_ylim(-0.25, 1.5)
    return runs
