"""A network copied by noise: the copy is good on the queries, and less so on what the network was made for.

erf networks of two units, η = 0.5, σ = 0.1, and queries along an Ising chain with correlations τ. Lines are theory,
points means of 16 runs at N = 400, bars standard errors; solid and filled, the error on independent inputs, dashed and
open, on the queries. (a) Over time. (b) At t = 15 over τ, of either sign alike: what queries hardly see is hardly
learned. (c) Single units and queries of zeros and ones, p = 1/2, η = 2, which have a mean: the sum of weights moves by
a number of order one in each step, and its fluctuations, green, last as long as errors do; 64 runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE

PAIR: dict[str, Any] = {
    "R": [[0.12, 0.02], [-0.05, 0.1]],
    "Q": [[0.3, 0.05], [0.05, 0.25]],
    "T": [[1, 0.2], [0.2, 1]],
    "v_star": [1, 1.2],
}
TAUS, LATE = (0.0, 0.5, 0.8), 15.0
LOOKS: tuple[tuple[str, dict[str, Any], str], ...] = (("eps_g", {}, "-"), ("eps_query", {"mfc": "white"}, "--"))


@drawn(N=(100, 400), replicas=(4, 16), end=(20.0, 60.0), over=(3, 7))
def draw(sheet: Sheet, N: int, replicas: int, end: float, over: int) -> dict[str, Any]:
    t, lines = np.unique(np.rint(np.geomspace(0.5, end, 10) * N)) / N, np.geomspace(0.3, end, 100)
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.8))
    runs: dict[str, Any] = {}
    options: dict[str, Any] = {"N": N, "replicas": replicas, "n_test": 0, **sheet.options}
    for n, tau in enumerate(TAUS):
        model = tsphys.WeightTheft(tau=tau, **PAIR)
        theory = tsphys.solve(model, t=lines)
        sim = tsphys.simulate(model, t=t, progress=sheet.share(n, 1, 5), **options)
        for name, look, style in LOOKS:
            left.plot(lines, theory[name], color=COLOURS[n], ls=style)
            label = f"$\\tau={tau:g}$" if name == "eps_g" else None
            left.errorbar(t, sim.mean(name), yerr=sim.sem(name), fmt=MARKERS[n], color=COLOURS[n], label=label, **look)
        runs |= {f"theory_{n}": theory, f"simulation_{n}": sim}
    taus, some = np.linspace(-0.9, 0.9, 37), np.linspace(-0.8, 0.8, over)
    curves = [tsphys.solve(tsphys.WeightTheft(tau=float(x), **PAIR), t=[LATE]) for x in taus]
    points = [
        tsphys.simulate(tsphys.WeightTheft(tau=float(x), **PAIR), t=[LATE],
                        progress=sheet.share(3 + i / over, 1 / over, 5), **options)
        for i, x in enumerate(some)
    ]  # fmt: skip
    for n, (name, look, style) in enumerate(LOOKS):
        told = np.array([c[name][0] for c in curves])
        mean, sem = (np.array([getattr(p, f)(name)[0] for p in points]) for f in ("mean", "sem"))
        words = "independent inputs" if name == "eps_g" else "queries"
        middle.plot(taus, told, color=COLOURS[n], ls=style)
        middle.errorbar(some, mean, yerr=sem, fmt=MARKERS[n], color=COLOURS[n], label=words, **look)
        runs |= {f"over_{name}": told, f"over_{name}_mean": mean, f"over_{name}_sem": sem}
    raw = tsphys.WeightTheft(K=1, M=1, queries="raw", lr=2.0, R=[[0.1]], Q=[[0.3]], mean=0.2, mean_star=1.5)
    runs["raw"] = theory = tsphys.solve(raw, t=lines)
    runs["raw_simulation"] = sim = tsphys.simulate(
        raw, t=t, progress=sheet.share(4, 1, 5), **{**options, "replicas": 4 * replicas}
    )
    for n, (name, look, style) in enumerate((*LOOKS, ("offset", {"mfc": "white"}, "-"))):
        words = {"eps_g": "independent inputs", "eps_query": "queries", "offset": r"$\langle(S-S^*)^2\rangle$"}[name]
        right.plot(lines, theory[name], color=COLOURS[n], ls=style)
        right.errorbar(t, sim.mean(name), yerr=sim.sem(name), fmt=MARKERS[n], color=COLOURS[n], label=words, **look)
    left.set(xscale="log", yscale="log", xlabel="time $t=$ queries$/N$", ylabel="error of the copy")
    left.set_title("queries along a chain")
    left.legend(loc="lower left", fontsize="small")
    middle.set(yscale="log", xlabel=r"correlation $\tau$ of neighbours", ylabel=f"error at $t={LATE:g}$")
    middle.set_title(f"$N={N}$, {replicas} runs")
    middle.legend(loc="upper center", fontsize="small")
    right.set(xscale="log", yscale="log", xlabel="time $t$", ylabel="error", ylim=(1e-4, None))
    right.set_title("queries with a mean")
    right.legend(loc="lower left", fontsize="small")
    return {**runs, "taus": taus, "some": some}
