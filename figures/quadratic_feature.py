"""Grokking: training error falls at once, test error late, and the later the worse the kernel of the start is aligned.

Lines are theory, averaged over the same sets of data as the points, which are networks of N = 2D hidden units; bars are
standard errors over sets. Test errors, and training errors dashed: (a) by scale, (b) by alignment; the delay is from
when the training error is below 0.01 until the test error is below 0.1. (c) Lines: the whole population; points:
networks on 20 D² examples, whose number leaves some per cent.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

SCALES = ((0.2, r"$\alpha=0.2$"), (2.0, r"$\alpha=2$"), (None, r"lazy, $\alpha\to\infty$"))
ALIGNMENTS = (0.1, 0.2, 0.4, 0.8)


@drawn(sets=(2, 4), end=(30.0, 60.0))
def draw(sheet: Sheet, sets: int, end: float) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE * 1.45, 3.0))
    times, points = np.geomspace(0.05, end, 49), np.geomspace(0.05, end, 12)
    for j, (alpha, words) in enumerate(SCALES):
        model = tsphys.QuadraticFeature(alpha=alpha, eps=0.2)
        theory = tsphys.solve(model, t=times, sets=sets, seed=sheet.seed)
        sim = tsphys.simulate(model, t=points, replicas=sets, **sheet.part(j, 1, 8))
        theory_line(left, theory, "mse", color=COLOURS[j], label=words)
        theory_line(left, theory, "train_mse", color=COLOURS[j], ls="--")
        simulation_points(left, sim, "mse", color=COLOURS[j], fmt=MARKERS[j])
        runs |= {f"theory_{alpha}": theory, f"simulation_{alpha}": sim}
    fine, delays = np.geomspace(0.1, 2 * end, 65), []
    for j, eps in enumerate(ALIGNMENTS):
        model = tsphys.QuadraticFeature(alpha=0.3, eps=eps, inputs=10, examples=45)
        theory = tsphys.solve(model, t=fine, sets=sets, seed=sheet.seed)
        sim = tsphys.simulate(model, t=fine[::6], replicas=sets, **sheet.options)
        delays.append(below(fine, theory["mse"], 0.1) - below(fine, theory["train_mse"], 0.01))
        theory_line(middle, theory, "mse", color=COLOURS[j], label=rf"$\varepsilon={eps:g}$, delay {delays[-1]:.1f}")
        theory_line(middle, theory, "train_mse", color=COLOURS[j], ls="--")
        simulation_points(middle, sim, "mse", color=COLOURS[j], fmt=MARKERS[j])
        runs |= {f"aligned_{eps:g}": theory, f"aligned_simulation_{eps:g}": sim}
    runs["delay"] = np.array(delays)
    for j, alpha in enumerate((0.5, 10.0)):
        given: dict[str, Any] = {"alpha": alpha, "inputs": 10}
        s, P = np.linspace(0, 8, 81), 2000
        theory = tsphys.solve(tsphys.QuadraticFeature(**given, examples=None), t=s)
        seen = s[::10]
        sim = tsphys.simulate(tsphys.QuadraticFeature(**given, examples=P), t=seen * 10 / P, replicas=sets,
                              **sheet.options)  # fmt: skip
        theory_line(right, theory, "mse", color=COLOURS[j + 3], label=rf"$\alpha={alpha:g}$")
        right.errorbar(seen, sim.mean("mse"), sim.sem("mse"), color=COLOURS[j + 3], fmt=MARKERS[j], mfc="white")
        runs |= {f"population_{alpha:g}": theory, f"many_{alpha:g}": sim}
    left.set(xlabel="time $t$", ylabel="mean squared error", xscale="log", yscale="log", ylim=(1e-5, 1.5),
             title=r"$D=20$, $P=100$, $\varepsilon=0.2$")  # fmt: skip
    middle.set(xlabel="time $t$", ylabel="mean squared error", xscale="log", yscale="log", ylim=(1e-5, 1.5),
               title=r"$D=10$, $P=45$, $\alpha=0.3$")  # fmt: skip
    right.set(xlabel="time $s=tP/D$", ylabel="mean squared error", title="population, $D=10$")
    middle.legend(loc="lower left")
    left.legend(loc="lower left")
    right.legend()
    return runs


def below(t: np.ndarray, y: np.ndarray, level: float) -> float:
    """The first time at which y is below a level, between those given; NaN if it never is."""
    at = int(np.argmax(y < level))
    if not y[at] < level or at == 0:
        return float("nan")
    part = np.log(y[at - 1] / level) / np.log(y[at - 1] / y[at])
    return float(np.exp(np.log(t[at - 1]) + part * np.log(t[at] / t[at - 1])))
