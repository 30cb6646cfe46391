"""A neuron looks for spikes: higher cumulants by themselves are found late, in the company of a covariance early.

(a, b) Lines are the equations of motion, points means of 16 runs with standard errors, N = 1000 in (a) and 4000 in
(b). (c) Points are medians of 16 runs that begin at m = 1.5/√N, bars their quartiles, lines the time that the
equations take, dotted the laws for large N.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.odes.spiked_cumulant import escape_time
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

LATENTS = ("rademacher", "uniform", "laplace")
#: Start of the search, in units of 1/√N, and η in units of 1/N for the cumulant, in those of 1 for the covariance.
FIRST, SLOW, FAST = 1.5, 0.1, 0.1
COVARIANCE: dict[str, Any] = {"task": "mixed", "beta": 0.0, "beta_u": 5.0}


def at(m: Any) -> tsphys.OrderParameters:
    """A start with these overlaps."""
    return tsphys.OrderParameters(R=[m], Q=np.eye(1), T=np.eye(len(m)))


def search(N: float, cumulant: bool) -> tuple[tsphys.SpikedCumulant, tsphys.OrderParameters, float]:
    """What is looked for from an overlap FIRST/√N, with the time that it takes in theory."""
    m = [FIRST / np.sqrt(N)] if cumulant else [0.0, FIRST / np.sqrt(N), 0.0]
    model = tsphys.SpikedCumulant(lr=SLOW / N) if cumulant else tsphys.SpikedCumulant(lr=FAST, **COVARIANCE)
    return model, at(m), escape_time(model, m, direction=0 if cumulant else 1)


def found(N: int, cumulant: bool, **options: Any) -> np.ndarray:
    """Time of each replica until its overlap has reached ½, infinite if it takes thrice what it should in theory."""
    model, start, expected = search(N, cumulant)
    # Whole steps; there are fewer than 300 for the covariance at the smallest N.
    t = np.unique(np.round(np.linspace(0, 3 * expected, 301) * N)) / N
    overlap = np.abs(tsphys.simulate(model, N=N, start=start, t=t, **options)["R"][:, :, 0, 0 if cumulant else 1])
    return np.where((overlap >= 0.5).any(axis=1), t[(overlap >= 0.5).argmax(axis=1)], np.inf)


@drawn(replicas=(8, 16), N=(300, 1000), end=(1500.0, 3000.0))
def draw(sheet: Sheet, replicas: int, N: int, end: float) -> dict[str, Any]:
    sizes = {True: (16, 24, 32) if sheet.quick else (16, 24, 32, 48), False: (16, 64, 256, 1024)}
    parts = len(LATENTS) + 2 + sum(map(len, sizes.values()))
    shares = (sheet.share(n, 1, parts) for n in range(parts))
    runs: dict[str, Any] = {}
    data: dict[str, np.ndarray] = {}
    options = {"replicas": replicas, **sheet.options}
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.7))
    for n, latent in enumerate(LATENTS):
        model = tsphys.SpikedCumulant(latent=latent, lr=0.02)
        theory = tsphys.solve(model, start=at([0.5]), t=np.linspace(0, end, 101), N=N, fluctuations=True)
        sim = tsphys.simulate(model, start=at([0.5]), t=np.linspace(0, end, 11), N=N, progress=next(shares), **options)
        theory_line(left, theory, "R", (0, 0), color=COLOURS[n], label=latent)
        simulation_points(left, sim, "R", (0, 0), color=COLOURS[n], fmt=MARKERS[n])
        runs |= {f"theory_{latent}": theory, f"simulation_{latent}": sim}
    N, end, first = 4000, 40.0, [0.0, 0.02, 0.02]
    for n, correlated in enumerate((True, False)):
        model = tsphys.SpikedCumulant(task="mixed", beta_u=5.0, correlated=correlated, lr=0.2)
        theory = tsphys.solve(model, start=at(first), t=np.linspace(0, end, 101), N=N, fluctuations=True)
        sim = tsphys.simulate(model, start=at(first), t=np.linspace(0, end, 11), N=N, progress=next(shares), **options)
        for axis, name in ((1, "u"), (2, "v")):
            theory_line(middle, theory, "R", (0, axis), color=COLOURS[axis], ls="--" * n or "-",
                        label=f"${name}$, {'in' * n}{'dependent' if n else 'correlated'}")  # fmt: skip
            simulation_points(middle, sim, "R", (0, axis), color=COLOURS[axis], fmt=MARKERS[n])
        runs |= {f"theory_correlated_{correlated}": theory, f"simulation_correlated_{correlated}": sim}
    for n, (cumulant, name, guide, words) in enumerate(
        (
            (True, "fourth cumulant", lambda N: N**3, "$N^3$"),
            (False, "covariance", lambda N: N * np.log(N), r"$N\ln N$"),
        )
    ):
        times = np.array([found(N, cumulant, progress=next(shares), **options) for N in sizes[cumulant]])
        many, wide = np.array(sizes[cumulant]), np.geomspace(16, 512 if cumulant else 1e5, 8)
        line = wide * np.array([search(M, cumulant)[2] for M in wide])
        low, median, high = np.quantile(times, (0.25, 0.5, 0.75), axis=1, method="nearest") * many
        right.plot(wide, line, color=COLOURS[n], label=name)
        right.errorbar(many, median, yerr=np.array([median - low, high - median]), fmt=MARKERS[n],
                       color=COLOURS[n], mfc="white", capsize=2, zorder=3)  # fmt: skip
        right.plot(wide, guide(wide) * line[-1] / guide(wide[-1]), color="black", lw=0.8, ls=":")
        right.annotate(words, (wide[-1], line[-1]), xytext=(-30, -2), textcoords="offset points", fontsize=8)
        data |= {f"times_{name}": times, f"sizes_{name}": many, f"theory_N_{name}": wide, f"theory_{name}": line}
    time = "time $t=$ examples$/N$"
    left.set(xlabel=time, ylabel="overlap $m$ with the spiked cumulant", ylim=(0.15, 1.2))
    middle.set(xlabel=time, ylabel="overlaps, mixed cumulants", ylim=(-0.05, 1.35))
    right.set(xscale="log", yscale="log", xlabel="dimension $N$", ylabel="examples until $|m|=1/2$")
    left.legend(title="latent law", title_fontsize=8.5, loc="upper left")
    middle.legend(loc="upper left", fontsize=6.5)
    right.legend(loc="lower right")
    return {**runs, **data}
