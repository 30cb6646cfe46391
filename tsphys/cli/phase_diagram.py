"""``tsphys phase-diagram MODEL``."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import click
import numpy as np

from tsphys.cli.completion import PATH, among, models, numbers
from tsphys.cli.options import force_option, progress_bar
from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import number
from tsphys.ground.texts import from_json
from tsphys.registry import MODELS, model_class, runner
from tsphys.runs.files import check_free, pictures
from tsphys.runs.provenance import provenance
from tsphys.runs.replicas import available_threads
from tsphys.runs.result import Result
from tsphys.symbols import words

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
@click.option("--set", "fixed", multiple=True, metavar="NAME=VALUE", help="Parameter or option; may be repeated.")
@click.option("--store", type=PATH, metavar="FOLDER",
              help="Folder of the results.  [default: that of the output, .study]")  # fmt: skip
@click.option("-p", "--processes", default=None, type=int, metavar="INT", help="Processes.  [default: all cores]")
@click.option("-o", "--output", metavar="PATH", type=PATH, help="Path without suffix.  [default: MODEL-phase-diagram]")
@force_option
@click.option("-q", "--quiet", is_flag=True, help="No progress bar.")
def phase_diagram(
    model: str, x: tuple[str, str], y: tuple[str, str], z: str | None, theory: bool, fixed: tuple[str, ...],
    store: str | None, processes: int | None, output: str | None, force: bool, quiet: bool,
) -> None:  # fmt: skip
    """Map an observable of MODEL over two parameters, with the lines between its phases.

    They are drawn where the theory knows them (Hebbian networks over alpha and T); elsewhere a line shows where the
    observable has fallen to half of its largest value. The runs are a study: they go on where they were stopped. Where
    there is nothing to show the map is hatched, and the legend says why. Of a run over times the last one is shown. A
    simulation also gives N·Var(m) and Binder's cumulant 1 − ⟨m⁴⟩/3⟨m²⟩² over its replicas.
    """
    from tsphys.studies import sweep as runs
    from tsphys.studies.collection import collect
    from tsphys.studies.study import study

    out = Path(output or f"{model}-phase-diagram")
    for path in pictures(out):
        check_free(path, force, makes_folder=True)
    if x[0] == y[0]:
        raise ModelError("y", y[0], "must be another parameter than x")
    compute = "solve" if theory else "simulate"
    described = study({"model": model, "compute": compute, **_fixed(fixed), "axes": {y[0]: y[1], x[0]: x[1]}})
    described.tasks()
    count = available_threads() if processes is None else number("processes", processes, kind=int, low=1)
    folder = Path(store) if store else out.with_name(out.name + ".study")
    with runs.processes(count) as pool, progress_bar(f"phase-diagram {model}", quiet) as progress:
        found = runs.sweep(described, folder, executor=pool, progress=progress)
    if found.failed == found.total:
        raise ConvergenceError(f"no point has a result: {next(iter(found.failures.values()))}")
    result = collect(described, folder, partial=True)
    gaps = _gaps(described, folder)
    click.echo(f"{found.done} of {found.total} points in {folder}")
    for name, where in gaps.items():
        click.echo(f"  {where.sum()}: {EMPTY[name][0]}")
    prefix = "theory" if theory else "simulation"
    known = boundaries(model, _fixed(fixed), result, x[0], y[0])
    found_maps = maps(result, z, prefix)
    for path in _draw(out, result, x[0], y[0], next(iter(found_maps)), found_maps, prefix, known, gaps):
        click.echo(f"wrote {path}")


def _fixed(texts: tuple[str, ...]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise ModelError("set", text, "must be NAME=VALUE")
        out[name] = from_json(value)
    return out


def _gaps(described: Any, folder: Path) -> dict[str, np.ndarray]:
    """Where the map is empty, (y, x), by the name of the error."""
    from tsphys.studies.store import Store

    store = Store(folder)
    errors = np.array([store.error(task.key) for task in described.tasks()]).reshape(described.shape)
    return {name: errors == name for name in EMPTY if (errors == name).any()}


def boundaries(
    name: str, fixed: dict[str, Any], result: Any, x: str, y: str
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Lines between the phases that the theory knows in the plane of x and y: label → (x, y)."""
    import dataclasses

    if {x, y} != {*MODELS[name].lines}:
        return {}
    given, over = MODELS[name].lines
    cls = model_class(name)
    own = {k: v for k, v in fixed.items() if k in {f.name for f in dataclasses.fields(cls)}}
    values = np.linspace(result[over].min(), result[over].max(), 4 * len(result[over]))
    found = import_module(MODELS[name].theory).lines(cls(**own), values)
    return {k: (line, values) if x == given else (values, line) for k, line in found.items()}


