"""A linear network that is helped: pretrained on its inputs, held to a guide, and held for too long.

Lines are the equations of modes, circles gradient flow of a network of 20 hidden units from layers along the teacher;
crosses, means of 8 networks from random layers, are later by the time that layers take to align. (a) Three modes after
an autoencoder's T_p = 4, and from scratch (dashed). (b) A weak mode of the target, t = 0.3: a random wide guide does
more than one that was trained on the task, which has g = t of it. (c) A guide that lacks the mode, for ever or not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.odes.guidance import starved
from tsphys.plotting import COLOURS, PAGE

VARIANCES, START, PRETRAINED = (2.0, 1.0, 0.4), 1e-3, 4.0
WEAK, GUIDED = 0.3, 5.0
LACKING = 0.5


def points(ax: Any, model: Any, t: Any, run: dict[str, Any], colours: Any, what: Any = lambda s: s, **more: Any) -> Any:
    """What networks have of each mode, from aligned or random layers."""
    marks = {"ls": "", "mfc": "white", "mew": 0.9, "ms": 4}
    random = more.get("layers") == "random"
    sim = tsphys.simulate(model, t=t, replicas=8 if random else 1, **more, **run)
    for i, colour in enumerate(colours):
        ax.plot(t, what(sim.mean("strength")[:, i]), marker="x" if random else "o", color=colour, **marks)
    return sim


def panel_pretrained(ax: Any, run: dict[str, Any], count: int) -> dict[str, Any]:
    """Three modes, with and without pretraining."""
    fine, t = np.linspace(0, 18, 361), np.linspace(0.3, 18, count)
    scratch = tsphys.Guidance((1.0,) * 3, VARIANCES, START)
    pretrained = replace(scratch, pretraining=PRETRAINED)
    before, after = tsphys.solve(scratch, t=fine), tsphys.solve(pretrained, t=fine)
    for i, variance in enumerate(VARIANCES):
        ax.plot(fine, after["strength"][:, i], color=COLOURS[i], label=rf"$\lambda={variance:g}$")
        ax.plot(fine, before["strength"][:, i], color=COLOURS[i], ls="--", lw=1)
    found = points(ax, pretrained, t, run, COLOURS[:3])
    found_random = points(ax, pretrained, t, run, COLOURS[:3], layers="random")
    ax.set(xlabel="time on the task", ylabel="strength of mode", title=rf"autoencoder before, $T_p={PRETRAINED:g}$")
    ax.legend(title="dashed: scratch", fontsize=6.5, title_fontsize=6.5, loc="lower right")
    return {"scratch": before, "pretrained": after, "pretrained_simulation": found, "pretrained_random": found_random}


def panel_guided(ax: Any, run: dict[str, Any], count: int) -> dict[str, Any]:
    """A weak mode, by guide."""
    fine, t = np.linspace(0, 40, 401), np.linspace(0.5, 40, count)
    none = tsphys.Guidance((WEAK,))
    ways = {
        "none": none,
        "trained": replace(none, strength=GUIDED, guide=(WEAK,)),
        "random, wide": replace(none, strength=GUIDED),
        "random, off at 1": replace(none, strength=GUIDED, until=1.0),
        "lacks the mode": replace(none, strength=GUIDED, guide=(0.0,)),
    }
    runs: dict[str, Any] = {}
    for i, (words, model) in enumerate(ways.items()):
        theory = tsphys.solve(model, t=fine)
        ax.plot(fine, theory["strength"][:, 0] / WEAK, color=COLOURS[i], label=words)
        runs |= {f"guided_{i}": theory}
        runs |= {f"guided_{i}_simulation": points(ax, model, t, run, [COLOURS[i]], lambda s: s / WEAK)}
    ax.set(xlabel="time", ylabel="part of the target", title=rf"target $t={WEAK}$, $\gamma={GUIDED:g}$")
    ax.legend(fontsize=6.5, loc="lower right", handlelength=1.0, title="guide", title_fontsize=6.5)
    return runs


def panel_lacking(ax: Any, run: dict[str, Any], count: int) -> dict[str, Any]:
    """What is left of a mode that the guide lacks."""
    fine, t = np.geomspace(0.1, 1e5, 121), np.geomspace(0.2, 90, count)
    model = tsphys.Guidance((1.0,), None, 0.01, strength=LACKING, guide=(0.0,))
    runs: dict[str, Any] = {}
    for i, until in enumerate((None, 100.0, 10.0)):
        here = replace(model, until=until)
        left = tsphys.solve(here, t=fine[fine <= (1e5 if until is None else 1.2 * until)])
        words = "never off" if until is None else f"off at {until:g}"
        ax.plot(left["t"], 1 - left["strength"][:, 0], color=COLOURS[i], label=words)
        runs[f"lacking_{i}"] = left
    runs["lacking_simulation"] = points(ax, model, t, run, [COLOURS[0]], lambda s: 1 - s)
    late = fine[fine > 3]
    ax.plot(
        late, starved(model, late)[:, 0], color="black", ls=":", lw=0.9, label=r"$\gamma t^3(6\gamma t^4t')^{-2/3}$"
    )
    ax.set(xscale="log", yscale="log", ylim=(1e-4, 3), xlabel="time $t'$", ylabel="what is left of the mode",
           title=rf"a guide without it, $\gamma={LACKING}$")  # fmt: skip
    ax.legend(fontsize=6.5, loc="upper right")
    return runs


@drawn(count=(6, 16))
def draw(sheet: Sheet, count: int) -> dict[str, Any]:
    first, second, third = sheet.subplots(1, 3, figsize=(PAGE, 2.6))
    run = dict(sheet.options)
    found = panel_pretrained(first, run, count)
    found |= panel_guided(second, run, count)
    return found | panel_lacking(third, run, count)
