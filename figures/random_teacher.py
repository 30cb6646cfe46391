"""A teacher that knows nothing: students distilled from it are better features than its own, while they are young.

Lines are theory, points means of 150 runs of 400 inputs, bars standard errors; a run has the same teacher and examples
at all times. Students start at W = 0. (a) Dotted: the features of the teacher itself. (b) Over the error with the
teacher's features: a hundred inputs of variances i^(−1.2) and a target on the large ones, or on all alike; and white
inputs. (c) Learning curves at three times of distillation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

TARGETS = {
    "target on large components": {},
    "on all components alike": {"target_decay": 0.0},
    "white inputs": {"decay": 0.0, "target_decay": 0.0},
}


@drawn(replicas=(4, 150), end=(30.0, 1000.0))
def draw(sheet: Sheet, replicas: int, end: float) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE * 1.45, 3.0))
    run = {"replicas": replicas, **sheet.options}
    fine, coarse = np.geomspace(0.05, end, 81), np.geomspace(0.05, end, 9)
    for j, p in enumerate((30, 60, 300)):
        model = tsphys.RandomTeacher(features=p)
        theory = tsphys.solve(model, t=fine)
        sim = tsphys.simulate(model, t=coarse, **run, progress=sheet.share(j, 1, 9))
        theory_line(left, theory, "eps_g", color=COLOURS[j], label=f"$p={p}$")
        simulation_points(left, sim, "eps_g", color=COLOURS[j], fmt=MARKERS[j])
        last = tsphys.solve(replace(model, t=None), n=[model.n])
        left.axhline(last["eps_g"][0], color=COLOURS[j], lw=0.8, ls=":")
        runs |= {f"theory_p{p}": theory, f"simulation_p{p}": sim, f"teacher_p{p}": last}
    for j, (words, given) in enumerate(TARGETS.items()):
        model = tsphys.RandomTeacher(inputs=100, n=300, features=300, noise=0.5, **given)
        theory = tsphys.solve(model, t=fine)
        sim = tsphys.simulate(model, t=coarse, **run, progress=sheet.share(3 + j, 1, 9))
        teacher = tsphys.solve(replace(model, t=None), n=[model.n])["eps_g"][0]
        mean, sem = sim.mean("eps_g") / teacher, sim.sem("eps_g") / teacher
        middle.plot(fine, theory["eps_g"] / teacher, color=COLOURS[3 + j], label=words)
        middle.errorbar(coarse, mean, sem, color=COLOURS[3 + j], fmt=MARKERS[j], mfc="white", mew=0.9)
        runs |= {f"target_theory_{j}": theory, f"target_simulation_{j}": sim, f"target_teacher_{j}": np.array(teacher)}
    many, few = np.unique(np.geomspace(10, 2000, 201).astype(int)), np.array([10, 20, 50, 100, 200, 500, 1000])
    for j, (t, words) in enumerate(((1.0, "$t=1$"), (10.0, "$t=10$"), (None, r"$t\to\infty$: the teacher"))):
        model = tsphys.RandomTeacher(features=300, t=t)
        theory = tsphys.solve(model, n=many)
        sim = tsphys.simulate(model, n=few, **run, progress=sheet.share(6 + j, 1, 9))
        theory_line(right, theory, "eps_g", color=COLOURS[j], label=words)
        simulation_points(right, sim, "eps_g", color=COLOURS[j], fmt=MARKERS[j])
        runs |= {f"examples_theory_{j}": theory, f"examples_simulation_{j}": sim}
    left.set(xlabel="time $t$ of distillation", ylabel=r"$\epsilon_g$ of the probe", xscale="log",
             title="$n=150$ labels")  # fmt: skip
    middle.set(xlabel="time $t$ of distillation", ylabel=r"$\epsilon_g$ over the teacher's", xscale="log", yscale="log",
               title=r"$d=100$, $n=p=300$, $\sigma=0.5$")  # fmt: skip
    middle.set_yticks([0.5, 1, 2, 5], ["0.5", "1", "2", "5"])
    middle.minorticks_off()
    middle.axhline(1, color="0.4", lw=0.7, ls=":")
    right.set(xlabel="labels $n$", ylabel=r"$\epsilon_g$ of the probe", xscale="log", yscale="log", title="$p=300$")
    left.legend()
    middle.legend()
    right.legend()
    return runs
