"""Loss of plasticity: how long a linear net takes to learn a task again, by penalty, over tasks and time off.

Lines are theory, points single nets by gradient flow, all of which do the same. (a) Time until the task that comes next
is learned, of 8 in turn, each of length 10; (c) effective rank of the same nets. (b) Time to learn again one of two
tasks, against the time off; dashed, nets of three layers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.plotting import COLOURS, MARKERS, PAGE, theory_line

PENALTIES = {"none": "none", "l2": r"$\ell_2$", "spectral": "spectral", "init": "init"}
MODES, STRENGTH = 8, 0.12


@drawn({"modes": MODES, "strength": STRENGTH}, tasks=(12, 20), points=(3, 6))
def draw(sheet: Sheet, tasks: int, points: int) -> dict[str, Any]:
    """One net each: all do the same, but for rounding."""
    runs: dict[str, Any] = {}
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.7))
    off = np.geomspace(4, 100, 5 * points)
    for j, (penalty, words) in enumerate(PENALTIES.items()):
        model = tsphys.Plasticity(penalty=penalty, modes=MODES, strength=STRENGTH)
        theory = tsphys.solve(model, t=range(tasks + 1))
        options = {"replicas": 1, **sheet.options}
        sim = tsphys.simulate(model, t=range(0, tasks + 1, 2), **options, progress=sheet.share(j, 0.5, len(PENALTIES)))
        points_of = {"color": COLOURS[j], "marker": MARKERS[j], "ls": "", "mfc": "white", "ms": 3.5}
        for panel, name in ((left, "relearning"), (right, "rank")):
            theory_line(panel, theory, name, color=COLOURS[j], label=words)
            panel.plot(sim["t"], sim[name][0], **points_of)
        runs |= {f"theory_{penalty}": theory, f"simulation_{penalty}": sim}
        for depth in (2, 3) if penalty in ("none", "spectral") else (2,):
            pair = [tsphys.Plasticity(penalty=penalty, depth=depth, duration=T) for T in off]
            again = np.array([tsphys.solve(model, t=[2])["relearning"][0] for model in pair])
            seen = np.array([tsphys.simulate(model, t=[2], **options)["relearning"][0, 0] for model in pair[::5]])
            middle.plot(off, again, color=COLOURS[j], ls="--" if depth == 3 else "-")
            middle.plot(off[::5], seen, **points_of)
            runs |= {f"again_{penalty}_{depth}": again, f"seen_{penalty}_{depth}": seen}
    left.axhline(model.duration, color="0.4", lw=0.7, ls=":")
    left.annotate("not learned", (tasks, model.duration), xytext=(0, 2), textcoords="offset points", ha="right",
                  va="bottom", color="0.4")  # fmt: skip
    left.set(xlabel="tasks done", ylabel="time to learn the next", ylim=(0, 1.15 * model.duration),
             title=f"{MODES} tasks in turn, $\\lambda={STRENGTH}$")  # fmt: skip
    middle.set(xlabel="time off", ylabel="time to learn again", xscale="log", title=r"$\lambda=0.05$; dashed: 3 layers")
    right.set(xlabel="tasks done", ylabel="effective rank", ylim=(0.8, MODES + 0.4), title="directions in use")
    left.legend(loc="center right")
    return {**runs, "off": off}
