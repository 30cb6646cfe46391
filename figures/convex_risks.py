"""Convex risks: losses that bear outliers, what the bootstrap takes for chance, and ridge or lasso.

Real outputs with Gaussian noise; lines are theory for N → ∞, points means of 48 runs at N = 200, bars standard errors.
Points of a panel come from the same draws and stray together. (a) A share of the outputs has noise of variance 25 in
place of 0.25, α = 2, λ = 0.1; Bayes, by message passing, knows that. (b) Variance of a ridge from one data set to
another (full lines, filled points) and what the bootstrap takes for it (dashes, open points): too little while examples
are few. (c) Penalties c(s Σ|w| + (1 − s)|w|²/2) for teachers of whose weights a part ρ is not zero, α = 1, c at each s
the best by theory: ridge at s = 0, lasso at s = 1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

LINEAR = tsphys.GLM(channel="linear", noise=0.25, estimator="ridge")
LOSSES = {"ridge": "square", "huber": "Huber", "absolute": "absolute", "bayes": "Bayes"}
RIDGES, DENSITIES = (0.01, 0.1, 1.0), (0.1, 0.3, 1.0)
BARS: dict[str, Any] = {"mew": 0.9, "elinewidth": 0.9, "capsize": 1.5, "ls": "", "zorder": 3}


def panel_losses(ax: Any, sheet: Sheet, run: dict[str, Any], points: int) -> dict[str, Any]:
    """Errors over the share of outliers."""
    runs: dict[str, Any] = {}
    for i, (name, words) in enumerate(LOSSES.items()):
        model = replace(LINEAR, estimator=name)
        theory = tsphys.solve(model, outliers=0.5 * np.linspace(0, 1, 31) ** 2)
        sim = tsphys.simulate(
            model, outliers=np.linspace(0, 0.5, points), progress=sheet.share(i, 1, len(LOSSES) * 3), **run
        )
        theory_line(ax, theory, "eps_g", color=COLOURS[i], label=words)
        simulation_points(ax, sim, "eps_g", color=COLOURS[i], fmt=MARKERS[i])
        runs |= {f"losses_{name}_theory": theory, f"losses_{name}_simulation": sim}
    ax.set(xlabel="share of outliers", ylabel=r"generalisation error $\epsilon_g$", yscale="log", ylim=(0.035, 7))
    ax.set_title(rf"$\alpha={LINEAR.alpha:g}$, $\Delta={LINEAR.noise:g}$ and {LINEAR.outlier_noise:g}")
    ax.legend(loc="lower right", ncols=2)
    return runs


def variance(result: tsphys.Result) -> np.ndarray:
    """|ŵ|²/N beside the teacher, all that students of other data have in common; those of resamples have more."""
    return result["variance"] if "variance" in result else result["q"] * (1 - result["overlap"] ** 2)


def panel_bootstrap(ax: Any, sheet: Sheet, run: dict[str, Any], points: int) -> dict[str, Any]:
    """Variance over data sets, and that over resamples of one, over the load."""
    data: dict[str, Any] = {}
    fine, loads = np.geomspace(0.15, 15, 41 if sheet.quick else 101), np.geomspace(0.2, 10, points)
    for i, ridge in enumerate(RIDGES):
        plain = replace(LINEAR, regularization=ridge)
        jobs = {"sets": (plain, "-", COLOURS[i]), "bootstrap": (replace(plain, resampling="bootstrap"), "--", "white")}
        for k, (name, (model, line, face)) in enumerate(jobs.items()):
            theory = variance(tsphys.solve(model, alpha=fine))
            part = sheet.share(len(RIDGES) * 2 + 2 * i + k, 1, len(RIDGES) * 6)
            found = variance(tsphys.simulate(model, alpha=loads, progress=part, **run))
            mean, sem = found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(len(found))
            ax.plot(fine, theory, line, color=COLOURS[i])
            ax.errorbar(loads, mean, sem, marker=MARKERS[i], color=COLOURS[i], mfc=face, **BARS)
            data |= {f"{name}_{ridge}_theory": theory, f"{name}_{ridge}_simulation": found}
        ax.errorbar([], [], [], color=COLOURS[i], marker=MARKERS[i], mfc="white", label=rf"$\lambda={ridge:g}$")
    ax.plot([], [], color="black", label="over data sets")
    ax.plot([], [], "--", color="black", label="by bootstrap")
    ax.set(
        xscale="log", yscale="log", xlabel=r"load $\alpha=n/N$", ylabel=r"variance of $\hat w$ a weight", ylim=(2e-3, 2)
    )
    ax.set_title(rf"ridge, $\Delta={LINEAR.noise:g}$")
    ax.legend(loc="lower left", ncols=2)
    return {**data, "loads": loads, "loads_theory": fine}


def net(density: float, share: float, strength: float) -> Any:
    """Elastic net of a share of the absolute values in its penalty."""
    return replace(
        LINEAR, alpha=1.0, noise=0.1, prior="gauss_bernoulli" if density < 1 else "gaussian", density=density,
        l1=share * strength, regularization=max((1 - share) * strength, 1e-12),
    )  # fmt: skip


def best(density: float, share: float) -> tuple[Any, float]:
    """The net of the best strength, and its error."""
    found = minimize_scalar(
        lambda c: float(tsphys.solve(net(density, share, float(np.exp(c))))["eps_g"][0]),
        bounds=(np.log(0.01), np.log(10)), method="bounded", options={"xatol": 0.01},
    )  # fmt: skip
    return net(density, share, float(np.exp(found.x))), float(found.fun)


def panel_nets(ax: Any, sheet: Sheet, run: dict[str, Any], points: int) -> dict[str, Any]:
    """Errors over the share of the absolute values."""
    data: dict[str, Any] = {}
    shares, fine = np.linspace(0, 1, points), np.linspace(0, 1, 11 if sheet.quick else 21)
    for i, density in enumerate(DENSITIES):
        theory = np.array([best(density, s)[1] for s in fine.tolist()])
        sims = [
            tsphys.simulate(best(density, s)[0], progress=sheet.share(2 * points * 3 + i * points + k, 1, 9 * points),
                            **run)["eps_g"][:, 0]
            for k, s in enumerate(shares.tolist())
        ]  # fmt: skip
        found = np.array(sims)
        ax.plot(fine, theory, color=COLOURS[i], label=rf"$\rho={density:g}$")
        sem = found.std(axis=1, ddof=1) / np.sqrt(found.shape[1])
        ax.errorbar(shares, found.mean(axis=1), sem, marker=MARKERS[i], color=COLOURS[i], mfc="white", **BARS)
        data |= {f"net_{density}_theory": theory, f"net_{density}_simulation": found}
    ax.set(xlabel=r"share $s$ of $|w|$ in the penalty", ylabel=r"generalisation error $\epsilon_g$", ylim=(0, None))
    ax.set_title(r"elastic net, $\alpha=1$, $\Delta=0.1$")
    ax.legend(loc="lower left")
    return {**data, "shares": shares, "shares_theory": fine}


@drawn(N=(100, 200), replicas=(8, 48), points=(4, 8))
def draw(sheet: Sheet, N: int, replicas: int, points: int) -> dict[str, Any]:
    run: dict[str, Any] = {"N": N, "replicas": replicas, **sheet.options}
    panels = sheet.subplots(1, 3, figsize=(1.3 * PAGE, 3.0))
    found: dict[str, Any] = {}
    for ax, panel in zip(panels, (panel_losses, panel_bootstrap, panel_nets), strict=True):
        found |= panel(ax, sheet, run, points)
    return found
