"""Infinitely deep nets as classifiers: what they tend to, how soon, and how often they are right.

(a) The singular kernel ψ near ξ = 1, dotted (1 − ξ)^{−a}. (b) Share of inputs on S² that nets of depth L classify as
those of infinite depth, and (c) share that the latter get wrong over the number n of examples, a tenth of whose labels
is wrong: lines are exact, points means over 16 draws with 400 fresh inputs in (b), where n = 100, and over 640 that all
lines share in (c), bars standard errors.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.physics.kernels.depths import exponent, koenigs
from tsphys.plotting import COLOURS, MARKERS, PAGE

NETS = {
    "singular, $a=1$": (0.0, 0.5, 0.0, 0.5),
    "singular, $a=0.38$": (0.0, 0.8, 0.0, 0.0, 0.0, 0.2),
    "singular, $a=2.27$": (0.0, 0.3, 0.7),
    "nearest": (0.0, 0.0, 0.5, 0.5),
    "majority": (0.2, 0.3, 0.0, 0.5),
}
DEPTHS, MOST = (1, 2, 4, 8, 16, 32), 1000


@drawn({"noise": 0.1, "threshold": 0.2}, n=(50, 100), replicas=(4, 16))
def draw(sheet: Sheet, n: int, replicas: int) -> dict[str, Any]:
    panels = sheet.subplots(1, 3, figsize=(PAGE, 2.7))
    close = np.geomspace(1e-6, 1, 121)
    runs: dict[str, Any] = {}
    counts = (10, 30, n)
    for j, (words, weights) in enumerate(NETS.items()):
        model = tsphys.InfiniteDepth(weights=weights, n=n)
        style = {"color": COLOURS[j], "fmt": MARKERS[j], "mfc": "white", "ms": 3}
        run = {"replicas": replicas, **sheet.options}
        if words.startswith("singular"):
            panels[0].plot(close, koenigs(weights, 1 - close), color=COLOURS[j], label=f"$a={exponent(weights):.2g}$")
            psi = koenigs(weights, np.array([1 - 1e-6]))[0]
            panels[0].plot(close, psi * (close / 1e-6) ** -exponent(weights), color=COLOURS[j], lw=0.7, ls=":")
        deep = tsphys.simulate(model, depth=DEPTHS, **run, progress=sheet.share(2 * j, 1, 10))
        panels[1].errorbar(DEPTHS, deep.mean("agreement"), deep.sem("agreement"), lw=0.7, **style)
        sizes = np.unique(np.geomspace(4, MOST, 4 if sheet.quick else 9).astype(int))
        theory = tsphys.solve(model, n=sizes)
        panels[2].plot(sizes, theory["limit_error"], color=COLOURS[j], label=words)
        sim = tsphys.simulate(
            replace(model, depth=1),
            n=counts,
            **{**run, "replicas": 40 * replicas},
            progress=sheet.share(2 * j + 1, 1, 10),
        )
        panels[2].errorbar(counts, sim.mean("limit_error"), sim.sem("limit_error"), **style)
        runs |= {f"agreement_{j}": deep, f"theory_{j}": theory, f"simulation_{j}": sim}
    panels[0].set(xlabel=r"$1-\xi$", ylabel=r"$\psi(\xi)$", xscale="log", yscale="log", ylim=(0.05, 1e9))
    panels[0].legend()
    panels[1].set(xlabel="depth $L$", ylabel="agreement with the limit", xscale="log", title=f"$n={n}$")
    panels[2].set(xlabel="examples $n$", ylabel="error of the limit", xscale="log", title="$p=0.1$")
    panels[2].legend(fontsize=6.5)
    return {**runs, "close": close}
