"""From values as they stand in TOML files and options to a model and the options of its run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import described
from tsphys.ground.texts import known
from tsphys.ground.times import grid, times, whole_steps
from tsphys.physics.order_parameters import LARGEST
from tsphys.registry import EVERY, MODELS, VERBS, model_class, runner

#: Bytes of a TOML file: far more than anybody writes.
LONGEST = 2**24


def run_options(name: str, verb: str) -> dict[str, Any]:
    """Options of the run that text can say; for ``compare`` of both runs."""
    verbs = [v for v in VERBS if verb in (v, "compare")]
    own = {key: option for v in verbs for key, option in runner(MODELS[name], v).options.items()}
    # The order in 1/N is no option of studies and files; its command has a flag of its own.
    every = {key: option for v in verbs for key, option in EVERY[v].items() if key != "fluctuations"}
    return {key: option for key, option in {**own, **every}.items() if option.metadata["kind"] is not object}


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
    own = described(cls)
    runs = run_options(name, verb)
    for key in values:
        known("option", key, {k: v.metadata for k, v in {**own, **runs}.items()})
    values = {k: None if _is_none(v, (own.get(k) or runs[k]).metadata) else v for k, v in values.items()}
    axes = {k: grid(k, v) for k, v in values.items() if k in cls.axes and _is_axis(v)}
    model = cls(**{k: v for k, v in values.items() if k in own and k not in axes})
    options = {k: v.default for k, v in runs.items() if v.default is not None}
    if values.get("pattern_file") is not None:
        # Patterns of one's own say how many spins there are, unless that is named.
        options.pop("N", None)
    options |= {k: v for k, v in values.items() if k in runs}
    for key in options:
        if key == "t" or runs[key].metadata["kind"] is list:
            options[key] = grid(key, options[key])
        elif runs[key].metadata["kind"] is dict and options[key] is not None:
            options[key] = runs[key].metadata["check"](key, options[key])
    return model, {**options, **axes}


def _is_none(value: Any, meta: Mapping[str, Any]) -> bool:
    # TOML has no other word for it.
    return isinstance(value, str) and value == "none" and meta["optional"]


def _is_axis(value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, str) and (":" in value or "," in value))


def read_toml(path: str | os.PathLike[str], what: str = "config") -> dict[str, Any]:
    """What stands in a TOML file, with or without a byte order mark; a ModelError about `what` if it cannot be read."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        with open(os.fspath(path), "rb") as file:
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


def read_config(path: str, name: str, names: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a TOML file, which are `known`; ``model`` may be among them and must then fit."""
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
