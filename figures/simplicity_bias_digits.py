"""Handwritten digits and their clones: a network that learns the parity uses means, then covariances, then the rest.

(a) What is left of the images in each clone. (b, c) Means of 24 networks with 20 hidden units, each with a third of
the digits held out, and standard errors; lines join the points, there is no theory here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.figures.frame import Sheet, drawn
from tsphys.images import digits
from tsphys.plotting import COLOURS, PAGE

DATA = ("original", "gaussian", "isotropic")
NAMES = {"original": "digits", "gaussian": "Gaussian clone", "isotropic": "isotropic clone"}
#: Hidden units, and η.
K, RATE = 20, 0.15


def clone(x: np.ndarray, kinds: np.ndarray, data: str, count: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """`count` inputs and kinds like those of x (n, pixels), of which only some moments of each kind are kept."""
    rows = rng.integers(len(x), size=count)
    if data == "original":
        return x[rows], kinds[rows]
    out = np.empty((count, x.shape[1]))
    for kind in np.unique(kinds):
        own, mine = x[kinds == kind], kinds[rows] == kind
        mean = own.mean(axis=0)
        z = rng.standard_normal((mine.sum(), x.shape[1]))
        if data == "gaussian":
            # A root of the covariance from the images themselves, of which there are few.
            _, size, axes = np.linalg.svd((own - mean) / np.sqrt(len(own)), full_matrices=False)
            out[mine] = mean + z[:, : len(size)] * size @ axes
        else:
            out[mine] = mean + np.sqrt(own.var(axis=0).mean()) * z
    return out, kinds[rows]


def train(x: np.ndarray, y: np.ndarray, times: np.ndarray, test: Any, rng: np.random.Generator) -> np.ndarray:
    """Error and accuracy (len(times), 2) on the test set after so many steps of online SGD, an example each."""
    N = x.shape[1]
    w = 0.1 * rng.standard_normal((K, N))
    v = rng.choice([-1.0, 1.0], K) / np.sqrt(K)
    out, step = np.empty((len(times), 2)), 0
    for i, stop in enumerate(times):
        for n in range(step, stop):
            hidden = np.tanh(w @ x[n] / np.sqrt(N))
            delta = v @ hidden - y[n]
            change = RATE / np.sqrt(N) * delta
            w -= np.outer(change * v * (1 - hidden**2), x[n])
            v -= change * hidden
        step = stop
        answer = np.tanh(test[0] @ w.T / np.sqrt(N)) @ v
        out[i] = 0.5 * np.mean((answer - test[1]) ** 2), np.mean(answer * test[1] > 0)
    return out


@drawn({"K": K, "lr": RATE}, runs=(8, 24))
def draw(sheet: Sheet, runs: int) -> dict[str, Any]:
    images, digit = digits()
    x = images.reshape(len(images), -1)
    x = (x - x.mean()) / x.std()
    parity = np.where(digit % 2, 1.0, -1.0)
    N = x.shape[1]
    times = np.unique(np.geomspace(N / 4, (120 if sheet.quick else 600) * N, 25).astype(int))
    curves = np.empty((len(DATA), runs, len(times), 2))
    for run in range(runs):
        listen = sheet.share(run, 1, runs)
        order = np.random.default_rng([sheet.seed, run]).permutation(len(x))
        learned, kept = order[: 2 * len(x) // 3], order[2 * len(x) // 3 :]
        for n, data in enumerate(DATA):
            # The same start and the same order of labels for the three.
            rng = np.random.default_rng([sheet.seed, run, 1])
            inputs, labels = clone(x[learned], parity[learned], data, times[-1], rng)
            student = np.random.default_rng([sheet.seed, run, 2])
            curves[n, run] = train(inputs, labels, times, (x[kept], parity[kept]), student)
            if listen is not None:
                listen((n + 1) / len(DATA))
    t = times / N
    samples = {d: clone(x, parity, d, 40, np.random.default_rng(sheet.seed))[0] for d in DATA}
    shown, curve = sheet.blank((PAGE, 2.7)).subfigures(1, 2, width_ratios=(1, 2.6))
    for line, data in zip(shown.subplots(3, 4), DATA, strict=True):
        for ax, image in zip(line, samples[data], strict=False):
            ax.imshow(image.reshape(images.shape[1:]), cmap="gray_r", vmin=x.min(), vmax=x.max())
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(True)
        name = line[0].annotate(
            NAMES[data], (0, 1), xycoords="axes fraction", xytext=(0, 3), textcoords="offset points", fontsize=8,
            color=COLOURS[DATA.index(data)],
        )  # fmt: skip
        # It is wider than its image, which must not be widened for it.
        name.set_in_layout(False)
        if data == DATA[0]:
            first = line[0]
    left, right = curve.subplots(1, 2)
    sheet.panels = [first, left, right]
    for n, data in enumerate(DATA):
        for ax, column in ((left, 0), (right, 1)):
            values = curves[n, :, :, column]
            error = values.std(axis=0, ddof=1) / np.sqrt(runs)
            ax.errorbar(t, values.mean(axis=0), yerr=error, color=COLOURS[n], marker="o", mfc="white", ms=3,
                        lw=1.2, capsize=1.5, label=NAMES[data])  # fmt: skip
    left.set(xscale="log", xlabel="time $t=$ examples$/N$", ylabel=r"error on digits, $\epsilon_g$")
    right.set(xscale="log", xlabel="time $t=$ examples$/N$", ylabel="accuracy on digits")
    left.legend(title="trained on", title_fontsize=7.5)
    numbers = {"t": t, "curves": curves, **{f"sample_{d}": samples[d] for d in DATA}}
    return numbers
