"""Random features of bounded frequency learn no faster wave: the error jumps at the band's edge.

Lines are theory, points medians of 64 instances, bars from the lower to the upper quartile; Ω = 20, σ = 0.1. (a) Error
over the frequency of the target. Few examples leave gaps at the ends of the interval, so that medians lie up to twice
above the line, which is for many; dashed, the floor for n → ∞ at that δ/n. (b) The least error with coefficients whose
squared norm is bounded, over the frequency: what a better fit costs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, theory_line
from tsphys.replica.bandlimited_features import bounded, floor

COUNTS, NORMS = (40, 200, 1000), (1e1, 1e3, 1e6)


@drawn({"band": 20.0, "noise": 0.1, "ridge": 1e-3}, replicas=(8, 64), counts=(COUNTS[:2], COUNTS))
def draw(sheet: Sheet, replicas: int, counts: tuple[int, ...]) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    left, right = sheet.subplots(1, 2, figsize=(PAGE, 3.0))
    lines, points = np.linspace(1, 36, 141), np.arange(3.0, 36.0, 3.0)
    for j, n in enumerate(counts):
        model = tsphys.BandlimitedFeatures(n=n)
        theory = tsphys.solve(model, frequency=lines)
        sim = tsphys.simulate(model, frequency=points, replicas=replicas, **sheet.part(j, 1, len(counts)))
        theory_line(left, theory, "eps_g", color=COLOURS[j], label=f"$n={n}$")
        low, middle, high = np.quantile(sim["eps_g"], [0.25, 0.5, 0.75], axis=0)
        bars = [middle - low, high - middle]
        left.errorbar(points, middle, bars, color=COLOURS[j], fmt=MARKERS[j], mfc="white", ms=4, lw=0, elinewidth=0.9)
        floors = [floor(replace(model, frequency=at), model.ridge / n) for at in lines.tolist()]
        left.plot(lines, floors, color=COLOURS[j], ls="--", lw=0.8)
        runs |= {f"theory_{n}": theory, f"simulation_{n}": sim, f"floor_{n}": np.array(floors)}
    for j, norm in enumerate(NORMS):
        least = [bounded(tsphys.BandlimitedFeatures(frequency=at), norm) for at in lines.tolist()]
        right.plot(lines, least, color=COLOURS[3 + j], label=f"$B^2=10^{int(np.log10(norm))}$")
        runs[f"bounded_{norm:g}"] = np.array(least)
    for panel in (left, right):
        panel.axvline(20, color="0.5", lw=0.7, ls=":")
        panel.set(xlabel=r"frequency $\omega_0$", yscale="log", ylim=(1e-5, 5))
        panel.legend(loc="lower right" if panel is left else "upper left")
    left.set(ylabel=r"generalisation error $\epsilon_g$", title=r"medians; dotted: $\Omega$")
    right.set(ylabel=r"least $\epsilon_g$", title=r"coefficients of norm $B$")
    return {**runs, "frequencies": lines}
