"""One house style for every figure: vector PDF and PNG, colour-blind safe, labelled with the model's parameters."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.lines import printable
from tsphys.runs.files import pictures, write_together
from tsphys.runs.provenance import provenance
from tsphys.runs.result import Result

#: Okabe & Ito's colours (2008), told apart with every common colour vision; black is for reference lines.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#999999")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
#: Width in inches of one and two journal columns.
COLUMN, PAGE = 3.4, 7.0
#: Largest `Result.beta` at which what a theory foretells of a size is drawn.
VALID = 0.25

_STYLE: dict[str, Any] = {
    # Text and formulas in one face, both of which Matplotlib brings along.
    "font.family": ["STIXGeneral", "DejaVu Sans"],
    "mathtext.fontset": "stix",
    "font.size": 10,
    "axes.labelsize": 10,
    "axes.titlesize": 10,
    "legend.fontsize": 8,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.4,
    "lines.markersize": 3.5,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,
}


def _load(backend: str) -> None:
    """Load Matplotlib, which would stop at a backend that it does not know; files need none."""
    del os.environ["MPLBACKEND"]
    try:
        import matplotlib
    finally:
        os.environ["MPLBACKEND"] = backend
    with suppress(ValueError):
        matplotlib.rcParams["backend"] = backend


# It is not touched where it is loaded; and what wants colours alone does not wait for it.
if os.environ.get("MPLBACKEND") and "matplotlib" not in sys.modules:
    _load(os.environ["MPLBACKEND"])


class Sheets:
    """What figures need of `matplotlib.pyplot`, for files only: no window, no backend, no list of open figures."""

    @staticmethod
    def figure(**options: Any) -> Any:
        """A figure, with the options of `matplotlib.figure.Figure`."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        return FigureCanvasAgg(Figure(**options)).figure

    @staticmethod
    def subplots(nrows: int = 1, ncols: int = 1, *, figsize: Any = None, **options: Any) -> tuple[Any, Any]:
        """A figure of that size in inches and its panels, with the options of `matplotlib.figure.Figure.subplots`."""
        figure = Sheets.figure(figsize=figsize)
        return figure, figure.subplots(nrows, ncols, **options)


@contextmanager
def style() -> Iterator[type[Sheets]]:
    """Matplotlib with the house style; yields what makes figures, and leaves the user's backend and figures alone."""
    from cycler import cycler
    from matplotlib import rc_context

    # It warns about the time stamps of Matplotlib's own fonts.
    fonts = logging.getLogger("fontTools")
    level = fonts.level
    fonts.setLevel(logging.ERROR)
    try:
        settings: Any = {**_STYLE, "axes.prop_cycle": cycler(color=COLOURS)}
        with rc_context(settings):
            yield Sheets
    finally:
        fonts.setLevel(level)


def theory_line(
    ax: Any, theory: Result, name: str, index: tuple[int, ...] = (), band: bool = True, **kwargs: Any
) -> Any:
    """Draw an observable of a theory as a line; `index` picks an entry of a matrix such as R.

    With `band` also what it foretells of a size, if it was solved with ``fluctuations=True``; see `theory_band`.
    """
    line = ax.plot(theory[theory.axis], theory[name][_entry(index)], **{"zorder": 2, **kwargs})[0]
    if band and theory.first_order is not None and name in theory.first_order:
        theory_band(ax, theory, name, index, color=line.get_color())
    return line


def theory_band(ax: Any, theory: Result, name: str, index: tuple[int, ...] = (), **kwargs: Any) -> Any:
    """Draw what a theory at a size foretells of single runs: their mean, dotted, and a band of their spread.

    Both end where the size is too small for it, β > ¼.
    """
    at, t = _entry(index), theory[theory.axis]
    mean, std = (np.where(theory.beta() <= VALID, f(name)[at], np.nan) for f in (theory.mean, theory.std))
    line = ax.plot(t, mean, **{"ls": ":", "lw": 1.1, "zorder": 2, **kwargs})[0]
    ax.fill_between(t, mean - std, mean + std, color=line.get_color(), alpha=0.18, lw=0, zorder=1)
    return line


