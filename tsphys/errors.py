"""What tsphys raises; every message fits one line and names the parameter, its value and what is allowed."""

from __future__ import annotations

import copy
import copyreg
import pickle
from collections.abc import Callable
from typing import Any

from tsphys.ground.lines import line


class _Carried(Exception):
    """What travels between processes with its text and all of its fields, whatever its constructor asks for.

    A field that cannot travel, such as a function without a name, arrives as its text: an error that stops a pool of
    processes on its way tells nobody what was wrong.
    """

    def _parts(self, take: Callable[[Any], Any]) -> tuple[Any, ...]:
        fields = {name: _taken(value, take) for name, value in vars(self).items()}
        return copyreg.__newobj__, (type(self), *self.args), fields  # type: ignore[attr-defined]

    def __reduce__(self) -> tuple[Any, ...]:
        return self._parts(_through_pickle)

    def __copy__(self) -> Any:
        return _made(self._parts(lambda value: value))

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return _made(self._parts(lambda value: copy.deepcopy(value, memo)))


def _through_pickle(value: Any) -> Any:
    # There and back: some things go into a pickle and do not come out.
    pickle.loads(pickle.dumps(value))
    return value


def _taken(value: Any, take: Callable[[Any], Any]) -> Any:
    try:
        return take(value)
    except Exception:
        return _shown(value)


def _made(parts: tuple[Any, ...]) -> Any:
    make, arguments, fields = parts
    error = make(*arguments)
    vars(error).update(fields)
    return error


def _shown(value: Any) -> str:
    """A value on one line of at most 80 characters."""
    try:
        if callable(value) and isinstance(name := getattr(value, "__name__", None), str):
            shown = name
        else:
            # NumPy's scalars as the numbers that they are.
            plain = value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value
            shown = " ".join(repr(plain).split())
    except Exception:  # Integers of thousands of digits, for one, have no repr.
        shown = f"<{type(value).__name__}>"
    return shown if len(shown) <= 80 else shown[:77] + "..."


class ModelError(_Carried, ValueError):
    """An input outside of what a model, a solver or a run allows.

    Parameters
    ----------
    name : str
        The parameter at fault.
    value : object
        What was given; long values are shortened in the message.
    allowed : str
        What would have been accepted.
    """

    def __init__(self, name: str, value: Any, allowed: str):
        self.name, self.value, self.allowed = name, value, allowed
        super().__init__(line(f"{name} = {_shown(value)}: {allowed}"))


class NoStateError(ModelError):
    """A point of parameters at which there is no state of the kind that was asked for, as beyond a spinodal."""


class ConvergenceError(_Carried, RuntimeError):
    """A solver that did not reach its tolerance; it never returns numbers as if it had.

    Attributes
    ----------
    residual : float
        Size of what should have vanished, at the last iterate.
    iterations : int
        Iterations done.
    last : object
        The last iterate.
    """

    def __init__(self, message: str, *, residual: float = float("nan"), iterations: int = 0, last: Any = None):
        self.residual, self.iterations, self.last = residual, iterations, last
        super().__init__(f"{line(message)} (residual {residual:.3g} after {iterations} iterations)")


class DivergedError(_Carried, RuntimeError):
    """The dynamics left every bound.

    Attributes
    ----------
    t : float
        Time of the divergence (the earliest over the replicas).
    partial : Result or None
        What was computed until then; later times are NaN.
    """

    def __init__(self, message: str, *, t: float, partial: Any = None):
        self.t, self.partial = t, partial
        super().__init__(line(message))
