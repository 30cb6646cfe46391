"""The axis of a static model: the one parameter that is given as a sequence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import number


def along(model: Any, **given: Any) -> tuple[str, np.ndarray, list[Any]]:
    """Name and values of the axis, and the model at each of them.

    Parameters
    ----------
    model : dataclass
    given : float, sequence of float or None
        Parameters in place of the model's. The one that is a sequence is the axis; without one it is the first that is
        given at all, and otherwise the first of the model's axes.

    Raises
    ------
    ModelError
        If two are sequences, a sequence is empty, or a value is out of range.
    """
    fixed = {k: v for k, v in given.items() if v is not None and np.ndim(v) == 0}
    sequences = {k: v for k, v in given.items() if v is not None and np.ndim(v) > 0}
    if len(sequences) > 1:
        raise ModelError("axis", list(sequences), "must be one sequence; the others are numbers")
    model = replace(model, **fixed)
    axis = next(iter(sequences), next(iter(fixed), model.axes[0]))
    values = sequences.get(axis, [getattr(model, axis)])
    if np.ndim(values) != 1 or len(values) == 0:
        raise ModelError(axis, values, "must be a number or a sequence of numbers")
    models = [replace(model, **{axis: v}) for v in np.asarray(values).tolist()]
    return axis, np.array([getattr(m, axis) for m in models]), models


def odd(name: str, value: Any) -> int:
    """An odd integer ≥ 3, or a ModelError."""
    value = number(name, value, kind=int, low=3)
    if value % 2 == 0:
        raise ModelError(name, value, "must be odd: even mixtures are unstable at every temperature")
    return value