def _entry(index: tuple[int, ...]) -> tuple[Any, ...]:
    return (slice(None), *index)


def simulation_points(ax: Any, sim: Result, name: str, index: tuple[int, ...] = (), **kwargs: Any) -> Any:
    """Draw an observable of a simulation as open points with the standard error of the mean."""
    at = _entry(index)
    options: dict[str, Any] = {
        "fmt": "o",
        "mfc": "white",
        "mew": 0.9,
        "elinewidth": 0.9,
        "capsize": 1.5,
        "zorder": 3,
        **kwargs,
    }
    return ax.errorbar(sim[sim.axis], sim.mean(name)[at], yerr=sim.sem(name)[at], **options)


def label(panel: Any, letter: str) -> None:
    """Name a panel (a), (b), … at its upper left corner."""
    panel.annotate(
        f"({letter})", xy=(0, 1), xycoords="axes fraction", xytext=(-4, 4), textcoords="offset points",
        ha="right", va="bottom", fontweight="bold",
    )  # fmt: skip


def save(figure: Any, out: Any, data: Mapping[str, Any] | Result, parameters: Mapping[str, Any]) -> list[Path]:
    """Write ``out.pdf``, ``out.png`` and ``out.npz`` (what was drawn, for `tsphys.load`), whole or not at all.

    The same data give the same bytes: no date is written into the pictures.

    Parameters
    ----------
    figure : matplotlib Figure
    out : path-like
        Path without suffix; its folder is made.
    data : mapping of str to array, or Result
        The numbers behind the picture; those of a mapping need not have an axis in common.
    parameters : mapping
        What they depend on, kept in all files.

    Returns
    -------
    list of Path
        What was written.
    """
    paths = pictures(out)
    out = paths[0].with_suffix("")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError("output", str(out), f"the folder cannot be made ({error.strerror})") from None
    about = json.dumps({"figure": out.name, "parameters": parameters, "versions": provenance()["versions"]})
    pdf = {"Creator": "tsphys", "Keywords": about, "CreationDate": None}
    png = {"Software": "tsphys", "Comment": about}
    if not isinstance(data, Result):
        arrays: dict[str, Any] = {k: np.asarray(v) for k, v in data.items()}
        name = printable(out.name)
        data = Result("figure", name, dict(parameters), "", arrays, constants=tuple(arrays), meta=provenance())
    fills = {
        paths[1]: lambda file: figure.savefig(file, format="png", metadata=png),
        paths[0]: lambda file: _as_laid_out(figure, file, format="pdf", metadata=pdf),
        paths[2]: data.write,
    }
    write_together(fills)
    return paths


def _as_laid_out(figure: Any, file: Any, **options: Any) -> None:
    """Save a figure with the layout that it was drawn with before, which takes as long to find as to draw."""
    engine = figure.get_layout_engine()
    if engine is not None:
        figure.set_layout_engine("none")
    try:
        figure.savefig(file, **options)
    finally:
        if engine is not None:
            figure.set_layout_engine(engine)


def collect(**results: Result) -> dict[str, np.ndarray]:
    """The numbers of several results under names ``<key>_<observable>``; simulations as mean and sem.

    Of a theory at a size its mean and spread are there as well.
    """
    out: dict[str, np.ndarray] = {}
    for key, result in results.items():
        out[f"{key}_{result.axis}"] = result[result.axis]
        simulated = result.kind == "simulation"
        for name in result.observables:
            out[f"{key}_{name}"] = result.mean(name) if simulated else result[name]
            if simulated:
                out[f"{key}_{name}_sem"] = result.sem(name)
            elif result.first_order is not None and name in result.first_order:
                out |= {f"{key}_{name}_mean": result.mean(name), f"{key}_{name}_std": result.std(name)}
    return out
