"""Deep random nets: one recursion for all laws of weights, what finite widths tell apart, the edge of chaos, training.

Lines are theory, points nets, bars standard errors. (a) Correlation of two inputs after l layers, tanh, n = 128, means
over 64 nets. (b, c) Covariance of the squares of two units, and how much a finite width shifts the mean, n = 64, over
2048 nets. (d) Depth over which correlations settle, dashed the edge of chaos, where it is infinite; circles, of the
same colours, are slopes of ln|c_l − c*| of 16 nets, n = 128. (e) Mean and two standard deviations of 64 trained nets of
two layers, n = 128, after 300 steps on the crosses. (f) 95 % of a Gaussian process, and of one whose scale is unknown;
circles, the latter by weighted draws of the scale.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.numerics.random import generator
from tsphys.physics.kernels import Kernel, Layer, posterior, stack, student
from tsphys.plotting import COLOURS, MARKERS, PAGE
from tsphys.replica.deep_kernels import depth_scales, edge_of_chaos, lazily_trained
from tsphys.sims.deep_kernels import train

ENSEMBLES = {"iid": "iid", "orthogonal": "Haar", "low_rank": "rank $n/4$", "sparse": "density 1/8"}
PHASES = {1.3: "ordered", 6.25: "chaotic"}
MEASURED = [(0.8, 0.1), (1.4, 0.1), (3.2, 0.1), (5.0, 0.1), (7.0, 0.1), (1.0, 0.4), (2.0, 0.4), (4.8, 0.4), (7.0, 0.4),
            (1.2, 0.75), (2.2, 0.75), (6.4, 0.75)]  # fmt: skip


@drawn({"activation": "tanh"}, batches=(4, 8), nets=(4, 8), many=(16, 128), wide=(64, 128), trained=(16, 64))
def draw(sheet: Sheet, batches: int, nets: int, many: int, wide: int, trained: int) -> dict[str, Any]:
    panels = sheet.subplots(2, 3, figsize=(PAGE, 4.9)).ravel()
    data = _one_recursion(sheet, panels[0], batches, nets)
    data |= _corrections(sheet, panels[1], panels[2], batches, many)
    data |= _phases(sheet, panels[3], wide)
    data |= _training(sheet, panels[4], wide, trained)
    data |= _intervals(sheet, panels[5])
    return data


def _one_recursion(sheet: Sheet, panel: Any, replicas: int, nets: int) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    depths = np.arange(1, 13)
    for i, (w, words) in enumerate(PHASES.items()):
        model = tsphys.DeepKernels(weight_variance=w, width=128, correlation=0.6)
        theory = tsphys.solve(model, depth=depths)
        panel.plot(depths, theory["k12"] / theory["q"], color="black", ls=("-", "--")[i], label=words)
        runs[f"kernel_{w:g}"] = theory
        for j, kind in enumerate(ENSEMBLES):
            sim = tsphys.simulate(
                replace(model, ensemble=kind), depth=depths[1::2], replicas=replicas, nets=nets,
                **sheet.part(0.4 * (4 * i + j) / 8, 0.05, 1),
            )  # fmt: skip
            c = sim["k12"] / sim["q"]
            panel.errorbar(
                depths[1::2] + 0.18 * (j - 1.5), c.mean(axis=0), c.std(axis=0, ddof=1) / np.sqrt(len(c)),
                color=COLOURS[j], fmt=MARKERS[j], mfc="white", ms=3, elinewidth=0.8,
                label=ENSEMBLES[kind] if i else None,
            )  # fmt: skip
            runs[f"nets_{w:g}_{kind}"] = sim
    panel.set(xlabel="layer $l$", ylabel="correlation $c_l$", title="one recursion for all", ylim=(-0.05, 1.05))
    panel.legend(fontsize=6.5, loc="center right", bbox_to_anchor=(1.02, 0.53), handlelength=1.4, labelspacing=0.25)
    return runs


def _corrections(sheet: Sheet, left: Any, right: Any, replicas: int, many: int) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    model = tsphys.DeepKernels(weight_variance=1.5, bias_variance=0.0, length=1 / 1.5, width=64)
    depths = np.arange(1, 9)
    for j, kind in enumerate(ENSEMBLES):
        here = replace(model, ensemble=kind)
        theory = tsphys.solve(here, depth=depths)
        sim = tsphys.simulate(
            here, depth=depths[1::2], replicas=2 * replicas, nets=many, **sheet.part(0.4 + 0.1 * j, 0.1, 1),
        )  # fmt: skip
        K = theory["K11"]
        left.plot(depths, theory["V"] / K**2, color=COLOURS[j], label=ENSEMBLES[kind])
        right.plot(depths, 64 * (theory["q"] / K - 1), color=COLOURS[j])
        K = K[1::2]
        for panel, mean, sem in (
            (left, sim.mean("V") / K**2, sim.sem("V") / K**2),
            (right, 64 * (sim.mean("q") / K - 1), 64 * sim.sem("q") / K),
        ):
            panel.errorbar(depths[1::2], mean, sem, color=COLOURS[j], fmt=MARKERS[j], mfc="white", ms=3)
        runs |= {f"theory_{kind}": theory, f"narrow_{kind}": sim}
    left.set(xlabel="layer $l$", ylabel=r"$n\,\mathrm{Cov}(z_i^2, z_j^2)/K^2$", title="width $n=64$")
    right.set(xlabel="layer $l$", ylabel=r"$n\,(\langle z^2\rangle - K)/K$", title=r"shift of the mean")
    for panel in (left, right):
        panel.axhline(0, color="0.5", lw=0.6)
    return runs


def _phases(sheet: Sheet, panel: Any, wide: int) -> dict[str, Any]:
    from matplotlib.colors import LogNorm

    size = 7 if sheet.quick else 17
    w, b = np.linspace(0.4, 8, size), np.linspace(0.001, 1, size)
    xi = np.array([[depth_scales(tsphys.DeepKernels(weight_variance=x, bias_variance=y)).xi_c for x in w] for y in b])
    norm = LogNorm(0.7, 40)
    panel.pcolormesh(
        w, b, np.where(np.isfinite(xi), xi, 1e3), norm=norm, cmap="viridis", shading="gouraud", rasterized=True
    )
    edges = np.geomspace(1e-3, 1.0, 7 if sheet.quick else 25)
    line = [edge_of_chaos("tanh", y).weight_variance for y in edges]
    panel.plot(line, edges, color="white", ls="--", lw=1.2)
    found = []
    for i, (x, y) in enumerate(MEASURED):
        model = tsphys.DeepKernels(weight_variance=x, bias_variance=y, width=wide, correlation=0.2 if x < 3 else 0.9)
        sim = tsphys.simulate(
            model, depth=range(1, 31), replicas=2, nets=8,
            **sheet.part(0.8 + 0.1 * i / len(MEASURED), 0.1 / len(MEASURED), 1),
        )  # fmt: skip
        found.append(_measured(sim.mean("k12") / sim.mean("q"), depth_scales(model).c))
    shown = panel.scatter(*np.array(MEASURED).T, c=found, norm=norm, cmap="viridis", s=26, edgecolors="white", lw=0.7)
    sheet.figure.colorbar(shown, ax=panel, pad=0.02).set_label(r"depth scale $\xi_c$", fontsize=8)
    for x, y, words in ((0.9, 0.9, "ordered"), (5.4, 0.9, "chaotic")):
        panel.annotate(words, (x, y), color="white", fontsize=8)
    panel.set(xlabel=r"$\sigma_w^2$", ylabel=r"$\sigma_b^2$", title="edge of chaos, tanh", ylim=(0, 1))
    return {"xi_c": xi, "weight_variances": w, "bias_variances": b, "edge": np.array(line), "measured": np.array(found)}


def _measured(c: np.ndarray, end: float) -> float:
    """Depth over which |c_l − c*| falls by e, where it is small and yet above the noise of finite nets."""
    off = np.abs(c - end)
    last = int(np.argmax(off < 0.02)) if (off < 0.02).any() else len(c)
    depths = np.arange(len(c))[:last][off[:last] < 0.35]
    return -1 / float(np.polyfit(depths, np.log(off[depths]), 1)[0]) if len(depths) > 1 else np.nan


def _training(sheet: Sheet, panel: Any, wide: int, trained: int) -> dict[str, Any]:
    layers = stack(2, Layer("erf", 2.0, 0.3))
    angles, seen = np.linspace(-np.pi, np.pi, 121), np.array([-2.2, -1.2, -0.3, 0.4, 1.9])
    X, new = (np.sqrt(2) * np.stack([np.cos(x), np.sin(x)], axis=1) for x in (seen, angles))
    y, few = np.sin(2 * seen), slice(3, None, 12)
    theory = lazily_trained(layers, X, y, new, lr=0.1, t=[300])
    nets = train(
        layers, X, y, new[few], width=wide, lr=0.1, t=[300], nets=trained, rng=generator(sheet.seed, 0, "train")
    )
    mean, spread = theory.mean[0], 2 * np.sqrt(np.maximum(theory.variance[0], 0))
    panel.fill_between(angles, mean - spread, mean + spread, color=COLOURS[0], alpha=0.2, lw=0)
    panel.plot(angles, mean, color=COLOURS[0])
    panel.errorbar(
        angles[few], nets.new[0].mean(axis=0), 2 * nets.new[0].std(axis=0), color=COLOURS[1], fmt="o", mfc="white", ms=3
    )
    panel.plot(seen, y, "x", color="black", ms=5)
    panel.set(xlabel="angle of the input", ylabel="output", title=f"trained nets, $n={wide}$")
    return {"trained_mean": mean, "trained_spread": spread, "trained": nets.new[0], "angles": angles}


def _intervals(sheet: Sheet, panel: Any) -> dict[str, Any]:
    layers, a, b, ridge = stack(2, Layer("erf", 2.0, 0.3)), 1.5, 1.5, 0.01
    angles, seen = np.linspace(-np.pi, np.pi, 121), np.array([-2.0, -0.4, 1.4])
    X, new = (np.sqrt(2) * np.stack([np.cos(x), np.sin(x)], axis=1) for x in (seen, angles))
    y, few, kernel = np.array([2.2, -1.6, 1.9]), slice(3, None, 12), Kernel(layers)
    gauss, mixed = posterior(kernel, X, y, new, ridge), student(kernel, X, y, new, a, b, ridge)
    low, high = mixed.interval()
    panel.fill_between(angles, low, high, color=COLOURS[2], alpha=0.25, lw=0, label="unknown scale")
    reach = 1.96 * np.sqrt(gauss.variance)
    for sign in (-1, 1):
        panel.plot(angles, gauss.mean + sign * reach, color=COLOURS[0], lw=0.9, label="Gaussian" if sign > 0 else None)
    panel.plot(angles, mixed.mean, color="black", lw=1.0)
    ends = weighted(kernel, X, y, new[few], a, b, ridge, generator(sheet.seed, 0, "scales"))
    for end in ends:
        panel.plot(angles[few], end, "o", color=COLOURS[2], mfc="white", ms=3)
    panel.plot(seen, y, "x", color="black", ms=5)
    panel.set(xlabel="angle of the input", title="95 % intervals", ylim=(-8, None))
    panel.legend(loc="lower left", fontsize=6.5)
    return {"low": low, "high": high, "gauss_reach": reach, "weighted": ends}


def weighted(
    kernel: Kernel, X: np.ndarray, y: np.ndarray, new: np.ndarray, a: float, b: float, ridge: float,
    rng: np.random.Generator, draws: int = 20_000,
) -> np.ndarray:  # fmt: skip
    """Ends of 95 %, (2, m), from Gaussian processes whose scale is drawn from its prior, weighted by their evidence."""
    v = b / rng.gamma(a, size=draws)
    K = kernel(X) + ridge * np.eye(len(X))
    square, plain = y @ np.linalg.solve(K, y), posterior(kernel, X, y, new, ridge)
    weights = np.exp(-0.5 * square / v) * v ** (-0.5 * len(y))
    values = plain.mean + np.sqrt(v[:, None] * plain.variance) * rng.standard_normal((draws, len(new)))
    order = np.argsort(values, axis=0)
    share = np.cumsum(weights[order], axis=0) / weights.sum()
    at = [np.array([np.searchsorted(share[:, i], p) for i in range(len(new))]) for p in (0.025, 0.975)]
    return np.stack([values[order[k, np.arange(len(new))], np.arange(len(new))] for k in at])
