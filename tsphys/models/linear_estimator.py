"""A linear student that fits its examples long before it tells fresh ones: grokking that is slow convergence alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tsphys.ground.parameters import EXTREME, param
from tsphys.rules.contract import Model


@dataclass(frozen=True)
class LinearEstimator(Model):
    """A linear student w of P = αD examples y = w*·x + σζ, x ~ N(0, I_D), by gradient flow from |w − w*| = 1.

    The flow is that of (1/2P) Σ (y − w·x)². An answer counts as right if it is off by at most √κ.

    References
    ----------
    Levi, Beck & Bar-Sinai, ICLR 2024; Advani, Saxe & Sompolinsky, Neural Networks 132 (2020), of the errors.
    """

    name: ClassVar[str] = "linear_estimator"
    counted: ClassVar[dict[str, str]] = {"alpha": "example"}

    alpha: float = param(1.1, "load α = P/D", low=1e-3, high=1e3, short="-a")
    noise: float = param(0.0, "standard deviation σ of the labels' noise", low=0, high=EXTREME)
    tolerance: float = param(1e-3, "square κ of what a right answer may be off by", low=1e-30, high=EXTREME)
