"""Handwritten digits stored and recalled by Hebbian networks of two, four and six bodies.

(a) Ten images, their cues, and where descent from them ends with ten images stored. (b) Means over 200 cues, bars
standard errors; lines join the points, there is no theory here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import tsphys
from tsphys.figures.frame import Sheet, drawn
from tsphys.images import digits
from tsphys.plotting import COLOURS, MARKERS, PAGE

ORDERS = (2, 4, 6)
CURVES = (2, 3, 4, 6)
#: Share of the pixels of a cue that are flipped.
NOISE = 0.15


def stored(images: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """`count` different images (count, height, width), the ten digits in turn."""
    by_digit = [np.flatnonzero(labels == d) for d in range(10)]
    order = [by_digit[k % 10][k // 10] for k in range(10 * min(map(len, by_digit)))]
    _, first = np.unique(images[order].reshape(len(order), -1), axis=0, return_index=True)
    return images[order][np.sort(first)][:count]


def cue(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The image with flipped pixels."""
    flipped = rng.permutation(image.size)[: round(NOISE * image.size)]
    out = image.ravel().copy()
    out[flipped] *= -1
    return out.reshape(image.shape)


def recall(patterns: np.ndarray, cues: np.ndarray, P: int, **options: Any) -> np.ndarray:
    """The fixed points that descent reaches from the cues (n, height, width), with the patterns stored."""
    flat = patterns.reshape(len(patterns), -1)
    model = tsphys.DenseHebbian(P=P, interaction="power")
    run = tsphys.simulate(
        model, N=flat.shape[1], patterns=flat, start=cues.reshape(len(cues), -1), replicas=len(cues), mixture=1,
        sweeps=2, equilibration=60, keep_spins=True, **options,
    )  # fmt: skip
    return run["spins"][:, 0].reshape(cues.shape)


@drawn(
    {"noise": NOISE}, counts=((2, 5, 10, 30, 100), (1, 2, 3, 5, 7, 10, 20, 30, 50, 100, 200, 400, 800)), tries=(40, 200)
)
def draw(sheet: Sheet, counts: Any, tries: int) -> dict[str, Any]:
    images, labels = digits()
    rng = np.random.default_rng(sheet.seed)
    ten = stored(images, labels, 10)
    cues = np.array([cue(image, rng) for image in ten])
    options = sheet.options
    recalled = {P: recall(ten, cues, P, **options) for P in ORDERS}

    overlaps = np.empty((len(CURVES), len(counts), tries))
    for k, count in enumerate(counts):
        patterns = stored(images, labels, count)
        shown = patterns[rng.integers(len(patterns), size=tries)]
        starts = np.array([cue(image, rng) for image in shown])
        for a, P in enumerate(CURVES):
            listen = sheet.share(k * len(CURVES) + a, 1, len(counts) * len(CURVES))
            found = recall(patterns, starts, P, **options, progress=listen)
            overlaps[a, k] = (found * shown).reshape(tries, -1).mean(axis=1)

    left, right = sheet.blank((PAGE, 2.4)).subfigures(1, 2, width_ratios=(1.5, 1))
    rows = {"stored": ten, "cue": cues, **{f"$P = {P}$": recalled[P] for P in ORDERS}}
    axes = left.subplots(len(rows), 10)
    for line, (name, shown) in zip(axes, rows.items(), strict=True):
        for ax, image in zip(line, shown, strict=True):
            ax.imshow(image, cmap="gray_r", vmin=-1, vmax=1)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(True)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    ax = right.subplots()
    for a, P in enumerate(CURVES):
        mean, sem = overlaps[a].mean(axis=1), overlaps[a].std(axis=1, ddof=1) / np.sqrt(tries)
        ax.errorbar(counts, mean, yerr=sem, marker=MARKERS[a], color=COLOURS[a], label=f"$P = {P}$")
    ax.axhline(1 - 2 * NOISE, color="black", lw=0.8, ls=":", label="cue")
    ax.set(xscale="log", xlabel="images stored", ylabel="overlap of recall and image", ylim=(0.3, 1.03))
    ax.legend(loc="lower left", ncols=2)
    ax.set_title(f"{images[0].size} pixels, {NOISE:.0%} of a cue flipped")
    sheet.panels = [axes[0][0], ax]
    data = {"stored": ten, "cues": cues, "counts": np.array(counts), "P": np.array(CURVES), "overlaps": overlaps}
    data |= {f"recalled_{P}": recalled[P] for P in ORDERS}
    return data
