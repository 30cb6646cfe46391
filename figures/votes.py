"""A student taught by many clients: majority of signs against mean of gradients, with malicious clients among them.

Linear students. Lines are the equations of motion, points means of 16 runs at N = 400, in (b) 200, bars standard
errors, smaller than the points. (a) Error over time, dashed for the mean. (b) Error at t = 30 over the number of
malicious clients of 11; to the mean they may send gradients that are c times as large, and then few are enough. (c) The
steady state over the number of clients, none of them malicious: even numbers have ties.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.odes.votes import steady
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

CASES = ((1, 0), (5, 0), (5, 1), (11, 3))
SERVERS: dict[str, dict[str, Any]] = {
    "vote": {},
    "mean": {"server": "mean"},
    "mean, $c=3$": {"server": "mean", "loudness": 3.0},
}
LATE, HIGHEST = 30.0, 2.0


@drawn(N=(100, 400), replicas=(4, 16), N_late=(100, 200))
def draw(sheet: Sheet, N: int, replicas: int, N_late: int) -> dict[str, Any]:
    t, lines = np.unique(np.rint(np.geomspace(0.1, 20, 12) * N)) / N, np.geomspace(0.07, 25, 100)
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.7))
    runs: dict[str, Any] = {}
    for n, (clients, malicious) in enumerate(CASES):
        for server, style in (("vote", "-"), ("mean", "--")):
            model = tsphys.Votes(clients=clients, malicious=malicious, server=server)
            runs[f"theory_{n}_{server}"] = theory = tsphys.solve(model, t=lines)
            theory_line(left, theory, "eps_g", color=COLOURS[n], ls=style)
        model = tsphys.Votes(clients=clients, malicious=malicious)
        sim = tsphys.simulate(model, N=N, t=t, replicas=replicas, **sheet.part(n, 1, 8))
        words = f"{clients} clients" if clients > 1 else "one client"
        words += f", {malicious} malicious" if malicious else ""
        simulation_points(left, sim, "eps_g", fmt=MARKERS[n], color=COLOURS[n], label=words)
        runs[f"simulation_{n}"] = sim
    numbers = np.arange(6)
    for n, (name, given) in enumerate(SERVERS.items()):
        models = [tsphys.Votes(clients=11, malicious=int(k), **given) for k in numbers]
        told = np.array([tsphys.solve(model, t=[LATE])["eps_g"][0] for model in models])
        middle.plot(numbers, told, color=COLOURS[n], lw=1)
        some = [i for i in (0, 1, 2, 4) if told[i] < HIGHEST]
        found = []
        for i in some:
            done = 4 + n + i / 6
            late = tsphys.simulate(models[i], N=N_late, t=[LATE], replicas=replicas, **sheet.part(done, 1 / 6, 8))
            found.append([late.mean("eps_g")[0], late.sem("eps_g")[0]])
        mean, sem = np.array(found).T
        middle.errorbar(numbers[some], mean, yerr=sem, fmt=MARKERS[n], color=COLOURS[n], mfc="white", label=name)
        runs |= {f"told_{n}": told, f"late_{n}": mean, f"late_sem_{n}": sem}
    many = np.arange(1, 41)
    for n, (name, given) in enumerate(list(SERVERS.items())[:2]):
        runs[f"clients_{n}"] = told = np.array([steady(tsphys.Votes(clients=int(M), **given)) for M in many])
        right.plot(many, told, MARKERS[n], color=COLOURS[n], ms=2.5, label=name)
    left.set(xscale="log", yscale="log", xlabel="time $t=$ steps$/N$", ylabel=r"generalisation error $\epsilon_g$")
    left.set_title(f"majority vote, $N={N}$")
    left.legend(loc="lower left", fontsize="small")
    middle.set(yscale="log", xlabel="malicious of 11 clients", ylabel=r"$\epsilon_g$ at $t=30$", ylim=(4e-4, HIGHEST))
    middle.set_title(f"{replicas} runs, $N={N_late}$")
    middle.legend(loc="upper left", fontsize="small")
    right.set(xscale="log", yscale="log", xlabel="clients $M$", ylabel=r"steady $\epsilon_g$")
    right.set_title("none malicious")
    right.legend(loc="upper right", fontsize="small")
    return runs
