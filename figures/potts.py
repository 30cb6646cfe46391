"""Potts model in mean field: first-order transitions, how far phases reach beyond them, and where they end in a field.

(a) q = m² without a field over the coupling in units of C, where disorder is unstable: stable states (full lines) and
metastable ones (dashed); dotted, the transition. Circles are means of 4 runs of heat bath at N = 1000 that begin
ordered, squares of runs that begin disordered; bars are standard errors. (b) Transitions (full lines) in a field on
the first colour to their end points; shaded, where both phases are at least metastable. (c) Probability of the share
of the first colour at a point of the line of C = 10: exact sums (lines), and for N = 50 a histogram of 8 chains of
heat bath.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.physics.curie_weiss import curie_weiss_end, curie_weiss_lines, curie_weiss_sums
from tsphys.plotting import COLOURS, PAGE
from tsphys.sims.engines.potts import sample

COLOURED = (3, 5, 10)
#: The point of (c): colours, field and sizes.
SHOWN, FIELD, SIZES = 10, 0.1, (50, 100, 200, 400)


@drawn(N=(200, 1000), replicas=(2, 4), sweeps=(50, 300), points=(2, 5), samples=(1000, 40_000))
def draw(sheet: Sheet, N: int, replicas: int, sweeps: int, points: int, samples: int) -> dict[str, Any]:
    runs: dict[str, Any] = {}
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.6))
    run = {"N": N, "replicas": replicas, "sweeps": sweeps, "equilibration": sweeps, **sheet.options}
    for j, C in enumerate(COLOURED):
        lines, color = curie_weiss_lines(C), COLOURS[j]
        reach = {"ordered": (lines.ordered, 1.3 * C), "disordered": (0.3 * C, float(C))}
        # Runs of this size do not stay in a metastable phase of few colours, nor beside a spinodal.
        ordered, disordered = (4.7, 6.2) if C == 10 else (1.03 * lines.transition, 0.97 * lines.transition)
        seen = {"ordered": (ordered, 1.3 * C), "disordered": (0.3 * C, disordered)}
        for k, phase in enumerate(reach):
            model, (low, high) = tsphys.Potts(C=C, phase=phase), reach[phase]
            theory = tsphys.solve(model, beta=low + (high - low) * np.linspace(1e-6, 1 - 1e-6, 200))
            stable = (theory["beta"] >= lines.transition) == (phase == "ordered")
            for where, style in ((stable, "-"), (~stable, "--")):
                left.plot(theory["beta"][where] / C, theory["q"][where], style, color=color, lw=1.2)
            sim = tsphys.simulate(
                model, beta=np.linspace(*seen[phase], points), progress=sheet.share(2 * j + k, 1, 7), **run
            )
            left.errorbar(
                sim["beta"] / C, sim.mean("q"), sim.sem("q"), color=color, fmt="os"[k], mfc="white", ms=3.5, mew=0.9,
                elinewidth=0.9, label=f"$C={C}$" if k == 0 else None,
            )  # fmt: skip
            runs |= {f"theory_{phase}_{C}": theory, f"simulation_{phase}_{C}": sim}
        left.axvline(lines.transition / C, color=color, lw=0.7, ls=":", zorder=0)
        end = curie_weiss_end(C)
        fields = end[1] * (1 - np.linspace(1, 0.001, 60) ** 2)
        meet = [curie_weiss_lines(C, h) for h in fields]
        first, transition, last = (
            np.array([getattr(at, name) for at in meet]) for name in ("ordered", "transition", "disordered")
        )
        middle.fill_betweenx(fields, first, last, color=color, alpha=0.2, lw=0)
        middle.plot(transition, fields, color=color, lw=1.2, label=f"$C={C}$")
        middle.plot(*end, "o", color=color, ms=4)
        runs |= {f"field_{C}": fields, f"appears_{C}": first, f"transition_{C}": transition, f"unstable_{C}": last}
    beta = curie_weiss_lines(SHOWN, FIELD).transition
    for j, n in enumerate(SIZES):
        p = curie_weiss_sums(SHOWN, beta, n, FIELD).first
        right.semilogy(np.arange(n + 1) / n, n * p, color=COLOURS[j], lw=1.2, label=f"$N={n}$")
        runs[f"exact_{n}"] = p
    n, J = SIZES[0], beta / SIZES[0] * (1 - np.eye(SIZES[0]))
    h = FIELD * np.eye(SHOWN)[np.zeros(n, int)]
    colours, _ = sample(J, np.eye(SHOWN), h, chains=8, samples=samples, **sheet.part(6, 1, 7))
    seen_first = np.bincount((colours == 0).sum(axis=2).ravel(), minlength=n + 1) / colours[..., 0].size
    right.plot(
        np.arange(n + 1) / n, np.where(seen_first > 0, n * seen_first, np.nan), "o", color=COLOURS[0], mfc="white", ms=3
    )
    left.set(xlabel=r"coupling $\beta/C$", ylabel="$q$", xlim=(0.28, 1.32), ylim=(-0.03, 1.03))
    middle.set(xlabel=r"coupling $\beta$", ylabel="field $h$", xlim=(2, 10.2), ylim=(0, 0.65))
    right.set(xlabel="share $x_0$ of the first colour", ylabel=r"$N\,\mathrm{Prob}(x_0)$", ylim=(1e-3, 30),
              title=f"$C={SHOWN}$, $h={FIELD}$, $\\beta={beta:.3f}$")  # fmt: skip
    left.legend(loc="center left", bbox_to_anchor=(0.0, 0.4))
    middle.legend(loc="upper right")
    right.legend(loc="lower center", fontsize=6.5, ncols=2)
    return {**runs, "sampled": seen_first}
