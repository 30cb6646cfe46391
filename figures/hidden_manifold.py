"""The hidden manifold: learning curves and order parameters on theory, what is left to know, and a deep generator."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tsphys
from tsphys.physics.nonlinearities import attainable_information
from tsphys.plotting import COLOURS, MARKERS, PAGE, collect, label, save, simulation_points, style, theory_line
from tsphys.runs.progress import share

#: Nonlinearity and latent ratio of the learning curves.
CURVES = (("sign", 0.25), ("tanh", 0.5), ("relu", 2.0))
#: Nonlinearities and latent ratios of the final errors.
FOLDS, RATIOS = ("tanh", "sign", "relu"), (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
TASK = {"T": [[1, 0.1], [0.1, 1]], "v_star": [1, 0.8], "v": [0.9, 0.7], "lr": 0.5, "lr_v": 0.3, "noise": 0.1}
START = {"A": [[0.3, 0.1], [-0.1, 0.4]], "W_xi": [[0.3, 0.05], [0.05, 0.2]]}


def draw(
    out: Any,
    quick: bool = False,
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> list[Path]:
    """Write the figure to ``out.pdf`` and ``out.png`` and its numbers to ``out.npz``."""
    N, replicas, end = (512, 4, 30.0) if quick else (1024, 16, 100.0)
    options = {"replicas": replicas, "seed": seed, "threads": threads}
    runs: dict[str, Any] = {}
    data: dict[str, np.ndarray] = {}
    with style() as plt:
        figure, panels = plt.subplots(2, 2, figsize=(PAGE, 5.4))
        curves, orders, floors, known = panels.ravel()
        t = np.geomspace(0.1, end, 14)
        fine = np.geomspace(0.05, end, 120)
        for n, (f, delta) in enumerate(CURVES):
            model = tsphys.HiddenManifold(f=f, delta=delta, features="hadamard", **TASK, **START)
            sim = tsphys.simulate(model, N=N, t=t, progress=share(progress, n, 1, 5), n_test=4000, **options)
            theory = tsphys.solve(model, t=fine, N=N, seed=seed)
            colour = COLOURS[n]
            theory_line(curves, theory, "eps_g", color=colour, label=f"{f}, $\\delta={delta:g}$")
            simulation_points(curves, sim, "eps_g", color=colour)
            curves.plot(t, sim.mean("eps_test"), "x", color=colour, ms=4, zorder=4)
            runs |= {f"theory_{f}": theory, f"simulation_{f}": sim}
            if n == 0:
                for m, (name, index) in enumerate((("R", (0, 0)), ("R", (0, 1)), ("Q", (0, 0)), ("Q", (0, 1)))):
                    text = f"${name}_{{1{index[1] + 1}}}$"
                    theory_line(orders, theory, name, index, color=COLOURS[m], label=text)
                    simulation_points(orders, sim, name, index, color=COLOURS[m], fmt=MARKERS[m])
        curves.plot([], [], color="black", label="theory")
        curves.errorbar([], [], [], fmt="o", mfc="white", color="black", label=r"SGD, $\epsilon_g$ of overlaps")
        curves.plot([], [], "x", color="black", label="SGD, fresh inputs")
        curves.set(
            xscale="log", yscale="log", xlabel="time $t=$ steps$/N$", ylabel=r"generalisation error $\epsilon_g$"
        )
        curves.set_title(f"Hadamard features, $N={N}$, {replicas} runs")
        curves.legend(loc="lower left")
        f, delta = CURVES[0]
        orders.set(xscale="log", xlabel="time $t=$ steps$/N$", ylabel="order parameters")
        orders.set_title(f"{f}, $\\delta={delta:g}$")
        orders.legend(loc="upper left", ncols=2)
        data |= final_errors(floors, quick, seed, threads, share(progress, 3, 1, 5))
        data |= information(known)
        for panel, letter in zip(panels.ravel(), "abcd", strict=True):
            label(panel, letter)
        parameters = {**TASK, **START, "N": N, "replicas": replicas, "seed": seed, "quick": quick}
        return save(figure, out, {**collect(**runs), **data}, parameters)


def final_errors(ax: Any, quick: bool, seed: int, threads: int | None, progress: Any) -> dict[str, np.ndarray]:
    """The error in the end against δ, without noise: theory in the limit, and SGD on fresh inputs."""
    N, replicas, end = (256, 4, 60.0) if quick else (512, 8, 200.0)
    lines = np.geomspace(RATIOS[0], RATIOS[-1], 25)
    task = {**TASK, "noise": 0.0, "lr_v": 0.0, "v": [1.0, 0.8]}
    data: dict[str, np.ndarray] = {"delta": np.array(RATIOS), "delta_theory": lines}
    for n, f in enumerate(FOLDS):
        models = [tsphys.HiddenManifold(f=f, delta=d, features="hadamard", **task, **START) for d in (*RATIOS, *lines)]
        sims = [
            tsphys.simulate(
                model, N=N // 4 if model.delta > 1 else N, t=[0.75 * end, 0.875 * end, end], replicas=replicas,
                seed=seed, threads=threads, n_test=3000, disorder="each",
                progress=share(progress, len(RATIOS) * n + i, 1, len(RATIOS) * len(FOLDS)),
            )["eps_test"].mean(axis=1)
            for i, model in enumerate(models[: len(RATIOS)])
        ]  # fmt: skip
        theory, spread = (
            [tsphys.solve(dataclasses.replace(model, features=law), t=[end], spectrum="limit")["eps_g"][0]
             for model in models[len(RATIOS) :]]
            for law in ("hadamard", "gaussian")
        )  # fmt: skip
        mean, error = (np.array([g(x) for x in sims]) for g in (np.mean, lambda x: np.std(x, ddof=1) / len(x) ** 0.5))
        ax.plot(lines, theory, color=COLOURS[n], label=f)
        ax.plot(lines, spread, color=COLOURS[n], ls=":", lw=1)
        ax.errorbar(RATIOS, mean, error, fmt=MARKERS[n], mfc="white", color=COLOURS[n], capsize=1.5, zorder=3)
        data |= {f"final_{f}": mean, f"final_{f}_sem": error, f"final_{f}_theory": np.array(theory)}
        data[f"final_{f}_gaussian_features"] = np.array(spread)
    ax.set(xscale="log", yscale="log", xlabel=r"latent ratio $\delta=D/N$", ylabel=r"error at the end $\epsilon_g$")
    ax.set(xticks=RATIOS, xticklabels=["1/8", "1/4", "1/2", "1", "2", "4"])
    ax.minorticks_off()
    ax.plot([], [], color="black", ls=":", lw=1, label="Gaussian features")
    ax.set_title(f"Hadamard features, $t={end:g}$")
    ax.legend(loc="lower right")
    return data


def information(ax: Any) -> dict[str, np.ndarray]:
    """The attainable information on a teacher's field."""
    delta = np.geomspace(0.02, 20, 121)
    data = {"information_delta": delta}
    for n, f in enumerate((*FOLDS, "linear")):
        X = np.array([attainable_information(f, d) for d in delta])
        ax.plot(delta, X, color=COLOURS[n], label=f)
        data[f"information_{f}"] = X
    ax.set(xscale="log", xlabel=r"latent ratio $\delta=D/N$", ylabel="attainable information $X$", ylim=(0, 1.05))
    ax.legend(loc="lower left")
    return data


if __name__ == "__main__":
    from tsphys.cli import main

    main(["figure", "hidden_manifold", *sys.argv[1:]])
