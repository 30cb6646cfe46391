"""A linear learner under attack: the accuracy that is left, the way there, and what it costs.

P is the size of a minibatch; circles are means of 8 runs at N = 2000, bars standard errors. (a) Lines are the steady
state by theory at two learning rates, dotted its limit η → 0; runs are averaged from t = 25 to 50. (b, c) Lines are
the equations of motion; the constant and the optimal attack are those of the same price.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.odes.online_attack import critical_cost, steady_state
from tsphys.plotting import COLOURS, PAGE

BATCHES, RATES = (1, 10), (0.02, 0.2)
STRATEGIES = {"constant": COLOURS[2], "greedy": COLOURS[0], "optimal": COLOURS[1]}


def attack(**parameters: Any) -> tsphys.OnlineAttack:
    """An attack without bounds on the actions."""
    return tsphys.OnlineAttack(a_min=None, a_max=None, **parameters)


@drawn({"minibatch": BATCHES, "lr": RATES}, N=(400, 2000), replicas=(4, 8), points=(6, 13))
def draw(sheet: Sheet, N: int, replicas: int, points: int) -> dict[str, Any]:
    options = {"N": N, "replicas": replicas, **sheet.options}
    prices, fine = np.geomspace(0.2, 10, points), np.geomspace(0.1, 20, 41 if sheet.quick else 121)
    # Relaxed after t = 5/η, then observed for as long again.
    late = np.linspace(25, 50, 11)
    data: dict[str, np.ndarray] = {"prices": prices, "prices_theory": fine}
    runs: dict[str, Any] = {}
    jobs = len(BATCHES) * points + len(STRATEGIES)
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.7), width_ratios=(1.5, 1, 1))
    for i, P in enumerate(BATCHES):
        colour = COLOURS[3 * i]
        jump = critical_cost(attack(minibatch=P))
        data[f"critical_P{P}"] = np.array(jump)
        left.plot([fine[0], jump, jump, fine[-1]], [0, 0, 1, 1], color=colour, ls=":", lw=1)
        for lr, dashes in zip(RATES, ("--", "-"), strict=True):
            accuracy = [steady_state(attack(minibatch=P, lr=lr, cost=C))["accuracy"] for C in fine]
            name = f"$P={P}$, $\\eta={lr:g}$"
            left.plot(fine, accuracy, color=colour, ls=dashes, label=name)
            data[f"accuracy_P{P}_lr{lr}"] = np.array(accuracy)
        for n, C in enumerate(prices):
            model = attack(minibatch=P, lr=RATES[-1], cost=C)
            listen = sheet.share(i * points + n, 1, jobs)
            # Points in time are correlated, replicas are not.
            seen = tsphys.simulate(model, t=late, progress=listen, **options)["accuracy"].mean(axis=1)
            data[f"simulated_P{P}_{n}"] = seen
            left.errorbar(C, seen.mean(), yerr=seen.std(ddof=1) / np.sqrt(replicas), fmt="o", mfc="white",
                          color=colour, capsize=1.5, zorder=3)  # fmt: skip
    t = np.linspace(0, 30, 16)
    for n, (strategy, colour) in enumerate(STRATEGIES.items()):
        model = attack(strategy=strategy, lr=RATES[-1])
        theory = tsphys.solve(model, t=np.linspace(0, t[-1], 121))
        listen = sheet.share(len(BATCHES) * points + n, 1, jobs)
        sim = tsphys.simulate(model, t=t, progress=listen, **options)
        for ax, name in ((middle, "distance"), (right, "cost")):
            # Before the first step nothing has been paid.
            at = slice(int(name == "cost"), None)
            ax.plot(theory["t"][at], theory[name][at], color=colour, label=strategy)
            ax.errorbar(t[at], sim.mean(name)[at], yerr=sim.sem(name)[at], fmt="o", mfc="white", color=colour,
                        capsize=1.5, zorder=3)  # fmt: skip
        runs |= {f"theory_{strategy}": theory, f"simulation_{strategy}": sim}
    left.set(xscale="log", xlabel="price of actions $C$", ylabel="accuracy under greedy attack", ylim=(-0.03, 1.03))
    left.plot([], [], color="black", ls=":", lw=1, label=r"$\eta\to0$")
    left.errorbar([], [], [], fmt="o", mfc="white", color="black", label=f"$\\eta={RATES[-1]:g}$, $N={N}$")
    left.legend(loc="upper left", fontsize=6, handlelength=1.5)
    middle.set(xlabel="time $t=$ steps$/N$", ylabel="distance $d$ from the teacher", ylim=(0, 0.85))
    right.set(xlabel="time $t=$ steps$/N$", ylabel="mean cost of a step")
    middle.set_title(f"$C=1$, $P=1$, $\\eta={RATES[-1]:g}$")
    right.legend()
    return {**runs, **data}
