"""``tsphys plot FILE``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

from tsphys.cli.completion import PATH
from tsphys.cli.options import force_option
from tsphys.errors import ModelError
from tsphys.ground.texts import printable, short
from tsphys.runs.files import check_free, pictures
from tsphys.runs.result import Result, load

#: Most lines of an observable with several entries.
MOST = 16
#: Names of the time in a run.
TIMES = ("t", "step")
#: Matplotlib needs room above for its margins and the distances of its ticks.
LARGEST = 1e300


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=PATH)
@click.option("-x", "--x", "x", metavar="NAME", help="What to draw over.  [default: the axis of the result]")
@click.option("-y", "--y", "y", metavar="NAME", help="Observable.  [default: the first that all FILEs have]")
@click.option("--log", default="auto", type=click.Choice(["auto", "none", "x", "y", "xy"]), help="Logarithmic scales.")
@click.option("-o", "--output", metavar="PATH", type=PATH,
              help="Path without suffix.  [default: that of the first FILE]")  # fmt: skip
@force_option
def plot(files: tuple[str, ...], x: str | None, y: str | None, log: str, output: str | None, force: bool) -> None:
    """Draw an observable of results, simulations as points and theories as lines, as PDF and PNG.

    Several FILEs come into one picture. Results over a grid, as a study has, can be drawn over any axis of it. Where a
    line for each time would be too many, over something else than time, it is the end of the runs that is drawn.
    """
    results = [load(file) for file in files]
    name = y or _shared(results)
    curves = [_curves(result, name, x) for result in results]
    out = Path(output or Path(files[0]).with_suffix("").name + f"-{name}")
    given = [Path(file).resolve() for file in files]
    for path in pictures(out):
        check_free(path, force, makes_folder=True)
        if path.resolve() in given:
            raise ModelError("output", str(out), "would replace a FILE that is to be drawn")
    for axis, numbers in (("x", [v for _, v, _ in curves]), ("y", [m for _, _, lines in curves for _, m, _ in lines])):
        if log in (axis, "xy") and not any(v.dtype.kind != "U" and (np.isfinite(v) & (v > 0)).any() for v in numbers):
            raise ModelError("log", log, f"has no positive {axis} to be drawn over a logarithmic scale")
    with np.errstate(all="ignore"):
        drawn = _draw(results, curves, name, log, out)
    for path in drawn:
        click.echo(f"wrote {path}")


def _shared(results: list[Result]) -> str:
    names = [k for k in results[0].observables if all(k in _drawable(r) for r in results)]
    if not names:
        raise ModelError("y", None, "must be given: the files have no observable in common")
    return names[0]


def _drawable(result: Result) -> list[str]:
    return [k for k in result.observables if result[k].size and result[k].dtype.kind in "biuf"]


def _named(result: Result, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Values of an entry and the names of all their axes."""
    values = result[name]
    lead: tuple[str, ...] = () if name in result.constants else (result.axis,)
    if result.kind == "simulation" and lead:
        lead = ("replica", *lead)
    own = result.dims.get(name) or tuple(f"{name}_{i}" for i in range(values.ndim - len(lead)))
    return values, (*lead, *own)


