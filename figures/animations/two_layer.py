"""Specialisation: each hidden unit of a student finds a teacher unit of its own, seen in the matrix of overlaps."""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Drawing, Sheet, moving
from tsphys.plotting import COLOURS, PAGE

MODEL = tsphys.TwoLayer(K=4, M=3, activation="erf", lr=0.8, lr_v=0.0)
START = tsphys.OrderParameters(
    R=0.03 * np.array([[1.0, 0.2, 0.0], [0.0, 1.1, 0.3], [0.2, 0.0, 0.9], [0.4, 0.3, 0.1]]),
    Q=np.diag([0.10, 0.14, 0.12, 0.11]),
    T=np.eye(3),
    v=np.ones(4),
    v_star=np.ones(3),
)


def cosines(result: Any) -> np.ndarray:
    """ρ_km = R_km/√(Q_kk T_mm) (…, K, M) of a result."""
    norms = np.sqrt(np.diagonal(result["Q"], axis1=-2, axis2=-1))
    return result["R"] / norms[..., :, None] / np.sqrt(np.diag(result["T"]))


@moving(frames=(40, 120), N=(1000, 10_000))
def animate(sheet: Sheet, frames: int, N: int) -> Drawing:
    t = np.linspace(0, 300, frames)
    theory = tsphys.solve(MODEL, start=START, t=t)
    sim = tsphys.simulate(MODEL, N=N, start=START, t=t, **sheet.options, progress=sheet.progress)
    seen = cosines(sim)[0], cosines(theory)
    axes = sheet.subplots(1, 3, figsize=(PAGE, 2.6), width_ratios=(1.5, 1, 1))
    axes[0].plot(t, theory["eps_g"], color=COLOURS[0], lw=1, alpha=0.4, label=r"ODE, $N\to\infty$")
    (dots,) = axes[0].plot([], [], "o", color=COLOURS[1], mfc="white", label=f"SGD, $N={N}$")
    axes[0].set(yscale="log", xlabel="time $t=$ examples$/N$", ylabel=r"generalisation error $\epsilon_g$")
    axes[0].legend(loc="lower left")
    axes[0].set_title(f"erf, $K={MODEL.K}$, $M={MODEL.M}$, $\\eta={MODEL.lr:g}$")
    images = []
    for ax, values, name in zip(axes[1:], seen, (f"SGD, $N={N}$", "ODE"), strict=True):
        image = ax.imshow(values[0], cmap="RdBu_r", vmin=-1, vmax=1)
        ax.set(xticks=range(MODEL.M), yticks=range(MODEL.K), xlabel="teacher unit $m$", title=name)
        ax.set_xticklabels(range(1, MODEL.M + 1))
        ax.set_yticklabels(range(1, MODEL.K + 1))
        ax.spines[:].set_visible(True)
        images.append(image)
    axes[1].set_ylabel("student unit $k$")
    sheet.figure.colorbar(images[1], ax=axes[2], label=r"$R_{km}/\sqrt{Q_{kk}T_{mm}}$")

    def redraw(i: int) -> None:
        dots.set_data(t[: i + 1], sim["eps_g"][0, : i + 1])
        for image, values in zip(images, seen, strict=True):
            image.set_data(values[i])

    return redraw, frames
