"""The hidden manifold: learning curves and order parameters on theory, what is left to know, and a deep generator.

(a, b) Lines are the equations in the modes at N = 512, circles means of 8 runs there, crosses their errors on 4000
fresh inputs. (c) Runs at N = 256 (64 where δ > 1), 8 instances, on fresh inputs; full lines N → ∞, dotted for
Gaussian features. (d) Theory. (e) 12 runs at N = 400, D = 150, errors on 4000 fresh inputs; the line takes the fields
for Gaussian, which is 1 to 2 per cent off at this size. (f) Points are one instance at N = 400, lines the limit; the
generator's are at N = 200. Bars are standard errors.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.ground.progress import share
from tsphys.models.generative_inputs import random_generator
from tsphys.physics.features import gaussian_features
from tsphys.physics.kernels.spectra import marchenko_pastur
from tsphys.physics.nonlinearities import attainable_information
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

#: Nonlinearity and latent ratio of the learning curves.
CURVES = (("sign", 0.25), ("tanh", 0.5), ("relu", 2.0))
#: Nonlinearities and latent ratios of the final errors.
FOLDS, RATIOS = ("tanh", "sign", "relu"), (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
TASK: dict[str, Any] = {
    "T": [[1, 0.1], [0.1, 1]],
    "v_star": [1, 0.8],
    "v": [0.9, 0.7],
    "lr": 0.5,
    "lr_v": 0.3,
    "noise": 0.1,
}
START: dict[str, Any] = {"A": [[0.3, 0.1], [-0.1, 0.4]], "W_xi": [[0.3, 0.05], [0.05, 0.2]]}


@drawn({**TASK, **START}, N=(512, 512), replicas=(4, 8), end=(30.0, 50.0))
def draw(sheet: Sheet, N: int, replicas: int, end: float) -> dict[str, Any]:
    options: dict[str, Any] = {"replicas": replicas, **sheet.options}
    runs: dict[str, Any] = {}
    data: dict[str, np.ndarray] = {}
    panels = sheet.subplots(3, 2, figsize=(PAGE, 7.8))
    curves, orders, floors, known, deep, spectra = panels.ravel()
    t = np.geomspace(0.1, end, 14)
    fine = np.geomspace(0.05, end, 120)
    for n, (f, delta) in enumerate(CURVES):
        model = tsphys.HiddenManifold(f=f, delta=delta, features="hadamard", **TASK, **START)
        sim = tsphys.simulate(
            model, N=N, t=t, progress=sheet.share(n, 1, 5), n_test=1000 if sheet.quick else 4000, **options
        )
        theory = tsphys.solve(model, t=fine, N=N, seed=sheet.seed)
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
    curves.set(xscale="log", yscale="log", xlabel="time $t=$ steps$/N$", ylabel=r"generalisation error $\epsilon_g$")
    curves.set_title(f"Hadamard features, $N={N}$, {replicas} runs")
    curves.legend(loc="lower left")
    f, delta = CURVES[0]
    orders.set(xscale="log", xlabel="time $t=$ steps$/N$", ylabel="order parameters")
    orders.set_title(f"{f}, $\\delta={delta:g}$")
    orders.legend(loc="upper left", ncols=2)
    data |= final_errors(floors, sheet.quick, sheet.seed, sheet.threads, sheet.share(3, 1, 5))
    data |= information(known)
    runs |= generator(deep, sheet.quick, sheet.seed, sheet.threads, sheet.share(4, 1, 5))
    data |= spectrum(spectra, sheet.seed)
    return {**runs, **data}


def final_errors(ax: Any, quick: bool, seed: int, threads: int | None, progress: Any) -> dict[str, np.ndarray]:
    """The error in the end against δ, without noise: theory in the limit, and SGD on fresh inputs."""
    N, replicas, end = (256, 4, 30.0) if quick else (256, 8, 100.0)
    lines = np.geomspace(RATIOS[0], RATIOS[-1], 21 if quick else 25)
    task: dict[str, Any] = {**TASK, "noise": 0.0, "lr_v": 0.0, "v": [1.0, 0.8]}
    data: dict[str, np.ndarray] = {"delta": np.array(RATIOS), "delta_theory": lines}
    for n, f in enumerate(FOLDS):
        models = [tsphys.HiddenManifold(f=f, delta=d, features="hadamard", **task, **START) for d in (*RATIOS, *lines)]
        sims = [
            tsphys.simulate(
                model, N=N // 4 if model.delta > 1 else N, t=[0.75 * end, 0.875 * end, end], replicas=replicas,
                seed=seed, threads=threads, n_test=500 if quick else 1000, disorder="each",
                progress=share(progress, len(RATIOS) * n + i, 1, len(RATIOS) * len(FOLDS)),
            )["eps_test"].mean(axis=1)
            for i, model in enumerate(models[: len(RATIOS)])
        ]  # fmt: skip
        theory, spread = (
            [tsphys.solve(dataclasses.replace(model, features=law), t=[end], spectrum="limit", nodes=32)["eps_g"][0]
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


@cache
def deep_inputs(quick: bool, inputs: str) -> tsphys.GenerativeInputs:
    """A two-layer random generator, or the Gaussian inputs with its covariances."""
    D, H, N = (75, 150, 200) if quick else (150, 300, 400)
    network = random_generator((D, H, N), ("tanh", "relu"), seed=1)
    c = np.random.default_rng(0).standard_normal((20_000 if quick else 100_000, D))
    task: dict[str, Any] = {**TASK, "lr": 2.0, "lr_v": 0.0, "init": 0.5, "v": [1.0, 0.8]}
    return tsphys.GenerativeInputs(x=network(c), c=c, generator=network, inputs=inputs, **task)


def generator(ax: Any, quick: bool, seed: int, threads: int | None, progress: Any) -> dict[str, Any]:
    """Learning from the inputs of a deep generator, and from their Gaussian clone."""
    replicas, end = (6, 20.0) if quick else (12, 30.0)
    t = np.geomspace(0.1, end, 14)
    runs: dict[str, Any] = {}
    for n, (inputs, words) in enumerate((("generator", "generator"), ("gaussian", "Gaussian clone"))):
        model = deep_inputs(quick, inputs)
        runs[f"deep_{inputs}"] = sim = tsphys.simulate(
            model,
            t=t,
            replicas=replicas,
            seed=seed,
            threads=threads,
            n_test=1000 if quick else 4000,
            progress=share(progress, n, 1, 2),
        )
        simulation_points(ax, sim, "eps_test", color=COLOURS[n], fmt=MARKERS[n], label=f"SGD, {words}, fresh inputs")
    # The teacher's fields of the samples have their own covariance, those of fresh latent variables have T.
    runs["deep_theory"] = tsphys.solve(deep_inputs(quick, "generator"), t=np.geomspace(0.05, end, 120), seed=seed)
    theory_line(ax, runs["deep_theory"], "eps_g", color="black", label="theory, in the modes of $\\Omega$", lw=1)
    ax.set(xscale="log", yscale="log", xlabel="time $t=$ steps$/N$", ylabel=r"generalisation error $\epsilon_g$")
    ax.set_title(f"$x=$ relu$(F_2\\tanh(F_1c))$, $N={model.sizes[0]}$, $D={model.sizes[1]}$")
    ax.legend(loc="lower left")
    return runs


def spectrum(ax: Any, seed: int) -> dict[str, np.ndarray]:
    """Fraction of the modes of Ω above an eigenvalue: instances on the law of Marchenko and Pastur, and a generator."""
    N = 400
    data: dict[str, np.ndarray] = {}
    for n, (f, delta) in enumerate(CURVES):
        model = tsphys.HiddenManifold(f=f, delta=delta)
        y, weight = marchenko_pastur(1 / delta)
        e = model.moments.kappa2 + model.moments.b**2 * y
        # Half of the weight of a node lies on either side of it.
        above = np.cumsum(weight[::-1])[::-1] - weight / 2
        drawn = gaussian_features(N, round(delta * N), np.random.default_rng(seed)).F
        found = model.moments.kappa2 + model.moments.b**2 * np.linalg.eigvalsh(drawn @ drawn.T / drawn.shape[1])
        shown = y > 1e-9
        ax.plot(e[shown], above[shown], color=COLOURS[n], label=f"{f}, $\\delta={delta:g}$")
        at = np.arange(N - 10, -1, -max(1, N // 40))
        ax.plot(found[at], 1 - (at + 0.5) / N, MARKERS[n], color=COLOURS[n], mfc="white", ms=3)
        data |= {f"spectrum_{f}": found, f"spectrum_{f}_theory": e, f"spectrum_{f}_above": above}
    deep = np.linalg.eigvalsh(deep_inputs(True, "generator").covariances[0])
    ax.plot(deep[::-1], (np.arange(len(deep)) + 0.5) / len(deep), "-", color="black", lw=1, label="generator of (e)")
    ax.set(xscale="log", xlim=(0.015, 12), ylim=(0, 1.02), xlabel=r"eigenvalue $e$ of $\Omega$",
           ylabel="fraction of modes above $e$")  # fmt: skip
    ax.legend(loc="upper right")
    return {**data, "spectrum_deep": deep}
