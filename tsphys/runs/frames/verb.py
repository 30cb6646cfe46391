"""What frames make: `simulate` and `solve` of a model, functions that say themselves what they take."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import allowed
from tsphys.ground.texts import nearest
from tsphys.rules.contract import Model
from tsphys.runs.result import Result

M = TypeVar("M", bound=Model)

#: What every verb may raise, what those that take steps or follow equations of motion, and those of many instances.
PLAIN = {"ModelError": "If an argument is out of range."}
STEPPING = PLAIN | {"DivergedError": "If a state left every bound; ``partial`` is the Result until then."}
MOVING = PLAIN | {
    "DivergedError": "If an order parameter exceeds 1e16; ``partial`` is the Result until then.",
    "ConvergenceError": "If the tolerance cannot be met.",
}
LARGE = {"ModelError": "If an argument is out of range, or an instance does not fit into memory."}
#: Of learning, of which a replica may be lost.
LOSING = LARGE | {"DivergedError": "If a replica left every bound; it tells the time and holds what was computed."}

_AXES = "In place of the model's; the one that is a sequence is the axis of the Result, `{}` if none is."


class Verb(Generic[M]):
    """``simulate`` or ``solve`` of a model.

    Parameters
    ----------
    physics : callable
        What the model's file says: its name, its words, and where it stands.
    model : type
        The class of its models.
    axes : sequence of str
        Parameters of the model that a run may be asked for in their place.
    options : mapping
        Name → field of every other option.
    run : callable
        ``run(model, given) -> Result``; nothing is given that is not known.
    raises : mapping
        What its frame raises and why, name -> words; where the physics says better itself, that stands.

    Attributes
    ----------
    physics, model, axes, options
        As above.
    """

    def __init__(
        self, physics: Callable[..., Any], model: type[M], axes: tuple[str, ...],
        options: Mapping[str, dataclasses.Field[Any]], run: Callable[[M, dict[str, Any]], Result],
        raises: Mapping[str, str] = PLAIN,
    ):  # fmt: skip
        self.physics, self.model, self.axes, self.options, self._run = physics, model, axes, dict(options), run
        self.__name__, self.__qualname__, self.__module__ = physics.__name__, physics.__qualname__, physics.__module__
        self.__doc__ = raising(words(physics.__doc__ or "", model, axes, self.options), raises)
        # What reads signatures, as editors and the site do, sees one.
        self.__signature__ = _signature(model, axes, self.options)

    def __repr__(self) -> str:
        return f"<{self.__module__}.{self.__name__}>"

    @property
    def names(self) -> tuple[str, ...]:
        """All that it takes beside the model."""
        return (*self.axes, *self.options)

    def __call__(self, model: M, **given: Any) -> Result:
        if not isinstance(model, self.model):
            raise ModelError("model", type(model).__name__, f"must be a tsphys.{self.model.__name__}")
        for name, value in given.items():
            if name not in self.names:
                raise ModelError(name, value, self._unknown(model, name))
        for name, option in self.options.items():
            if option.default is dataclasses.MISSING and name not in given:
                raise ModelError(name, None, f"is required to {self.__name__} {model.name}")
        # Tails of densities are zero to rounding, which a user's NumPy may be told to raise for.
        with np.errstate(under="ignore"):
            return self._run(model, given)

    def _unknown(self, model: M, name: str) -> str:
        """What is said of an option that there is none of."""
        fields = model.__dataclass_fields__
        own = {k: fields[k].metadata for k in self.axes} | {k: v.metadata for k, v in self.options.items()}
        near = nearest(name, own)
        hint = f"did you mean {near}?" if near else f"known are {', '.join(self.names)}"
        if name in fields:
            hint = f"it is a parameter of the model, {type(model).__name__}({name}=...)"
        return f"is not an option of {self.__name__} for {model.name}; {hint}"


def words(own: str, model: type, axes: tuple[str, ...], options: Mapping[str, dataclasses.Field[Any]]) -> str:
    """A docstring: the physics' own, which returns rows, with a list of all options before its sections."""
    doc = inspect.cleandoc(own)
    first = re.search(r"\n(?=[A-Z]\w+\n-{3,}\n)", doc)
    before, sections = (doc[: first.start()], doc[first.start() :]) if first else (doc, "")
    entries = [f"model : {model.__name__}"]
    if axes:
        entries += [f"{', '.join(axes)} : float or sequence of float, optional", f"    {_AXES.format(axes[0])}"]
    for name, option in options.items():
        # What Python hands over has limits of its own, in its words.
        limits = "" if option.metadata["kind"] is object else f"; {allowed(option.metadata)}"
        default = "" if option.default is dataclasses.MISSING else f", default {option.default!r}"
        kind = option.type if isinstance(option.type, str) else option.type.__name__
        entries += [f"{name} : {kind}{default}", f"    {option.metadata['help']}{limits}."]
    out = "\n".join([before.rstrip(), "", "Parameters", "----------", *entries, ""])
    return out + sections.replace("\nReturns\n-------\ndict\n", "\nReturns\n-------\nResult\n", 1)


def raising(doc: str, raises: Mapping[str, str]) -> str:
    """A docstring whose section of errors, behind that of results, also has those that the physics does not name."""
    head, *parts = re.split(r"\n\n(?=[A-Z]\w+\n-{3,}\n)", doc.rstrip())
    own = next((i for i, part in enumerate(parts) if part.startswith("Raises\n")), None)
    if own is None:
        own = sum(part.startswith(("Parameters\n", "Returns\n")) for part in parts)
        parts.insert(own, "Raises\n------")
    named = re.findall(r"\w+", " ".join(line for line in parts[own].splitlines() if not line.startswith(" ")))
    parts[own] += "".join(f"\n{name}\n    {why}" for name, why in raises.items() if name not in named)
    return "\n\n".join([head, *parts])


def _signature(model: type, axes: tuple[str, ...], options: Mapping[str, dataclasses.Field[Any]]) -> inspect.Signature:
    named = inspect.Parameter.KEYWORD_ONLY
    out = [inspect.Parameter("model", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=model.__name__)]
    out += [inspect.Parameter(name, named, default=None, annotation="Any") for name in axes]
    for name, option in options.items():
        default = inspect.Parameter.empty if option.default is dataclasses.MISSING else option.default
        out.append(inspect.Parameter(name, named, default=default, annotation=option.type))
    return inspect.Signature(out, return_annotation="Result")
