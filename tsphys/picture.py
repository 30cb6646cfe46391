"""Results as a picture in one call: simulations as points with error bars, theories as lines, in the house style."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

# First, for Matplotlib to load whatever its backend is.
from tsphys.plotting import COLOURS, COLUMN, MARKERS, VALID, style

# isort: split
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tsphys.comparison.verdict import Comparison
from tsphys.curves import PARTS, Curves, Line, curves, shared
from tsphys.errors import ModelError
from tsphys.ground.lines import printable
from tsphys.runs.result import Result
from tsphys.symbols import escaped, symbol, words

#: Most panels where no observable is named.
PANELS = 6
#: Most lines that are named in a legend; more are named by their first index alone.
NAMED = 16
#: From how many lines on an observable over two axes is a map.
MAP = 9
DASHES = ("-", "--", ":", "-.")
LOGS = ("auto", "none", "x", "y", "xy")
#: From how many times the smallest number the largest is seen better on a logarithmic axis.
WIDE_X, WIDE_Y = 50.0, 100.0


class Picture(Figure):
    """A figure in the house style, wherever and whenever it is drawn; it shows itself in a notebook."""

    def draw(self, renderer: Any) -> None:
        """Draw with the house's fonts."""
        with style():
            super().draw(renderer)

    def savefig(self, fname: Any, *, transparent: bool | None = None, **kwargs: Any) -> None:
        """Write it; resolution and fonts are the house's unless they are given."""
        with style():
            super().savefig(fname, transparent=transparent, **kwargs)

    def _repr_png_(self) -> bytes:
        from io import BytesIO

        file = BytesIO()
        self.savefig(file, format="png", dpi=130)
        return file.getvalue()


def plot(*what: Result | Comparison | str, x: str | None = None, log: str = "auto") -> Picture:
    """Draw results, simulations as points with their standard errors, theories as lines.

    Parameters
    ----------
    what : Result, Comparison or str
        One or several results, or what `compare` found, and names of observables; a panel each. Without a name all that
        the results have in common are drawn, at most six. Entries of a matrix are a family of curves. An observable of
        a study is drawn over its first axis at the end of the runs, simulation and theory; with many values of a second
        axis it is a map over both.
    x : str, optional
        What to draw over; the axis of the results if it is not given.
    log : {"auto", "none", "x", "y", "xy"}
        Logarithmic scales; by default where all numbers are positive and span decades.

    Returns
    -------
    matplotlib.figure.Figure
        In the house style. The user's backend, settings and other figures are left alone. A theory that was solved
        with ``fluctuations=True`` has a band beside its line, what it foretells of single runs at its size.

    Raises
    ------
    ModelError
        If there is no such observable or axis, or nothing is in common.

    Examples
    --------
    >>> import tsphys
    >>> model = tsphys.TwoLayer(K=2, M=2, lr=0.5)
    >>> start = tsphys.OrderParameters(R=[[0.2, 0], [0, 0.2]], Q=[[0.3, 0], [0, 0.3]], T=[[1, 0], [0, 1]])
    >>> theory = tsphys.solve(model, start=start, t=[1, 3, 10])
    >>> sim = tsphys.simulate(model, start=start, t=[1, 3, 10], N=200, replicas=4, seed=0)
    >>> figure = tsphys.plot(sim, theory, "eps_g", "R")
    >>> len(figure.axes), figure.axes[0].get_ylabel()
    (2, 'generalisation error $\\\\epsilon_g$')
    """
    results = [r for r in what if isinstance(r, Result)]
    names = [n for n in what if isinstance(n, str)]
    if what and isinstance(what[0], Comparison) and len(what) == 1 + len(names) and x is None and log == "auto":
        return compared(what[0], names)
    for other in what:
        if not isinstance(other, Result | str):
            raise ModelError("plot", other, "must be Results and names of observables")
    if not results:
        raise ModelError("plot", None, "needs a Result to draw")
    return draw(results, names or _telling(results)[:PANELS], x, log)[0]


