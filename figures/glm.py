"""A teacher with sign labels: learning curves of Bayes and of convex risks, first-order transition of ±1 weights.

Points are means over instances, bars standard errors, lines theory for N → ∞. (a) 12 instances: message passing at N
= 800 for Bayes, exact minima at N = 400, at 200 for the largest margin. (b) 8 instances of message passing at N =
2000; near its end (alg) finite instances jump early or late, so that means lie between the branches. (c) 4 instances
at N = 5000.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.ground.progress import share
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line
from tsphys.replica.glm import gibbs_error, thresholds
from tsphys.replica.saddles import bayes

GAUSSIAN, BINARY = tsphys.GLM(), tsphys.GLM(prior="rademacher")
#: What learns, its colour and its name.
LEARNERS = {
    "bayes": (GAUSSIAN, "Bayes"),
    "max_margin": (replace(GAUSSIAN, estimator="max_margin"), "largest margin"),
    "logistic": (replace(GAUSSIAN, estimator="logistic", regularization=0.1), r"logistic, $\lambda=0.1$"),
    "ridge": (replace(GAUSSIAN, estimator="ridge", regularization=0.1), r"ridge, $\lambda=0.1$"),
}
#: Loads of the trajectories, below, between and above the thresholds.
TRAJECTORIES = (1.0, 1.4, 1.8)


def panel_learning(ax: Any, quick: bool, progress: Any, **options: Any) -> dict[str, Any]:
    """Generalisation error over the load, theory and instances."""
    fine = np.geomspace(0.2, 30, 20 if quick else 60)
    loads = np.geomspace(0.3, 8, 5 if quick else 9)
    runs: dict[str, Any] = {}
    gibbs = np.array([gibbs_error(replace(GAUSSIAN, alpha=float(a))) for a in fine])
    for i, (name, (model, words)) in enumerate(LEARNERS.items()):
        theory = tsphys.solve(model, alpha=fine)
        N = {"bayes": 500 if quick else 800, "max_margin": 100 if quick else 200}.get(name, 200 if quick else 400)
        sim = tsphys.simulate(
            model, N=N, alpha=loads, replicas=6 if quick else 12, progress=share(progress, i, 1, 4), **options
        )
        theory_line(ax, theory, "eps_g", color=COLOURS[i], label=words)
        simulation_points(ax, sim, "eps_g", fmt=MARKERS[i], color=COLOURS[i])
        runs |= {f"learning_{name}_theory": theory, f"learning_{name}_simulation": sim}
    ax.plot(fine, gibbs, color=COLOURS[0], ls="--", lw=1, label="Gibbs student")
    far = fine[fine > 4]
    ax.plot(far, 0.442 / far, color="black", ls=":", lw=0.9, label=r"$0.442/\alpha,\ 0.625/\alpha$")
    ax.plot(far, 0.625 / far, color="black", ls=":", lw=0.9)
    ax.set(xscale="log", yscale="log", ylim=(0.012, 0.55), xlabel=r"load $\alpha=n/N$",
           ylabel=r"generalisation error $\epsilon_g$", title="Gaussian weights")  # fmt: skip
    ax.set_yticks([0.02, 0.05, 0.1, 0.2, 0.5], ["0.02", "0.05", "0.1", "0.2", "0.5"])
    ax.set_xticks([0.3, 1, 3, 10, 30], ["0.3", "1", "3", "10", "30"])
    ax.minorticks_off()
    ax.legend(loc="lower left", fontsize=6.5, handlelength=1.6)
    return {**runs, "gibbs": gibbs}


def unstable(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Loads and errors of the unstable branch, which bounds what flows to the truth."""
    x, loads = bayes.curve(*BINARY.objects())
    peak = int(np.argmax(loads))
    at = np.linspace(x[peak], x[-1], count)
    prior, channel = BINARY.objects()
    V = np.array([prior.mmse(float(np.exp(v))) for v in at])
    return np.array([bayes.load(prior, channel, float(v)) for v in at]), np.arccos(np.sqrt(1 - V)) / np.pi


