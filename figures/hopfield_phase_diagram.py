"""Where a Hopfield network remembers: simulated retrieval under the lines of the replica-symmetric phase diagram.

Colour is the mean overlap of 4 networks that begin at a pattern, N = 2000, and 4000 in (b), after 100 sweeps; lines
are replica theory. Beyond retrieval a pattern is not forgotten at once, nor is it to zero at low temperature, whence
the pale rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.ground.progress import share
from tsphys.plotting import COLOURS, PAGE
from tsphys.replica import hopfield as theory

#: Ranges of load and temperature of the whole diagram and of its corner at the capacity.
WHOLE, CORNER = ((0.0, 0.16), (0.0, 1.5)), ((0.1, 0.15), (0.0, 0.15))


def centres(ends: tuple[float, float], count: int) -> np.ndarray:
    """Middles of `count` cells between two values."""
    low, high = ends
    return low + (high - low) * (np.arange(count) + 0.5) / count


def retrieval_map(
    window: Any, shape: tuple[int, int], N: int, replicas: int, sweeps: int, progress: Any, seed: int, **options: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loads (a,), temperatures (b,) and mean final overlap (b, a) of runs that start at a pattern, all independent."""
    loads, temperatures = centres(window[0], shape[0]), centres(window[1], shape[1])
    rows = []
    for done, T in enumerate(temperatures):
        sim = tsphys.simulate(
            tsphys.Hopfield(T=T), N=N, alpha=loads, replicas=replicas, equilibration=sweeps, sweeps=sweeps // 4,
            seed=seed + done, progress=share(progress, done, 1, len(temperatures)), **options,
        )  # fmt: skip
        rows.append(np.abs(sim["m"]).mean(0))
    return loads, temperatures, np.array(rows)


def lines(count: int) -> dict[str, np.ndarray]:
    """Spinodal and first-order line over temperature, glass and stability lines over load."""
    T = np.concatenate([np.linspace(0, 0.1, count // 2), np.linspace(0.1, 1, count)[1:-1], [0.99, 0.999]])
    found = theory.lines(tsphys.Hopfield(), T)
    alpha = np.linspace(0, WHOLE[0][1], 60)
    # Above, replica symmetry is stable up to the spinodal.
    cold = np.geomspace(1e-4, 0.0205, count)
    return {
        "T": np.append(T, 1.0),
        "alpha_M": np.append(found["alpha_M"], 0.0),
        "alpha_c": np.append(found["alpha_c"], 0.0),
        "alpha": alpha,
        "T_g": np.array([theory.glass_temperature(tsphys.Hopfield(alpha=a)) for a in alpha]),
        "alpha_R": np.array([theory.at_load(tsphys.Hopfield(T=x)) for x in cold]),
        "T_R": cold,
    }


def draw_lines(ax: Any, found: dict[str, np.ndarray]) -> None:
    """The four lines in the colours of both panels."""
    ax.plot(found["alpha_M"], found["T"], color=COLOURS[1], label=r"$T_M$: retrieval ends")
    ax.plot(found["alpha_c"], found["T"], color=COLOURS[2], ls="--", label=r"$T_c$: retrieval is the global minimum")
    ax.plot(found["alpha"], found["T_g"], color="black", ls="-.", label=r"$T_g=1+\sqrt{\alpha}$: spin glass")
    ax.plot(found["alpha_R"], found["T_R"], color=COLOURS[3], ls=":", label=r"$T_R$: replica symmetry breaks")


@drawn(N=(1000, 2000), replicas=(2, 4), shape=((16, 15), (32, 30)), sweeps=(80, 100))
def draw(sheet: Sheet, N: int, replicas: int, shape: Any, sweeps: int) -> dict[str, Any]:
    options = sheet.options
    found = lines(20 if sheet.quick else 60)
    whole = retrieval_map(WHOLE, shape, N, replicas, sweeps, sheet.share(0.1, 0.5, 1), **options)
    corner_N = 2 * N
    corner = retrieval_map(
        CORNER, (shape[0] // 2, shape[1] // 2), corner_N, replicas, sweeps, sheet.share(0.6, 0.4, 1), **options
    )
    axes = sheet.subplots(1, 2, figsize=(PAGE, 3.2), width_ratios=(1.25, 1))
    for ax, (_, _, overlap), window in zip(axes, (whole, corner), (WHOLE, CORNER), strict=True):
        (left, right), (low, high) = window
        image = ax.imshow(
            overlap, origin="lower", aspect="auto", extent=(left, right, low, high), cmap="Blues", vmin=0, vmax=1.25
        )
        draw_lines(ax, found)
        ax.set(xlim=(left, right), ylim=(low, high), xlabel=r"load $\alpha=P/N$", ylabel="temperature $T$")
    words = {"fontsize": 8, "ha": "center", "va": "center"}
    axes[0].text(0.115, 1.15, "spin glass", **words)
    axes[0].text(0.03, 1.36, "paramagnet", **words)
    axes[0].text(0.083, 0.15, "retrieval\n(metastable)", color="white", **words)
    axes[0].text(0.02, 0.15, "retrieval\n(global)", color="white", **words)
    axes[0].legend(loc="upper right", bbox_to_anchor=(1.0, 0.72))
    axes[0].set_title(f"simulation from a pattern, $N={N}$")
    axes[1].set_title(f"at the capacity, $N={corner_N}$")
    bar = sheet.figure.colorbar(
        image, ax=axes, pad=0.01, label="simulated overlap $m$", boundaries=np.linspace(0, 1, 101)
    )
    bar.set_ticks([0, 0.5, 1])
    data = {f"theory_{k}": v for k, v in found.items()}
    for name, values in (("whole", whole), ("corner", corner)):
        data |= {f"{name}_{k}": v for k, v in zip(("alpha", "T", "m"), values, strict=True)}
    return data
