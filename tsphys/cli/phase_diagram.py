"""``tsphys phase-diagram MODEL``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import numpy as np

from tsphys.cli.completion import PATH, among, models, numbers
from tsphys.cli.options import force_option, progress_bar, tell_written
from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import allowed, axes_of, described, number
from tsphys.ground.texts import from_json
from tsphys.ground.times import grid
from tsphys.registry import MODELS, model_class, runner
from tsphys.runs.files import check_free, pictures
from tsphys.runs.provenance import provenance
from tsphys.runs.replicas import available_threads
from tsphys.runs.result import Result
from tsphys.studies.configuration import run_options
from tsphys.symbols import words

#: How often axes may be halved, and how many cells are drawn one by one.
MOST_LEVELS, MANY = 6, 10_000
#: Where a map is empty: name of the error -> what is said of it, and how it is hatched.
EMPTY = {
    "NoStateError": ("no such state here", "////"),
    "ModelError": ("outside of what is allowed", "...."),
    "ConvergenceError": ("not solved", "xxxx"),
    "DivergedError": ("diverges", "||||"),
}


@click.command(name="phase-diagram")
@click.argument("model", shell_complete=among(models))
@click.option("-x", "--x", "x", nargs=2, required=True, metavar="NAME START:STOP:POINTS[:log]", help="First axis.",
              shell_complete=among(numbers))  # fmt: skip
@click.option("-y", "--y", "y", nargs=2, required=True, metavar="NAME START:STOP:POINTS[:log]", help="Second axis.",
              shell_complete=among(numbers))  # fmt: skip
@click.option("-z", "--z", "z", default=None, metavar="NAME", help="Observable.  [default: m, or the first number]")
@click.option("--theory/--simulate", "theory", default=True, help="Solve the theory, or simulate.")
@click.option("--refine", "levels", default=0, type=int, metavar="LEVELS", show_default=True,
              help="Halve the axes so often, and compute the new points only where phases meet.")  # fmt: skip
@click.option("--set", "fixed", multiple=True, metavar="NAME=VALUE", help="Parameter or option; may be repeated.")
@click.option("--store", type=PATH, metavar="FOLDER",
              help="Folder of the results.  [default: that of the output, .study]")  # fmt: skip
@click.option("-p", "--processes", default=None, type=int, metavar="INT",
              help="Processes; 1: this one.  [default: all cores]")  # fmt: skip
@click.option("-o", "--output", metavar="PATH", type=PATH, help="Path without suffix.  [default: MODEL-phase-diagram]")
@force_option
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def phase_diagram(
    model: str, x: tuple[str, str], y: tuple[str, str], z: str | None, theory: bool, levels: int,
    fixed: tuple[str, ...], store: str | None, processes: int | None, output: str | None, force: bool, quiet: bool,
) -> None:  # fmt: skip
    """Map an observable of MODEL over two parameters, with the lines between its phases.

    They are drawn where the theory knows them (Hebbian networks over alpha and T); elsewhere a line shows where the
    observable has fallen to half of its largest value. The runs are a study: they go on where they were stopped. Where
    there is nothing to show the map is hatched, and the legend says why. Of a run over times the last one is shown. A
    simulation also gives N·Var(m) and Binder's cumulant 1 − ⟨m⁴⟩/3⟨m²⟩² over its replicas.

    With --refine a cell of the map is split while its corners are of different phases: there is a result or there is
    none, for one reason or another, and the observable is above or below half of its largest value on the first grid.
    Elsewhere the map is linear between points. Points that are there already are not computed again.
    """

    out = Path(output or f"{model}-phase-diagram")
    for path in pictures(out):
        check_free(path, force, makes_folder=True)
    if x[0] == y[0]:
        raise ModelError("y", y[0], "must be another parameter than x")
    prefix = "theory" if theory else "simulation"
    table = {"model": model, "compute": "solve" if theory else "simulate", **_fixed(fixed)}
    for name in (x[0], y[0]):
        _check_axis(model, table["compute"], name)
    number("refine", levels, kind=int, low=0, high=MOST_LEVELS)
    for axis in (x, y):
        _check_halves(model, table["compute"], axis, levels)
    count = available_threads() if processes is None else number("processes", processes, kind=int, low=1)
    folder = Path(store) if store else out.with_name(out.name + ".study")
    runs = Runs(table, folder, prefix, lambda described: _swept(described, folder, count, quiet))
    given = runs.grid(y, x, z)
    seen = runs.refined(given, (y, x), levels) if levels else given
    click.echo(f"{seen.computed.sum()} points of a grid of {seen.computed.size} in {folder}" if levels else
               f"{(given.errors == '').sum()} of {given.errors.size} points in {folder}")  # fmt: skip
    for name in EMPTY:
        if (seen.errors == name).any():
            click.echo(f"  {(seen.errors == name)[seen.computed].sum()}: {EMPTY[name][0]}")
    known = boundaries(model, _fixed(fixed), given.result, x[0], y[0])
    for path in _draw(out, seen, x[0], y[0], prefix, known):
        tell_written(path)


def _swept(described: Any, folder: Path, count: int, quiet: bool) -> None:
    from tsphys.studies import sweep as runs

    with (
        runs.workers(min(count, len(described.tasks()))) as pool,
        progress_bar(f"phase-diagram {described.model}", quiet) as progress,
    ):
        runs.sweep(described, folder, executor=pool, progress=progress)


@dataclass(frozen=True)
class Seen:
    """A map.

    Parameters
    ----------
    result : Result
        The study over the grid as given.
    up, across : array (y,), (x,)
        The axes.
    maps : dict of str to array (y, x)
        The observable first, then what replicas tell of it.
    errors : array of str (y, x)
        Why there is no result, "" where there is one.
    computed : array of bool (y, x)
        Where it is not read off the neighbours.
    """

    result: Any
    up: np.ndarray
    across: np.ndarray
    maps: dict[str, np.ndarray]
    errors: np.ndarray
    computed: np.ndarray


@dataclass(frozen=True)
class Runs:
    """The points of a map as studies in one store.

    Parameters
    ----------
    table : dict
        What all of them have in common, as in a TOML file.
    folder : Path
        The store.
    prefix : {"theory", "simulation"}
    sweep : callable
        Does what is left to do of a study.
    """

    table: dict[str, Any]
    folder: Path
    prefix: str
    sweep: Callable[[Any], None]

    def grid(self, y: tuple[str, str], x: tuple[str, str], z: str | None) -> Seen:
        """All points of a grid; a ConvergenceError if none has a result."""
        from tsphys.studies.collection import collect
        from tsphys.studies.study import study

        if z is not None:
            self._check(study({**self.table, "axes": dict((y, x))}), z)
        described, errors = self._done({"axes": dict((y, x))})
        if (errors != "").all():
            raise ConvergenceError(f"no point has a result: {self._store().failure(described.tasks()[0].key)}")
        result = collect(described, self.folder, partial=True)
        found = maps(result, z, self.prefix)
        return Seen(result, result[y[0]], result[x[0]], found, errors, np.ones(errors.shape, bool))

    def refined(self, given: Seen, axes: tuple[tuple[str, str], tuple[str, str]], levels: int) -> Seen:
        """The same map on axes that are halved so often, with new points where phases meet."""
        from tsphys.studies.collection import collect
        from tsphys.studies.refinement import filled, halved, refined

        up, across = (
            halved(values, levels, text.split(":")[3:] == ["log"])
            for values, (_, text) in zip((given.up, given.across), axes, strict=True)
        )
        z, half = half_way(given.maps)
        size = 2**levels
        at = [(i * size, j * size) for i, j in np.ndindex(given.errors.shape)]
        errors = dict(zip(at, given.errors.ravel().tolist(), strict=True))
        found = {name: dict(zip(at, values.ravel().tolist(), strict=True)) for name, values in given.maps.items()}

        def look(points: list[tuple[int, int]]) -> list[Any]:
            if new := [p for p in points if p not in errors]:
                columns = {axes[0][0]: [float(up[i]) for i, _ in new], axes[1][0]: [float(across[j]) for _, j in new]}
                described, why = self._done({"zip": columns})
                errors.update(zip(new, why.tolist(), strict=True))
                some = (why == "").any()
                part = maps(collect(described, self.folder, partial=True), z, self.prefix, lead=1) if some else {}
                for name, values in found.items():
                    values.update(zip(new, part.get(name, np.full(len(new), np.nan)).tolist(), strict=True))
            return [errors[p] or found[z][p] > half for p in points]

        shape = given.errors.shape
        known, cells = refined((shape[0], shape[1]), levels, look)
        whole = {name: filled((shape[0], shape[1]), levels, values, cells) for name, values in found.items()}
        why = np.full((len(up), len(across)), "", dtype=object)
        computed = np.zeros(why.shape, bool)
        for i, j, s in cells:
            if s > 1:
                why[i : i + s + 1, j : j + s + 1] = errors[i, j]
        for p in known:
            why[p], computed[p] = errors[p], True
        return Seen(given.result, up, across, whole, why, computed)

    def _check(self, whole: Any, z: str) -> None:
        """Raise a ModelError if `z` is not known to the first point: better than after all of them."""
        from tsphys.studies.collection import collect

        whole.tasks()
        first, why = self._done({"axes": {k: v[:1] for axis in whole.axes for k, v in axis.columns.items()}})
        if why.item() == "":
            maps(collect(first, self.folder), z, self.prefix)

    def _store(self) -> Any:
        from tsphys.studies.store import Store

        return Store(self.folder)

    def _done(self, axes: dict[str, Any]) -> tuple[Any, np.ndarray]:
        """A study, and why its points have no result, "" where they have one."""
        from tsphys.studies.study import study

        described = study({**self.table, **axes})
        described.tasks()
        self.sweep(described)
        errors = [self._store().error(task.key) for task in described.tasks()]
        return described, np.array(errors, dtype=object).reshape(described.shape)


def half_way(found: dict[str, np.ndarray]) -> tuple[str, float]:
    """The observable of a map, and half of its largest value, at which phases are told apart."""
    z = next(iter(found))
    return z, 0.5 * float(np.nanmax(found[z]))


def _check_axis(model: str, verb: str, name: str) -> None:
    """Raise a ModelError if a parameter or option is no single number; a name that is not known others refuse."""
    found = {**described(model_class(model)), **run_options(model, verb)}.get(name)
    if found is None:
        return
    meta = found.metadata
    if meta["kind"] not in (int, float) or (meta["shape"] and 0 not in axes_of(meta)):
        raise ModelError("axis", name, f"must be a parameter that is a number, not {allowed(meta)}")


def _check_halves(model: str, verb: str, axis: tuple[str, str], levels: int) -> None:
    """Raise a ModelError if an axis of whole numbers is halved to others."""
    from tsphys.studies.refinement import halved

    (name, text), fields = axis, {**described(model_class(model)), **run_options(model, verb)}
    if not levels or name not in fields or fields[name].metadata["kind"] is not int:
        return
    values = np.asarray(grid(name, text), dtype=float)
    fine = halved(values, levels, text.split(":")[3:] == ["log"])
    if (values % 1 == 0).all() and (other := fine[fine % 1 != 0]).size:
        raise ModelError("refine", levels, f"must halve {name} to whole numbers, not to {other[0]:g}")


def _fixed(texts: tuple[str, ...]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise ModelError("set", text, "must be NAME=VALUE")
        out[name] = from_json(value)
    return out


def boundaries(
    name: str, fixed: dict[str, Any], result: Any, x: str, y: str
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Lines between the phases that the theory knows in the plane of x and y: label → (x, y)."""
    if {x, y} != {*MODELS[name].lines}:
        return {}
    given, over = MODELS[name].lines
    cls = model_class(name)
    own = {k: v for k, v in fixed.items() if k in described(cls)}
    values = np.linspace(result[over].min(), result[over].max(), 4 * len(result[over]))
    found = import_module(MODELS[name].theory).lines(cls(**own), values)
    return {k: (line, values) if x == given else (values, line) for k, line in found.items()}