def draw(
    results: Sequence[Result], names: Sequence[str], x: str | None = None, log: str = "auto"
) -> tuple[Picture, dict[str, np.ndarray]]:
    """The picture of `plot`, and the numbers in it by name.

    Raises
    ------
    ModelError
        As `plot`.
    """
    if log not in LOGS:
        raise ModelError("log", log, "must be one of " + ", ".join(LOGS))
    panels = [[(result, c) for result in results for c in curves(result, name, x)] for name in names]
    for panel in panels:
        _check_logs(panel, log)
    data: dict[str, np.ndarray] = {}
    with np.errstate(all="ignore"), style():
        maps = {i for i, panel in enumerate(panels) if all(_is_map(c) for _, c in panel)}
        parts = [[[entry] for entry in panel] if i in maps else [panel] for i, panel in enumerate(panels)]
        flat = [(i in maps, part) for i, those in enumerate(parts) for part in those]
        looks = _looks([(result, c.kind) for result, c in panels[0]])
        columns = min(len(flat), 3 if len(flat) != 4 else 2)
        rows = -(-len(flat) // columns)
        wide = 1.3 * COLUMN if any(len(c.lines) > 1 for panel in panels for _, c in panel) else 1.1 * COLUMN
        figure = Picture(figsize=(max(1.5 * COLUMN, columns * wide), rows * (0.85 if rows > 1 else 1) * COLUMN))
        FigureCanvasAgg(figure)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax, (mapped, part) in zip(axes, flat):
            if mapped:
                _map(figure, ax, part[0][1], log, data)
            else:
                _lines(ax, part, looks, log, data)
        for ax in axes[len(flat) :]:
            ax.remove()
        several = any(len(c.lines) > 1 for panel in panels for _, c in panel)
        handles = [look.handle(c.kind, several) for look, (_, c) in zip(looks, panels[0])]
        title = escaped(" / ".join(dict.fromkeys(r.model for r in results)))
        if len(maps) < len(panels):
            told = dict(zip((look.words for look in looks), handles))
            beside = len(told) if sum(len(words) for words in told) < 24 * columns + 24 else 1
            places: dict[str, Any] = {"loc": "outside upper left", "alignment": "left", "ncols": beside}
            figure.legend([*told.values()], [*told], title=title, **places)
        else:
            figure.suptitle(title, fontsize=9)
    return figure, data


def compared(comparison: Comparison, names: Sequence[str] = ()) -> Picture:
    """Points on curves, and under each panel the scores of the means, with the bounds that chance allows.

    Raises
    ------
    ModelError
        If an observable is not among those compared, or the comparison does not hold what it compared.
    """
    sim, theory = comparison.simulation, comparison.theory
    if sim is None or theory is None:
        raise ModelError("comparison", None, "must hold the results that it compared")
    names = list(names) or [k for k in _telling([sim, theory]) if k in comparison.z][:PANELS]
    for name in names:
        if name not in comparison.z:
            raise ModelError("plot", name, "must be among " + ", ".join(comparison.z))
    panels = [[(result, curves(result, name)[0]) for result in (sim, theory)] for name in names]
    with np.errstate(all="ignore"), style():
        several = any(len(c.lines) > 1 for panel in panels for _, c in panel)
        looks = _looks([(result, c.kind) for result, c in panels[0]])
        wide = max(1.5 * COLUMN, len(names) * (1.3 if several else 1.1) * COLUMN)
        figure = Picture(figsize=(wide, 1.35 * COLUMN))
        FigureCanvasAgg(figure)
        axes = figure.subplots(2, len(names), squeeze=False, height_ratios=(3, 1), sharex="col")
        for (above, below), panel, name in zip(axes.T, panels, names):
            _lines(above, panel, looks, "auto", {})
            _scores(below, comparison, name, panel[0][1])
            above.set_xlabel("")
        told = {look.words: look.handle(c.kind, several) for look, (_, c) in zip(looks, panels[0])}
        title = f"{escaped(sim.model)}: {comparison.verdict}, largest |z| {comparison.max_abs_z:.2f}"
        places: dict[str, Any] = {"loc": "outside upper left", "alignment": "left", "ncols": 2}
        figure.legend([*told.values()], [*told], title=title, **places)
    return figure


def _scores(ax: Any, comparison: Comparison, name: str, c: Curves) -> None:
    """Scores of an observable; hollow where there is no verdict."""
    z, judged = (np.moveaxis(of[name], 0, -1) for of in (comparison.z, comparison.judged))
    at = np.arange(len(c.values)) if c.values.dtype.kind == "U" else c.values
    for i, line in enumerate(line for line in c.lines if not line.twin):
        colour = COLOURS[i % len(COLOURS)]
        known = judged[line.index]
        ax.plot(at, z[line.index], "o", color=colour, mfc="white", ms=3, mew=0.8)
        ax.plot(at[known], z[line.index][known], "o", color=colour, ms=3, mew=0.8)
    for height in (-comparison.threshold, comparison.threshold):
        ax.axhline(height, color="0.35", lw=0.7, ls=":")
    ax.axhline(0, color="0.35", lw=0.6)
    ax.set(xlabel=words(c.over, axis=True), ylabel="$z$")


def _telling(results: Sequence[Result]) -> list[str]:
    """What all results have and any of them varies in; all of it if nothing varies."""
    names = shared(results)
    # Those of a study have names of their parts as well.
    names = [k for k in names if not any(k == prefix + other for prefix in PARTS.values() for other in names)]
    moving = [k for k in names if any(_varies(line) for r in results for c in curves(r, k) for line in c.lines)]
    return moving or names


def _varies(line: Line) -> bool:
    finite = line.mean[np.isfinite(line.mean)]
    return bool(finite.size) and np.ptp(finite) > 1e-12 * np.abs(finite).max()


def _check_logs(panel: list[tuple[Result, Curves]], log: str) -> None:
    drawn = {"x": [c.values for _, c in panel], "y": [line.mean for _, c in panel for line in c.lines]}
    for axis, numbers in drawn.items():
        if log in (axis, "xy") and not any(v.dtype.kind != "U" and (np.isfinite(v) & (v > 0)).any() for v in numbers):
            raise ModelError("log", log, f"has no positive {axis} to be drawn over a logarithmic scale")


def _is_map(c: Curves) -> bool:
    return bool(c.second) and len(c.lines) >= MAP and c.values.dtype.kind != "U" and _numbers(c.seconds)


def _numbers(values: np.ndarray | None) -> bool:
    return values is not None and values.dtype.kind in "iuf"


def _decades(numbers: Iterable[float], wide: float) -> bool:
    """Whether positive numbers span more than a factor."""
    finite = [v for v in numbers if np.isfinite(v)]
    low, high = min(finite, default=0.0), max(finite, default=0.0)
    return low > 0 and high > wide * low


def _lines(ax: Any, panel: list[tuple[Result, Curves]], looks: list[_Look], log: str, data: dict[str, Any]) -> None:
    first = panel[0][1]
    several = max(len(c.lines) for _, c in panel) > 1
    crowd = max(len(c.lines) for _, c in panel) > NAMED
    colours: dict[str, int] = {}
    named: dict[str, Any] = {}
    for n, ((result, c), look) in enumerate(zip(panel, looks)):
        at = np.arange(len(c.values)) if c.values.dtype.kind == "U" else c.values
        data[f"{c.over}_{n}"] = c.values
        for line in c.lines:
            text = f"{line.name}_{n}" if len(panel) == 1 else f"{line.name} ({c.kind})_{n}"
            data[text] = line.mean
            if line.error is not None:
                data[f"{text}_sem"] = line.error
            if line.twin:
                continue
            label = _row(line) if crowd else line.label
            mine = look.coloured(colours.setdefault(label, len(colours))) if several else look
            named.setdefault(label, mine.line(ax, at, line) if c.kind == "theory" else mine.points(ax, at, line))
            if c.kind == "theory":
                mine.band(ax, at, result, c, line)
        if c.values.dtype.kind == "U":
            ax.set_xticks(at, [escaped(value) for value in c.values])
    _scales(ax, panel, log)
    ax.set(xlabel=words(first.over, axis=True), ylabel=words(first.name))
    if several:
        handles = [Patch(color=handle.lines[0].get_color() if hasattr(handle, "lines") else handle.get_color())
                   for handle in named.values()]  # fmt: skip
        ax.legend(handles, [*named], loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0, handlelength=1.0)


def _row(line: Line) -> str:
    """What the entries of a row have in common, where there are too many to be named each."""
    return line.label.split("_")[0].lstrip("$") + f" {line.index[0] + 1} …"


@dataclass(frozen=True)
class _Look:
    """How a result is drawn.

    Parameters
    ----------
    words : str
        What its points or lines are, for the legend.
    colour, marker, dashes : str
        That of its points and lines; where a panel has several entries, the colour tells these.
    """

    words: str
    colour: str
    marker: str = "o"
    dashes: Any = "-"

    def coloured(self, entry: int) -> _Look:
        """The same for an entry of a matrix; beyond the colours there are, by dashes and filled points."""
        turn = entry // len(COLOURS)
        dashes = DASHES[(DASHES.index(self.dashes) + turn) % len(DASHES)]
        marker = MARKERS[(MARKERS.index(self.marker) + 3 * turn) % len(MARKERS)]
        return replace(self, colour=COLOURS[entry % len(COLOURS)], dashes=dashes, marker=marker)

    def line(self, ax: Any, at: np.ndarray, line: Line) -> Any:
        return ax.plot(at, line.mean, color=self.colour, ls=self.dashes, zorder=2)[0]

    def points(self, ax: Any, at: np.ndarray, line: Line) -> Any:
        bars = {"mfc": "white", "mew": 0.9, "elinewidth": 0.9, "capsize": 1.5, "zorder": 3}
        return ax.errorbar(at, line.mean, yerr=line.error, fmt=self.marker, color=self.colour, **bars)

    def band(self, ax: Any, at: np.ndarray, result: Result, c: Curves, line: Line) -> None:
        """What a theory foretells of single runs at its size: their mean, dotted, and their spread, up to β = ¼."""
        if not _foretells(result) or c.name not in (result.first_order or ()) or c.over != result.axis:
            return
        valid = result.beta() <= VALID
        mean, spread = (
            np.where(valid, np.moveaxis(f(c.name), 0, -1)[line.index], np.nan) for f in (result.mean, result.std)
        )
        ax.fill_between(at, mean - spread, mean + spread, color=self.colour, alpha=0.18, lw=0, zorder=1)
        ax.plot(at, mean, color=self.colour, ls=":", lw=1.2, zorder=2)

    def handle(self, kind: str, several: bool) -> Any:
        """What the legend shows."""
        colour = "0.35" if several else self.colour
        if kind == "theory":
            return Line2D([], [], color=colour, ls=self.dashes)
        return Line2D([], [], color=colour, ls="", marker=self.marker, mfc="white", mew=0.9)


def _foretells(result: Result) -> bool:
    return result.kind == "theory" and result.first_order is not None and "size" in result.meta


def _looks(drawn: list[tuple[Result, str]]) -> list[_Look]:
    """A look for each result; theory and simulation of the same parameters have the same colour.

    Theory that no simulation has the parameters of in particular, as one curve for several sizes, is black.
    """
    parameters: dict[str, set[str]] = {}
    for r, _ in drawn:
        for k, v in r.parameters.items():
            parameters.setdefault(k, set()).add(str(v))
    telling = [k for k, v in parameters.items() if len(v) > 1 and all(k in r.parameters for r, _ in drawn)]
    own = [k for k in ("engine", "method") if len({str(r.meta[k]) for r, _ in drawn if k in r.meta}) > 1]
    models = len({r.model for r, _ in drawn}) > 1
    colours: dict[str, int] = {}
    counts: dict[tuple[str, str], int] = {}
    sizes = len({str(r.meta.get("N")) for r, kind in drawn if kind == "simulation"}) > 1
    out = []
    for r, kind in drawn:
        tale = [r.model.replace("_", " ")] if models else []
        tale += [f"{symbol(k)} = {_value(r.parameters[k])}" for k in telling]
        with_size = kind == "simulation" and sizes
        key = str([tale, r.meta.get("N") if with_size else None])
        common = kind == "theory" and sizes
        colour = "0.15" if common else COLOURS[colours.setdefault(key, len(colours)) % len(COLOURS)]
        turn = counts.setdefault((kind, key), len([k for k in counts if k[0] == kind]))
        marker, dashes = MARKERS[turn % len(MARKERS)], DASHES[turn % len(DASHES)]
        tale += [_value(r.meta[k]) for k in own if k in r.meta]
        out.append(_Look(", ".join([_about(r, kind), *tale]), colour, marker, dashes))
    return out


def _about(result: Result, kind: str) -> str:
    """What a point or a line is, in words."""
    if kind == "theory" and _foretells(result):
        return rf"theory, $N\to\infty$ (dots, band: mean and spread at $N={result.meta['size']:g}$)"
    if kind == "theory" or result.kind == "study":
        return kind
    size = f", $N={result.meta['N']:g}$" if isinstance(result.meta.get("N"), int | float) else ""
    count = result.replicas
    return f"simulation{size}" + (f", {count} runs" if count and count > 1 else "")


def _value(value: Any) -> str:
    text = printable(f"{value:g}" if isinstance(value, int | float) else value)
    return text if len(text) <= 20 else text[:19] + "…"


def _scales(ax: Any, panel: list[tuple[Result, Curves]], log: str) -> None:
    texts = any(c.values.dtype.kind == "U" for _, c in panel)
    xs = [] if texts else [v for _, c in panel for v in c.values.tolist()]
    ys = [v for _, c in panel for line in c.lines for v in line.mean.tolist()]
    if "x" in log or (log == "auto" and _decades(xs, WIDE_X)):
        ax.set_xscale("log")
    if "y" in log or (log == "auto" and _decades(ys, WIDE_Y)):
        ax.set_yscale("log")


def _map(figure: Picture, ax: Any, c: Curves, log: str, data: dict[str, np.ndarray]) -> None:
    assert c.seconds is not None
    z = np.ma.masked_invalid([line.mean for line in c.lines])
    data[f"{c.kind}_{c.over}"], data[f"{c.kind}_{c.second}"] = c.values, c.seconds
    data[f"{c.kind}_{c.name}"] = z.filled(np.nan)
    mesh = ax.pcolormesh(c.values, c.seconds, z, shading="nearest", cmap="viridis", rasterized=True)
    figure.colorbar(mesh, ax=ax, label=words(c.name))
    for axis, values, name in (("x", c.values, c.over), ("y", c.seconds, c.second)):
        if axis in log or (log == "auto" and _decades(values.tolist(), WIDE_X)):
            getattr(ax, f"set_{axis}scale")("log")
        getattr(ax, f"set_{axis}label")(words(name, axis=True))
    ax.set_title(c.kind, fontsize=7.5, color="0.35")
