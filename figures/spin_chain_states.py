"""Networks as ground states of spin chains: features that serve at other fields.

(a, b) Ising chain of N = 8 spins, summed over all configurations: how far above the exact energy a network of 4
features and 4 units ends, medians and the whole range of 4 starts, each of 200 steps. (a) Trained from random weights
at every field, all of it or its output layer alone; trained at the critical field, and then used as it is elsewhere,
or with its output layer trained anew. (b) Output layers trained anew after all was trained below, at and above the
critical field. (c) J1–J2 chains: means of 4 networks sampled by 300 chains, bars smaller than points, on the exact
energies of as many spins. At J2 = 1/2 (star) the ground state is made of dimers; beyond, it has signs that Marshall's
rule does not know, and no such network comes near it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, theory_line

FIELDS = (0.3, 0.5, 0.65, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0)
WAYS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("random features", {"train": "output"}),
    ("pretrained", {"train": "none", "pretrained": 1.0}),
    ("fine-tuned", {"train": "output", "pretrained": 1.0}),
    ("all trained", {"train": "all"}),
)
COUPLINGS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


@drawn(
    N=(6, 8), fields=(FIELDS[1::4], FIELDS), starts=(2, 4), steps=(30, 200), sizes=((6,), (8, 12)), samples=(50, 300)
)
def draw(
    sheet: Sheet, N: int, fields: tuple[float, ...], starts: int, steps: int, sizes: tuple[int, ...], samples: int
) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.8))
    exact = tsphys.solve(tsphys.SpinChainStates(N=N), field=fields)["energy"]
    run = {"replicas": starts, "samples": 0, "steps": steps, "before": steps, **sheet.options}

    def points(panel: Any, j: int, words: str, ways: dict[str, Any], done: float) -> None:
        model = tsphys.SpinChainStates(N=N, **ways)
        sim = tsphys.simulate(model, field=fields, progress=sheet.share(done, 1, 8), **run)
        # Of the best networks nothing but rounding is left.
        missed = np.maximum(1 - sim["energy"] / exact, 1e-12)
        middle = np.median(missed, axis=0)
        bars = np.abs(np.stack([missed.min(axis=0), missed.max(axis=0)]) - middle)
        panel.errorbar(fields, middle, bars, color=COLOURS[j], fmt=MARKERS[j] + "-", lw=0.8, mfc="white", mew=0.9, ms=4,
                       elinewidth=0.8, label=words)  # fmt: skip
        runs[words] = sim

    for j, (words, ways) in enumerate(WAYS):
        points(left, j, words, ways, j)
    for j, where in enumerate((0.5, 1.0, 2.0)):
        ways = {"train": "output", "pretrained": where}
        points(middle, j, f"from $h={where:g}$", ways, 4 + j)
    for panel, title in ((left, "what is trained"), (middle, "where features come from")):
        panel.axvline(1, color="0.6", lw=0.7, ls=":", zorder=0)
        panel.set(xscale="log", yscale="log", xlabel="transverse field $h$", title=title)
        panel.set_xticks((0.3, 0.5, 1, 2), ("0.3", "0.5", "1", "2"))
        panel.minorticks_off()
    left.set_ylabel("energy error $1-E/E_0$")
    fine = np.linspace(0, 0.85, 35)
    for j, size in enumerate(sizes):
        model = tsphys.SpinChainStates(chain="heisenberg", N=size)
        theory = tsphys.solve(model, J2=fine)
        listen = sheet.share(7 + j / len(sizes), 1 / len(sizes), 8)
        sim = tsphys.simulate(model, J2=COUPLINGS, progress=listen, **{**run, "samples": samples})
        theory_line(right, theory, "energy", color=COLOURS[j], label=f"$N={size}$")
        right.errorbar(
            COUPLINGS, sim.mean("energy"), sim.sem("energy"), color=COLOURS[j], fmt=MARKERS[j], mfc="white", ms=4
        )
        runs |= {f"exact_{size}": theory, f"sampled_{size}": sim}
    right.plot(0.5, -0.375, color="black", marker="*", ms=9, ls="none", zorder=4, label="dimers")
    right.set(xlabel="second neighbours $J_2$", ylabel="energy a spin", title="Heisenberg, Marshall's signs")
    for panel, columns in ((left, 2), (middle, 1), (right, 1)):
        panel.legend(fontsize=7, ncols=columns, columnspacing=0.8, handlelength=1.5)
    left.set_ylim(1e-11, 1)
    middle.set_ylim(1e-11, 0.1)
    return runs
