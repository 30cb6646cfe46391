"""Weights on few levels: how many labels they store, and from how many examples a teacher that has them is found.

Lines are replica theory for N → ∞, points instances, with standard errors. (a) ln of the number of students that
realise random labels, over N; it ends at the capacity. Points: all students counted, N = 8, of 60 draws; where none
is left, one, by which points next to the capacity lie high. (b) Signs of a teacher with levels of equal probability,
learned by Bayes: dashes from IT on, where the teacher is the better state, to AMP, where message passing finds it.
Points: message passing, N = 1500, 4 runs. (c) The price list; c is what rounding to the nearest level leaves of the
cosine with the teacher.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tsphys.figures.frame import Sheet, drawn
from tsphys.numerics.random import generator
from tsphys.physics.inference.channels import channel
from tsphys.physics.inference.levels import quantised, rounding
from tsphys.plotting import COLOURS, MARKERS, PAGE
from tsphys.replica.saddles import bayes
from tsphys.replica.saddles.gardner import storage, storage_capacity
from tsphys.sims.engines.inference.message_passing import Estimate, message_passing

#: What weights may be, by how that is written.
Kinds = dict[str, tuple[int, ...]]
LEVELS: Kinds = {
    r"$\pm1$": (-1, 1),
    r"$0,\pm1$": (-1, 0, 1),
    r"$\pm1,\pm2$": (-2, -1, 1, 2),
    r"$0,\pm1,\pm2$": (-2, -1, 0, 1, 2),
}
COUNTED, BARS = 8, {"mfc": "white", "mew": 0.9, "elinewidth": 0.9, "capsize": 1.5, "ls": ""}


def counted(levels: tuple[int, ...], alpha: float, rng: np.random.Generator) -> float:
    """ln of the number of students of `COUNTED` weights at random labels, over N; of none that of one."""
    W = np.array(list(itertools.product(levels, repeat=COUNTED)), dtype=np.float32)
    X = rng.standard_normal((round(alpha * COUNTED), COUNTED)).astype(np.float32)
    return float(np.log(max(int((W @ X.T > 0).all(axis=1).sum()), 1)) / COUNTED)


def learned(levels: tuple[int, ...], alpha: float, N: int, rng: np.random.Generator) -> float:
    """Error of message passing on an instance."""
    prior = quantised(levels)
    w, X = prior.draw(rng, N), rng.standard_normal((round(alpha * N), N)) / np.sqrt(N)
    first = Estimate(np.zeros(N), np.ones(N))
    *_, last = message_passing(X, np.sign(X @ w), prior, channel("sign"), first, 200, 0.3)
    return float(np.arccos(np.clip(w @ last.w / np.sqrt((w @ w) * (last.w @ last.w)), -1, 1)) / np.pi)


def panel_storage(ax: Any, sheet: Sheet, kinds: Kinds, draws: int) -> dict[str, Any]:
    """Entropies over the load."""
    runs: dict[str, Any] = {}
    for i, (words, levels) in enumerate(kinds.items()):
        end = storage_capacity(levels)
        loads, few = np.linspace(0.02, end, 5 if sheet.quick else 25), np.array([0.25, 0.5, 0.75])
        entropy = np.array([storage(levels, float(a)).entropy for a in loads])
        ax.plot(loads, entropy, color=COLOURS[i], label=words)
        runs |= {f"loads_{i}": loads, f"entropy_{i}": entropy}
        # Of five levels there are 4e5 students, of four and fewer less than a fifth of that.
        rng = generator(sheet.seed, i, "students")
        found = np.array([[counted(levels, a, rng) for a in few] for _ in range(draws)])
        ax.errorbar(few, found.mean(0), found.std(0) / draws**0.5, color=COLOURS[i], marker=MARKERS[i], **BARS)
        runs[f"counted_{i}"] = found
        told(sheet, i + 1, 3 * len(kinds))
    ax.set(ylim=(0, 1.7), xlim=(0, 1.6), xlabel=r"labels per weight $\alpha$", ylabel="entropy per weight $s$",
           title="random labels")  # fmt: skip
    ax.legend(fontsize=6.5, handlelength=1.4)
    return runs


def panel_learning(ax: Any, sheet: Sheet, kinds: Kinds, N: int, instances: int) -> dict[str, Any]:
    """Errors of Bayes over the load."""
    sign = channel("sign")
    runs: dict[str, Any] = {}
    for i, levels in enumerate(kinds.values()):
        prior, at = quantised(levels), bayes.thresholds(quantised(levels), sign)
        loads = np.linspace(0.1, at.algorithmic * (1 - 1e-6), 6 if sheet.quick else 40)
        errors = np.arccos(np.sqrt([1 - bayes.reached(prior, sign, float(a), 1.0).V for a in loads])) / np.pi
        stays = loads <= at.transition
        ax.plot(loads[stays], errors[stays], color=COLOURS[i])
        ax.plot(loads[~stays], errors[~stays], color=COLOURS[i], ls="--")
        ax.plot([at.algorithmic] * 2, [0, errors[-1]], color=COLOURS[i], lw=0.8)
        few = at.algorithmic * np.array([0.2, 0.45, 0.7, 1.25])
        rng = generator(sheet.seed, i, "instances")
        found = np.array([[learned(levels, float(a), N, rng) for a in few] for _ in range(instances)])
        bars = found.std(0) / instances**0.5
        ax.errorbar(few, found.mean(0), bars, color=COLOURS[i], marker=MARKERS[i], clip_on=False, **BARS)
        runs |= {f"learning_{i}": np.array([loads, errors]), f"instances_{i}": found}
        told(sheet, len(kinds) + 2 * (i + 1), 3 * len(kinds))
    ax.set(ylim=(0, 0.5), xlim=(0, 7), xlabel=r"examples per weight $\alpha$",
           ylabel=r"generalisation error $\epsilon_g$", title="a teacher with these levels")  # fmt: skip
    return runs


def panel_prices(ax: Any, kinds: Kinds) -> dict[str, Any]:
    """Capacities and thresholds."""
    rows = []
    for i, levels in enumerate(kinds.values()):
        at, left = bayes.thresholds(quantised(levels), channel("sign")), rounding(levels).cosine
        row = (storage_capacity(levels), at.transition, at.algorithmic)
        for value, marker in zip(row, "osD", strict=True):
            ax.plot(value, -i, marker, color=COLOURS[i], mfc="white" if marker != "o" else COLOURS[i], ms=5)
        ax.plot(row[1:], [-i, -i], color=COLOURS[i], lw=3, alpha=0.3, zorder=0)
        ax.text(6.9, -i, f"$c={left:.3f}$", ha="right", va="center", fontsize=6.5)
        rows.append((*row, left))
    for words, marker in ((r"stored, $\alpha_c$", "o"), (r"$\alpha_{\rm IT}$", "s"), (r"$\alpha_{\rm AMP}$", "D")):
        ax.plot([], [], marker, color="0.3", mfc="white" if marker != "o" else "0.3", ms=5, label=words)
    ax.set_yticks(-np.arange(len(kinds)), list(kinds))
    ax.set(xlim=(0, 7), ylim=(0.4 - len(kinds), 1.1), xlabel=r"load $\alpha$", title="hard between IT and AMP")
    ax.legend(fontsize=6.5, ncol=3, loc="upper center", handletextpad=0.2, columnspacing=0.8)
    return {"prices": np.array(rows)}


def told(sheet: Sheet, done: int, of: int) -> None:
    """Say how far the picture is."""
    if sheet.progress:
        sheet.progress(done / of)


@drawn(most=(2, 4), N=(200, 1500), draws=(4, 60), instances=(2, 4))
def draw(sheet: Sheet, most: int, N: int, draws: int, instances: int) -> dict[str, Any]:
    first, second, third = sheet.subplots(1, 3, figsize=(PAGE * 1.3, 3.0))
    kinds = dict(list(LEVELS.items())[:most])
    found = panel_storage(first, sheet, kinds, draws)
    found |= panel_learning(second, sheet, kinds, N, instances)
    return found | panel_prices(third, kinds)
