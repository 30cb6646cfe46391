"""What a page has to turn: a control for each parameter and option, made from their declarations alone."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import described
from tsphys.ground.texts import from_json
from tsphys.ground.times import grid
from tsphys.registry import model_class
from tsphys.studies.configuration import run_options

#: Of an option that a page has its own way with, or that makes no difference to what is seen.
LEFT_OUT = ("threads", "dtype", "partial", "replicas", "t", "engine", "rtol", "atol", "start")
#: Most of a size, and of other integers without a bound of their own.
LARGEST_SIZE, LARGEST_COUNT = 10_000, 8
#: Steps of a slider.
STEPS = 200


@dataclass(frozen=True)
class Control:
    """A parameter or an option, as something to turn.

    Parameters
    ----------
    name : str
    kind : {"number", "log", "integer", "choice", "switch", "text"}
        ``log`` is a number over decades; ``text`` is JSON, for arrays and for what may be none.
    start : object
        Its default.
    low, high : float
        Ends of a slider: bounds of the parameter where it has any, and otherwise where one would look.
    choices : tuple of str
    help : str
    model : bool
        Whether it is a parameter of the model.
    optional : bool
        Whether it may be none.
    """

    name: str
    kind: str
    start: Any
    low: float = 0.0
    high: float = 1.0
    choices: tuple[str, ...] = ()
    help: str = ""
    model: bool = True
    optional: bool = False

    def read(self, value: Any) -> Any:
        """What a widget's value stands for.

        Raises
        ------
        ModelError
            If a text is none of its values.
        """
        if self.kind == "log":
            return float(f"{10**value:.4g}")
        if self.kind == "choice":
            return None if value == "none" and self.optional else value
        if self.kind == "text":
            return None if value.strip() in ("", "none") else from_json(value)
        return int(value) if self.kind == "integer" else value

    def write(self, value: Any) -> Any:
        """The value of a widget that stands for a parameter."""
        if self.kind == "log":
            return math.log10(value)
        if self.kind == "text" and isinstance(value, tuple):
            return json.dumps(value)
        if self.kind in ("choice", "text"):
            return "none" if value is None else str(value)
        return value


def controls(name: str) -> list[Control]:
    """All controls of a model, those of its parameters first.

    Raises
    ------
    ModelError
        If there is no such model.
    """
    cls = model_class(name)
    own = [control(k, f.metadata, f.default, True) for k, f in described(cls).items()]
    options = {k: v for k, v in run_options(name, "compare").items() if k not in LEFT_OUT and k not in axes(name)}
    return own + [control(k, v.metadata, v.default, False) for k, v in options.items()]


def axes(name: str) -> tuple[str, ...]:
    """What a model may be drawn over: its parameters that may be, and otherwise time."""
    return model_class(name).axes or ("t",)


def first_points(name: str, axis: str) -> str:
    """What an axis shows at first: the times that a run has by default, or where the slider of a parameter goes.

    Of that what the model takes, with all else at its default, where it takes some.
    """
    options = run_options(name, "compare")
    if axis == "t" and axis in options:
        return str(options[axis].default)
    c = next(c for c in controls(name) if c.name == axis)
    cls, how = model_class(name), ":log" if c.kind == "log" else ""
    meta = described(cls)[axis].metadata
    (low, high), count = ends(c, meta), 30
    if whole := meta["kind"] is int:
        step = max(1, round((high - low) / 30))
        count = round((high - low) / step) + 1
        low, high = round(low), round(low) + step * (count - 1)

    def said() -> str:
        return f"{low:.0f}:{high:.0f}:{count}" if whole else f"{low:.3g}:{high:.3g}:{count}{how}"

    taken = [v for v in grid(axis, said()).tolist() if _takes(cls, axis, v)]
    if 2 <= len(taken) < count:
        low, high, count = taken[0], taken[-1], len(taken)
    return said()


def stretch(name: str, axis: str, most: int) -> np.ndarray:
    """At most so many values of an axis at the same distance, from where it begins at first to where it ends."""
    values = np.asarray(grid(axis, first_points(name, axis)))
    # Of whole numbers some, which stay whole.
    return values[:: -(-len(values) // most)] if (values % 1 == 0).all() else np.linspace(values[0], values[-1], most)


def _takes(cls: type, axis: str, value: Any) -> bool:
    """Whether a model may have this value, with all else at its default."""
    try:
        cls(**{axis: value})
    except ModelError:
        return False
    return True


def ends(c: Control, meta: Any) -> tuple[float, float]:
    """Where a curve over a parameter begins and ends, of one that may be none a stretch beside small numbers."""
    if c.kind == "log":
        return 10**c.low, 10**c.high
    if c.kind == "text":
        low, high = (1, 30) if meta["kind"] is int else (0.1, 2.0)
        top = high if meta["high"] is None else min(high, meta["high"])
        return max(low, meta["low"] or low), top
    return (c.low or (1 if c.kind == "integer" else (c.high - c.low) / 30)), c.high


def control(name: str, meta: Any, default: Any, model: bool) -> Control:
    """The control of one parameter.

    Raises
    ------
    ModelError
        Never for a default that its own bounds allow.
    """
    about = {"help": meta["help"], "model": model, "optional": meta["optional"]}
    if meta["choices"]:
        some = (("none",) if meta["optional"] else ()) + tuple(meta["choices"])
        return Control(name, "choice", default, choices=some, **about)
    if meta["shape"] or default is None or meta["kind"] is str:
        return Control(name, "text", default, **about)
    if meta["kind"] is bool:
        return Control(name, "switch", default, **about)
    low, high = meta["low"], meta["high"]
    if meta["kind"] is int:
        top = LARGEST_SIZE if name == "N" else max(LARGEST_COUNT, 4 * default)
        bottom = (100 if name == "N" else 0) if low is None else max(low, 10 if name == "N" else low)
        return Control(name, "integer", default, bottom, top if high is None else min(high, top), **about)
    if high is not None and high < 1e3:
        gap = (high - (low or 0.0)) / STEPS
        bottom = (low or 0.0) + (gap if meta["open_low"] else 0.0)
        return Control(name, "number", default, bottom, high - (gap if meta["open_high"] else 0.0), **about)
    if default > 0 and (low is None or low >= 0):
        wide = low == 0 and not meta["open_low"]
        if wide or low is None or low >= default / 10:
            return Control(name, "number", default, low or 0.0, 5 * default, **about)
        return Control(name, "log", default, math.log10(default) - 2, math.log10(default) + 1.3, **about)
    return Control(name, "number", default, -2.0 if low is None or low < -1e3 else low, 2.0, **about)


def values(read: dict[str, Any], known: list[Control]) -> dict[str, Any]:
    """What differs from the defaults, of what widgets say.

    Raises
    ------
    ModelError
        If a text stands for nothing.
    """
    out = {}
    for c in known:
        value = c.read(read[c.name])
        if isinstance(value, float) and not math.isfinite(value):
            raise ModelError(c.name, value, "must be finite")
        # A slider shows its default by a few digits.
        if value not in (c.start, c.read(c.write(c.start))):
            out[c.name] = value
    return out
