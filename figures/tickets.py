"""Masks by size and rewinding: tickets that win, when they win, and how far blind search comes.

Two erf units learn two, of which each has a tenth of the coordinates; at τ_e = 100 each student unit keeps the fifth of
its weights that are largest. (a) They are put back to τ_r and go on: lines are theory, points means of 16 runs at
N = 1000, bars standard errors, most of them smaller than the points. Runs of all courses share their start and the time
until τ_e, and a random mask is a run's for good, so that points stray together: at 100 after pruning these leave the
plateau late, 7 ± 2 per cent above the line; 32 others are 2 ± 2 above it, and 256 at N = 250 6 ± 1, by finite size. (b)
The error some time later, by how far they were put back; dotted, the student with all of its weights. (c) What the best
of m random masks keeps of a teacher's power, for one linear unit with normal weights and ρ = 0.3: lines are theory,
points means of 20 searches, dashes the best of all masks.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.numerics.random import generator
from tsphys.physics.masks import best_of, oracle, searched
from tsphys.plotting import COLOURS, MARKERS, PAGE

START = tsphys.OrderParameters(R=[[0.06, 0.03], [0.02, 0.05]], Q=[[0.2, 0.02], [0.02, 0.2]], T=np.eye(2))
TRAINED, DENSITY = 100.0, 0.2
TICKET: dict[str, Any] = {
    "lr": 0.5, "noise": 0.1, "density": DENSITY, "masks": "magnitude", "prune_at": TRAINED, "teacher_density": 0.1,
}  # fmt: skip
COURSES: dict[str, dict[str, Any]] = {
    r"$\tau_r=0$": {"rewind_to": 0.0},
    r"$\tau_r=10$": {"rewind_to": 10.0},
    r"$\tau_r=\tau_e$": {},
    "random masks": {"masks": "independent"},
}
AFTER = (1.0, 10.0, 50.0)
SEARCHED, BLIND = (100, 200, 1000), 0.3


def normal_teacher(N: int) -> np.ndarray:
    """Weights at the quantiles of a normal law."""
    return np.array([NormalDist().inv_cdf(0.5 + (i + 0.5) / (2 * N)) for i in range(N)])


@drawn({"K": 2, "M": 2}, N=(200, 1000), replicas=(4, 16), points=(3, 5), most=(2, 4))
def draw(sheet: Sheet, N: int, replicas: int, points: int, most: int) -> dict[str, Any]:
    left, middle, right = sheet.subplots(1, 3, figsize=(1.3 * PAGE, 3.0))
    late = TRAINED + np.geomspace(1, 190, 9)
    lines = np.unique(np.concatenate([np.geomspace(0.1, TRAINED, 120), TRAINED + np.geomspace(1e-6, 200, 200)]))
    seen = np.unique(np.rint(np.concatenate([[1, 10, 30, 60, TRAINED], late]) * N)) / N
    runs: dict[str, Any] = {}
    dense = tsphys.solve(tsphys.TwoLayer(lr=0.5, noise=0.1), start=START, t=lines)
    left.plot(dense["t"] - TRAINED, dense["eps_g"], color="0.4", ls=":", label="all weights")
    for n, (name, given) in enumerate(COURSES.items()):
        model = tsphys.Pruned(**{**TICKET, **given})
        theory = tsphys.solve(model, start=START, t=lines)
        sim = tsphys.simulate(model, N=N, start=START, t=seen, replicas=replicas, **sheet.part(n, 1, 9))
        pruned, shown = theory["t"] > TRAINED, sim["t"] > TRAINED
        left.plot(theory["t"][pruned] - TRAINED, theory["eps_g"][pruned], color=COLOURS[n])
        left.errorbar(
            sim["t"][shown] - TRAINED, sim.mean("eps_g")[shown], yerr=sim.sem("eps_g")[shown], fmt=MARKERS[n],
            color=COLOURS[n], mfc="white", label=name,
        )  # fmt: skip
        runs |= {f"theory_{n}": theory, f"simulation_{n}": sim}
    left.set(
        yscale="log",
        xlim=(-100, 200),
        ylim=(8e-4, 6),
        xlabel=r"time after pruning, $t-\tau_e$",
        ylabel=r"error $\epsilon_g$",
    )
    left.set_title(f"tickets, $N={N}$, {replicas} runs")
    left.legend(loc="upper right", ncols=2)
    times = [TRAINED + after for after in AFTER]
    rewinds, some = (
        np.concatenate([np.linspace(0, 0.8, 5), np.geomspace(1, TRAINED, 30)]),
        np.geomspace(0.8, TRAINED, points),
    )
    curves = np.array(
        [tsphys.solve(tsphys.Pruned(**TICKET, rewind_to=r), start=START, t=times)["eps_g"] for r in rewinds]
    )
    found = []
    for i, r in enumerate(some):
        sim = tsphys.simulate(
            tsphys.Pruned(**TICKET, rewind_to=r), N=N, start=START, t=times, replicas=replicas,
            **sheet.part(4 + 4 * i / points, 4 / points, 9),
        )  # fmt: skip
        found.append([sim.mean("eps_g"), sim.sem("eps_g")])
    for n, after in enumerate(AFTER):
        middle.plot(rewinds, curves[:, n], color=COLOURS[n])
        mean, sem = np.array(found)[:, :, n].T
        middle.errorbar(
            some, mean, yerr=sem, fmt=MARKERS[n], color=COLOURS[n], mfc="white", label=f"$t-\\tau_e={after:g}$"
        )
    middle.axhline(np.interp(TRAINED + AFTER[-1], dense["t"], dense["eps_g"]), color="0.4", ls=":", zorder=0)
    middle.set(
        yscale="log", xlabel=r"rewinding time $\tau_r$", ylabel=r"$\epsilon_g$ after pruning", xlim=(0, 1.1 * TRAINED)
    )
    # With this the slope of the axis is the same on both sides of 1.
    middle.set_xscale("symlog", linthresh=1, linscale=0.9 / np.log(10))
    middle.set_title(r"rewound to $\tau_r$, pruned at $\tau_e=100$")
    middle.legend(loc="upper right")
    counts, tried = np.geomspace(10, 1e8, 40), [10**i for i in range(1, most + 1)]
    for n, size in enumerate(SEARCHED):
        b = normal_teacher(size)
        curve = np.array([best_of(m, b, BLIND) for m in counts])
        kept = np.array(
            [[searched(m, b, BLIND, generator(sheet.seed, i, f"masks {m}")) for i in range(20)] for m in tried]
        )
        right.plot(counts, curve, color=COLOURS[n])
        right.errorbar(
            tried, kept.mean(1), yerr=kept.std(1, ddof=1) / np.sqrt(20), fmt=MARKERS[n], color=COLOURS[n], mfc="white",
            label=f"$N={size}$",
        )  # fmt: skip
        runs |= {f"best_{size}": curve, f"searched_{size}": kept}
    right.axhline(oracle(normal_teacher(1000), BLIND), color="0.4", ls="--", zorder=0)
    right.axhline(BLIND, color="0.4", ls=":", zorder=0)
    right.set(
        xscale="log", xlabel="masks $m$ that are tried", ylabel=r"teacher's power $\tau$ in the best", ylim=(0.25, 0.85)
    )
    right.set_title(f"best of $m$ random masks, $\\rho={BLIND:g}$")
    right.legend(loc="upper left", bbox_to_anchor=(0, 0.89))
    sizes = {"rewinds": rewinds, "error": curves, "rewinds_simulation": some, "error_simulation": np.array(found)}
    return {**runs, **sizes, "masks": counts}
