"""Self-distillation: errors over rounds and ridges; the best mixing makes up for a ridge that is off.

Lines are averages over the spectrum of the data, points means of 48 runs at N = 400, bars standard errors; a run has
the same examples in all rounds. Dotted: the best ridge without any round. (a) Dashes at the right: infinitely many.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line
from tsphys.replica.self_distillation import best_mixing, errors, for_ever

ALPHA, NOISE, ROUNDS = 1.0, 0.7, 8
MIXINGS = (-0.5, 0.5, 0.8, 1.0)


@drawn(N=(100, 400), replicas=(8, 48))
def draw(sheet: Sheet, N: int, replicas: int) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    left, right = sheet.subplots(1, 2, figsize=(PAGE, 3.0))
    run = {"N": N, "replicas": replicas, **sheet.options}
    model = tsphys.SelfDistillation(alpha=ALPHA, noise=NOISE)
    best = errors(replace(model, ridge=NOISE**2 / ALPHA), [])["eps_g"]
    for j, xi in enumerate(MIXINGS):
        here = replace(model, mixing=xi)
        theory = tsphys.solve(here, rounds=range(ROUNDS + 1))
        sim = tsphys.simulate(here, rounds=range(ROUNDS + 1), **run, progress=sheet.share(j, 1, 7))
        theory_line(left, theory, "eps_g", color=COLOURS[j], label=f"$\\xi={xi:g}$")
        simulation_points(left, sim, "eps_g", color=COLOURS[j], fmt=MARKERS[j])
        if abs(xi) < 1:
            left.axhline(for_ever(here)["eps_g"], xmin=0.93, color=COLOURS[j], lw=1.0, ls="--")
        runs |= {f"theory_{xi:g}": theory, f"simulation_{xi:g}": sim}
    lines, points = np.geomspace(0.01, 30, 61), np.geomspace(0.02, 15, 9)
    plain = {"plain ridge": (0, 0.0), r"one round, $\xi=1$": (1, 1.0)}
    for j, (words, (rounds, xi)) in enumerate(plain.items()):
        here = replace(model, rounds=rounds, mixing=xi)
        theory = tsphys.solve(here, ridge=lines)
        sim = tsphys.simulate(here, ridge=points, **run, progress=sheet.share(4 + j, 1, 7))
        theory_line(right, theory, "eps_g", color=COLOURS[4 + j], label=words)
        simulation_points(right, sim, "eps_g", color=COLOURS[4 + j], fmt=MARKERS[4 + j])
        runs |= {f"theory_over_ridges_{rounds}": theory, f"simulation_over_ridges_{rounds}": sim}
    curve = [best_mixing(replace(model, ridge=ridge))[1] for ridge in lines]
    right.plot(lines, curve, color=COLOURS[6], label=r"one round, best $\xi$")
    found = [
        tsphys.simulate(
            replace(model, ridge=ridge, mixing=best_mixing(replace(model, ridge=ridge))[0]), rounds=[1], **run,
            progress=sheet.share(6 + j / len(points), 1 / len(points), 7),
        )
        for j, ridge in enumerate(points)
    ]  # fmt: skip
    mean, sem = (np.array([getattr(sim, f)("eps_g")[0] for sim in found]) for f in ("mean", "sem"))
    right.errorbar(points, mean, sem, color=COLOURS[6], fmt="X", mfc="white", mew=0.9, elinewidth=0.9, capsize=1.5)
    for panel in (left, right):
        panel.axhline(best, color="0.4", lw=0.7, ls=":")
    left.set(xlabel="round $k$", ylabel=r"$\epsilon_g$",
             title=f"$\\lambda={model.ridge:g}$, $\\alpha={ALPHA:g}$, $\\sigma={NOISE}$, $N={N}$")  # fmt: skip
    right.set(xlabel=r"ridge $\lambda$", ylabel=r"$\epsilon_g$", xscale="log", ylim=(0.95 * best, 0.72),
              title="best ridge dotted: never beaten")  # fmt: skip
    left.legend(title=r"dashed: $k\to\infty$")
    right.legend()
    return {**runs, "ridges": lines, "best_mixing_theory": np.array(curve), "points": points,
            "best_mixing_mean": mean, "best_mixing_sem": sem, "best_ridge": np.array(best)}  # fmt: skip
