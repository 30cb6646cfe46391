"""Distilled data: few synthetic points that train a linear student as the real set does, or have its moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.rules.contract import Static


@dataclass(frozen=True)
class DatasetDistillation(Static):
    """m = μN points in place of n = αN real ones, x ~ N(0, 1)^N, for a linear student.

    In ``regression`` y = b·x/√N + σζ, |b|² = N, and a student descends on half the mean squared error for a time T from
    weights of variance q₀ that are drawn. ``distilled`` are the m points that reproduce best where it ends, whatever
    the start: along the largest eigenvectors u of the real inputs' covariance, x̃ = √(mh) u with the labels of least
    squares. In ``classes`` x = ±(v + Dz), |v| given, D = 1 in half of the dimensions and s in the others; n and m count
    examples of each class, and the student is the difference of the classes' means. ``distilled`` points have those of
    the real set; with `covariance` they have its largest principal components too, as many as m points can, and the
    student is Fisher's, with a ridge. ``subset`` are m of the real points.

    References
    ----------
    Wang, Zhu, Torralba & Efros 2018; Cazenavette et al., CVPR 2022; Sajedi et al., ICCV 2023.
    """

    name: ClassVar[str] = "dataset_distillation"
    axes: ClassVar[tuple[str, ...]] = ("points", "alpha", "time", "noise", "spread", "distance")
    counted: ClassVar[dict[str, str]] = {"alpha": "point", "points": "point"}

    task: str = param("regression", "what is learned", kind=str, choices=("regression", "classes"))
    way: str = param("distilled", "the points", kind=str, choices=("distilled", "subset"))
    points: float = param(0.5, "synthetic points μ = m/N, of each class", low=1e-3, high=1e3, short="-m")
    alpha: float = param(2.0, "real ones α = n/N, of each class", low=1e-3, high=1e3, short="-a")
    time: float = param(3.0, "time T of training, of regression", low=0, high=1e4)
    noise: float = param(0.5, "standard deviation σ of the labels' noise, of regression", low=0, high=1e8)
    spread: float = param(1.0, "variance q₀ of the student's weights at the start, of regression", low=0, high=1e8)
    distance: float = param(1.0, "|v| of classes", low=0, high=100, open_low=True)
    small: float = param(0.3, "standard deviation s of classes in half of the dimensions", low=1e-3, high=1)
    covariance: bool = param(False, "whether points of classes have principal components, and the student", kind=bool)
    ridge: float = param(0.05, "ridge of the student with covariance", low=1e-8, high=1e8)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.way == "subset" and self.points > self.alpha * (1 + 1e-9):
            raise ModelError("points", self.points, f"must be at most alpha = {self.alpha:g} of a subset")
        if self.covariance and self.task != "classes":
            raise ModelError("covariance", True, 'must be false unless task = "classes"')
