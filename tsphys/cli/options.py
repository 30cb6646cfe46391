"""From a model's dataclass to options, from options and TOML to a model and its run."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import json
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np

from tsphys.errors import ModelError
from tsphys.models.fields import param
from tsphys.registry import MODELS, model_class
from tsphys.runs.files import check_folder, npz
from tsphys.runs.times import times

#: Options of runs; a command offers those that the model's `simulate` or `solve` takes.
RUN: dict[str, Any] = {
    "N": param(1000, "size: input dimension or number of spins", kind=int, short="-N"),
    "t": param("0.1:100:40", "times: START:STOP:POINTS[:lin|log] or a list a,b,c (t = steps/N)", kind=str, short="-t"),
    "replicas": param(8, "independent replicas", kind=int, short="-r"),
    "seed": param(0, "seed; with the replica and the engine it fixes every random number", kind=int, short="-s"),
    "engine": param("auto", "engine of the simulation", kind=str, short="-e"),
    "dtype": param("float64", "precision of the weights (engine direct)", kind=str),
    "threads": param(None, "threads over replicas; none: all cores", kind=int, short="-j", optional=True),
    "rtol": param(None, "relative tolerance of the solver; none: its default", optional=True),
    "start": param(None, "start, a table in the TOML file; none: the model's own", kind=str, optional=True),
}
HIDDEN = {"model", "progress", "checkpoint", "resume", "atol", "max_step"}


def flag(name: str) -> str:
    """The long option of a parameter."""
    return "--" + name.replace("_", "-") if len(name) > 1 else "--" + name


def per_model(verb: str, about: str, run: Callable[..., int | None], extra: Callable[[Any], Any]) -> click.Group:
    """A group with a command for each model, whose options come from its dataclass and from what `verb` takes."""

    class PerModel(click.Group):
        def list_commands(self, ctx: click.Context) -> list[str]:
            return [name for name, entry in MODELS.items() if all(getattr(entry, r) for r in ROOMS[verb])]

        def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
            return _command(name, verb, run, extra) if name in self.list_commands(ctx) else None

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            with formatter.section("Models"):
                formatter.write_dl([(name, MODELS[name].about) for name in self.list_commands(ctx)])

    return PerModel(name=verb, help=about)


ROOMS = {"simulate": ("sims",), "solve": ("theory",), "compare": ("sims", "theory")}


def _functions(name: str, verb: str) -> list[Any]:
    from importlib import import_module

    rooms = {"sims": "simulate", "theory": "solve"}
    return [getattr(import_module(getattr(MODELS[name], room)), rooms[room]) for room in ROOMS[verb]]


def run_options(name: str, verb: str) -> dict[str, Any]:
    """Options of the run: those of `RUN` that the model's functions take, or a plain option of their own."""
    out: dict[str, Any] = {}
    fields = {f.name for f in dataclasses.fields(model_class(name))}
    for function in _functions(name, verb):
        for key, p in inspect.signature(function).parameters.items():
            if key in HIDDEN or key in fields or p.kind is p.VAR_KEYWORD:
                continue
            own = getattr(inspect.getmodule(function), "OPTIONS", {})
            described = own.get(key) or RUN.get(key)
            if described is not None:
                out[key] = described
    return out


def _command(name: str, verb: str, run: Any, extra: Any) -> click.Command:
    cls = model_class(name)
    decorators = []
    for f in dataclasses.fields(cls):
        decorators.append(_option(f.name, f.metadata, f.default))
    for key, described in run_options(name, verb).items():
        decorators.append(_option(key, described.metadata, described.default))
    decorators.append(
        click.option("--config", type=click.Path(), help="TOML file with any of these options, and a [start] table.")
    )

    def bare() -> None: ...

    for decorate in extra(name):
        bare = decorate(bare)
    extras = [option.name for option in bare.__click_params__]

    def command(config: str | None, **given: Any) -> int | None:
        own = {k: given.pop(k) for k in extras}
        values = {k: v for k, v in given.items() if v is not None}
        return run(name, merge(name, verb, config, values), **own)

    for decorate in reversed([*decorators, *extra(name)]):
        command = decorate(command)
    text = f"{MODELS[name].about[0].upper()}{MODELS[name].about[1:]}.\n\nOptions override --config."
    return click.command(name=name, help=text)(command)


def _option(name: str, meta: Any, default: Any) -> Any:
    short = [meta["short"]] if meta["short"] else []
    shown = meta["help"]
    if meta["choices"]:
        shown += f" [{'|'.join(meta['choices'])}]"
    shown += f"  [default: {'none' if default is None else default}]"
    kind = "JSON" if meta["shape"] else {int: "INT", float: "FLOAT", str: "TEXT", bool: "BOOL"}[meta["kind"]]
    # Values are texts here and checked by the model itself, so that there is one set of rules and messages.
    long = dict.fromkeys([flag(name)] + ([s for s in short if s == flag(name)]))
    return click.option(*short, *long, name, metavar=kind, default=None, help=shown, show_default=False)


