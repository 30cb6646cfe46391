"""A memory retrieved: the spins of a Hopfield network, cued with a spoilt picture, find the stored one."""

from __future__ import annotations

import numpy as np

import tsphys
from tsphys.figures.frame import Drawing, Sheet, moving
from tsphys.plotting import COLOURS, PAGE

T, ALPHA, CUES = 0.3, 0.05, (0.35, 0.1)
WORD, HEIGHT, WIDTH = "memory", 50, 120


def picture() -> np.ndarray:
    """The word in black on white, as a pattern of ±1 (HEIGHT, WIDTH)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
    canvas = FigureCanvasAgg(figure)
    figure.text(0.5, 0.54, WORD, ha="center", va="center", fontsize=18, fontweight="bold")
    canvas.draw()
    grey = np.asarray(canvas.buffer_rgba())[..., 0]
    return np.where(grey < 128, 1, -1).astype(np.int8)


@moving(fps=5, frames=(13, 31))
def animate(sheet: Sheet, frames: int) -> Drawing:
    sweeps = np.arange(frames)
    image = picture()
    N = image.size
    rng = np.random.default_rng(sheet.seed)
    patterns = rng.choice(np.array([-1, 1], np.int8), (round(ALPHA * N), N))
    # A picture is mostly white; its overlap with random patterns is as small as theirs with each other.
    patterns[0] = image.ravel()
    model = tsphys.Hopfield(T=T, alpha=ALPHA)
    runs = []
    for n, cue in enumerate(CUES):
        part = sheet.share(n, 1, len(CUES))
        start = np.where(rng.random(N) < (1 + cue) / 2, patterns[0], -patterns[0])
        options = {"patterns": patterns, "start": start, "keep_spins": True, **sheet.options}
        runs.append(tsphys.simulate(model, N=N, t=sweeps, progress=part, **options))
    theory = tsphys.solve(model, alpha=[ALPHA])
    figure = sheet.blank((PAGE, 2.9))
    grid = figure.add_gridspec(len(CUES), 2, width_ratios=(1.25, 1))
    curve = figure.add_subplot(grid[:, 1])
    shown, curves = [], []
    for n, cue in enumerate(CUES):
        ax = figure.add_subplot(grid[n, 0])
        shown.append(ax.imshow(image, cmap="gray_r", vmin=-1, vmax=1))
        ax.set(xticks=[], yticks=[], title=f"cue of overlap {cue:g}")
        ax.spines[:].set_visible(True)
        curves.append(curve.plot([], [], "o-", lw=0.8, mfc="white", color=COLOURS[n], label=f"cue {cue:g}")[0])
    curve.axhline(theory["m"][0], color="black", lw=0.8, ls=":", label="replica theory")
    curve.set(xlim=(-0.5, sweeps[-1] + 0.5), ylim=(-0.1, 1.05), xlabel="sweeps", ylabel="overlap $m$")
    curve.set_title(f"Hopfield, $N={N}$, $\\alpha={ALPHA:g}$, $T={T:g}$")
    curve.legend(loc="center right")

    def redraw(i: int) -> None:
        for image_of, line, run in zip(shown, curves, runs, strict=True):
            spins = run["spins"][0, i].reshape(HEIGHT, WIDTH)
            image_of.set_data(spins)
            m = run["spins"][0, : i + 1].astype(float) @ patterns[0] / N
            line.set_data(sweeps[: i + 1], m)

    return redraw, frames
