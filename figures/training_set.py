"""A fixed training set: overfitting and early stopping, minibatches and epochs, double descent in time.

Lines are theory for N → ∞, points means of 12 training sets at N = 500, bars standard errors, mostly smaller than the
points. (a) Stars: where to stop. (b) Steps of all examples and of an eighth of them, drawn anew or by epochs. (c)
Dotted: least squares in the end, by replicas.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

NOISY: dict[str, Any] = {"loss": "logistic", "noise": 0.5, "lr": 1.0}
LOADS = (1.0, 2.0, 5.0)
#: Minibatches of the square loss: name, and what of the model.
ORDERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("all at once", {}),
    ("1/8, anew", {"batch": 0.125}),
    ("1/8, epochs", {"batch": 0.125, "order": "shuffle"}),
)
SQUARE: dict[str, Any] = {"loss": "square", "lr": 0.2}
TIMES = (5, 50, 500)


def panel_stopping(ax: Any, sheet: Sheet, last: int, N: int, replicas: int, paths: int) -> dict[str, Any]:
    """Test and training error over time, and where to stop."""
    fine = np.unique(np.rint(np.geomspace(1, last, 31)))
    few = np.unique(np.rint(np.geomspace(1, last, 8)))
    runs: dict[str, Any] = {}
    for i, alpha in enumerate(LOADS):
        model = tsphys.TrainingSet(alpha=alpha, **NOISY)
        theory = tsphys.solve(model, t=fine, paths=paths, scramblings=2)
        sim = tsphys.simulate(model, N=N, t=few, replicas=replicas, **sheet.part(i, 1, 9))
        theory_line(ax, theory, "test_error", color=COLOURS[i], label=rf"$\alpha={alpha:g}$")
        theory_line(ax, theory, "train_error", color=COLOURS[i], ls="--")
        for name in ("test_error", "train_error"):
            simulation_points(ax, sim, name, color=COLOURS[i], fmt=MARKERS[i])
        best = int(np.argmin(theory["test_error"]))
        ax.plot(
            fine[best], theory["test_error"][best], marker="*", ms=9, color=COLOURS[i], mec="black", mew=0.5, zorder=4
        )
        runs |= {f"stopping_{alpha:g}_theory": theory, f"stopping_{alpha:g}_simulation": sim}
    ax.set(xscale="log", xlabel="steps $t$", ylabel="test (—), training (- -) error", ylim=(-0.01, 0.5),
           title=rf"logistic loss, $\sigma=0.5$, $N={N}$")  # fmt: skip
    ax.legend(loc="upper right", fontsize=6.5)
    return runs


def panel_orders(ax: Any, sheet: Sheet, last: int, N: int, replicas: int, paths: int) -> dict[str, Any]:
    """What minibatches and their order do to learning."""
    fine, few = np.arange(last + 1), np.unique(np.rint(np.linspace(0, last, 9)))
    runs: dict[str, Any] = {}
    for i, (words, more) in enumerate(ORDERS):
        model = tsphys.TrainingSet(alpha=2.0, channel="linear", noise=0.5, **{**SQUARE, "lr": 0.25}, **more)
        theory = tsphys.solve(model, t=fine, paths=paths, scramblings=2)
        sim = tsphys.simulate(model, N=N, t=few, replicas=replicas, **sheet.part(3 + i, 1, 9))
        theory_line(ax, theory, "eps_g", color=COLOURS[i], label=words)
        theory_line(ax, theory, "train_loss", color=COLOURS[i], ls="--")
        for name in ("eps_g", "train_loss"):
            simulation_points(ax, sim, name, color=COLOURS[i], fmt=MARKERS[i])
        runs |= {f"orders_{i}_theory": theory, f"orders_{i}_simulation": sim}
    ax.set(xlabel="steps $t$", ylabel=r"$\epsilon_g$ (—), training loss (- -)", yscale="log",
           title=r"least squares, $\alpha=2$, $\eta=0.25$")  # fmt: skip
    ax.set_yticks([0.05, 0.1, 0.2, 0.5], ["0.05", "0.1", "0.2", "0.5"])
    ax.minorticks_off()
    ax.legend(loc="upper right", fontsize=6.5)
    return runs


def panel_descent(ax: Any, sheet: Sheet, N: int, replicas: int, paths: int, points: int) -> dict[str, Any]:
    """Generalisation over the load: after more and more steps, and after all of them, by replicas."""
    fine = np.geomspace(0.3, 6, points)
    few = np.geomspace(0.35, 5, 5)
    found = [tsphys.solve(tsphys.TrainingSet(alpha=a, **SQUARE), t=TIMES, paths=paths, scramblings=2) for a in fine]
    sims = [
        tsphys.simulate(tsphys.TrainingSet(alpha=a, **SQUARE), N=N, t=TIMES, replicas=replicas,
                        **sheet.part(6 + 0.6 * i, 0.6, 9))
        for i, a in enumerate(few)
    ]  # fmt: skip
    for i, t in enumerate(TIMES):
        ax.plot(fine, [theory["eps_g"][i] for theory in found], color=COLOURS[3 + i], label=f"$t={t}$")
        mean, error = (
            np.array([f(sim) for sim in sims]) for f in (lambda s: s.mean("eps_g"), lambda s: s.sem("eps_g"))
        )
        ax.errorbar(few, mean[:, i], yerr=error[:, i], color=COLOURS[3 + i], fmt=MARKERS[i], mfc="white", mew=0.9)
    loads = np.geomspace(0.3, 6, 61)
    end = tsphys.solve(tsphys.GLM(estimator="ridge", regularization=1e-8), alpha=loads)
    ax.plot(loads, end["eps_g"], color="black", lw=0.9, ls=":", label=r"$t\to\infty$, replicas")
    ax.set(xscale="log", xlabel=r"load $\alpha=n/N$", ylabel=r"generalisation error $\epsilon_g$",
           title="square loss on labels")  # fmt: skip
    ax.set_xticks([0.3, 1, 3], ["0.3", "1", "3"])
    ax.minorticks_off()
    ax.legend(loc="lower left", fontsize=6.5)
    return {
        "descent_alpha": fine,
        "descent_theory": np.array([theory["eps_g"] for theory in found]),
        "descent_simulation_alpha": few,
        "descent_simulation": np.array([sim.mean("eps_g") for sim in sims]),
        "descent_end": end,
    }


@drawn(
    {"loads": LOADS, "times": TIMES},
    last=(100, 1000), batches=(40, 80), N=(200, 500), replicas=(6, 12), paths=(2**10, 2**12), points=(9, 25),
)  # fmt: skip
def draw(
    sheet: Sheet, last: int, batches: int, N: int, replicas: int, paths: int, points: int
) -> dict[str, Any]:  # fmt: skip
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.6))
    return {
        **panel_stopping(left, sheet, last, N, replicas, paths),
        **panel_orders(middle, sheet, batches, N, replicas, paths),
        **panel_descent(right, sheet, N, replicas, paths, points),
    }