def maps(result: Any, z: str | None, prefix: str, lead: int = 2) -> dict[str, np.ndarray]:
    """The observable and, from replicas, its fluctuation and Binder's cumulant, each over the first `lead` axes.

    Without a `z` it is m, or the first that is a number.
    """
    known = {k: at_the_end(result, k) for k in result.observables if k.startswith(prefix + "_")}
    axes = lead if prefix == "theory" else lead + 1
    numbers = [k.removeprefix(prefix + "_") for k, v in known.items() if v.ndim == axes]
    if not numbers:
        raise ModelError("z", z, f"must be a number at each point, which nothing is here: {', '.join(known)}")
    if z is None:
        z = "m" if "m" in numbers else numbers[0]
    if z not in numbers:
        raise ModelError("z", z, "must be one of " + ", ".join(numbers))
    values = known[f"{prefix}_{z}"]
    if prefix == "theory":
        return {z: values}
    out = {z: np.abs(values).mean(axis=-1)}
    if values.shape[-1] > 1:
        # Where a study does not say, the options have their default; the size may be an axis of the map.
        cls = model_class(result.model)
        options = {**described(cls), **runner(MODELS[result.model], "simulate").options}
        N = result.parameters.get(cls.size, options[cls.size].default)
        if cls.size in result:
            N = result[cls.size] if result.axis != cls.size else result[cls.size][:, None]
        out["susceptibility"] = N * np.abs(values).var(axis=-1, ddof=1)
        out["binder"] = 1 - (values**4).mean(axis=-1) / (3 * (values**2).mean(axis=-1) ** 2)
    return out


