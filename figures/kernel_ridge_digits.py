"""Ridge regression on handwritten digits: the spectrum of a kernel on them tells the error on those held out.

(a) The spectrum of the kernel on the images, and the part of the labels beyond each mode. (b, c) Points are means of
48 draws of the digits that are learned, bars standard errors, errors on all others; lines are the eigenframework on
that spectrum, which takes images for Gaussian: points of (b) are within 4 per cent of it up to n = 400, and up to 9 per
cent off at 700; those of (c) lie above, by up to 19 per cent at n = 50 and 12 at n = 200.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.images import digits
from tsphys.physics.kernels import dual_kernel, eigensystem
from tsphys.physics.kernels.hermite import activate
from tsphys.plotting import COLOURS, MARKERS, PAGE, simulation_points, theory_line

RIDGES, EXAMPLES, ACTIVATION = (1e-3, 1e-1, 1.0), (50, 200), "relu"


@drawn({"ridges": RIDGES, "examples": EXAMPLES, "activation": ACTIVATION}, replicas=(12, 48), most=(1000, None))
def draw(sheet: Sheet, replicas: int, most: int) -> dict[str, Any]:
    images, labels = digits()
    chosen = np.random.default_rng(sheet.seed).permutation(len(images))[:most]
    x = images[chosen].reshape(len(chosen), -1).astype(float)
    even = np.where(labels[chosen] % 2 == 0, 1.0, -1.0)
    eigenvalues, target, functions = eigensystem(dual_kernel(ACTIVATION, x), even)
    P = len(x)
    model = tsphys.KernelRidge(eigenvalues=eigenvalues, target=target)
    options: dict[str, Any] = {"replicas": replicas, **sheet.options, "population": functions}

    def relu(rng: np.random.Generator, k: int) -> np.ndarray:
        return activate(ACTIVATION, x @ rng.standard_normal((x.shape[1], k)) / np.sqrt(x.shape[1]))

    n = np.unique(np.geomspace(10, 0.4 * P, 9).astype(int))
    k = np.unique(np.geomspace(10, 2000, 9).astype(int))
    runs: dict[str, Any] = {}
    jobs = len(RIDGES) + len(EXAMPLES)
    left, middle, right = sheet.subplots(1, 3, figsize=(PAGE, 2.6))
    i = np.arange(1, np.count_nonzero(eigenvalues) + 1)
    left.loglog(i, eigenvalues[: len(i)], color="black", label=r"$\lambda_i$")
    tail = 1 - np.cumsum(target[: len(i)] ** 2) / np.sum(target**2)
    left.loglog(i[:-1], np.maximum(tail[:-1], 1e-16), color=COLOURS[1], ls="--", label="target beyond $i$")
    for j, ridge in enumerate(RIDGES):
        theory = tsphys.solve(model, ridge=ridge, n=np.unique(np.geomspace(10, 0.4 * P, 61).astype(int)), inputs=P)
        sim = tsphys.simulate(model, ridge=ridge, n=n, progress=sheet.share(j, 1, jobs), **options)
        theory_line(middle, theory, "eps_held", color=COLOURS[j], label=f"$\\delta={ridge:g}$")
        simulation_points(middle, sim, "eps_held", color=COLOURS[j], fmt=MARKERS[j])
        runs |= {f"theory_ridge{ridge:g}": theory, f"simulation_ridge{ridge:g}": sim}
    for j, size in enumerate(EXAMPLES):
        theory = tsphys.solve(
            model, n=size, k=np.unique(np.geomspace(10, 2000, 61).astype(int)), ridge=RIDGES[0], inputs=P
        )
        listen = sheet.share(len(RIDGES) + j, 1, jobs)
        sim = tsphys.simulate(model, n=size, k=k, ridge=RIDGES[0], features=relu, progress=listen, **options)
        theory_line(right, theory, "eps_held", color=COLOURS[4 + j], label=f"$n={size}$")
        simulation_points(right, sim, "eps_held", color=COLOURS[4 + j], fmt=MARKERS[4 + j])
        runs |= {f"theory_n{size}": theory, f"simulation_n{size}": sim}
    left.set(xlabel="mode $i$", ylim=(1e-6, 2), title=f"  {P} digits, {ACTIVATION}")
    middle.set(xscale="log", yscale="log", xlabel="digits learned $n$", ylabel=r"error $\epsilon_g$ on those held out")
    middle.set_title("kernel, even or odd?")
    right.set(
        xscale="log",
        yscale="log",
        xlabel="random features $k$",
        title=f"{ACTIVATION} features, $\\delta=10^{{-3}}$",
    )
    for panel in (left, middle, right):
        panel.legend(loc="upper right" if panel is right else "lower left")
    data = {"eigenvalues": eigenvalues, "target": target}
    return {**runs, **data}
