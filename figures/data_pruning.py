"""Data pruning: hard examples help where there are many, easy ones where there are few, and only a good probe helps.

Lines are theory, points means of 24 ridge students at N = 200, bars standard errors. (a) Error over the examples
that are kept, 40 % of the pool of an oracle: the lines cross. (b) Over the fraction that is kept of a pool of fixed
size. (c) The same load of a pool, kept by probes from early to late in training; dotted: no pruning at all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

ORACLE = tsphys.DataPruning(student="ridge", fraction=0.4, regularization=0.1)
KINDS = ("random", "hard", "easy")
#: Load of the pool in (b), of the kept examples in (c).
POOL, KEPT = 8.0, 3.0


@drawn(N=(60, 200), replicas=(6, 24), count=(15, 41))
def draw(sheet: Sheet, N: int, replicas: int, count: int) -> dict[str, Any]:
    loads, fractions, probes = sheet.subplots(1, 3, figsize=(PAGE, 2.7))
    run: dict[str, Any] = {"N": N, "replicas": replicas, **sheet.options}
    runs: dict[str, Any] = {}
    for j, kind in enumerate(KINDS):
        look: dict[str, Any] = {"color": COLOURS[j]}
        points: dict[str, Any] = {**look, "fmt": MARKERS[j]}
        here = replace(ORACLE, keep=kind)
        theory = tsphys.solve(here, alpha=np.geomspace(0.3, 6, count))
        sim = tsphys.simulate(here, alpha=np.geomspace(0.4, 5, 6), **run, progress=sheet.share(j, 1, 9))
        theory_line(loads, theory, "eps_g", **look, label=kind)
        simulation_points(loads, sim, "eps_g", **points)
        lines = np.linspace(0.08, 1, count)
        share, errors = (np.array(x) for x in zip(*((f, _error(here, f)) for f in lines), strict=True))
        fractions.plot(share, errors, **look)
        seen = []
        for f in np.linspace(0.15, 1, 6):
            seen.append(tsphys.simulate(replace(here, alpha=POOL * f, fraction=f), alpha=[POOL * f], **run))
        mean, sem = (np.array([getattr(s, name)("eps_g")[0] for s in seen]) for name in ("mean", "sem"))
        fractions.errorbar(np.linspace(0.15, 1, 6), mean, sem, **points, mfc="white", mew=0.9, elinewidth=0.9)
        runs |= {f"theory_{kind}": theory, f"simulation_{kind}": sim, f"pool_{kind}": np.array([share, errors]),
                 f"pool_simulation_{kind}": np.array([mean, sem])}  # fmt: skip
        if kind == "random":
            level = float(tsphys.solve(here, alpha=[KEPT])["eps_g"][0])
            probes.axhline(level, color="0.4", lw=0.7, ls=":")
            continue
        for i, f in enumerate((0.2, 0.5)):
            some = replace(here, alpha=KEPT, fraction=f)
            theory = tsphys.solve(some, gamma=np.linspace(0, 1, count))
            sim = tsphys.simulate(some, gamma=np.linspace(0, 1, 6), **run, progress=sheet.share(3 + 2 * j + i, 1, 9))
            theory_line(probes, theory, "eps_g", **look, ls="-" if i == 0 else "--", label=f"{kind}, $f={f:g}$")
            simulation_points(probes, sim, "eps_g", **points)
            runs |= {f"probe_{kind}_{f:g}": theory, f"probe_simulation_{kind}_{f:g}": sim}
    loads.set(xscale="log", yscale="log", xlabel=r"kept load $\alpha$", ylabel=r"$\epsilon_g$", title="$f=0.4$")
    fractions.set(xlabel="fraction kept $f$", ylabel=r"$\epsilon_g$", yscale="log", title=rf"pool of ${POOL:g}N$")
    probes.set(xlabel=r"overlap of the probe $\gamma$", ylabel=r"$\epsilon_g$", title=rf"$\alpha={KEPT:g}$")
    for ax, ticks in ((loads, (0.5, 1, 2, 5)), (fractions, ())):
        if ticks:
            ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.set_yticks([0.05, 0.1, 0.2, 0.4], ["0.05", "0.1", "0.2", "0.4"])
        ax.minorticks_off()
    loads.legend()
    probes.legend()
    return runs


def _error(model: Any, fraction: float) -> float:
    return float(tsphys.solve(replace(model, fraction=fraction), alpha=[POOL * fraction])["eps_g"][0])
