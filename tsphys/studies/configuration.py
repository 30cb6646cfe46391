"""From values as they stand in TOML files and options to a model and the options of its run."""

from __future__ import annotations

import dataclasses
import inspect
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import DTYPES, ENGINES, param
from tsphys.ground.texts import known
from tsphys.ground.times import grid, times, whole_steps
from tsphys.physics.order_parameters import LARGEST, overlaps
from tsphys.registry import MODELS, PRECISION, VERBS, model_class, runner
from tsphys.runs.frames.verb import Verb

#: Options of runs; a command offers those that the model's `simulate` or `solve` takes.
RUN: dict[str, Any] = {
    "N": param(1000, "size: input dimension or number of spins", kind=int, short="-N"),
    "t": param("0.1:100:40", "times: START:STOP:POINTS[:lin|log] or a list a,b,c (t = steps/N)", kind=str, short="-t"),
    "replicas": param(8, "independent replicas", kind=int, short="-r"),
    "seed": param(0, "seed; with the replica and the engine it fixes every random number", kind=int, short="-s"),
    "engine": param("auto", "engine of the simulation", kind=str, choices=ENGINES, short="-e"),
    "dtype": param("float64", "precision of the weights (engine direct)", kind=str, choices=DTYPES),
    "threads": param(None, "threads over replicas; none: all cores", kind=int, short="-j", optional=True),
    "rtol": param(None, "relative tolerance of the solver; none: its default", optional=True),
    "partial": param(False, "where a point has no result NaN, not an error", kind=bool),
    "until_sem": param(
        None,
        'standard error to meet, of the first observable or as {"eps_g": 0.01}: replicas are added until it is; '
        "none: as many as replicas",
        optional=True,
    ),
    "most_replicas": param(None, "replicas at most for until_sem; none: 1024", kind=int, low=2, optional=True),
    "start": param(
        None,
        "overlaps at t = 0, a table with R, Q, T (JSON, or TOML); none: the model's own",
        kind=dict,
        check=overlaps,
        optional=True,
    ),
}
#: Bytes of a TOML file: far more than anybody writes.
LONGEST = 2**24
HIDDEN = {"model", "progress", "checkpoint", "resume", "atol", "max_step"}


def _functions(name: str, verb: str) -> list[Any]:
    return [runner(MODELS[name], v) for v in VERBS if verb in (v, "compare")]


def run_options(name: str, verb: str) -> dict[str, Any]:
    """Options of the run: those of `RUN` that the model's functions take, or a plain option of their own."""
    out: dict[str, Any] = {}
    fields = {f.name for f in dataclasses.fields(model_class(name))}
    for function in _functions(name, verb):
        if isinstance(function, Verb):
            out |= {k: v for k, v in function.options.items() if v.metadata["kind"] is not object}
            continue
        for key, p in inspect.signature(function).parameters.items():
            if key in HIDDEN or key in fields or p.kind is p.VAR_KEYWORD:
                continue
            own = getattr(inspect.getmodule(function), "OPTIONS", {})
            described = own.get(key) or RUN.get(key)
            if described is not None:
                out[key] = described
    more = PRECISION if verb in ("simulate", "compare") else ()
    return {**out, "partial": RUN["partial"], **{key: RUN[key] for key in more}}


def describe(name: str, verb: str, values: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The model and the options of the run that named values stand for; options that are not named have defaults.

    Parameters
    ----------
    name : str
        Name of the model.
    verb : {"simulate", "solve", "compare"}
        Whose options are meant; those of both for ``compare``.
    values : dict
        Parameters and options together. A parameter that may be the axis of a run is one if it is a list.

    Raises
    ------
    ModelError
        For a name that is unknown, with the nearest that is known, or a value out of range.
    """
    cls = model_class(name)
    own = {f.name for f in dataclasses.fields(cls)}
    runs = run_options(name, verb)
    for key in values:
        known("option", key, {*own, *runs})
    axes = {k: grid(k, v) for k, v in values.items() if k in cls.axes and _is_axis(v)}
    model = cls(**{k: v for k, v in values.items() if k in own and k not in axes})
    options = {k: v.default for k, v in runs.items() if v.default is not None}
    options |= {k: v for k, v in values.items() if k in runs}
    for key in options:
        if key == "t" or runs[key].metadata["kind"] is list:
            options[key] = grid(key, options[key])
        elif runs[key].metadata["kind"] is dict and options[key] is not None:
            options[key] = runs[key].metadata["check"](key, options[key])
    return model, {**options, **axes}


def _is_axis(value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, str) and (":" in value or "," in value))


def read_toml(path: str | os.PathLike[str], what: str = "config") -> dict[str, Any]:
    """What stands in a TOML file, with or without a byte order mark; a ModelError about `what` if it cannot be read."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        with Path(path).open("rb") as file:
            content = file.read(LONGEST + 1)
        if len(content) > LONGEST:
            raise ModelError(what, str(path), f"is not TOML: longer than {LONGEST} bytes")
        return tomllib.loads(content.decode("utf-8-sig"))
    except OSError as error:
        raise ModelError(what, str(path), f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise ModelError(what, str(path), f"is not TOML in UTF-8: {error.reason} at byte {error.start}") from None
    except ModelError:
        raise
    except (ValueError, RecursionError) as error:  # Also integers of thousands of digits, and names that no file has.
        raise ModelError(what, str(path), f"is not TOML: {error}") from None


def read_config(path: str, name: str, names: set[str]) -> dict[str, Any]:
    """The keys of a TOML file; ``model`` may be among them and must then fit."""
    values = read_toml(path)
    if values.pop("model", name) != name:
        raise ModelError("config", path, f"describes another model than {name}")
    for key in values:
        known("config", key, names)
    return values


def on_steps(t: Any, N: Any) -> Any:
    """Times moved to whole steps at size N, without repetition; as they are if N is no size, which others check."""
    if isinstance(N, bool) or not isinstance(N, (int, float)) or not 1 <= N <= LARGEST or N % 1 != 0:
        return t
    return np.unique(whole_steps(times("t", t), int(N))) / N
