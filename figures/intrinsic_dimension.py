"""Training in a random subspace: when it succeeds, how many dimensions a task needs, and double descent in them.

D = 100 inputs, points are means of 96 runs, bars standard errors; a run has the same examples in all subspaces. (a)
Lines: theory at this size; n examples of a teacher's labels, dashed of random ones. (b) Dimension of the subspace in
which half of the runs succeed, by a line between two points of (a), and in theory. (c) Regression on n = 40 examples
with noise σ = ½ from θ₀ = 0; lines are exact at this size.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line
from tsphys.replica.intrinsic_dimension import intrinsic_dimension

D = 100
#: Examples with a teacher's labels, and with random ones.
TAUGHT, RANDOM = (50, 100, 200), (100,)
NAMES = {"regression": "regression", "perceptron": "teacher's labels", "random_labels": "random labels"}


@drawn(replicas=(8, 96), points=(5, 9))
def draw(sheet: Sheet, replicas: int, points: int) -> dict[str, Any]:
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.6))
    run: dict[str, Any] = {"replicas": replicas, **sheet.options}
    runs: dict[str, Any] = {}
    cases = [("perceptron", n) for n in TAUGHT] + [("random_labels", n) for n in RANDOM]
    for i, (task, n) in enumerate(cases):
        model = tsphys.IntrinsicDimension(task=task, inputs=D, examples=n)
        half = intrinsic_dimension(model)
        k = np.unique(np.rint(half + np.linspace(-12, 12, points))).astype(int)
        sim = tsphys.simulate(model, dimension=k, **run, progress=sheet.share(i, 1, 6))
        theory = tsphys.solve(model, dimension=np.arange(1, D + 1))
        line = theory_line(left, theory, "success", color=COLOURS[i], ls="-" if task == "perceptron" else "--")
        simulation_points(left, sim, "success", fmt=MARKERS[i], color=COLOURS[i])
        line.set_label(f"$n={n}$" + ("" if task == "perceptron" else ", random"))
        middle.plot(n, np.interp(0.5, sim.mean("success"), k), MARKERS[i], mfc="white", color=COLOURS[i], zorder=3)
        runs |= {f"theory_{task}_{n}": theory, f"simulation_{task}_{n}": sim}
    examples = np.unique(np.rint(np.geomspace(4, 1000, 80))).astype(int)
    for (task, words), style in zip(NAMES.items(), (":", "-", "--"), strict=True):
        base = tsphys.IntrinsicDimension(task=task, inputs=D)
        curve = np.array([intrinsic_dimension(replace(base, examples=int(n))) for n in examples])
        middle.plot(examples, curve, style, color="black", lw=1.1, label=words)
        runs[f"dimension_{task}"] = curve
    n = 40
    model = tsphys.IntrinsicDimension(inputs=D, examples=n, noise=0.5, start=0.0)
    far = [k for k in range(1, D + 1) if abs(k - n) > 1]
    theory = tsphys.solve(model, dimension=far)
    near = [k for k in (1, 8, 16, 24, 30, 34, 37, 43, 46, 52, 62, 75, 87, 100) if points > 5 or k % 2 == 0]
    sim = tsphys.simulate(model, dimension=near, **run, progress=sheet.share(len(cases), 2, 6))
    for i, (name, words) in enumerate({"eps_g": r"$\epsilon_g$", "train_loss": "training loss"}.items()):
        theory_line(right, theory, name, color=COLOURS[i], label=words)
        simulation_points(right, sim, name, fmt=MARKERS[i], color=COLOURS[i])
    left.set(
        xlabel="subspace dimension $k$", ylabel="runs that succeed", xlim=(0, 155), ylim=(-0.03, 1.03), title=f"$D={D}$"
    )
    middle.set(xscale="log", yscale="log", ylim=(1, 150), xlabel="examples $n$", ylabel="intrinsic dimension")
    right.set(xlabel="subspace dimension $k$", ylabel="error", ylim=(0, 2.5), title=f"$n={n}$, $\\sigma=0.5$")
    left.legend(loc="center right", handlelength=1.3, fontsize=6.5)
    middle.legend(loc="lower right", fontsize=6.5)
    right.legend(loc="upper right")
    return {**runs, "examples": examples, "theory_descent": theory, "simulation_descent": sim}
