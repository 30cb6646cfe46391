"""Training in a random subspace: how many dimensions a task needs, its intrinsic dimension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.rules.contract import Static

TASKS = ("regression", "perceptron", "random_labels")


@dataclass(frozen=True)
class IntrinsicDimension(Static):
    """Weights θ = θ₀ + Pv of which only v, k numbers, is trained: P has k random orthonormal columns of D dimensions.

    Inputs x ~ N(0, I_D), n examples. ``regression`` has y = w*·x + σζ, |w*| = 1, ``perceptron`` the labels sign w*·x,
    and ``random_labels`` ±1 by chance. θ₀ is random, and perpendicular to w*.

    Parameters
    ----------
    dimension : int
        k, from 1 to D.
    task : {"regression", "perceptron", "random_labels"}
        As above.
    inputs, examples : int
        D and n.
    start : float
        |θ₀|. Of labels any start but 0 is as good: fields x·v of any size may be added to it.
    noise : float
        σ of regression.

    References
    ----------
    Li, Farkhoor, Liu & Yosinski, ICLR 2018; Larsen, Fort, Becker & Ganguli, ICLR 2022.
    """

    name: ClassVar[str] = "intrinsic_dimension"
    size: ClassVar[str] = "inputs"
    axes: ClassVar[tuple[str, ...]] = ("dimension", "examples", "start", "noise")

    dimension: int = param(10, "trained dimensions k of the subspace", kind=int, low=1, short="-k")
    task: str = param("regression", "what is to be learned", kind=str, choices=TASKS)
    inputs: int = param(100, "input dimension D", kind=int, low=2, high=10**7, short="-d")
    examples: int = param(50, "training examples n", kind=int, low=1, high=10**7, short="-n")
    start: float = param(1.0, "size |θ₀| of the weights at the start", low=0, high=1e8)
    noise: float = param(0.0, "standard deviation σ of regression's noise", low=0, high=1e8)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dimension > self.inputs:
            raise ModelError("dimension", self.dimension, f"must be at most inputs = {self.inputs}")
        if self.noise != 0 and self.task != "regression":
            raise ModelError("noise", self.noise, f'must be 0 with task = "{self.task}"')

    def shares(self, N: float) -> Mapping[str, float]:
        """A run succeeds, or does not."""
        return {"success": 1.0}
