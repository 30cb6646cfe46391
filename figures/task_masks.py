"""A mask for each task: what is forgotten by how much two tasks share, and what isolation costs.

Two erf units, one for each teacher, similarity V = 0.5. Lines are the equations of motion, points means of 16 runs at
N = 1000, bars their standard errors, most of them smaller than the points. (a) Errors of the first task (full lines,
circles) and the second (dashes, squares) around the switch, where tasks have half of the coordinates each; the three
overlaps share what is drawn, and their points lie up to 1.5 per cent off together (|z| ≤ 2.6). (b) Forgetting 100 after
the switch, by how many of its coordinates a task shares: for more than one half there are not enough to have none in
common. (c) The mean error of both tasks then: with more coordinates each has more of its teacher, and forgets more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE

TASKS = tsphys.TaskMasks(
    R=[[0.1, 0.05], [0.02, -0.05]], Q=[[0.2, 0.05], [0.05, 0.1]], v=[[0.5, 0.3], [0.2, -0.1]], similarity=0.5
)
OVERLAPS, DENSITIES = (0.0, 0.5, 1.0), (0.3, 0.5, 0.8)
END = 100.0


def least(density: float) -> float:
    """The smallest part that two masks of a density have in common."""
    return max(0.0, 2 - 1 / density)


@drawn({"switch": TASKS.switch}, N=(200, 1000), replicas=(4, 16), points=(2, 3))
def draw(sheet: Sheet, N: int, replicas: int, points: int) -> dict[str, Any]:
    left, middle, right = sheet.subplots(1, 3, figsize=(1.3 * PAGE, 3.0))
    runs: dict[str, Any] = {}
    t, lines = np.linspace(0, 120, 13), np.linspace(0, 120, 241)
    for n, o in enumerate(OVERLAPS):
        model = replace(TASKS, overlap=o)
        theory = tsphys.solve(model, t=lines)
        sim = tsphys.simulate(model, t=t, N=N, replicas=replicas, **sheet.part(n, 1, 6))
        for s, style in enumerate(("-", "--")):
            left.plot(lines, theory["eps_g"][:, s], style, color=COLOURS[n], label=f"$o={o:g}$" if s == 0 else None)
            left.errorbar(
                t, sim.mean("eps_g")[:, s], yerr=sim.sem("eps_g")[:, s], fmt=MARKERS[s], color=COLOURS[n], mfc="white"
            )
        runs |= {f"theory_{n}": theory, f"simulation_{n}": sim}
    left.axvline(TASKS.switch, color="0.4", lw=0.7, ls=":", zorder=0)
    left.set(xlabel="time $t=$ steps$/N$", ylabel=r"errors $\epsilon_g$ of the tasks", ylim=(0, None))
    left.set_title(f"half of the coordinates each, $N={N}$")
    left.legend(loc="upper right")
    seen = [TASKS.switch, TASKS.switch + END]
    for n, rho in enumerate(DENSITIES):
        grid, some = np.linspace(least(rho), 1, 30), np.linspace(least(rho), 1, points)
        curve = np.array([tsphys.solve(replace(TASKS, density=rho, overlap=o), t=seen)["eps_g"] for o in grid])
        found = []
        for i, o in enumerate(some):
            sim = tsphys.simulate(
                replace(TASKS, density=rho, overlap=o), t=seen, N=N, replicas=replicas,
                **sheet.part(3 + n + i / points, 1 / points, 6),
            )  # fmt: skip
            found.append(sim["eps_g"])
        errors = np.array(found)
        forgotten, mean = errors[:, :, 1, 0] - errors[:, :, 0, 0], errors[:, :, 1].mean(axis=-1)
        told = curve[:, 1, 0] - curve[:, 0, 0], curve[:, 1].mean(axis=-1)
        for ax, line, dots in ((middle, told[0], forgotten), (right, told[1], mean)):
            ax.plot(grid, line, color=COLOURS[n])
            ax.errorbar(
                some, dots.mean(1), yerr=dots.std(1, ddof=1) / np.sqrt(replicas), fmt=MARKERS[n], color=COLOURS[n],
                mfc="white", label=f"$\\rho={rho:g}$",
            )  # fmt: skip
        runs |= {f"overlap_{n}": grid, f"errors_{n}": curve, f"errors_simulation_{n}": errors}
    middle.set(xlabel="overlap $o$ of the masks", ylabel="forgetting of the first task", xlim=(-0.03, 1.03))
    middle.set_title(f"{END:g} after the switch")
    middle.legend(loc="upper left")
    right.set(xlabel="overlap $o$ of the masks", ylabel="mean error of both tasks", xlim=(-0.03, 1.03), ylim=(0, None))
    right.set_title("what isolation costs")
    return runs
