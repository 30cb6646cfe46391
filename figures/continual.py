"""Continual learning: what is forgotten after a switch of tasks, and at which similarity most (Lee et al. 2021).

(a, b) Lines are the equations of motion, points means of 32 runs at N = 2000, bars standard errors, mostly smaller
than the points. (a) Circles and full lines are the first task, squares and dashes the second; until the switch
(dotted) all methods do the same, in black. (c) Theory alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.ground.progress import share
from tsphys.physics.forgetting import forgetting
from tsphys.plotting import COLOURS, MARKERS, PAGE, collect, simulation_points, theory_line

SWITCH, AFTER = 60.0, (20.0, 100.0)
ONE = tsphys.Continual(K=2, M=1, lr=1.0, durations=[SWITCH])
TWO = tsphys.Continual(K=3, M=2, lr=1.0, durations=[SWITCH])
CURES: dict[str, dict[str, Any]] = {
    "SGD": {},
    "replay $p=0.1$": {"replay": 0.1},
    "EWC $\\xi=1$": {"regulariser": "ewc", "strength": 1.0},
}


def start(model: tsphys.Continual) -> tsphys.OrderParameters:
    """A student that knows a little of the first teacher, and of the second only what that has of the first."""
    if model.M == 1:
        R, Q, v = np.array([[0.2], [0.05]]), 0.1 * np.eye(2), [0.5, 0.3, 0.2, -0.2]
    else:
        R, Q = np.array([[0.2, 0.02], [-0.02, 0.15], [0.03, 0.05]]), np.diag([0.1, 0.08, 0.06])
        v = [0.5, 0.4, 0.3, 0.2, -0.2, 0.1]
    T = model.teacher_overlaps()
    # w·w*² for w in the span of the first teacher and the rest orthogonal to both.
    return tsphys.OrderParameters(R=R @ T[: model.M], Q=Q, T=T, v=v)


def panel_curves(ax: Any, N: int, replicas: int, options: dict[str, Any], progress: Any) -> dict[str, Any]:
    """Errors of both tasks around the switch, without and with what is done against forgetting."""
    runs: dict[str, Any] = {}
    for n, (name, change) in enumerate(CURES.items()):
        model, colour = replace(ONE, similarity=0.5, **change), COLOURS[n]
        theory = tsphys.solve(model, start=start(model), t=np.linspace(0, 120, 241), N=N, fluctuations=True)
        sim = tsphys.simulate(
            model, N=N, start=start(model), t=np.linspace(0, 120, 17), replicas=replicas,
            progress=share(progress, n, 1, 6), **options,
        )  # fmt: skip
        for s, line in enumerate(("-", "--")):
            name_once = name if s == 0 else None
            theory_line(ax, theory, "eps_g", (s,), ls=line, color=colour, label=name_once)
            simulation_points(ax, sim, "eps_g", (s,), fmt=MARKERS[s], color=colour, ms=3)
        runs |= {f"theory_{n}": theory, f"simulation_{n}": sim}
    ax.axvline(SWITCH, color="black", lw=0.7, ls=":", zorder=0)
    # Until the switch all are the same: one colour of its own, so that none seems hidden.
    early, seen = theory["t"] <= SWITCH, sim["t"] <= SWITCH
    for s, line in enumerate(("-", "--")):
        ax.plot(theory["t"][early], theory["eps_g"][early, s], line, color="black", zorder=4)
        ax.plot(sim["t"][seen], sim.mean("eps_g")[seen, s], MARKERS[s], color="black", mfc="white", ms=3, zorder=5)
        ax.plot([], [], line, marker=MARKERS[s], mfc="white", color="black", label=f"task {s + 1}")
    ax.set(yscale="log", ylim=(2e-5, 1), xlabel="time $t=$ examples$/N$", ylabel=r"error $\epsilon_g$ of the tasks")
    ax.set_title(f"$K=2$, $M=1$, $V=0.5$, $N={N}$")
    ax.legend(loc="lower left", fontsize=6.5, handlelength=1.8)
    return collect(**runs)


def panel_similarity(ax: Any, N: int, replicas: int, options: dict[str, Any], progress: Any) -> dict[str, np.ndarray]:
    """Forgetting against the feature similarity at two times after the switch."""
    t = [SWITCH, *(SWITCH + after for after in AFTER)]
    grid, points = np.linspace(0, 1, 41), np.linspace(0, 1, 9)
    models = [replace(ONE, similarity=V) for V in grid]
    curves = np.array([forgetting(tsphys.solve(m, start=start(m), t=t, rtol=1e-9))[1:] for m in models])
    samples = []
    for n, V in enumerate(points):
        model = replace(ONE, similarity=V)
        sim = tsphys.simulate(
            model, N=N, start=start(model), t=t, replicas=replicas,
            progress=share(progress, 3 + n / 3, 1 / 3, 6), **options,
        )  # fmt: skip
        samples.append(forgetting(sim)[:, 1:])
    found = np.array(samples)
    for n, after in enumerate(AFTER):
        ax.plot(grid, curves[:, n], color=COLOURS[n], label=f"$t-t_s={after:g}$")
        error = found[:, :, n].std(axis=1, ddof=1) / np.sqrt(replicas)
        ax.errorbar(points, found[:, :, n].mean(axis=1), yerr=error, fmt=MARKERS[n], color=COLOURS[n], mfc="white",
                    capsize=2, zorder=3)  # fmt: skip
    ax.set(xlabel="feature similarity $V$", ylabel=r"forgetting $F=\epsilon^1_g(t)-\epsilon^1_g(t_s)$")
    ax.set_title(f"$K=2$, $M=1$, $N={N}$, {replicas} runs")
    ax.legend(loc="upper right")
    return {"V": grid, "forgetting": curves, "V_simulation": points, "forgetting_simulation": found}


def panel_map(ax: Any, points: int) -> dict[str, np.ndarray]:
    """Forgetting over feature and readout similarity."""
    V, readout = np.linspace(0, 1, points), np.linspace(-1, 1, points)
    found = np.empty((points, points))
    for i, b in enumerate(readout):
        for j, a in enumerate(V):
            model = replace(TWO, similarity=a, readout_similarity=b)
            theory = tsphys.solve(model, start=start(model), t=[SWITCH + AFTER[0]], rtol=1e-7, atol=1e-9)
            found[i, j] = forgetting(theory)[0]
    image = ax.pcolormesh(V, readout, found, shading="gouraud", cmap="viridis", rasterized=True)
    ax.figure.colorbar(image, ax=ax, label=f"forgetting at $t-t_s={AFTER[0]:g}$", pad=0.02)
    ax.set(xlabel="feature similarity $V$", ylabel=r"readout similarity $\tilde V$")
    ax.set_title("ODE, $K=3$, $M=2$")
    return {"map_V": V, "map_readout": readout, "map_forgetting": found}


@drawn({"switch": SWITCH}, N=(500, 2000), replicas=(8, 32), points=(11, 31))
def draw(sheet: Sheet, N: int, replicas: int, points: int) -> dict[str, Any]:
    axes = sheet.subplots(1, 3, figsize=(1.25 * PAGE, 2.9), width_ratios=[1, 1, 1.15])
    data = panel_curves(axes[0], N, replicas, sheet.options, sheet.progress)
    data |= panel_similarity(axes[1], N, replicas, sheet.options, sheet.progress)
    data |= panel_map(axes[2], points)
    return data
