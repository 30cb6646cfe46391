"""What tsphys raises; every message fits one line and names the parameter, its value and what is allowed."""

from __future__ import annotations

from typing import Any


class ModelError(ValueError):
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
        if callable(value) and hasattr(value, "__name__"):
            shown = value.__name__
        else:
            # NumPy's scalars as the numbers that they are.
            plain = value.item() if hasattr(value, "item") and getattr(value, "ndim", None) == 0 else value
            shown = " ".join(repr(plain).split())
        if len(shown) > 80:
            shown = shown[:77] + "..."
        super().__init__(f"{name} = {shown}: {allowed}")

    def __reduce__(self):
        return type(self), (self.name, self.value, self.allowed)


class ConvergenceError(RuntimeError):
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
        super().__init__(f"{message} (residual {residual:.3g} after {iterations} iterations)")


class DivergedError(RuntimeError):
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
        super().__init__(message)
