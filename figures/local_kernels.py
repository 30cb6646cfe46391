"""Locality defeats the curse of dimensionality: learning curves of local kernels, and their exponents.

Lines are the eigenframework, points means of 16 instances, bars standard errors; targets are sums of functions of one
axis. (a) On a torus of two axes, with wave numbers up to 24, or 700 for patches of one axis; plane waves are not
Gaussian, which puts points up to a tenth above lines. (b) Local slopes −d ln ε/d ln n with wave numbers up to 700, and
2·10⁵ along one axis; dashed, the exponents β.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line
from tsphys.replica.local_kernels import errors, exponent, spectrum

KERNELS: dict[str, dict[str, Any]] = {
    "one patch, $s=2$": {"patch": [2]},
    "both, $s=1,2$": {"patch": [1, 2]},
    "local, $s=1$": {"patch": [1]},
    "shared, $s=1$": {"patch": [1], "kernel": "convolutional"},
}


@drawn({"modes": [700, 24], "dimension": 2}, replicas=(4, 16), wide=(150, 700))
def draw(sheet: Sheet, replicas: int, wide: int) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    left, right = sheet.subplots(1, 2, figsize=(PAGE, 3.0))
    lines, points = np.unique(np.geomspace(8, 512, 41).astype(int)), [8, 16, 32, 64, 128, 256, 512]
    many = np.geomspace(20, 3e3 if wide < 700 else 3e4, 25)
    for j, (words, kernel) in enumerate(KERNELS.items()):
        here = tsphys.LocalKernels(modes=700 if kernel["patch"] == [1] else 24, **kernel)
        theory = tsphys.solve(here, n=lines)
        sim = tsphys.simulate(here, n=points, replicas=replicas, **sheet.part(j, 1, len(KERNELS)))
        theory_line(left, theory, "eps_g", color=COLOURS[j], label=words)
        simulation_points(left, sim, "eps_g", color=COLOURS[j], fmt=MARKERS[j])
        modes = spectrum(replace(here, modes=wide), 200_000)
        curve = np.array([errors(modes, replace(here, n=int(n)))["eps_g"] for n in many])
        slope = -np.diff(np.log(curve)) / np.diff(np.log(many.astype(int)))
        right.plot(np.sqrt(many[1:] * many[:-1]), slope, color=COLOURS[j], ls="-" if j < 3 else ":")
        right.axhline(exponent(here), color=COLOURS[j], lw=0.8, ls="--")
        runs |= {f"theory_{j}": theory, f"simulation_{j}": sim, f"slope_{j}": slope}
    left.set(xscale="log", yscale="log", xlabel="examples $n$", ylabel=r"generalisation error $\epsilon_g$")
    left.set_title(r"$d=2$, $\alpha=\alpha_t=1$, no noise")
    left.legend(loc="lower left")
    right.set(xscale="log", xlabel="examples $n$", ylabel="local slope", ylim=(0.2, 1.2), title="slopes and exponents")
    for value, words in ((1.0, r"$\alpha_t/s=1$"), (0.75, "3/4"), (0.5, r"$\alpha_t/s=1/2$")):
        right.annotate(words, (many[0], value), xytext=(2, 2), textcoords="offset points", fontsize=7)
    return {**runs, "slope_n": np.sqrt(many[1:] * many[:-1])}