def maps(result: Any, z: str | None, prefix: str) -> dict[str, np.ndarray]:
    """The observable and, from replicas, its fluctuation and Binder's cumulant, each (y, x).

    Without a `z` it is m, or the first that is a number.
    """
    known = {k: at_the_end(result, k) for k in result.observables if k.startswith(prefix + "_")}
    axes = 2 if prefix == "theory" else 3
    numbers = [k.removeprefix(prefix + "_") for k, v in known.items() if v.ndim == axes]
    if z is None and numbers:
        z = "m" if "m" in numbers else numbers[0]
    if z is None or z not in numbers:
        raise ModelError("z", z, "must be one of " + ", ".join(numbers))
    values = known[f"{prefix}_{z}"]
    if prefix == "theory":
        return {z: values}
    out = {z: np.abs(values).mean(axis=2)}
    if values.shape[2] > 1:
        # Where a study does not say, the options have their default; the size may be an axis of the map.
        cls = model_class(result.model)
        options = {**cls.__dataclass_fields__, **runner(MODELS[result.model], "simulate").options}
        N = result.parameters.get(cls.size, options[cls.size].default)
        if cls.size in result:
            N = result[cls.size] if result.axis != cls.size else result[cls.size][:, None]
        out["susceptibility"] = N * np.abs(values).var(axis=2, ddof=1)
        out["binder"] = 1 - (values**4).mean(axis=2) / (3 * (values**2).mean(axis=2) ** 2)
    return out


def at_the_end(result: Any, name: str) -> np.ndarray:
    """An observable; of a number over time the last."""
    return result[name][..., -1] if result.dims.get(name, ("",))[-1:] == ("t",) else result[name]


def _draw(
    out: Path, result: Any, x: str, y: str, z: str, found: dict[str, np.ndarray], prefix: str,
    known: dict[str, tuple[np.ndarray, np.ndarray]], gaps: dict[str, np.ndarray],
) -> list[Path]:  # fmt: skip
    from matplotlib.patches import Patch

    from tsphys.plotting import COLOURS, COLUMN, save, style

    across, up, values = result[x], result[y], found[z]
    with style() as plt:
        figure, ax = plt.subplots(figsize=(1.4 * COLUMN, COLUMN))
        image = ax.pcolormesh(across, up, values, shading="nearest", cmap="Blues", vmin=0)
        half = 0.5 * np.nanmax(values)
        if not known and min(values.shape) > 1 and np.nanmin(np.nan_to_num(values)) < half:
            ax.contour(across, up, np.nan_to_num(values), levels=[half], colors="black", linewidths=0.7)
        limits = ax.get_xlim(), ax.get_ylim()
        handles: list[Any] = []
        for name, where in gaps.items():
            said, hatch = EMPTY[name]
            look: dict[str, Any] = {"hatch": hatch, "edgecolor": "0.7", "facecolor": "white", "linewidth": 0}
            empty = np.ma.masked_array(np.zeros(where.shape), ~where)
            ax.pcolor(across, up, empty, shading="nearest", cmap="Blues", vmin=0, vmax=1, **look)
            handles.append(Patch(label=said, **look))
        for n, (name, line) in enumerate(known.items()):
            handles += ax.plot(*line, color=COLOURS[1 + n], ls=("-", "--", "-.")[n % 3], label=words(name))
        ax.set(xlim=limits[0], ylim=limits[1])
        if handles:
            figure.legend(handles=handles, loc="outside lower left", ncols=2)
        figure.colorbar(image, ax=ax, label=words(z))
        end = f", $t = {result['t'][-1]:.4g}$" if "t" in result else ""
        ax.set(xlabel=words(x, axis=True), ylabel=words(y, axis=True))
        ax.set_title(f"{result.model.replace('_', ' ')}, {prefix}{end}")
        lines = {f"{name}_{axis}": v for name, line in known.items() for axis, v in zip((x, y), line, strict=True)}
        about = {"z": z, "kind": prefix}
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