def output_options(kind: str) -> Callable[[str], list[Any]]:
    """``-o``, ``--force`` and ``--quiet``."""

    def options(name: str) -> list[Any]:
        return [
            click.option("-o", "--output", metavar="FILE", help=f"Result file.  [default: {name}-{kind}.npz]"),
            click.option("--force", is_flag=True, help="Replace files that exist."),
            click.option("-q", "--quiet", is_flag=True, help="No progress bar."),
        ]

    return options


def parse(name: str, text: Any, meta: Any) -> Any:
    """A text from the command line as the value of a parameter; the model checks it."""
    if not isinstance(text, str) or (meta["kind"] is str and not meta["shape"]):
        return None if text == "none" and meta["optional"] else text
    if text == "none":
        return None
    if meta["kind"] is bool and not meta["shape"]:
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def merge(name: str, verb: str, config: str | None, given: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The model and the run that a TOML file and the command line describe; the command line has the last word.

    Raises
    ------
    ModelError
        For a file that cannot be read, a key that is unknown (with the nearest that is), or a value out of range.
    """
    cls = model_class(name)
    own = {f.name: f.metadata for f in dataclasses.fields(cls)}
    runs = {k: v.metadata for k, v in run_options(name, verb).items()}
    values = read_config(config, name, {*own, *runs}) if config else {}
    values |= {k: parse(k, v, own.get(k) or runs[k]) for k, v in given.items()}
    axes = {k: grid(k, v) for k, v in values.items() if k in getattr(cls, "axes", ()) and _is_axis(v)}
    model = cls(**{k: v for k, v in values.items() if k in own and k not in axes})
    options = {k: v.default for k, v in run_options(name, verb).items() if v.default is not None}
    options |= {k: v for k, v in values.items() if k in runs}
    if "t" in options:
        options["t"] = grid("t", options["t"])
    if isinstance(options.get("start"), dict):
        from tsphys.physics.order_parameters import OrderParameters

        known = [f.name for f in dataclasses.fields(OrderParameters)]
        for key in options["start"]:
            _known("start." + key, key, known)
        for key in ("R", "Q", "T"):
            if key not in options["start"]:
                raise ModelError("start", options["start"], f"must have R, Q and T; {key} is missing")
        options["start"] = OrderParameters(**options["start"])
    return model, {**options, **axes}


def _is_axis(value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, str) and (":" in value or "," in value))


def _known(what: str, key: str, known: Any) -> None:
    if key not in known:
        near = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
        raise ModelError(what, key, f"is not known{f'; did you mean {near[0]}?' if near else ''}")


def read_config(path: str, name: str, known: set[str]) -> dict[str, Any]:
    """The keys of a TOML file; ``model`` may be among them and must then fit."""
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        import tomli as tomllib
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError("config", path, f"cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError("config", path, f"is not TOML: {error}") from None
    if values.pop("model", name) != name:
        raise ModelError("config", path, f"describes another model than {name}")
    for key in values:
        _known("config", key, known)
    return values


def grid(name: str, value: Any) -> Any:
    """``START:STOP:POINTS[:lin|log]`` or ``a,b,c`` as an array; anything else as it is.

    Without a word on it the points are spaced evenly on a log scale if START > 0 and the name is ``t``.
    """
    if not isinstance(value, str):
        return [value] if isinstance(value, (int, float)) else value
    words = "must be START:STOP:POINTS[:lin|log] or numbers a,b,c"
    try:
        if ":" not in value:
            return [float(x) for x in value.split(",")]
        low, high, points, *scale = value.split(":")
        a, b, n = float(low), float(high), int(points)
        kind = scale[0] if scale else ("log" if a > 0 and name == "t" else "lin")
        if len(scale) > 1 or kind not in ("lin", "log") or n < 1 or (kind == "log" and not 0 < a <= b):
            raise ValueError(value)
    except ValueError:
        raise ModelError(name, value, words) from None
    return np.geomspace(a, b, n) if kind == "log" else np.linspace(a, b, n)


def on_steps(t: Any, N: int) -> np.ndarray:
    """Times moved to whole steps at size N, without repetition."""
    return np.unique(np.rint(times("t", t) * N)) / N


def target(output: str | None, default: str, force: bool) -> Path:
    """Where a result goes, checked before anything is computed."""
    path = npz(output or default)
    check_folder(path)
    if path.exists() and not force:
        raise ModelError("output", str(path), "exists; use --force to replace it, or -o for another file")
    return path


@contextmanager
def progress_bar(label: str, quiet: bool = False) -> Any:
    """A bar on the error stream that takes fractions; silent where there is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1000, label=label, file=sys.stderr) as bar:
        yield lambda fraction: bar.update(max(0, int(1000 * fraction) - bar.pos))
