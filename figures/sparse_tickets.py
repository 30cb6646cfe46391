"""Sparse tickets: error, recall and overconfidence over the weights that are left, with the sparse double descent.

Lines are theory, points means of 24 runs at N = 200, bars standard errors; a run has the same examples at all κ.
(a) Below the dotted line fewer weights are left than there are examples. (b) Dashes and open squares: four rounds of
pruning in place of one; grey: weights that are kept at random. (c) Logistic students of noisy labels; above 0 they are
right less often than they claim.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

FEW = tsphys.SparseTickets(alpha=0.6, ridge=0.01, ridge_after=0.01)
MANY = tsphys.SparseTickets(alpha=2.0)
LABELS = tsphys.SparseTickets(student="logistic", alpha=3.0, ridge=0.1, ridge_after=0.1)
NOISES = (0.2, 0.7, 1.2)


@drawn(N=(100, 200), replicas=(8, 24), count=(9, 17))
def draw(sheet: Sheet, N: int, replicas: int, count: int) -> dict[str, Any]:
    errors, recalls, confidences = sheet.subplots(1, 3, figsize=(PAGE, 2.7))
    lines, points = np.geomspace(0.03, 1, count), np.geomspace(0.04, 1, 7)
    run, runs, done = {"N": N, "replicas": replicas, **sheet.options}, {}, 0

    def shown(ax: Any, model: Any, observable: str, j: int, name: str, words: str, **look: Any) -> None:
        nonlocal done
        # Several rounds prune something each.
        most = 1.0 if model.rounds == 1 else 0.7
        theory = tsphys.solve(model, kept=lines[lines <= most])
        sim = tsphys.simulate(model, kept=points[points <= most], **run, progress=sheet.share(done, 1, 10))
        theory_line(ax, theory, observable, color=COLOURS[j], label=words, ls=look.get("ls", "-"))
        simulation_points(ax, sim, observable, color=COLOURS[j], fmt=look.get("fmt", MARKERS[j]))
        runs.update({f"theory_{name}": theory, f"simulation_{name}": sim})
        done += 1

    for j, noise in enumerate(NOISES):
        here = replace(FEW, noise=noise)
        shown(errors, here, "eps_g", j, f"few_{noise:g}", rf"$\sigma={noise:g}$")
        shown(
            confidences, replace(LABELS, noise=noise), "overconfidence", j, f"labels_{noise:g}", rf"$\sigma={noise:g}$"
        )
    errors.axvline(FEW.alpha, color="0.4", lw=0.7, ls=":")
    for j, model in enumerate((FEW, MANY)):
        words = rf"$\alpha={model.alpha:g}$"
        shown(recalls, model, "recall", 3 + j, f"recall_{model.alpha:g}", words)
        shown(recalls, replace(model, rounds=4), "recall", 3 + j, f"rounds_{model.alpha:g}", "", ls="--", fmt="s")
    recalls.plot(lines, lines, color="0.6", lw=0.9)
    confidences.axhline(0, color="0.4", lw=0.7, ls=":")
    for ax, ylabel, title in (
        (errors, r"$\epsilon_g$", rf"ridge, $\alpha={FEW.alpha:g}$, $N={N}$"),
        (recalls, "recall of the teacher's weights", rf"ridge, $\sigma={MANY.noise:g}$"),
        (confidences, "overconfidence", rf"logistic, $\alpha={LABELS.alpha:g}$"),
    ):
        ax.set(xscale="log", xlabel=r"fraction of weights left $\kappa$", ylabel=ylabel, title=title)
        ax.legend()
    return runs
