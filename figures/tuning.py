"""A penalty tuned on one pair of tasks and used on another: elastic weights of online students.

Two erf units, one for each teacher; the first task is learned for 20, the second for 100, held by the pull ξ(h¹_k)².
Lines are theory, points means of 8 runs at N = 500, bars their standard errors. (a) Mean error of both tasks at the
end, by the strength; dots are the best. (b) Regret: the error with the strength that is best at one similarity, over
the least that there is. (c) The best strength; dashed, of a linear student, where it is the same for all tasks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.odes.continual import score, tuned
from tsphys.physics.penalties import least, two_tasks
from tsphys.plotting import COLOURS, MARKERS, PAGE

FIRST, SECOND = 20.0, 100.0
HELD = tsphys.Continual(lr=1.0, lr_v=0.5, noise=0.1, durations=[FIRST], regulariser="ewc")
SHOWN = (0.0, 0.5, 0.9)


def start(V: float) -> tsphys.OrderParameters:
    """Units that know a little of both teachers, whatever their overlap."""
    R = np.array([0.1, 0.02])
    U = V * R + np.sqrt(1 - V**2) * np.array([0.05, -0.05])
    return tsphys.OrderParameters(
        R=np.column_stack([R, U]), Q=[[0.2, 0.05], [0.05, 0.1]], T=[[1, V], [V, 1]], v=[0.5, 0.3, 0.2, -0.1]
    )


@drawn(
    {"first": FIRST, "second": SECOND},
    N=(200, 500),
    replicas=(4, 8),
    grid=((0.0, 0.5, 0.9), (0.0, 0.15, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9)),
    strengths=(9, 21),
    some=(2, 5),
)
def draw(sheet: Sheet, N: int, replicas: int, grid: Any, strengths: int, some: int) -> dict[str, Any]:
    left, middle, right = sheet.subplots(1, 3, figsize=(1.3 * PAGE, 3.0))
    t, xi, tried = FIRST + SECOND, np.geomspace(0.02, 20, strengths), np.geomspace(0.03, 10, some)
    best = {V: tuned(replace(HELD, similarity=V), start(V), t, points=min(strengths, 11)) for V in grid}
    data: dict[str, Any] = {"similarity": np.array(grid), "best": np.array(list(best.values()))}

    def seen(V: float, strength: float, done: float, part: float) -> tuple[float, float]:
        """Mean error of both tasks of runs, and its standard error."""
        sim = tsphys.simulate(
            replace(HELD, similarity=V, strength=float(strength)), N=N, start=start(V), t=[t], replicas=replicas,
            **sheet.part(done, part, 2),
        )  # fmt: skip
        errors = sim["eps_g"][:, 0].mean(axis=-1)
        return errors.mean(), errors.std(ddof=1) / np.sqrt(replicas)

    for n, V in enumerate(SHOWN):
        model = replace(HELD, similarity=V)
        curve = score(model, start(V), t, xi)
        found = np.array([seen(V, x, (n + i / some) / 3, 1 / some / 3) for i, x in enumerate(tried)])
        left.plot(xi, curve, color=COLOURS[n])
        left.errorbar(
            tried, found[:, 0], yerr=found[:, 1], fmt=MARKERS[n], color=COLOURS[n], mfc="white", label=f"$V={V:g}$"
        )
        left.plot(*best[V], "o", color=COLOURS[n], ms=4, zorder=5)
        regret = [float(score(replace(HELD, similarity=W), start(W), t, [best[V][0]])[0]) / best[W][1] for W in grid]
        middle.plot(grid, regret, color=COLOURS[n])
        points = grid[:: max(1, len(grid) // 3)]
        done = [1 + (n + i / len(points)) / 3 for i in range(len(points))]
        runs = np.array([seen(W, best[V][0], d, 1 / len(points) / 3) for W, d in zip(points, done, strict=True)])
        ends = np.array([best[W][1] for W in points])
        middle.errorbar(
            points, runs[:, 0] / ends, yerr=runs[:, 1] / ends, fmt=MARKERS[n], color=COLOURS[n], mfc="white",
            label=f"tuned at $V={V:g}$",
        )  # fmt: skip
        data |= {f"score_{n}": curve, f"seen_{n}": found, f"regret_{n}": np.array(regret), f"regret_seen_{n}": runs}
    left.set(xscale="log", yscale="log", xlabel=r"strength $\xi$", ylabel="mean error of both tasks")
    left.set_title(f"$t_1={FIRST:g}$, $t_2={SECOND:g}$, $N={N}$")
    left.legend(loc="upper left")
    middle.axhline(1, color="0.4", lw=0.7, zorder=0)
    middle.set(xlabel="similarity $V$ of the tasks it is used on", ylabel="regret")
    middle.set_title("tuned on one pair, used on another")
    middle.legend(loc="upper left")
    linear = [least(lambda x, V=V: sum(two_tasks(x, V, FIRST, SECOND, HELD.lr, HELD.noise)) / 2)[0] for V in grid]
    right.plot(grid, [best[V][0] for V in grid], color=COLOURS[0], label="two erf units")
    right.plot(grid, linear, color="0.4", ls="--", label="one linear unit")
    right.set(yscale="log", xlabel="similarity $V$", ylabel=r"best strength $\xi^*$")
    right.set_title("what is best")
    right.legend(loc="lower right")
    return {**data, "strengths": xi, "tried": tried, "linear": np.array(linear)}