def panel_transition(ax: Any, quick: bool, progress: Any, **options: Any) -> dict[str, Any]:
    """Branches of the binary perceptron, and message passing from nothing and from close to the truth."""
    found = thresholds(BINARY)
    it, alg = found.transition, found.algorithmic
    fine = np.append(np.linspace(0.8, alg, 30, endpoint=False), alg * (1 - 1e-7))
    lower = tsphys.solve(BINARY, alpha=fine)
    eps = lower["eps_g"]
    stays = fine <= it
    ax.plot(fine[stays], eps[stays], color=COLOURS[0], label="equilibrium")
    ax.plot(fine[~stays], eps[~stays], color=COLOURS[0], ls="--", label="metastable")
    ax.plot([0.8, it], [0, 0], color=COLOURS[0], ls="--", clip_on=False)
    ax.plot([it, 2.1], [0, 0], color=COLOURS[0], clip_on=False)
    ax.plot([it, it], [0, np.interp(it, fine, eps)], color=COLOURS[0], lw=0.8)
    loads, errors = unstable(80)
    ax.plot(loads, errors, color="grey", ls=":", lw=1, label="unstable")
    for at, words, low, side in ((it, "IT", 0.23, "right"), (alg, "alg", 0.015, "left")):
        ax.axvline(at, color="black", lw=0.6, zorder=0)
        ax.annotate(rf"$\alpha_{{\rm {words}}}={at:.4f}$", (at, low), xytext=(2 if side == "left" else -2, 0),
                    textcoords="offset points", rotation=90, fontsize=6.5, ha=side, va="bottom")  # fmt: skip
    N, replicas = (800, 6) if quick else (2000, 8)
    cold_loads = (
        np.array([0.8, 1.0, 1.2, 1.35, 1.45, 1.6, 1.7])
        if quick
        else np.append(np.arange(0.82, 1.5, 0.07), [1.58, 1.65])
    )
    warm_loads = np.array([1.1, 1.2, 1.3, 1.4, 1.5])
    cold = tsphys.simulate(
        BINARY, N=N, alpha=cold_loads, replicas=replicas, progress=share(progress, 0, 1, 2), **options
    )
    warm = tsphys.simulate(
        BINARY, N=N, alpha=warm_loads, start=0.998, replicas=replicas, progress=share(progress, 1, 1, 2), **options
    )
    simulation_points(ax, cold, "eps_g", color=COLOURS[1], label="from no knowledge")
    simulation_points(ax, warm, "eps_g", fmt="s", color=COLOURS[2], label=r"from $q=0.998$", clip_on=False)
    ax.set(xlim=(0.8, 2.1), ylim=(0, 0.34), xlabel=r"load $\alpha=n/N$", ylabel=r"generalisation error $\epsilon_g$",
           title=rf"$\pm1$ weights, $N={N}$")  # fmt: skip
    ax.legend(loc="upper right", fontsize=6.5, handlelength=1.6)
    return {"lower": lower, "cold": cold, "warm": warm, "unstable": np.array([loads, errors])}


def panel_steps(ax: Any, quick: bool, progress: Any, **options: Any) -> dict[str, Any]:
    """Message passing on state evolution, step by step."""
    t = np.arange(0, 25 if quick else 41)
    N, replicas = (1500, 4) if quick else (5000, 4)
    runs: dict[str, Any] = {}
    for i, alpha in enumerate(TRAJECTORIES):
        model = replace(BINARY, alpha=alpha)
        theory = tsphys.solve(model, t=t)
        sim = tsphys.simulate(
            model, N=N, t=t, replicas=replicas, dtype="float32", progress=share(progress, i, 1, 3), **options
        )
        theory_line(ax, theory, "mse", color=COLOURS[3 + i], label=rf"$\alpha={alpha:g}$")
        simulation_points(ax, sim, "mse", fmt=MARKERS[i], color=COLOURS[3 + i], markevery=1)
        runs |= {f"steps_{alpha:g}_theory": theory, f"steps_{alpha:g}_simulation": sim}
    ax.set(xlabel="iteration $t$", ylabel=r"$|w^*-\hat w|^2/N$", ylim=(0, 1.02), title=rf"$\pm1$ weights, $N={N}$")
    ax.legend(loc="upper right")
    return runs


@drawn({"trajectories": TRAJECTORIES})
def draw(sheet: Sheet) -> dict[str, Any]:
    options = sheet.options
    axes = sheet.subplots(1, 3, figsize=(PAGE, 2.6), width_ratios=(1, 1.35, 0.9))
    panels = (panel_learning, panel_transition, panel_steps)
    found: dict[str, Any] = {}
    for i, (ax, panel) in enumerate(zip(axes, panels, strict=True)):
        found |= panel(ax, sheet.quick, sheet.share(i, 1, 3), **options)
    return found
