"""Examples of a user's own in the place of drawn ones: a random part is learned, and the rest held out."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import array, counted

#: What fields of options with data say.
INPUTS = (
    "inputs x of your own, (examples, N), best with mean 0 and variance 1, in place of drawn ones; then N is theirs, "
    "round(αN) examples are learned, and errors are those on the others"
)
OUTPUTS = "outputs of these examples, (examples,), as the student learns them"


class Part(NamedTuple):
    """Examples: inputs (n, N) over √N and outputs (n,)."""

    X: np.ndarray
    y: np.ndarray


def checked(X: Any, y: Any, binary: bool, alpha: float) -> Part | None:
    """The user's examples, none where none are given, or a ModelError.

    Parameters
    ----------
    binary : bool
        Whether y must be labels ±1.
    alpha : float
        The largest load, of all examples that a run touches; one at least must be left over.
    """
    if X is None and y is None:
        return None
    if X is None or y is None:
        raise ModelError("X" if X is None else "y", None, f"must be given together with {'y' if X is None else 'X'}")
    X = array("X", X, (None, None), "a row for each example")
    if X.shape[1] < 2:
        raise ModelError("X", f"array of shape {X.shape}", "must have two columns at least")
    y = array("y", y, (len(X),), "one for each row of X")
    if binary and not (np.abs(y) == 1).all():
        raise ModelError("y", float(y[np.abs(y) != 1][0]), "must be labels, 1 or -1")
    if counted("alpha", alpha, X.shape[1], "example") >= len(X):
        most = (len(X) - 1) / X.shape[1]
        raise ModelError("alpha", alpha, f"must be at most {most:.4g}, where one of the {len(X)} examples is held out")
    return Part(X, y)


def parted(data: Part, n: int, rng: np.random.Generator) -> tuple[Part, Part]:
    """n random examples, and the others, inputs over √N."""
    rows = rng.permutation(len(data.y))
    root = np.sqrt(data.X.shape[1])
    return tuple(Part(data.X[some] / root, data.y[some]) for some in (rows[:n], rows[n:]))  # type: ignore[return-value]


def held_out(h: np.ndarray, y: np.ndarray, binary: bool) -> float:
    """Half the mean squared error, or the share of wrong labels, of fields h; a field of 0 guesses."""
    if not binary:
        return float(0.5 * np.mean((y - h) ** 2))
    sure = y * h
    return float(np.mean((sure < 0) + 0.5 * (sure == 0)))
