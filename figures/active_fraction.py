"""Active units: noise of the labels alone switches ReLUs off, and makes students sparser than their teachers.

Share of the inputs that activate a ReLU with a bias, over time. Lines are theory, points means of 16 runs at N = 500,
bars standard errors. (a) One unit and labels that are noise alone, σ = 1, or 1/2 of the last; dotted, 1/(η_β t).
(b) Two units, full and dashed, η = η_β = 0.3, and a teacher of bias −1 and little noise; one without bias and σ = 1;
labels that are noise, σ = 1. Dotted, the teachers' shares. (c) One unit and one teacher at t = 1000 over the noise σ,
from biases of zero; dotted, the teachers' shares.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE

ALONE = ((0.5, 0.5, 1.0), (0.2, 1.0, 1.0), (1.0, 0.2, 0.5))
TASKS: tuple[tuple[str, dict[str, Any]], ...] = (
    (r"$\beta^*=-1$, $\sigma=0.1$", {"b_star": (-1.0,), "noise": 0.1}),
    (r"$\beta^*=0$, $\sigma=1$", {"b_star": (0.0,), "noise": 1.0}),
    ("noise alone", {"labels": "random", "v": (1.0, -1.0)}),
)
BIASES = (0.0, -1.0)
LATE, AT_REST = 50.0, 1000.0
LOOK: dict[str, Any] = {"mfc": "white", "ls": ""}


def begin(K: int, R: float = 0.0) -> tsphys.OrderParameters:
    """A start of one unit, or of two."""
    if K == 1:
        return tsphys.OrderParameters(R=[[R]], Q=[[1.0]], T=[[1.0]])
    return tsphys.OrderParameters(R=[[0.2], [0.1]], Q=[[1.0, 0.1], [0.1, 0.8]], T=[[1.0]])


@drawn(N=(100, 500), replicas=(4, 16), end=(30.0, 300.0), over=(2, 5), points=(2**10, 2**14))
def draw(sheet: Sheet, N: int, replicas: int, end: float, over: int, points: int) -> dict[str, Any]:
    from scipy.special import ndtr

    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.8))
    options: dict[str, Any] = {"N": N, "replicas": replicas, **sheet.options}
    runs: dict[str, Any] = {}

    def seen(stop: float, n: int) -> np.ndarray:
        return np.unique(np.rint(np.geomspace(0.5, stop, n) * N)) / N

    for n, (lr, lr_b, noise) in enumerate(ALONE):
        model = tsphys.ActiveFraction(K=1, M=1, labels="random", lr=lr, lr_b=lr_b, noise=noise)
        lines, t = np.geomspace(0.3, 1e5, 120), seen(end, 10)
        theory = tsphys.solve(model, start=begin(1), t=lines)
        sim = tsphys.simulate(model, start=begin(1), t=t, progress=sheet.share(n, 1, 7), **options)
        left.plot(lines, theory["active"][:, 0], color=COLOURS[n])
        left.plot(lines[60:], 1 / (lr_b * lines[60:]), color=COLOURS[n], ls=":", lw=0.8)
        left.errorbar(t, sim.mean("active")[:, 0], yerr=sim.sem("active")[:, 0], fmt=MARKERS[n], color=COLOURS[n],
                      label=f"$\\eta={lr:g}$, $\\eta_\\beta={lr_b:g}$", **LOOK)  # fmt: skip
        runs |= {f"alone_{n}": theory, f"alone_simulation_{n}": sim}
    for n, (words, given) in enumerate(TASKS):
        model = tsphys.ActiveFraction(K=2, M=1, **given)
        lines, t = np.geomspace(0.3, LATE, 60), seen(LATE, 8)
        theory = tsphys.solve(model, start=begin(2), t=lines, points=points)
        sim = tsphys.simulate(model, start=begin(2), t=t, progress=sheet.share(3 + n, 1, 7), **options)
        for k, style in enumerate(("-", "--")):
            middle.plot(lines, theory["active"][:, k], color=COLOURS[n], ls=style)
            middle.errorbar(t, sim.mean("active")[:, k], yerr=sim.sem("active")[:, k], fmt=MARKERS[n],
                            color=COLOURS[n], label=words if k == 0 else None, **LOOK)  # fmt: skip
        if "b_star" in given:
            middle.axhline(ndtr(given["b_star"][0]), color=COLOURS[n], ls=":", lw=0.8, zorder=0)
        runs |= {f"task_{n}": theory, f"task_simulation_{n}": sim}
    noises, some = np.linspace(0, 2, 41), np.linspace(0, 2, over)
    for n, bias in enumerate(BIASES):
        models = [tsphys.ActiveFraction(K=1, M=1, b_star=(bias,), noise=float(x)) for x in (*noises, *some)]
        told = [tsphys.solve(m, start=begin(1, 0.2), t=[AT_REST])["active"][0, 0] for m in models[: len(noises)]]
        found = [
            tsphys.simulate(m, start=begin(1, 0.2), t=[AT_REST], **options,
                            progress=sheet.share(6 + (n + i / over) / 2, 0.5 / over, 7))
            for i, m in enumerate(models[len(noises) :])
        ]  # fmt: skip
        mean, sem = (np.array([getattr(f, what)("active")[0, 0] for f in found]) for what in ("mean", "sem"))
        right.plot(noises, told, color=COLOURS[n])
        right.axhline(ndtr(bias), color=COLOURS[n], ls=":", lw=0.8, zorder=0)
        right.errorbar(some, mean, yerr=sem, fmt=MARKERS[n], color=COLOURS[n], label=f"$\\beta^*={bias:g}$", **LOOK)
        runs |= {f"over_{n}": np.array(told), f"over_mean_{n}": mean, f"over_sem_{n}": sem}
    left.set(xscale="log", yscale="log", xlabel="time $t=$ steps$/N$", ylabel="active fraction $p$", ylim=(1e-6, 1))
    left.set_title("noise alone")
    left.legend(loc="lower left", fontsize="small")
    middle.set(xscale="log", xlabel="time $t$", ylabel="active fraction $p_k$", ylim=(0, 0.55))
    middle.set_title("two units")
    middle.legend(loc="lower left", fontsize="small")
    right.set(xlabel=r"noise $\sigma$ of the labels", ylabel=f"active fraction at $t={AT_REST:g}$", ylim=(0, 0.55))
    right.set_title(f"$N={N}$, {replicas} runs")
    right.legend(loc="upper right", fontsize="small")
    return {**runs, "noises": noises, "some": some}
