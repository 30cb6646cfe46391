"""Clients that each learned from a set of their own vote once, with malicious ones among them.

Lines are theory for N → ∞, points means of 16 runs at N = 400, bars standard errors, smaller than the points. (a) Error
of the majority's signs over the number of clients with n = N/5 examples each, dashed: of the mean of all weights. (b)
Over the number of malicious clients of 11 with n = N; to the mean they may send weights that are c times as large. (c)
Votes by ranks on the 30 % of weights to keep: the part of the teacher that is kept, dotted: of the best and of a random
choice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE

CASES: dict[str, tuple[float, dict[str, Any]]] = {
    "normal teacher": (0.0, {}),
    "20 % malicious": (0.2, {}),
    r"teacher $\pm1$, 20 %": (0.2, {"teacher": "binary"}),
}
SERVERS: dict[str, tuple[str, float]] = {
    "vote": ("eps_g", 1.0), "mean": ("eps_mean", 1.0), "mean, $c=3$": ("eps_mean", 3.0),
}  # fmt: skip
BARS: dict[str, Any] = {"mfc": "white", "ls": "", "mew": 0.9, "elinewidth": 0.9, "capsize": 1.5}


@drawn({"few": 0.2, "kept": 0.3}, N=(100, 400), replicas=(4, 16))
def draw(sheet: Sheet, N: int, replicas: int) -> dict[str, Any]:
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.7))
    run: dict[str, Any] = {"N": N, "replicas": replicas, **sheet.options}
    runs: dict[str, Any] = {}
    clients = (1, 5, 15, 25, 35, 55, 75, 105)
    for i, (words, (part, given)) in enumerate(CASES.items()):
        models = [
            tsphys.OneShotVotes(clients=M, malicious=round(part * M), alpha=0.2, **given)
            for M in (clients[1:] if part else clients)
        ]
        told, found = both(models, run, sheet, i, 9)
        at = [model.clients for model in models]
        for name, style in (("eps_g", "-"), ("eps_mean", "--")):
            left.plot(at, told[name], style, color=COLOURS[i], lw=1 if style == "-" else 0.8)
        left.errorbar(at, *found["eps_g"], color=COLOURS[i], marker=MARKERS[i], label=words, **BARS)
        runs |= {f"told_{i}": np.array(list(told.values())), f"found_{i}": np.array(list(found.values()))}
    malicious = np.arange(7)
    for i, (words, (name, loudness)) in enumerate(SERVERS.items()):
        models = [tsphys.OneShotVotes(malicious=int(k), loudness=loudness) for k in malicious]
        told, found = both(models, run, sheet, 3 + i, 9)
        middle.plot(malicious, told[name], color=COLOURS[i], lw=1)
        middle.errorbar(malicious, *found[name], color=COLOURS[i], marker=MARKERS[i], label=words, **BARS)
        runs |= {f"server_{i}": told[name], f"server_found_{i}": np.array(found[name])}
    for i, M in enumerate((1, 5, 25)):
        base = tsphys.OneShotVotes(ballots="ranks", clients=M)
        models = [replace(base, malicious=k) for k in np.unique(np.rint(np.linspace(0, M, 6)).astype(int)).tolist()]
        told, found = both(models, run, sheet, 6 + i, 9)
        parts = [model.malicious / M for model in models]
        right.plot(parts, told["power"], color=COLOURS[3 + i], lw=1)
        words = f"{M} clients" if M > 1 else "one client"
        right.errorbar(parts, *found["power"], color=COLOURS[3 + i], marker=MARKERS[i], label=words, **BARS)
        runs |= {f"ranks_{i}": told["power"], f"ranks_found_{i}": np.array(found["power"])}
    for level in (best(0.3), 0.3):
        right.axhline(level, color="black", lw=0.7, ls=":")
    left.set(
        xscale="log", yscale="log", xlabel="clients $M$", ylabel=r"generalisation error $\epsilon_g$", title="$n=N/5$"
    )
    middle.set(xlabel="malicious of 11 clients", title=f"$n=N$; $N={N}$, {replicas} runs")
    right.set(xlabel="malicious part", ylabel="part of teacher kept", title="ranks, 30 % kept")
    for ax in (left, middle, right):
        ax.legend(fontsize=6.5)
    return runs


def both(
    models: list[Any], run: dict[str, Any], sheet: Sheet, done: int, of: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Theory, and mean and standard error of runs, of several models, by observables."""
    told: dict[str, list[float]] = {}
    found: dict[str, list[Any]] = {}
    for k, model in enumerate(models):
        theory = tsphys.solve(model)
        sim = tsphys.simulate(model, progress=sheet.share(done + k / len(models), 1 / len(models), of), **run)
        for name in theory.observables:
            told.setdefault(name, []).append(theory[name][0])
            found.setdefault(name, []).append((sim.mean(name)[0], sim.sem(name)[0]))
    return told, {name: tuple(np.array(rows).T) for name, rows in found.items()}


def best(kept: float) -> float:
    """Part of |b|² in the largest normal weights."""
    from scipy.special import ndtri

    x = -float(ndtri(kept / 2))
    return kept + x * float(np.sqrt(2 / np.pi) * np.exp(-x * x / 2))
