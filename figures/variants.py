"""Variants of two-layer students: without gradients, sparse, with inputs of another law, from starts of low rank.

Lines are the equations of motion and points means of runs with standard errors: 32 at N = 4000 in (a) and (d), 32 at
N = 500 in (b), where dotted lines are what gradient flow leaves. (c) 10 000 runs at each N: what inputs of ±1 change,
and how far Gaussian ones are from the limit, both times N; lines are the first order in 1/N.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.ground.progress import share
from tsphys.odes.pruned import attainable_error
from tsphys.plotting import COLOURS, MARKERS, PAGE, collect, simulation_points, theory_line

START = tsphys.OrderParameters(R=[[0.3, 0.1], [0.05, 0.35]], Q=[[0.4, 0.1], [0.1, 0.5]], T=np.eye(2))
RATE = 0.5
KAPPAS = (4.0, 1.0, 0.25)
MASKS = {"independent": "masks of their own", "common": "a common mask"}
TRAINED = 40.0
SEEN_AT = 3.0
SPREADS = (0.4, 0.2, 0.1)


def low_rank(spread: float) -> tsphys.OrderParameters:
    """Units w_k = 0.4 (w*_1 + w*_2) + spread (w*_k + n_k), n_k ⟂ w*: of rank one but for the spread."""
    R = 0.4 + spread * np.eye(2)
    return tsphys.OrderParameters(R=R, Q=R @ R.T + spread**2 * np.eye(2), T=np.eye(2))


def panel_directions(ax: Any, N: int, replicas: int, options: dict[str, Any], progress: Any) -> dict[str, Any]:
    """Error over time along random directions, and along the gradient."""
    t = np.unique(np.rint(np.geomspace(0.1, 60, 13) * N)) / N
    models = {"gradient": tsphys.ZerothOrder(lr=RATE, estimator="cge")}
    models |= {f"$\\kappa={kappa:g}$": tsphys.ZerothOrder(lr=RATE, kappa=kappa) for kappa in KAPPAS}
    runs: dict[str, Any] = {}
    for n, (name, model) in enumerate(models.items()):
        theory = tsphys.solve(model, start=START, t=np.geomspace(0.1, 60, 200), N=N, fluctuations=True)
        sim = tsphys.simulate(
            model, N=N, start=START, t=t, replicas=replicas, progress=share(progress, n / 4, 1 / 4, 4), **options
        )
        theory_line(ax, theory, "eps_g", color=COLOURS[n])
        simulation_points(ax, sim, "eps_g", fmt=MARKERS[n], color=COLOURS[n], label=name)
        runs |= {f"directions_theory_{n}": theory, f"directions_simulation_{n}": sim}
    ax.set(xscale="log", yscale="log", xlabel="time $t=$ steps$/N$", ylabel=r"generalisation error $\epsilon_g$")
    ax.set_title(f"$\\kappa N$ random directions, $\\eta={RATE:g}$, $N={N}$")
    ax.legend(loc="lower left")
    return collect(**runs)


def panel_masks(ax: Any, N: int, replicas: int, options: dict[str, Any], progress: Any) -> dict[str, np.ndarray]:
    """Error after training against the density of the masks, and what gradient flow leaves."""
    grid, points = np.linspace(0.1, 1, 10), np.linspace(0.1, 0.9, 5)
    data: dict[str, np.ndarray] = {"density": grid, "density_simulation": points}
    for n, (masks, name) in enumerate(MASKS.items()):
        models = [tsphys.Pruned(density=rho, masks=masks, lr=RATE) for rho in grid]
        curve = np.array([tsphys.solve(m, start=START, t=[TRAINED])["eps_g"][0] for m in models])
        floor = np.array([attainable_error(m, START) for m in models])
        samples = []
        for i, rho in enumerate(points):
            sim = tsphys.simulate(
                tsphys.Pruned(density=rho, masks=masks, lr=RATE), N=N, start=START, t=[TRAINED], replicas=replicas,
                progress=share(progress, 1 + (n + i / 5) / 2, 1 / 10, 4), **options,
            )  # fmt: skip
            samples.append([sim.mean("eps_g")[0], sim.sem("eps_g")[0]])
        mean, sem = np.array(samples).T
        ax.plot(grid, curve, color=COLOURS[n])
        ax.plot(grid, floor, color=COLOURS[n], ls=":", lw=1)
        ax.errorbar(points, mean, yerr=sem, fmt=MARKERS[n], color=COLOURS[n], mfc="white", capsize=1.5, label=name)
        data |= {f"{masks}_theory": curve, f"{masks}_floor": floor, f"{masks}_mean": mean, f"{masks}_sem": sem}
    ax.plot([], [], color="black", ls=":", lw=1, label=r"gradient flow, $t\to\infty$")
    ax.set(xlabel=r"density $\rho$ of the masks", ylabel=f"$\\epsilon_g$ at $t={TRAINED:g}$", ylim=(0, None))
    ax.set_title(f"sparse students, $\\eta={RATE:g}$, $N={N}$")
    ax.legend(loc="upper right")
    return data


def panel_inputs(ax: Any, sizes: Any, replicas: int, options: dict[str, Any], progress: Any) -> dict[str, np.ndarray]:
    """N times what ±1 inputs change at finite size, beside N times what the size itself does."""
    found = np.empty((2, len(sizes), 2))
    theories = [
        tsphys.solve(tsphys.TwoLayer(lr=1.0, inputs=law), start=START, t=[SEEN_AT], fluctuations=True)
        for law in ("binary", "gaussian")
    ]
    limit = theories[0]["eps_g"][0]
    binary_bias, bias = (float(theory.mean("eps_g", 1)[0] - limit) for theory in theories)
    for i, N in enumerate(sizes):
        binary, gaussian = (
            tsphys.simulate(
                tsphys.TwoLayer(lr=1.0, inputs=law), N=N, start=START, t=[SEEN_AT], replicas=replicas,
                progress=share(progress, 2 + (i + n / 2) / len(sizes), 0.5 / len(sizes), 4), **options,
            )
            for n, law in enumerate(("binary", "gaussian"))
        )  # fmt: skip
        mean, sem = (np.array([getattr(s, part)("eps_g")[0] for s in (binary, gaussian)]) for part in ("mean", "sem"))
        found[0, i] = N * np.array([mean[0] - mean[1], np.hypot(*sem)])
        found[1, i] = N * np.array([mean[1] - limit, sem[1]])
    names = (r"$\pm1$ $-$ Gaussian", r"Gaussian $-$ limit")
    foretold = binary_bias - bias, bias
    for n, (name, (difference, error)) in enumerate(zip(names, found.transpose(0, 2, 1), strict=True)):
        ax.axhline(foretold[n], color=COLOURS[n], lw=1, zorder=1)
        shift = 1 + 0.04 * (2 * n - 1)
        ax.errorbar(shift * np.array(sizes), difference, yerr=error, fmt=MARKERS[n], color=COLOURS[n], mfc="white",
                    capsize=2, label=name, zorder=3)  # fmt: skip
    ax.axhline(0, color="black", lw=0.7, ls=":", zorder=0)
    ax.set(xlabel="size $N$", ylabel=f"$N\\times$ difference of $\\epsilon_g$ at $t={SEEN_AT:g}$")
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes, [str(N) for N in sizes])
    ax.minorticks_off()
    ax.set_title(f"law of the inputs, $\\eta=1$, {replicas} runs each")
    ax.legend(loc="center right")
    return {"sizes": np.array(sizes), "N_times_law": found[0], "N_times_size": found[1], "foretold": np.array(foretold)}


def panel_starts(ax: Any, N: int, replicas: int, options: dict[str, Any], progress: Any) -> dict[str, Any]:
    """Error over time from units that differ little at first."""
    model = tsphys.TwoLayer(lr=RATE)
    runs: dict[str, Any] = {}
    for n, spread in enumerate(SPREADS):
        theory = tsphys.solve(model, start=low_rank(spread), t=np.linspace(0, 120, 241), N=N, fluctuations=True)
        sim = tsphys.simulate(
            model, N=N, start=low_rank(spread), t=np.linspace(0, 120, 17), replicas=replicas,
            progress=share(progress, 3 + n / 3, 1 / 3, 4), **options,
        )  # fmt: skip
        theory_line(ax, theory, "eps_g", color=COLOURS[n])
        simulation_points(ax, sim, "eps_g", fmt=MARKERS[n], color=COLOURS[n], label=f"spread {spread:g}")
        runs |= {f"starts_theory_{n}": theory, f"starts_simulation_{n}": sim}
    ax.set(yscale="log", xlabel="time $t=$ steps$/N$", ylabel=r"generalisation error $\epsilon_g$")
    ax.set_title(f"starts close to rank one, $\\eta={RATE:g}$, $N={N}$")
    ax.legend(loc="lower left")
    return collect(**runs)


@drawn(
    {"K": 2, "M": 2},
    N=(1000, 4000),
    sparse=(300, 500),
    replicas=(8, 32),
    runs=(1000, 10_000),
    sizes=((16, 32, 64), (16, 32, 64, 128, 256)),
)
def draw(sheet: Sheet, N: int, sparse: int, replicas: int, runs: int, sizes: Any) -> dict[str, Any]:
    options = sheet.options
    axes = sheet.subplots(2, 2, figsize=(PAGE, 5.6))
    (a, b), (c, d) = axes
    data = panel_directions(a, N, replicas, options, sheet.progress)
    data |= panel_masks(b, sparse, replicas, options, sheet.progress)
    data |= panel_inputs(c, sizes, runs, options, sheet.progress)
    data |= panel_starts(d, N, replicas, options, sheet.progress)
    return data
