"""Data pruning: a perceptron that learns the hard, the easy or random examples of a pool, as a probe sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.rules.contract import Static

#: The loss of each student.
LOSSES = {"ridge": "square", "logistic": "logistic", "hinge": "hinge", "max_margin": "max_margin"}


@dataclass(frozen=True)
class DataPruning(Static):
    """A student of the αN examples that are left of a pool of αN/f, y = sign(w*·x/√N), x ~ N(0, I_N).

    A probe with the overlap γ to the teacher sees fields u = p·x/√N; of the pool the fraction f of smallest |u| is kept
    ("hard"), of largest ("easy"), or a random one. γ = 1 is an oracle, less a student from early in training. The
    student has the least Σ ℓ(y, h) + ½λ|w|², h = w·x/√N, or the largest margin.

    Parameters
    ----------
    alpha : float
        Load of the examples that are *kept*.
    fraction : float
        f.
    keep : {"hard", "easy", "random"}
        As above.
    gamma : float
        γ.
    student : {"logistic", "ridge", "hinge", "max_margin"}
        ℓ = ln(1 + e^{−yh}), ½(y − h)², max(0, 1 − yh), or λ → 0 of the last.
    regularization : float
        λ of the first three.

    Raises
    ------
    ModelError
        If a parameter is out of range.

    References
    ----------
    Sorscher, Geirhos, Shekhar, Ganguli & Morcos, NeurIPS 2022; Paul, Ganguli & Dziugaite, NeurIPS 2021.
    """

    name: ClassVar[str] = "data_pruning"
    axes: ClassVar[tuple[str, ...]] = ("fraction", "alpha", "gamma", "regularization")
    counted: ClassVar[dict[str, str]] = {"alpha": "example"}

    alpha: float = param(2.0, "load α = n/N of the examples that are kept", low=1e-2, high=100, short="-a")
    fraction: float = param(0.4, "fraction f of the pool that is kept", low=1e-3, high=1, short="-f")
    keep: str = param("hard", "which examples", kind=str, choices=("hard", "easy", "random"), short="-k")
    gamma: float = param(1.0, "overlap γ of probe and teacher", low=0, high=1)
    student: str = param("logistic", "who learns", kind=str, choices=("logistic", "ridge", "hinge", "max_margin"))
    regularization: float = param(0.01, "λ, not of max_margin", low=1e-8, high=1e8, short="-l")

    def __post_init__(self) -> None:
        super().__post_init__()
        plain = type(self).__dataclass_fields__["regularization"].default
        if self.student == "max_margin" and self.regularization != plain:
            words = f'must be {plain:g} with student = "max_margin", which has none'
            raise ModelError("regularization", self.regularization, words)

    def shares(self, N: float) -> Mapping[str, float]:
        """Of the examples few have a loss where they can almost be separated, and in many runs none has."""
        return {"train_loss": self.alpha * N} if self.student == "hinge" else {}


def vanishing(loss: float) -> float:
    """A mean loss, 0 where it is rounding of margins: all examples are beyond the hinge's."""
    return loss if loss > 1e-12 else 0.0
