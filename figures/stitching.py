"""Two random nets that tell inputs by their products with common anchors: a readout of one is used on the other.

ReLU features, n = 4N examples, λ = 0.1. Lines are theory for N → ∞, points means of 16 instances at N = 100, bars
standard errors. (a) Errors over the number of features: two nets differ by what falls as 1/p. (b) Over the number of
anchors, of the stitched net (solid) and of that which the readout was trained on (dashed); dotted: stitched, at the
ridge that is best for it. (c) How products of features and their cosines vary from net to net, over the correlation of
two inputs; points are 4000 nets of 400 features.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.numerics.random import generator
from tsphys.physics.kernels.relative import cosine_variance, gram_variance
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line
from tsphys.replica.stitching import optimal_ridge

CURVES = {"eps_g": "own net", "eps_stitched": "stitched", "mismatch": "mismatch"}
WIDTHS, FEATURES = (1.0, 4.0, 16.0), 400


@drawn(N=(50, 100), replicas=(6, 16), nets=(400, 4000))
def draw(sheet: Sheet, N: int, replicas: int, nets: int) -> dict[str, Any]:
    first, second, third = sheet.subplots(1, 3, figsize=(PAGE, 2.7))
    run: dict[str, Any] = {"N": N, "replicas": replicas, **sheet.options}
    model, points = tsphys.Stitching(), np.array([0.5, 1, 2, 4, 8, 16, 32])
    theory = tsphys.solve(model, width=np.geomspace(0.4, 40, 80))
    sim = tsphys.simulate(model, width=points, progress=sheet.share(0, 1, 4), **run)
    runs: dict[str, Any] = {"theory_features": theory, "simulation_features": sim}
    for i, (name, words) in enumerate(CURVES.items()):
        theory_line(first, theory, name, color=COLOURS[i], label=words)
        simulation_points(first, sim, name, color=COLOURS[i], fmt=MARKERS[i])
    lines, points = np.geomspace(0.1, 12, 60), np.array([0.12, 0.25, 0.5, 1, 2, 4, 8])
    for i, width in enumerate(WIDTHS):
        model = tsphys.Stitching(width=width)
        theory = tsphys.solve(model, anchors=lines)
        sim = tsphys.simulate(model, anchors=points, progress=sheet.share(1 + i, 1, 4), **run)
        best = [optimal_ridge(tsphys.Stitching(width=width, anchors=m)) for m in lines[::4].tolist()]
        ends = [tsphys.solve(model, anchors=[m], ridge=ridge)["eps_stitched"][0] for m, ridge in zip(lines[::4], best)]
        theory_line(
            second, theory, "eps_stitched", color=COLOURS[3 + i], label=f"$p={width:g}N$" if width != 1 else "$p=N$"
        )
        theory_line(second, theory, "eps_g", color=COLOURS[3 + i], ls="--", lw=0.9)
        simulation_points(second, sim, "eps_stitched", color=COLOURS[3 + i], fmt=MARKERS[i])
        second.plot(lines[::4], ends, color=COLOURS[3 + i], ls=":", lw=0.9)
        runs |= {f"theory_{width:g}": theory, f"simulation_{width:g}": sim, f"best_{width:g}": np.array([best, ends])}
    runs |= panel_products(third, nets, sheet.seed)
    first.set(
        xscale="log", yscale="log", xlabel="features per input $p/N$", ylabel=r"error $\epsilon_g$", title="$m=N$"
    )
    second.set(xscale="log", yscale="log", xlabel="anchors per input $m/N$", title=f"$N={N}$, {replicas} runs")
    for ax in (first, second, third):
        ax.legend()
    return runs


def panel_products(ax: Any, nets: int, seed: int) -> dict[str, Any]:
    """p times the variance over nets of products and cosines of features."""
    r, some = np.linspace(-1, 1, 101), np.linspace(-0.8, 1, 10)
    rng, found = generator(seed, 0, "nets"), []
    for c in some.tolist():
        u, z = rng.standard_normal((2, nets, FEATURES))
        v = np.maximum(c * u + np.sqrt(max(1 - c * c, 0.0)) * z, 0.0)
        u = np.maximum(u, 0.0)
        product = (u * v).mean(axis=1)
        cosine = product / np.sqrt((u**2).mean(axis=1) * (v**2).mean(axis=1))
        found.append([FEATURES * product.var(ddof=1), FEATURES * cosine.var(ddof=1)])
    for i, (words, line) in enumerate({"products": gram_variance(r), "cosines": cosine_variance(r)}.items()):
        ax.plot(r, line, color=COLOURS[6 + i], label=words)
        measured = np.array(found)[:, i]
        ax.errorbar(some, measured, measured * np.sqrt(2 / nets), color=COLOURS[6 + i], fmt=MARKERS[i], mfc="white")
    ax.set(xlabel="correlation of two inputs $r$", ylabel=r"$p\,\times$ variance over nets")
    return {"correlations": some, "variances": np.array(found)}
