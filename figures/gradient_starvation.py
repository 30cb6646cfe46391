"""A core feature starved by a spurious one, and a second student that learns from what the first gets wrong.

Linear students with the logistic loss, μ_c = 1, μ_s = 2, of which the spurious feature tells 95 % of the labels. Lines
are the equations of motion, points means of 16 runs at N = 500, bars standard errors, mostly smaller than the points.
(a) Overlaps with core and spurious feature; dotted, the core feature alone, which nothing starves. (b) Accuracy in the
minority, where the spurious feature lies: of the student that goes on, and of second students that take over at t = 5
and weight what the first gets wrong by κ. (c) Accuracy of the second student 60 later over κ, in both environments; at
κ = ρ/(1 − ρ), dotted, they meet. Where κ is large, so is the noise of its steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE

AT, AFTER = 5.0, 60.0
WEIGHTS = (5.0, 19.0)
ENVIRONMENTS = ("majority", "minority")


def second(weight: float) -> tsphys.GradientStarvation:
    """The students of the picture."""
    return tsphys.GradientStarvation(retrain_at=AT, weight=float(weight))


def bare(R: Any, Q: Any, K: int) -> tsphys.OrderParameters:
    """A start of K students."""
    return tsphys.OrderParameters(R=np.zeros((K, 2)) + R, Q=np.zeros((K, K)) + Q, T=np.eye(2))


@drawn(N=(200, 500), replicas=(4, 16), end=(30.0, 200.0), over=(3, 7))
def draw(sheet: Sheet, N: int, replicas: int, end: float, over: int) -> dict[str, Any]:
    def seen(t: np.ndarray) -> np.ndarray:
        return np.unique(np.rint(t * N)) / N

    t, lines = seen(np.geomspace(0.5, end, 14)), np.geomspace(0.3, end, 120)
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.8))
    one = tsphys.GradientStarvation()
    runs: dict[str, Any] = {}
    runs["theory"] = theory = tsphys.solve(one, start=bare(0, 0, 1), t=lines)
    runs["simulation"] = sim = tsphys.simulate(
        one, N=N, t=t, start=bare(0, 0, 1), replicas=replicas, **sheet.part(0, 1, 4)
    )
    for n, name in enumerate(("core $M_c$", "spurious $M_s$")):
        left.plot(lines, theory["R"][:, 0, n], color=COLOURS[n])
        left.errorbar(t, sim.mean("R")[:, 0, n], yerr=sim.sem("R")[:, 0, n], fmt=MARKERS[n], color=COLOURS[n],
                      mfc="white", label=name)  # fmt: skip
    free = tsphys.solve(tsphys.GradientStarvation(spurious=0.0), start=bare(0, 0, 1), t=lines)
    left.plot(lines, free["R"][:, 0, 0], color=COLOURS[0], ls=":", label="core alone")
    middle.plot(lines, theory["minority"], color=COLOURS[0])
    middle.errorbar(t, sim.mean("minority")[:, 0], yerr=sim.sem("minority")[:, 0], fmt=MARKERS[0], color=COLOURS[0],
                    mfc="white", label="first")  # fmt: skip
    later, after = AT + np.geomspace(0.1, end, 120), seen(AT + np.geomspace(0.3, end, 12))
    for n, weight in enumerate(WEIGHTS, 1):
        told = tsphys.solve(second(weight), start=bare(0, 0, 2), t=later)
        found = tsphys.simulate(
            second(weight), N=N, t=after, start=bare(0, 0, 2), replicas=replicas, **sheet.part(n, 1, 4),
        )  # fmt: skip
        middle.plot(later, told["minority"][:, 1], color=COLOURS[n])
        middle.errorbar(after, found.mean("minority")[:, 1], yerr=found.sem("minority")[:, 1], fmt=MARKERS[n],
                        color=COLOURS[n], mfc="white", label=f"$\\kappa={weight:g}$")  # fmt: skip
        runs |= {f"theory_{weight:g}": told, f"simulation_{weight:g}": found}
    weights, some = np.geomspace(1, 100, 40), np.geomspace(1, 100, over)
    curves = [tsphys.solve(second(x), start=bare(0, 0, 2), t=[AT + AFTER]) for x in weights]
    points = [
        tsphys.simulate(second(x), N=N, t=[AT + AFTER], start=bare(0, 0, 2), replicas=replicas,
                        **sheet.part(3 + i / over, 1 / over, 4))
        for i, x in enumerate(some)
    ]  # fmt: skip
    for n, name in enumerate(ENVIRONMENTS):
        over_weights = np.array([c[name][0, 1] for c in curves])
        mean, sem = (np.array([getattr(p, f)(name)[0, 1] for p in points]) for f in ("mean", "sem"))
        right.plot(weights, over_weights, color=COLOURS[n])
        right.errorbar(some, mean, yerr=sem, fmt=MARKERS[n], color=COLOURS[n], mfc="white", label=name)
        runs |= {f"over_{name}": over_weights, f"over_{name}_mean": mean, f"over_{name}_sem": sem}
    right.axvline(one.majority / (1 - one.majority), color="0.4", ls=":", lw=0.8)
    middle.axhline(0.5, color="0.4", ls=":", lw=0.8, zorder=0)
    left.set(xscale="log", xlabel="time $t=$ steps$/N$", ylabel="overlap with a feature")
    left.set_title("the starved feature")
    left.legend(loc="upper left", fontsize="small")
    middle.set(xscale="log", xlabel="time $t$", ylabel="accuracy in the minority", ylim=(0, 0.9))
    middle.set_title(f"$N={N}$, {replicas} runs")
    middle.legend(loc="upper left", fontsize="small")
    right.set(xscale="log", xlabel=r"weight $\kappa$ of mistakes", ylabel="accuracy of the second student")
    right.set_title(f"$t={AT + AFTER:g}$")
    right.legend(loc="lower left", fontsize="small", bbox_to_anchor=(0.1, 0.0))
    return {**runs, "weights": weights, "some": some}
