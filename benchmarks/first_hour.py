"""What the first hour costs: ``python -m tsphys.benchmarks.first_hour [MODEL …] [--install]``.

Seconds of ``import tsphys``; milliseconds from a moved slider of the explorer to the new curve, of each model; with
``--install``, seconds from ``pip install`` in an empty environment to a plot of one's own in five lines.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from tsphys.errors import ModelError

#: Milliseconds of each move, by the clock and of the processor (moves, 2).
Times: TypeAlias = np.ndarray

#: What somebody types into a first notebook.
FIVE_LINES = """\
import numpy as np, tsphys
model = tsphys.TwoLayer(K=2, M=2, lr=0.5, noise=0.1)
how = dict(start=tsphys.OrderParameters(R=0.3 * np.eye(2), Q=0.2 * np.eye(2), T=np.eye(2)), t=np.geomspace(0.1, 100))
sim, theory = tsphys.simulate(model, N=1000, **how), tsphys.solve(model, **how)
tsphys.plot(sim, theory, "eps_g")"""
#: Moves of a slider that are timed, after one that compiles.
MOVES = 7


def import_seconds(rounds: int = 7) -> tuple[float, float]:
    """Median seconds of a process that imports tsphys, and of one that does nothing."""
    return tuple(  # type: ignore[return-value]
        float(np.median([_seconds([sys.executable, "-c", code]) for _ in range(rounds)]))
        for code in ("import tsphys", "")
    )


def _seconds(command: list[str], **options: Any) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **options)
    return time.perf_counter() - begun


def redraws(name: str) -> tuple[str, Times, Times]:
    """Which slider was moved, and the milliseconds from each move to the first curve, and to the whole.

    The first is a sketch where the whole takes long. By the clock and of the processor; on a busy machine the second
    counts. The browser's share is not in it; ``tests/browser/explore.py`` has it.
    """
    from bokeh.document import Document

    from tsphys.explore.page import Page
    from tsphys.explore.work import Sketched, Wish

    page, theories = Page(Document(), name), Sketched()
    begun = page._wish()
    for drawn in theories(begun, lambda: False):
        page._show_theory(begun, *drawn)
    able = (c for c in page.known if c.kind in ("log", "number") and c.model and c.name != begun.axis)
    slider = next((c for c in able if _allowed(begun, c)), None)
    first, last = [], []
    for i in range(MOVES + 1):
        moved = {} if slider is None else {slider.name: slider.read(_moved(slider, i + 1))}
        wish = Wish(name, {**begun.values, **moved}, begun.axis, begun.points)
        start, seen = np.array([time.perf_counter(), time.process_time()]), []
        for found, whole in theories(wish, lambda: False):
            page._show_theory(wish, found, whole)
            now = np.array([time.perf_counter(), time.process_time()])
            seen.append(1e3 * (now - start) if not isinstance(found, Exception) else np.full(2, np.nan))
        first.append(seen[0])
        last.append(seen[-1])
    return slider.name if slider else "none", np.array(first[1:]), np.array(last[1:])


def _allowed(begun: Any, slider: Any) -> bool:
    """Whether the model takes another value of that parameter beside all others as they are."""
    try:
        dataclasses.replace(begun, values={**begun.values, slider.name: slider.read(_moved(slider, 1))}).described()
    except ModelError:
        return False
    return True


def _moved(slider: Any, steps: int) -> float:
    """Where a slider is after so many small steps, to the right if there is room."""
    step, at = (slider.high - slider.low) / 500, slider.write(slider.start)
    return at + steps * (step if at + (MOVES + 1) * step <= slider.high else -step)


def first_plot() -> tuple[float, float, float]:
    """Seconds of an installation into an empty environment, and of the five lines in it, nothing compiled before.

    Those of the lines by the clock, and of the processor.
    """
    root = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", f"{folder}/env"], check=True)
        python = str(next(Path(folder).glob("env/[bS]*/python*")))
        installing = _seconds([python, "-m", "pip", "install", "-q", str(root)])
        before = os.times()
        plotting = _seconds([python, "-c", f"{FIVE_LINES}.savefig('first.png')"], cwd=folder)
        after = os.times()
        used = after.children_user + after.children_system - before.children_user - before.children_system
        return installing, plotting, used


def main(words: list[str]) -> None:
    from tsphys.registry import MODELS

    print("import tsphys: {:.2f} s, of which Python itself {:.2f} s".format(*import_seconds()))
    print(
        "| model | slider | ms to a curve | of the processor | ms to the whole | of the processor |\n"
        + 6 * "|---"
        + "|"
    )
    for name in [w for w in words if not w.startswith("-")] or MODELS:
        slider, *found = redraws(name)
        told = [f"{ms:.0f}" for ms in np.concatenate([np.nanmedian(times, axis=0) for times in found])]
        print(f"| `{name}` | `{slider}` | " + " | ".join(told) + " |", flush=True)
    if "--install" in words:
        print(
            "pip install: {:.0f} s, then five lines to a plot: {:.0f} s, {:.0f} s of the processor".format(
                *first_plot()
            )
        )


if __name__ == "__main__":
    main(sys.argv[1:])
