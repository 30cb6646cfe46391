"""The axis of a static model: the one parameter that is given as a sequence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import number, numbers


class Points(NamedTuple):
    """Name and values of an axis, the model at each of them, and the model with what else was given in place."""

    axis: str
    values: np.ndarray
    models: list[Any]
    model: Any


def points(model: Any, given: Mapping[str, Any]) -> Points:
    """The points at which a model is asked for.

    Parameters
    ----------
    model : dataclass
    given : mapping
        Numbers, sequences of numbers or None: parameters in place of the model's. The one that is a sequence is the
        axis; without one it is the first that is given at all, and otherwise the first of the model's axes.

    Raises
    ------
    ModelError
        If two are sequences, a sequence is empty, or a value is out of range.
    """
    fixed = {k: v for k, v in given.items() if v is not None and not is_sequence(v)}
    sequences = {k: v for k, v in given.items() if is_sequence(v)}
    if len(sequences) > 1:
        raise ModelError("axis", list(sequences), "must be one sequence; the others are numbers")
    model = replace(model, **fixed)
    if not model.axes:
        return Points("", np.empty(0), [model], model)
    axis = next(iter(sequences), next(iter(fixed), model.axes[0]))
    if axis not in sequences:
        return Points(axis, np.array([getattr(model, axis)]), [model], model)
    values = numbers(sequences[axis])
    if values is None or values.ndim != 1 or values.size == 0:
        raise ModelError(axis, sequences[axis], "must be a number or a sequence of numbers")
    # As they were given, since large integers have more digits than floats.
    models = [replace(model, **{axis: v}) for v in np.asarray(sequences[axis]).tolist()]
    return Points(axis, np.array([getattr(m, axis) for m in models]), models, model)


def is_sequence(value: Any) -> bool:
    """Whether a value is an axis; what only tries to be one, as a ragged list, is as well."""
    try:
        return bool(np.ndim(value) > 0)
    except Exception:
        return True


def odd(name: str, value: Any) -> int:
    """An odd integer ≥ 3, or a ModelError; the law of more than 1023 signs has no floats."""
    value = number(name, value, kind=int, low=3, high=1023)
    if value % 2 == 0:
        raise ModelError(name, value, "must be odd: even mixtures are unstable at every temperature")
    return value
