"""Attention that fills in masked sites of Potts sequences: its generalisation error, its couplings, its descent.

Bars are standard errors, N = 60. (a) Lines are replica theory, points minima of the loss on 16 training sets; squares
learn V as well, for which there is no theory, and pay for it at small α. (b) One network. (c) 4 runs; dashed, the
minimum of the loss on the repeated examples by replicas: runs with these steps settle a little above it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

C, BETA, RIDGE = 3, 1.5, 0.3
WHAT = {"positions": "$A$, $V$ known", "factored": "$A$ and $V$", "tensor": "one matrix per pair"}
#: Sizes of the training set whose couplings are shown, and the one whose descent is.
SHOWN, RECYCLED = (2.0, 32.0), 4.0


@drawn({"C": C, "beta": BETA, "ridge": RIDGE}, N=(40, 60), replicas=(4, 16), points=(4, 6))
def draw(sheet: Sheet, N: int, replicas: int, points: int) -> dict[str, Any]:
    # Fifteen autocorrelation times of the energy.
    options: dict[str, Any] = {
        "N": N,
        **sheet.options,
        "burn_in": 30,
        "n_test": 300 if sheet.quick else 1000,
    }
    model = tsphys.PottsAttention(C=C, beta=BETA, ridge=RIDGE)
    alpha = np.geomspace(0.5, 8 if sheet.quick else 16, points)
    runs: dict[str, Any] = {}
    data: dict[str, np.ndarray] = {}
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.6))
    for n, (learn, words) in enumerate(WHAT.items()):
        here = dataclasses.replace(model, learn=learn)
        sim = tsphys.simulate(here, alpha=alpha, replicas=replicas, progress=sheet.share(n, 1, 5), **options)
        simulation_points(left, sim, "excess", fmt=MARKERS[n], color=COLOURS[n], label=words, ms=7 - 1.75 * n)
        runs[f"simulation_{learn}"] = sim
        if learn != "factored":
            theory = tsphys.solve(here, alpha=np.geomspace(0.4, 20, 16))
            theory_line(left, theory, "excess", color=COLOURS[n])
            runs[f"theory_{learn}"] = theory
    shown = tsphys.simulate(
        dataclasses.replace(model, learn="factored"), alpha=SHOWN, keep_couplings=True, replicas=1,
        progress=sheet.share(3, 1, 5), **options,
    )  # fmt: skip
    above = np.triu_indices(N, 1)
    for k, size in enumerate(SHOWN):
        # The product of A and V is all that is known, so that a learned V needs no gauge.
        J, learned = shown["J"][0, k][above], shown["learned"][0, k][above]
        middle.plot(J, learned, ".", ms=2, color=COLOURS[4 * k + 1], alpha=0.6, zorder=2 + k,
                    label=f"$\\alpha={size:g}$", rasterized=True)  # fmt: skip
        data |= {f"J_alpha{size:g}": J, f"learned_alpha{size:g}": learned}
    ends = np.array([J.min(), J.max()])
    middle.plot(ends, ends, color="black", lw=0.8)
    t = np.geomspace(0.25, 20 if sheet.quick else 60, 8 if sheet.quick else 12)
    cases = {
        "fresh": dataclasses.replace(model, alpha=None, ridge=0.0, minibatch=4, lr=1.0),
        "recycled": dataclasses.replace(model, alpha=RECYCLED, minibatch=4, lr=1.0),
    }
    for k, (name, here) in enumerate(cases.items()):
        sim = tsphys.simulate(here, t=t, replicas=4, progress=sheet.share(4 + 0.5 * k, 0.5, 5), **options)
        words = "always fresh" if name == "fresh" else f"$\\alpha={RECYCLED:g}$, repeated"
        simulation_points(right, sim, "excess", fmt=MARKERS[k + 3], color=COLOURS[k + 3], label=words)
        runs[f"descent_{name}"] = sim
    floor = tsphys.solve(model, alpha=[RECYCLED])
    right.axhline(floor["excess"][0], color=COLOURS[4], ls="--", lw=1, zorder=1, label="its minimum, replicas")
    runs["floor"] = floor
    left.set(xscale="log", yscale="log", xlabel=r"training set $\alpha=n/(N-1)$",
             ylabel="excess cross-entropy")  # fmt: skip
    middle.set(xlabel="true coupling $J_{ij}$", ylabel="learned coupling")
    right.set(xscale="log", yscale="log", xlabel="time $t=$ steps$/N$", ylabel="excess cross-entropy")
    left.set_title(f"$C={C}$, $\\beta={BETA:g}$, $N={N}$")
    middle.set_title("$A$ and $V$ learned")
    right.set_title("gradient descent")
    for panel in (left, right):
        panel.yaxis.set_minor_formatter("")
    left.set_ylim(0.01, 0.5)
    right.set_ylim(0.0012, 0.4)
    left.legend(loc="lower left")
    middle.legend(loc="upper left", markerscale=4, handletextpad=0.2)
    right.legend(loc="lower left")
    return {**runs, **data}
