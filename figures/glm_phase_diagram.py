"""Where recovery is impossible, hard and easy: message passing on instances under the lines of the theory.

Colour is the mean error of message passing on 3 instances at N = 400, damped by 0.2, every cell on its own; lines are
theory for N → ∞. Finite instances blur the edge of what is easy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.ground.progress import share
from tsphys.plotting import COLOURS, PAGE
from tsphys.replica.glm import lines

SENSING = tsphys.GLM(prior="gauss_bernoulli", channel="linear", density=0.5)
BINARY = tsphys.GLM(prior="rademacher")
#: Ranges of the load and of the density of weights, and of the load and of the noise before the sign.
SENSING_WINDOW, BINARY_WINDOW = ((0.0, 1.0), (0.0, 1.0)), ((0.8, 1.8), (0.0, 0.025))

#: Without damping one instance in twenty of these sizes diverges at the recovery of sparse weights.
DAMPING = 0.2


def centres(ends: tuple[float, float], count: int) -> np.ndarray:
    """Middles of `count` cells between two values."""
    low, high = ends
    return low + (high - low) * (np.arange(count) + 0.5) / count


def recovery_map(
    model: tsphys.GLM, name: str, window: Any, shape: tuple[int, int], N: int, replicas: int, progress: Any, seed: int,
    **options: Any,
) -> np.ndarray:  # fmt: skip
    """Mean squared error (shape[1], shape[0]) of message passing from no knowledge, all cells independent."""
    loads, values = centres(window[0], shape[0]), centres(window[1], shape[1])
    rows = []
    for done, value in enumerate(values.tolist()):
        sim = tsphys.simulate(
            replace(model, **{name: value}), N=N, alpha=loads, replicas=replicas, seed=seed + done,
            damping=DAMPING, progress=share(progress, done, 1, len(values)), **options,
        )  # fmt: skip
        rows.append(sim.mean("mse"))
    return np.array(rows)


@drawn({"damping": DAMPING}, N=(200, 400), replicas=(2, 3), shape=((12, 10), (25, 20)), count=(10, 40))
def draw(sheet: Sheet, N: int, replicas: int, shape: Any, count: int) -> dict[str, Any]:
    options = sheet.options
    values = {
        "density": np.linspace(0.01, 0.99, count),
        "noise": np.concatenate([[0.0], np.geomspace(1e-4, 0.0185, count)]),
    }
    cases = ((SENSING, "density", SENSING_WINDOW), (BINARY, "noise", BINARY_WINDOW))
    data: dict[str, np.ndarray] = {}
    axes = sheet.subplots(1, 2, figsize=(PAGE, 3.0))
    for i, (ax, (model, name, window)) in enumerate(zip(axes, cases, strict=True)):
        found = lines(model, values[name], name)
        error = recovery_map(model, name, window, shape, N, replicas, sheet.share(i, 1, 2), **options)
        (left, right), (low, high) = window
        image = ax.imshow(
            error, origin="lower", aspect="auto", extent=(left, right, low, high), cmap="Blues_r", vmin=-0.3,
            vmax=1,
        )  # fmt: skip
        styles = {"informed": (":", "an informed state exists"), "transition": ("--", "equilibrium"),
                  "algorithmic": ("-", "message passing")}  # fmt: skip
        for colour, (key, (ls, text)) in zip((COLOURS[2], "black", COLOURS[1]), styles.items(), strict=True):
            if key == "informed" and name == "density":
                continue
            ax.plot(found[key], values[name], color=colour, ls=ls, label=text)
        ax.set(xlim=(left, right), ylim=(low, high), xlabel=r"load $\alpha=n/N$")
        data |= {
            f"{name}_values": values[name],
            f"{name}_mse": error,
            **{f"{name}_{k}": v for k, v in found.items()},
        }
    axes[0].set(ylabel=r"density $\rho$ of the weights", title=r"sparse weights, $y=z$")
    axes[1].set(ylabel=r"noise $\Delta$", title=r"$\pm1$ weights, $y=\mathrm{sign}(z+\sqrt{\Delta}\,\varepsilon)$")
    words: dict[str, Any] = {"fontsize": 8, "ha": "center", "va": "center"}
    axes[0].text(0.25, 0.75, "impossible", **words)
    axes[0].text(0.43, 0.335, "hard", rotation=38, **words)
    axes[0].text(0.75, 0.2, "easy", color="white", **words)
    axes[1].text(1.02, 0.012, "partial recovery", **words)
    axes[1].text(1.44, 0.0012, "hard", **words)
    axes[1].text(1.68, 0.006, "easy", color="white", **words)
    axes[1].legend(loc="upper left", fontsize=7)
    bar = sheet.figure.colorbar(image, ax=axes, pad=0.01, label=rf"simulated error $|w^*-\hat w|^2/N$, $N={N}$",
                          boundaries=np.linspace(0, 1, 101))  # fmt: skip
    bar.set_ticks([0, 0.5, 1])
    return data
