"""Units that may be dropped, and layers that are: modes of linear networks in order.

Lines are closed forms and equations of modes, circles gradient flow of the networks themselves. (a) Units of an
autoencoder of which the last are dropped at random, kept with π = 1, 0.5, 0.2, from a start along their modes; dashed,
without dropout. (b) From random units: how far each is from its mode (flow of one network); dashed, without dropout,
where only their span is found. Dotted: the slowest rate of units of equal weights, which these have not quite. (c)
Error of a chain of five linear layers, three of which are taken away, before it learns or while it does; dotted, all
five.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.odes.nested_dropout import ordering
from tsphys.plotting import COLOURS, PAGE

MARKS: dict[str, Any] = {"ls": "", "marker": "o", "mfc": "white", "mew": 0.9, "ms": 4}
TIMES = (0.0, 1.0, 3.0)


@drawn(count=(6, 14))
def draw(sheet: Sheet, count: int) -> dict[str, Any]:
    first, second, third = sheet.subplots(1, 3, figsize=(PAGE, 2.6))
    run: dict[str, Any] = {"replicas": 1, **sheet.options}
    nested = tsphys.NestedDropout()
    plain = replace(nested, keep=(0.0, 0.0, 1.0))
    fine, t = np.linspace(0, 15, 301), np.linspace(0.5, 15, count)
    told, alone = tsphys.solve(nested, t=fine), tsphys.solve(plain, t=fine)
    found = tsphys.simulate(nested, t=t, **run)
    for j, pi in enumerate(nested.present):
        first.plot(
            fine, told["strength"][:, j], color=COLOURS[j], label=rf"$\lambda={nested.variance[j]:g}$, $\pi={pi:g}$"
        )
        first.plot(fine, alone["strength"][:, j], color=COLOURS[j], ls="--", lw=0.9)
        first.plot(t, found["strength"][0, :, j], color=COLOURS[j], **MARKS)
    first.set(xlabel="time", ylabel="strength of unit", title="dashed: no dropout")
    late = np.concatenate([[0.0], np.geomspace(0.2, 150, 60)])
    ways = [tsphys.simulate(model, t=late, units="random", **run) for model in (nested, plain)]
    for j in range(len(nested.keep)):
        for sim, style in zip(ways, ("-", "--"), strict=True):
            second.plot(late[1:], 1 - sim["order"][0, 1:, j], style, color=COLOURS[j], lw=1.1 if style == "-" else 0.9)
    tail = late[late > 40]
    second.plot(tail, 0.3 * np.exp(-2 * ordering(nested) * tail), color="black", ls=":", lw=0.9)
    second.set(yscale="log", ylim=(1e-6, 2), xlabel="time", ylabel="$1-$ cosine with own mode", title="random units")
    chain = tsphys.RemovedLayers(left=2)
    fine, t = np.linspace(0, 6, 601), np.linspace(0.2, 6, count + 4)
    runs = {"nested": told, "nested_simulation": found, "plain": alone, "random": ways[0], "random_plain": ways[1]}
    for i, at in enumerate(TIMES):
        model = replace(chain, at=at)
        theory, sim = tsphys.solve(model, t=fine), tsphys.simulate(model, t=t, **run)
        third.plot(
            fine, theory["loss"], color=COLOURS[3 + i], label=f"3 of 5 gone at {at:g}" if at else "3 of 5 gone before"
        )
        third.plot(t, sim["loss"][0], color=COLOURS[3 + i], **MARKS)
        runs |= {f"chain_{i}": theory, f"chain_{i}_simulation": sim}
    whole = tsphys.solve(replace(chain, left=None), t=fine)
    third.plot(fine, whole["loss"], color="black", ls=":", lw=0.9)
    third.set(yscale="log", ylim=(1e-4, 60), xlabel="time", ylabel="loss", title="a chain of layers")
    first.legend(fontsize=6.5)
    third.legend(fontsize=6.5, loc="upper right")
    return {**runs, "whole": whole}
