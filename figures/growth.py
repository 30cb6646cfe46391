"""A student that grows while it learns: what it costs at once, and when the new units are of use.

One erf unit learns two, and becomes two at t = 5. (a) Lines are the equations of motion, points means of 16 runs at
N = 800, bars their standard errors; dotted, a student that never grows. (b) Time after growth until ε_g < 0.007, by how
unequally a split shares the readout. Lines are theory, points means of 16 runs at N = 400; with the two of a pair apart
by γ = 0.1 as well, it is fluctuations of order 1/√N that tell them from each other where the shares are nearly equal,
and for N → ∞ there are none.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

START = tsphys.OrderParameters(R=[[0.1, 0.04]], Q=[[0.2]], T=np.eye(2), v=[0.4])
BOTH = tsphys.OrderParameters(R=[[0.1, 0.04], [0.0, 0.0]], Q=0.2 * np.eye(2), T=np.eye(2), v=[0.4, 0.4])
ALONE: dict[str, Any] = {"K": 1, "M": 2, "lr": 0.5, "lr_v": 0.5, "noise": 0.1}
WAYS: dict[str, dict[str, Any]] = {
    r"split, $s=\frac{1}{2}$, $\gamma=0.1$": {},
    r"split, $s=0.7$, $\gamma=0$": {"spread": 0.0, "share": 0.7},
    r"random, $v=0.1$": {"way": "random"},
    r"random, $v=0.5$": {"way": "random", "new_v": 0.5},
}
LEARNED = 0.007
SPREADS = (0.0, 0.1)


def learned(t: np.ndarray, error: np.ndarray) -> np.ndarray:
    """First times (…) at which the error (…, len(t)) is below `LEARNED`; infinite if it never is."""
    below = error < LEARNED
    return np.where(below.any(axis=-1), t[below.argmax(axis=-1)], np.inf)


@drawn(N=(200, 800), replicas=(4, 16), N_learned=(100, 400), end=(100.0, 500.0), shares=(2, 6))
def draw(sheet: Sheet, N: int, replicas: int, N_learned: int, end: float, shares: int) -> dict[str, Any]:
    t, lines = np.unique(np.rint(np.geomspace(0.5, end, 22) * N)) / N, np.geomspace(0.3, 1.2 * end, 300)
    left, right = sheet.subplots(1, 2, figsize=(PAGE, 3.0), width_ratios=(3, 2))
    runs: dict[str, Any] = {"alone": tsphys.solve(tsphys.TwoLayer(**ALONE), start=START, t=lines)}
    theory_line(left, runs["alone"], "eps_g", color="0.4", ls=":", label="one unit for ever")
    students: dict[str, Any] = {name: tsphys.Growth(**given) for name, given in WAYS.items()}
    students["two units from the start"] = tsphys.TwoLayer(**{**ALONE, "K": 2})
    for n, (name, model) in enumerate(students.items()):
        start = START if isinstance(model, tsphys.Growth) else BOTH
        theory = tsphys.solve(model, start=start, t=lines)
        sim = tsphys.simulate(model, N=N, t=t, start=start, replicas=replicas, **sheet.part(n, 0.5, 5))
        theory_line(left, theory, "eps_g", color=COLOURS[n])
        simulation_points(left, sim, "eps_g", fmt=MARKERS[n], color=COLOURS[n], label=name)
        runs |= {f"theory_{n}": theory, f"simulation_{n}": sim}
    left.axvline(5, color="0.4", lw=0.7, zorder=0)
    left.annotate("grows", (5, left.get_ylim()[0]), xytext=(3, 6), textcoords="offset points", color="0.4")
    after = 5 + np.geomspace(20, 1500, 600)
    offsets, seen = np.geomspace(1e-4, 0.49, 25), np.geomspace(1e-4, 0.4, shares)
    for n, spread in enumerate(SPREADS):
        models = [tsphys.Growth(spread=spread, share=0.5 + x) for x in offsets]
        told = [learned(after, tsphys.solve(m, start=START, t=after)["eps_g"]) - 5 for m in models]
        found = []
        for i, x in enumerate(seen):
            done = 2.5 + 1.25 * (n + i / shares)
            sim = tsphys.simulate(
                tsphys.Growth(spread=spread, share=0.5 + x), N=N_learned, t=after[after < 1.3 * end + 5], start=START,
                replicas=replicas, **sheet.part(done, 1.25 / shares, 5),
            )  # fmt: skip
            times = learned(sim["t"], sim["eps_g"]) - 5
            times = times if np.isfinite(times).all() else np.full(replicas, np.nan)
            found.append([times.mean(), times.std(ddof=1) / np.sqrt(replicas)])
        mean, sem = np.array(found).T
        right.plot(offsets, told, color=COLOURS[n])
        right.errorbar(
            seen, mean, yerr=sem, fmt=MARKERS[n], color=COLOURS[n], mfc="white", label=f"$\\gamma={spread:g}$"
        )
        runs |= {f"learned_{n}": np.array(told), f"learned_mean_{n}": mean, f"learned_sem_{n}": sem}
    left.set(xscale="log", yscale="log", xlabel="time $t=$ steps$/N$", ylabel=r"generalisation error $\epsilon_g$")
    left.set_title(f"one unit becomes two, $N={N}$, {replicas} runs")
    left.legend(loc="lower left", fontsize="small")
    right.set(xscale="log", xlabel=r"$|s-\frac{1}{2}|$, shares of the readout", ylabel=r"time until $\epsilon_g<0.007$",
              ylim=(0, None))  # fmt: skip
    right.set_title(f"split in unequal parts, $N={N_learned}$")
    right.legend(loc="upper right")
    return {**runs, "offsets": offsets, "seen": seen}
