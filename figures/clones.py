"""Clones: a student wider than its teacher shares each unit among several, and averages the noise of SGD.

(a-c) Lines are theory for N → ∞, points one run at N = 500 from the same start, both layers trained; a run differs
from theory by about N^(−1/2). Dots in (a) are the floor of clones with the readouts of the time, dashes what merging
the clones of a unit leaves. (d) Clones with fixed readouts 1/n: crosses the equations, circles means of 16 runs at
N = 500 over the second half of their time, bars standard errors; lines are the first order in η.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.odes.two_layer_limits import clone_floor
from tsphys.physics.committee.clones import effective, groups, merged
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

LR, NOISE, M, SPLITS, RATES = 0.3, 0.2, 2, (1, 2, 3, 4, 6, 8), (0.1, 0.4)


def split(n: int) -> tsphys.OrderParameters:
    """n clones of one unit, which share its readout."""
    return tsphys.OrderParameters(R=np.ones((n, 1)), Q=np.ones((n, n)), T=[[1.0]], v=np.full(n, 1 / n), v_star=[1.0])


def states(result: Any) -> list[tsphys.OrderParameters]:
    """The order parameters at all times of a theory."""
    fixed = {"T": result["T"], "v_star": result["v_star"]}
    return [tsphys.OrderParameters(R=R, Q=Q, v=v, **fixed) for R, Q, v in zip(*(result[k] for k in "RQv"), strict=True)]


@drawn({"lr": LR, "noise": NOISE, "M": M}, N=(200, 500), replicas=(4, 16), end=(1000.0, 3000.0))
def draw(sheet: Sheet, N: int, replicas: int, end: float) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    (first, second), (fourth, third) = sheet.subplots(2, 2, figsize=(PAGE, 5.2))
    for j, K in enumerate((2, 4, 8)):
        v = tuple(0.1 * np.random.default_rng(sheet.seed + K).standard_normal(K))
        model = tsphys.TwoLayer(K=K, M=M, lr=LR, lr_v=LR, noise=NOISE, v=v)
        start = model.start(N, np.random.default_rng(sheet.seed + 10 + K))
        theory = tsphys.solve(model, start=start, t=np.geomspace(1, end, 81))
        run = {"N": N, "replicas": 1, **sheet.options, "progress": sheet.share(j, 1, 6)}
        sim = tsphys.simulate(model, start=start, t=np.geomspace(1, end, 13), **run)
        theory_line(first, theory, "eps_g", color=COLOURS[j], label=f"$K={K}$")
        simulation_points(first, sim, "eps_g", color=COLOURS[j], fmt=MARKERS[j])
        late = [state for state, t in zip(states(theory), theory["t"], strict=True) if t > 300]
        floors = np.array([clone_floor(model, state) for state in late])
        less = [merged(state) for state in late]
        kept = np.array([float(model.eps_g(x.R, x.Q, x.T, x.v, x.v_star)) for x in less])
        first.plot(theory["t"][-len(late) :], floors, color=COLOURS[j], ls=":", lw=1.2)
        first.plot(theory["t"][-len(late) :], kept, color=COLOURS[j], ls="--", lw=0.9)
        made = effective(theory["R"], theory["Q"], theory["T"], theory["v"]).mean(axis=1)
        seen = effective(sim["R"][0], sim["Q"][0], sim["T"], sim["v"][0]).mean(axis=1)
        second.plot(theory["t"], made, color=COLOURS[j], label=f"$K={K}$")
        second.plot(sim["t"], seen, color=COLOURS[j], ls="none", marker=MARKERS[j], mfc="white")
        fourth.step(theory["t"], groups(theory["Q"]), color=COLOURS[j], where="mid", label=f"$K={K}$")
        fourth.plot(sim["t"], groups(sim["Q"][0]), color=COLOURS[j], ls="none", marker=MARKERS[j], mfc="white")
        runs |= {f"theory_K{K}": theory, f"simulation_K{K}": sim, f"floor_K{K}": floors, f"merged_K{K}": kept,
                 f"effective_K{K}": made}  # fmt: skip
    for j, lr in enumerate(RATES):
        exact, mean, sem = [], [], []
        for i, n in enumerate(SPLITS):
            model = tsphys.TwoLayer(K=n, M=1, lr=lr, noise=NOISE, v=(1 / n,) * n)
            exact.append(tsphys.solve(model, start=split(n), t=[200 / lr])["eps_g"][0])
            sim = tsphys.simulate(
                model, N=N, start=split(n), t=np.linspace(20 / lr, 40 / lr, 9), replicas=replicas,
                **sheet.part(3 + 1.5 * (j + i / len(SPLITS)), 1.5 / len(SPLITS), 6),
            )  # fmt: skip
            each = sim["eps_g"].mean(axis=1)
            mean.append(each.mean())
            sem.append(each.std(ddof=1) / np.sqrt(replicas))
        fine = np.linspace(1, SPLITS[-1], 101)
        third.plot(fine, lr * NOISE**2 / (2 * np.sqrt(3) * np.pi) / fine, color=COLOURS[3 + j], lw=1.0,
                   label=f"$\\eta={lr:g}$")  # fmt: skip
        third.plot(SPLITS, exact, color=COLOURS[3 + j], ls="none", marker="x", ms=5)
        third.errorbar(SPLITS, mean, sem, color=COLOURS[3 + j], fmt="o", mfc="white", mew=0.9, capsize=1.5)
        runs |= {
            f"stationary_{lr:g}": np.array(exact),
            f"late_{lr:g}": np.array(mean),
            f"late_sem_{lr:g}": np.array(sem),
        }
    first.set(xscale="log", yscale="log", xlabel="time $t$", ylabel=r"$\epsilon_g$",
              title=f"$M={M}$, $\\eta={LR:g}$, $\\sigma={NOISE:g}$")  # fmt: skip
    second.set(
        xscale="log", xlabel="time $t$", ylabel=r"clones per unit $K_\mathrm{eff}$", title="mean over both units"
    )
    third.set(yscale="log", xticks=SPLITS, xlabel="clones $n$ of one unit", ylabel=r"floor of $\epsilon_g$",
              title=r"$\eta\sigma^2/(2\sqrt{3}\pi n)$")  # fmt: skip
    fourth.set(
        xscale="log", xlabel="time $t$", ylabel="groups of clones", title=r"joined by $|\cos|>0.9$", ylim=(0, 8.5)
    )
    for panel in (first, second, third, fourth):
        panel.legend(fontsize=7)
    return {**runs, "splits": np.array(SPLITS)}
