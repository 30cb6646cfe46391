"""Over-parameterised students of a noisy teacher: the error that is left grows with their width (Goldt et al. 2019).

(a) Lines are the equations of motion, points means of 16 runs at N = 1000, bars standard errors. (b) Dashes are the
stationary state of the equations, dotted its first order in η, points the last third of the runs; crosses, where
learning would end after much longer times, when superfluous units have paired off and cancel. From two superfluous
units on the stationary state is a saddle, which runs of this N leave later than is shown.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.odes.two_layer_limits import noise_floor, noise_floor_end, noise_floor_small_lr
from tsphys.plotting import COLOURS, MARKERS, PAGE, theory_line

M, NOISE, RATES, WIDTHS = 2, 0.3, (0.1, 0.5), (2, 3, 4, 6)


def start(K: int) -> tsphys.OrderParameters:
    """Two students that are copies of the teachers, the others zero: learning from noisy labels can only lose."""
    copies = np.eye(K, M)
    return tsphys.OrderParameters(R=copies, Q=copies @ copies.T, T=np.eye(M))


@drawn({"M": M, "noise": NOISE, "lr": RATES}, N=(300, 1000), replicas=(8, 16))
def draw(sheet: Sheet, N: int, replicas: int) -> dict[str, Any]:
    # The floor is reached at a rate of order η.
    ends = {lr: (25.0 if sheet.quick else 60.0) / lr for lr in RATES}
    runs: dict[str, Any] = {}
    data: dict[str, np.ndarray] = {}
    left, right = sheet.subplots(1, 2, figsize=(PAGE, 3.1))
    jobs = [(lr, K) for lr in RATES for K in WIDTHS]
    for n, (lr, K) in enumerate(jobs):
        model = tsphys.TwoLayer(K=K, M=M, activation="erf", lr=lr, noise=NOISE)
        colour, marker = COLOURS[WIDTHS.index(K)], MARKERS[RATES.index(lr)]
        # Even in ln t until it settles, then even in t, for an average.
        settles = 2 * ends[lr] / 3
        t = np.concatenate([np.geomspace(0.1, settles, 20), np.linspace(settles, ends[lr], 12)[1:]])
        options = {"N": N, "replicas": replicas, **sheet.options}
        sim = tsphys.simulate(model, t=t, start=start(K), progress=sheet.share(n, 1, len(jobs)), **options)
        if lr == RATES[-1]:
            line = np.unique(np.rint(np.geomspace(0.05, ends[lr], 201) * N)) / N
            theory = tsphys.solve(model, start=start(K), t=line, N=N, fluctuations=True)
            theory_line(left, theory, "eps_g", color=colour, label=f"$K={K}$")
            # Its last third, for the average, lies too densely to be seen.
            seen = t <= settles
            left.errorbar(t[seen], sim.mean("eps_g")[seen], yerr=sim.sem("eps_g")[seen], fmt="o", mfc="white",
                          color=colour, capsize=1.5, zorder=3)  # fmt: skip
            runs |= {f"theory_K{K}": theory, f"simulation_K{K}": sim}
        # The last third has settled; its points in time are correlated, replicas are not.
        settled = sim["eps_g"][:, t >= settles].mean(axis=1)
        data[f"settled_lr{lr}_K{K}"] = settled
        error = settled.std(ddof=1) / np.sqrt(replicas)
        right.errorbar(K, settled.mean(), yerr=error, fmt=marker, color=COLOURS[4 + RATES.index(lr)],
                       mfc="white", capsize=2, zorder=3)  # fmt: skip
    for n, lr in enumerate(RATES):
        models = [tsphys.TwoLayer(K=K, M=M, lr=lr, noise=NOISE) for K in range(M, max(WIDTHS) + 1)]
        widths = [m.K for m in models]
        floor, end = (np.array([f(m).eps_g for m in models]) for f in (noise_floor, noise_floor_end))
        first = np.array([noise_floor_small_lr(m) for m in models])
        # Widths are whole numbers: nothing is drawn between them but the formula, which is linear in K.
        right.plot(widths, floor, "_", ms=18, mew=1.6, color=COLOURS[4 + n], label=f"stationary ODE, $\\eta={lr:g}$")
        right.plot(widths, end, "x", ms=5, color=COLOURS[4 + n])
        fine = np.linspace(M, max(WIDTHS), 101)
        right.plot(fine, np.interp(fine, widths, first), color=COLOURS[4 + n], ls=":", lw=1)
        data |= {
            f"floor_lr{lr}": floor,
            f"end_lr{lr}": end,
            f"first_order_lr{lr}": first,
            "widths": np.array(widths),
        }
    right.errorbar([], [], [], fmt="o", mfc="white", color="black", label=f"SGD, $N={N}$")
    right.plot([], [], color="black", ls=":", lw=1, label=r"$\frac{\sigma^2\eta}{2\pi}(K-M+M/\sqrt{3})$")
    right.plot([], [], "x", ms=5, color="black", label=r"$t\to\infty$: pairs cancel")
    left.set(
        xscale="log",
        yscale="log",
        ylim=(1.5e-4, None),
        xlabel="time $t=$ examples$/N$",
        ylabel=r"generalisation error $\epsilon_g$",
    )
    left.set_title(f"erf, $M={M}$, $\\sigma={NOISE:g}$, $\\eta={RATES[-1]:g}$, $N={N}$, {replicas} runs")
    right.set(yscale="log", xlabel="width $K$ of the student", ylabel=r"final error $\epsilon_g^*$", xticks=widths,
              xlim=(M - 0.3, max(WIDTHS) + 0.3), ylim=(None, 1.5))  # fmt: skip
    left.legend(ncols=4, loc="lower right", columnspacing=0.8, handlelength=1.2)
    right.legend(loc="upper left")
    return {**runs, **data}
