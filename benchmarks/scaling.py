"""Cost of a step against N and K in one picture."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np

from tsphys.benchmarks import limit, naive_numba, plain_numpy
from tsphys.benchmarks.online import engine
from tsphys.benchmarks.setting import Setting
from tsphys.benchmarks.timing import interleaved

SIZES = (30, 100, 300, 1000, 3000, 10**4, 3 * 10**4)
LARGE = (10**5, 10**6, 10**7, 10**8, 10**9)
WIDTHS = (1, 2, 4, 8, 16)
#: What every direct simulation has to do.
LIMIT = "inputs drawn, weights read once"


def cases(setting: Setting, exact_only: bool = False) -> dict[str, Any]:
    """What is timed at one setting."""
    exact = {"exact": engine(setting, "exact")}
    if exact_only:
        return exact
    return {
        "plain NumPy": plain_numpy.start(setting),
        "naive Numba": naive_numba.start(setting),
        "direct": engine(setting, "direct"),
        "direct float32": engine(setting, "direct", np.float32),
        **exact,
        LIMIT: limit.start(setting),
    }


def curves(setting: Setting, name: str, values: list[int], seconds: float) -> dict[str, np.ndarray]:
    """Microseconds of the processor a step of each case at each value of the field `name`, NaN where it was not run."""
    out: dict[str, np.ndarray] = {}
    for i, value in enumerate(values):
        at = dataclasses.replace(setting, **{name: value})  # type: ignore[arg-type]
        times = interleaved(cases(at, exact_only=SIZES[-1] < at.N), seconds, 3, clock=time.process_time)
        for case, t in times.items():
            out.setdefault(case, np.full(len(values), np.nan))[i] = 1e6 * np.median(t)
    return out


def draw(setting: Setting, out: Path) -> list[Path]:
    """Measure and draw; returns the files ``out.pdf``, ``out.png`` and ``out.npz``."""
    from tsphys.plotting import COLOURS, MARKERS, PAGE, label, save, style

    seconds = setting.seconds / 10
    low = setting.K + setting.M
    sizes = [n for n in (*SIZES, *LARGE) if n >= low]
    widths = [k for k in WIDTHS if k + setting.M <= setting.N]
    by_size = curves(setting, "N", sizes, seconds)
    by_width = curves(setting, "K", widths, seconds)
    data: dict[str, Any] = {"N": sizes, "K": widths}
    data.update({f"by_N {case}": t for case, t in by_size.items()})
    data.update({f"by_K {case}": t for case, t in by_width.items()})
    with style() as plt:
        figure, panels = plt.subplots(1, 2, figsize=(PAGE, 2.9), width_ratios=(1.6, 1))
        for panel, x, times in ((panels[0], sizes, by_size), (panels[1], widths, by_width)):
            for i, (case, t) in enumerate(times.items()):
                if case == LIMIT:
                    panel.plot(x, t, "k--", lw=1, label=case)
                else:
                    panel.plot(x, t, MARKERS[i] + "-", color=COLOURS[i], label=case)
            panel.set(xscale="log", yscale="log", ylabel="processor time of a step (µs)")
        panels[0].set(xlabel="input dimension $N$", title=f"$K={setting.K}$, $M={setting.M}$")
        panels[0].legend(loc="upper right")
        panels[1].set(xlabel="hidden units of the student $K$", title=f"$M={setting.M}$, $N={setting.N}$")
        panels[1].set_xscale("log", base=2)
        panels[1].set_xticks(widths, [str(k) for k in widths])
        for panel, letter in zip(panels, "ab", strict=True):
            label(panel, letter)
        return save(figure, out, data, dataclasses.asdict(setting))
