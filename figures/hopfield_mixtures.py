"""Mixture states, the first two steps of parallel dynamics, and basins of attraction of a Hopfield network.

(a) Lines are replica theory, dotted where a mixture decays; points are means of the n overlaps over 16 networks of
N = 16 000, bars standard errors; close to the end finite networks leave the mixture, and no points are drawn. (b) Lines
are exact for N → ∞, points 32 networks of N = 4000. (c) Shares of 64 networks of N = 4000 that end with m > 0.9 at
T = 0, with the error of a share; lines join the points.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.ground.progress import share
from tsphys.plotting import COLOURS, MARKERS, PAGE
from tsphys.replica.hopfield import mixture_stability, parallel_steps, spinodal_temperature
from tsphys.solvers.fixed_point import crossing

MIXTURES = (3, 5, 7)
#: Load of the mixtures, and of both parallel runs.
LOAD, PARALLEL = 0.002, (0.1, 0.2)
BASINS = (0.03, 0.06, 0.09, 0.12)


def decay_temperature(n: int, end: float) -> float:
    """Temperature above which a mixture decays into its patterns; `end` if it is stable as long as it exists."""

    def curvature(T: float) -> float:
        return mixture_stability(tsphys.Hopfield(alpha=LOAD, T=T), n)

    return end if curvature(end) > 0 else crossing(curvature, 0.02, end)


def panel_mixtures(ax: Any, N: int, replicas: int, progress: Any, **options: Any) -> dict[str, Any]:
    """Overlap with each pattern of a mixture over temperature: full where it is stable, dotted where it decays."""
    model = tsphys.Hopfield(alpha=LOAD)
    runs: dict[str, Any] = {}
    for i, n in enumerate(MIXTURES):
        end = spinodal_temperature(model, n)
        theory = tsphys.solve(model, T=np.linspace(0, end * (1 - 1e-6), 50), branch="mixture", mixture=n)
        stable = decay_temperature(n, end * (1 - 1e-6))
        for part, ls in ((theory["T"] <= stable, "-"), (theory["T"] >= stable, ":")):
            ax.plot(theory["T"][part], theory["m"][part], ls=ls, color=COLOURS[i])
        sim = tsphys.simulate(
            model, N=N, T=stable * np.array([0.02, 0.15, 0.3, 0.45, 0.55]), replicas=replicas, start="mixture",
            mixture=n, equilibration=50, sweeps=100, progress=share(progress, i, 1, len(MIXTURES)), **options,
        )  # fmt: skip
        # All n overlaps have one mean.
        m = sim["overlaps"][:, :, :n].mean(axis=2)
        mean, sem = m.mean(axis=0), m.std(axis=0, ddof=1) / np.sqrt(replicas)
        ax.errorbar(sim["T"], mean, yerr=sem, fmt=MARKERS[i], mfc="white", color=COLOURS[i], ms=3.5, zorder=3)
        ax.annotate(f"$n={n}$", (0.0, theory["m"][0]), xytext=(3, 5), textcoords="offset points", color=COLOURS[i])
        runs |= {f"theory_n{n}": theory, f"simulation_n{n}": sim}
    ax.set(xlabel="temperature $T$", ylabel=r"overlap $m$ with each of $n$ patterns", ylim=(0.2, 0.55),
           title=rf"mixtures, $\alpha={LOAD:g}$")  # fmt: skip
    ax.plot([], [], "k-", label="stable")
    ax.plot([], [], "k:", label="unstable")
    ax.legend(loc="lower left")
    return runs


def panel_steps(ax: Any, N: int, replicas: int, progress: Any, **options: Any) -> dict[str, Any]:
    """Overlap after one and two parallel steps, for each initial overlap: exact lines, simulated points."""
    start = np.linspace(0.1, 0.9, 9)
    curve = np.linspace(0, 1, 101)
    out: dict[str, Any] = {"steps_start": start, "steps_curve": curve}
    for i, alpha in enumerate(PARALLEL):
        exact = np.array([parallel_steps(alpha, m0) for m0 in curve])
        sims = [
            tsphys.simulate(
                tsphys.Hopfield(alpha=alpha, dynamics="parallel"), N=N, t=[1, 2], start="noisy", overlap=m0,
                replicas=replicas, progress=share(progress, i * len(start) + j, 1, 2 * len(start)), **options,
            )
            for j, m0 in enumerate(start)
        ]  # fmt: skip
        mean, sem = (np.array([getattr(sim, what)("m") for sim in sims]) for what in ("mean", "sem"))
        for step, ls in ((0, "--"), (1, "-")):
            color = COLOURS[2 * i + step]
            ax.plot(curve, exact[:, step], ls=ls, color=color, label=rf"$\alpha={alpha:g}$, step {step + 1}")
            ax.errorbar(
                start, mean[:, step], yerr=sem[:, step], fmt=MARKERS[2 * i + step], mfc="white", color=color, zorder=3
            )
        out |= {f"steps_exact_{alpha:g}": exact, f"steps_mean_{alpha:g}": mean, f"steps_sem_{alpha:g}": sem}
    ax.plot(curve, curve, color="black", lw=0.6, ls=":")
    ax.set(xlabel="initial overlap $m_0$", ylabel="overlap $m$", ylim=(0, 1.02), title="parallel steps, $T=0$")
    ax.legend(loc="lower right")
    return out


def panel_basins(ax: Any, N: int, replicas: int, progress: Any, **options: Any) -> dict[str, Any]:
    """Share of the networks that recall the pattern (m > 0.9) from each initial overlap, at T = 0."""
    start = np.linspace(0.05, 0.9, 12)
    out: dict[str, Any] = {"basins_start": start}
    for i, alpha in enumerate(BASINS):
        recalled = []
        for j, m0 in enumerate(start):
            sim = tsphys.simulate(
                tsphys.Hopfield(alpha=alpha), N=N, start="noisy", overlap=m0, replicas=replicas, equilibration=60,
                sweeps=2, progress=share(progress, i * len(start) + j, 1, len(BASINS) * len(start)), **options,
            )  # fmt: skip
            recalled.append(np.mean(sim["m"] > 0.9))
        p = np.array(recalled)
        # Wilson's error of a share, which does not vanish at 0 and 1.
        error = np.sqrt(p * (1 - p) / replicas + 0.25 / replicas**2) / (1 + 1 / replicas)
        ax.errorbar(
            start, p, yerr=error, fmt=MARKERS[i] + "-", lw=0.8, elinewidth=0.8, mfc="white", color=COLOURS[i],
            label=rf"$\alpha={alpha:g}$",
        )  # fmt: skip
        out |= {f"basins_{alpha:g}": p}
    ax.set(xlabel="initial overlap $m_0$", ylabel="share of networks that recall", ylim=(-0.03, 1.05),
           title=f"basins of attraction, $N={N}$")  # fmt: skip
    ax.legend(loc="lower right")
    return out


@drawn({"load": LOAD}, sizes=((4000, 1000, 1000), (16_000, 4000, 4000)), replicas=((4, 8, 12), (16, 32, 64)))
def draw(sheet: Sheet, sizes: Any, replicas: Any) -> dict[str, Any]:
    options = sheet.options
    axes = sheet.subplots(1, 3, figsize=(PAGE, 2.8))
    panels = (panel_mixtures, panel_steps, panel_basins)
    shares = ((0, 0.2), (0.2, 0.3), (0.5, 0.5))
    found = [
        panel(ax, N, n, sheet.share(done, of, 1), **options)
        for panel, ax, N, n, (done, of) in zip(panels, axes, sizes, replicas, shares, strict=True)
    ]
    return {k: v for panel in found for k, v in panel.items()}