def at_the_end(result: Any, name: str) -> np.ndarray:
    """An observable; of a number over time the last."""
    return result[name][..., -1] if result.dims.get(name, ("",))[-1:] == ("t",) else result[name]


def _draw(
    out: Path, seen: Seen, x: str, y: str, prefix: str, known: dict[str, tuple[np.ndarray, np.ndarray]]
) -> list[Path]:
    from tsphys.plotting import COLOURS, COLUMN, save, style

    # It loads Matplotlib, for files.
    patch = import_module("matplotlib.patches").Patch

    result, across, up = seen.result, seen.across, seen.up
    z, half = half_way(seen.maps)
    values = seen.maps[z]
    with style() as plt:
        figure, ax = plt.subplots(figsize=(1.4 * COLUMN, COLUMN))
        # Many cells are too much for a vector picture.
        many: dict[str, Any] = {"shading": "nearest", "cmap": "Blues", "vmin": 0, "rasterized": values.size > MANY}
        image = ax.pcolormesh(across, up, values, **many)
        if not known and min(values.shape) > 1 and np.nanmin(np.nan_to_num(values)) < half:
            ax.contour(across, up, np.nan_to_num(values), levels=[half], colors="black", linewidths=0.7)
        limits = ax.get_xlim(), ax.get_ylim()
        handles: list[Any] = []
        for name, (said, hatch) in EMPTY.items():
            where = seen.errors == name
            if not where.any():
                continue
            look: dict[str, Any] = {"hatch": hatch, "edgecolor": "0.7", "facecolor": "white", "linewidth": 0}
            empty = np.ma.masked_array(np.zeros(where.shape), ~where)
            ax.pcolor(across, up, empty, **{**many, "vmax": 1}, **look)
            handles.append(patch(label=said, **look))
        for n, (name, line) in enumerate(known.items()):
            handles += ax.plot(*line, color=COLOURS[1 + n], ls=("-", "--", "-.")[n % 3], label=words(name))
        _name_phases(ax, seen, z, half)
        ax.set(xlim=limits[0], ylim=limits[1])
        if handles:
            figure.legend(handles=handles, loc="outside lower left", ncols=2)
        figure.colorbar(image, ax=ax, label=words(z))
        end = f", $t = {result['t'][-1]:.4g}$" if "t" in result else ""
        ax.set(xlabel=words(x, axis=True), ylabel=words(y, axis=True))
        ax.set_title(f"{result.model.replace('_', ' ')}, {prefix}{end}")
        lines = {f"{name}_{axis}": v for name, line in known.items() for axis, v in zip((x, y), line, strict=True)}
        about = {"z": z, "kind": prefix}
        found = {**seen.maps, "computed": seen.computed}
        data = Result(
            kind="phase diagram",
            model=result.model,
            parameters=result.parameters,
            axis=y,
            data={y: up, x: across, **found, **lines},
            dims=dict.fromkeys((x, *found), (x,)),
            constants=(x, *lines),
            meta={**about, **provenance()},
        )
        return save(figure, out, data, {"model": result.model, **result.parameters, **about})


def _name_phases(ax: Any, seen: Seen, z: str, half: float) -> None:
    """Say in the middle of either phase, if there are both, on which side of `half` the observable is."""
    from scipy.ndimage import distance_transform_cdt

    phases = {sign: mask for sign, mask in (("<", seen.maps[z] <= half), (">", seen.maps[z] > half)) if mask.any()}
    if len(phases) < 2:
        return
    for sign, mask in phases.items():
        depth = distance_transform_cdt(np.pad(mask, 1))[1:-1, 1:-1]
        i, j = np.unravel_index(depth.argmax(), depth.shape)
        box = {"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 1.5}
        ax.text(seen.across[j], seen.up[i], f"{words(z)} ${sign} {half:.2g}$", ha="center", va="center", fontsize=8,
                bbox=box)  # fmt: skip