def _curves(result: Result, name: str, x: str | None) -> tuple[str, np.ndarray, list[tuple[str, Any, Any]]]:
    """Name and values of what is drawn over, and label, mean and standard error (or None) of each line."""
    numbers = _drawable(result)
    if name not in numbers:
        raise ModelError("y", name, f"must be one of {', '.join(numbers)}" if numbers else "is nothing over an axis")
    values, dims = _named(result, name)
    over = x or result.axis
    coordinates = {k: d[0] for k in result if len(d := _axes_of(result, k)) == 1 and d[0] in dims and d[0] != "replica"}
    if over not in coordinates or len(result[over]) != values.shape[dims.index(coordinates[over])]:
        raise ModelError("x", over, "must be one of " + ", ".join(coordinates))
    error = None
    if "replica" in dims:
        at = dims.index("replica")
        n = values.shape[at]
        with np.errstate(all="ignore"):
            error = values.std(axis=at, ddof=1) / np.sqrt(n) if n > 1 else None
            values, dims = values.mean(axis=at), dims[:at] + dims[at + 1 :]
    late = next((d for d in TIMES if d in dims and d != coordinates[over]), None)
    if late is not None and values.size > MOST * len(result[over]):
        at = dims.index(late)
        values, error = _last(values, at), None if error is None else _last(error, at)
        dims = dims[:at] + dims[at + 1 :]
    at = dims.index(coordinates[over])
    for axis, drawn in (("y", values), ("x", result[over])):
        if drawn.dtype.kind == "f" and (np.abs(drawn[np.isfinite(drawn)]) > LARGEST).any():
            raise ModelError(axis, name if axis == "y" else over, f"has values beyond {LARGEST:g}, which none can draw")
    rest = tuple(n for i, n in enumerate(values.shape) if i != at)
    if np.prod(rest) > MOST:
        raise ModelError("y", name, f"has {np.prod(rest):g} entries at each {over}; at most {MOST} can be drawn")
    lines = []
    for index in np.ndindex(*rest):
        pick = (*index[:at], slice(None), *index[at:])
        label = name + "".join(_subscript(result, d, i) for d, i in zip(dims[:at] + dims[at + 1 :], index))
        lines.append((label, values[pick], None if error is None else error[pick]))
    return over, result[over], lines


def _last(values: np.ndarray, axis: int) -> np.ndarray:
    """The last number along an axis; shorter runs than others end in NaN."""
    steps = np.arange(values.shape[axis]).reshape(-1, *[1] * (values.ndim - axis - 1))
    last = np.where(np.isnan(values), 0, steps).max(axis=axis, keepdims=True)
    return np.take_along_axis(values, last, axis=axis).squeeze(axis=axis)


def _axes_of(result: Result, name: str) -> tuple[str, ...]:
    return (name,) if name == result.axis else _named(result, name)[1]


def _subscript(result: Result, dim: str, index: int) -> str:
    if dim not in result or result[dim].ndim != 1 or not index < len(result[dim]):
        return f" {index + 1}"
    return f", {dim} = {short(result[dim][index])}"


def _label(text: Any) -> str:
    """A text as it stands, not as a formula or a label that is left out of legends."""
    return printable(text)[:80].replace("$", r"\$").lstrip("_")


def _draw(results: list[Result], curves: list[Any], name: str, log: str, out: Path) -> list[Path]:
    from tsphys.plotting import COLOURS, COLUMN, save, style

    data = {}
    with style() as plt:
        figure, ax = plt.subplots(figsize=(1.5 * COLUMN, COLUMN))
        over = curves[0][0]
        texts = any(values.dtype.kind == "U" for _, values, _ in curves)
        for n, (result, (_, values, lines)) in enumerate(zip(results, curves)):
            at = np.arange(len(values)) if values.dtype.kind == "U" else values
            data[f"{over}_{n}"] = values
            for i, (label, mean, error) in enumerate(lines):
                label = f"{label} ({result.kind})" if len(results) > 1 else label
                colour = COLOURS[i % len(COLOURS)]
                data[f"{label}_{n}"] = mean
                if error is not None:
                    data[f"{label}_{n}_sem"] = error
                if result.kind == "theory":
                    ax.plot(at, mean, color=colour, label=_label(label))
                else:
                    points = {"fmt": "o", "mfc": "white", "capsize": 1.5, "color": colour, "label": _label(label)}
                    ax.errorbar(at, mean, yerr=error, **points)
            if values.dtype.kind == "U":
                ax.set_xticks(at, [_label(value) for value in values])
        finite = [x for _, v, _ in curves for x in v[np.isfinite(v)].tolist()] if not texts else []
        low, high = min(finite, default=0.0), max(finite, default=0.0)
        if "x" in log or (log == "auto" and low > 0 and high > 50 * low):
            ax.set_xscale("log")
        if "y" in log:
            ax.set_yscale("log")
        ax.set(xlabel=_label(over), ylabel=_label(name))
        if sum(len(lines) for _, _, lines in curves) > 1:
            ax.legend()
        ax.set_title(_label(" / ".join(dict.fromkeys(r.model for r in results))))
        return save(figure, out, data, {"files": [{"model": r.model, "parameters": r.parameters} for r in results]})
