"""Two classes, some labels of which are wrong: what gradient descent learns first, and later knows by heart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tsphys.ground.parameters import param
from tsphys.rules.contract import Model


@dataclass(frozen=True)
class LabelNoise(Model):
    """A linear student u = w·x of n = αN examples x = y*v + z, y* = ±1, z ~ N(0, I_N), by gradient flow from w = 0.

    The flow is that of the loss (1/2n) Σ (y − w·x)², where the label y is −y* for a share Δ of the examples, else y*.

    References
    ----------
    Liu, Niles-Weed, Razavian & Fernandez-Granda, NeurIPS 2020; Advani, Saxe & Sompolinsky, Neural Networks 132 (2020).
    """

    name: ClassVar[str] = "label_noise"
    counted: ClassVar[dict[str, str]] = {"alpha": "example"}

    alpha: float = param(2.0, "load α = n/N", low=1e-3, high=1e3, short="-a")
    distance: float = param(2.0, "distance ν = |v| of the classes from 0", low=0, high=100, open_low=True)
    flips: float = param(0.2, "share Δ of the examples whose label is wrong", low=0, high=0.5)

    def shares(self, N: float) -> Mapping[str, float]:
        """Of the examples that have true and wrong labels."""
        n = self.alpha * N
        return {"clean": (1 - self.flips) * n, "flipped": self.flips * n}
