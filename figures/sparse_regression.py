"""Few weights out of many: who finds them from how many examples, and what it costs to assume something wrong.

Lines are state evolution, points means of 16 runs at N = 500 (a) and 1000, bars standard errors; pursuit and exchange
have no theory. (a) At little noise. Left of AMP message passing stays where it is, though from IT on the better state
(dashed) is that of the posterior; near it finite instances jump early or late. (b, c) A density and a noise that are
assumed wrongly; who measures the noise by residuals (adaptive) makes up for the second alone. Dotted: the best lasso.
Left of 0.4 in (c) replica symmetry is broken, and message passing does not come to rest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line
from tsphys.replica.sparse_regression import best_lasso, thresholds

DENSITY, QUIET, NOISE, ALPHA = 0.2, 1e-4, 0.01, 0.5


def best_simulated(model: Any, loads: np.ndarray, run: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard errors of the lasso at the best λ of each load."""
    rows = []
    for alpha in loads.tolist():
        here = replace(model, alpha=alpha, estimator="lasso")
        sim = tsphys.simulate(replace(here, regularization=best_lasso(here).regularization), **run)
        rows.append((sim.mean("mse")[0], sim.sem("mse")[0]))
    mean, sem = np.array(rows).T
    return mean, sem


def panel_loads(ax: Any, sheet: Sheet, run: Any, quick: bool) -> dict[str, Any]:
    """Errors over the load, at little noise."""
    model = tsphys.SparseRegression(density=DENSITY, noise=QUIET)
    ends = thresholds(model)
    fine = np.sort(np.append(np.linspace(0.1, 0.9, 41), ends.algorithmic + np.array([-1e-4, 1e-4])))
    loads = np.array([0.25, 0.4, 0.55, 0.7]) if quick else np.arange(0.15, 0.9, 0.05)
    theory = tsphys.solve(model, alpha=fine)
    sim = tsphys.simulate(model, alpha=loads, **run, progress=sheet.share(0, 1, 6))
    theory_line(ax, theory, "mse", color=COLOURS[0], label="Bayes, message passing")
    simulation_points(ax, sim, "mse", color=COLOURS[0])
    hard = np.linspace(ends.informed * (1 + 1e-6), ends.algorithmic, 30)
    informed = tsphys.solve(model, alpha=hard, branch="informed")
    ax.plot(hard, informed["mse"], color=COLOURS[0], ls="--")
    ax.plot([ends.transition] * 2, [np.interp(ends.transition, hard, informed["mse"]), 1], color=COLOURS[0], lw=0.8)
    best = np.array([best_lasso(replace(model, alpha=a)).mse for a in fine.tolist()])
    mean, sem = best_simulated(model, loads[loads < 0.8], run)
    ax.plot(fine, best, color=COLOURS[1], label=r"lasso, best $\lambda$")
    bars = {"fmt": MARKERS[1], "mfc": "white", "mew": 0.9, "elinewidth": 0.9, "capsize": 1.5}
    ax.errorbar(loads[loads < 0.8], mean, sem, color=COLOURS[1], **bars)
    runs: dict[str, Any] = {"theory": theory, "simulation": sim, "informed": informed}
    for i, (who, words) in enumerate({"pursuit": "pursuit", "exchange": "exchange"}.items()):
        greedy = tsphys.simulate(replace(model, alpha=1, estimator=who), alpha=loads[loads > DENSITY], **run,
                                 progress=sheet.share(2 + i, 1, 6))  # fmt: skip
        ax.plot(greedy["alpha"], greedy.mean("mse"), color=COLOURS[2 + i], ls=":", lw=0.9)
        simulation_points(ax, greedy, "mse", color=COLOURS[2 + i], fmt=MARKERS[2 + i], label=words)
        runs[who] = greedy
    for at, words, side, shift in ((ends.transition, "IT", "right", -2), (ends.algorithmic, "AMP", "left", 2)):
        ax.axvline(at, color="black", lw=0.6, zorder=0)
        ax.annotate(rf"$\alpha_{{\rm {words}}}={at:.3f}$", (at, 7e-6), xytext=(shift, 0), va="bottom",
                    textcoords="offset points", rotation=90, fontsize=6.5, ha=side)  # fmt: skip
    ax.set(yscale="log", ylim=(5e-6, 2), xlabel=r"load $\alpha=n/N$", ylabel=r"$|\hat w-w^*|^2/N$",
           title=rf"$\rho={DENSITY}$, $\Delta=10^{{-4}}$")  # fmt: skip
    ax.legend(fontsize=6.5, handlelength=1.6)
    return {**runs, "loads": fine, "best_lasso": best, "lasso_mean": mean, "lasso_sem": sem}


def panel_factor(ax: Any, sheet: Sheet, run: dict[str, Any], axis: str, lines: np.ndarray, points: np.ndarray) -> Any:
    """Errors over what is assumed."""
    model = tsphys.SparseRegression(density=DENSITY, noise=NOISE, alpha=ALPHA)
    runs: dict[str, Any] = {}
    who = ("bayes", "adaptive") if axis == "density_factor" else ("bayes",)
    for i, estimator in enumerate(who):
        here: Any = replace(model, estimator=estimator)
        theory = tsphys.solve(here, **{axis: lines})
        sim = tsphys.simulate(here, **{axis: points}, **run, progress=sheet.share(4 + (axis == "noise_factor"), 1, 6))
        theory_line(
            ax, theory, "mse", color=COLOURS[3 * i], label={"bayes": "Bayes", "adaptive": "adaptive"}[estimator]
        )
        simulation_points(ax, sim, "mse", color=COLOURS[3 * i], fmt=MARKERS[3 * i])
        runs |= {f"{axis}_{estimator}_theory": theory, f"{axis}_{estimator}_simulation": sim}
        if estimator == "bayes":
            ax.plot(lines, theory["V"], color=COLOURS[0], ls="--", lw=0.9, label="what it expects")
    if axis == "noise_factor":
        measured = tsphys.solve(replace(model, estimator="adaptive"))["mse"][0]
        ax.axhline(measured, color=COLOURS[3], label="adaptive")
    ax.axhline(best_lasso(model).mse, color=COLOURS[1], ls=":", label="best lasso")
    ax.set(xscale="log", yscale="log", ylim=(0.008, 0.6), xlabel={"density_factor": r"assumed density $\rho'/\rho$",
           "noise_factor": r"assumed noise $\Delta'/\Delta$"}[axis],
           title=rf"$\rho={DENSITY}$, $\Delta={NOISE}$, $\alpha={ALPHA}$")  # fmt: skip
    ax.legend(fontsize=6.5, handlelength=1.6, loc="upper center" if axis == "density_factor" else "upper left")
    return runs


@drawn(N=(150, 500), replicas=(4, 16))
def draw(sheet: Sheet, N: int, replicas: int) -> dict[str, Any]:
    first, second, third = sheet.subplots(1, 3, figsize=(PAGE, 2.6), width_ratios=(1.3, 1, 1))
    run: dict[str, Any] = {"N": N, "replicas": replicas, **sheet.options}
    few = sheet.quick
    found = panel_loads(first, sheet, run, few)
    # Wrong assumptions make message passing noisier.
    run["N"] *= 2
    found |= panel_factor(second, sheet, run, "density_factor", np.geomspace(0.1, 5, 25),
                          np.geomspace(0.15, 4, 4 if few else 8))  # fmt: skip
    found |= panel_factor(third, sheet, run, "noise_factor", np.geomspace(0.02, 50, 25),
                          np.geomspace(0.04, 25, 4 if few else 8))  # fmt: skip
    return found
