"""Self-distillation of ridge regression: a student that is taught again and again by what it has learned itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import EXTREME, param
from tsphys.rules.contract import Static


@dataclass(frozen=True)
class SelfDistillation(Static):
    """Ridge regression of n = αN examples y = w*·x + σζ, |w*| = 1, x ~ N(0, I_N), in rounds on labels of its own.

    Round 0 has the least (1/2n) Σ (y − w·x)² + ½λ|w|². Each round after it is the same on the same examples, with
    labels (1 − ξ)y + ξ w·x that are partly the answers of the student before.

    References
    ----------
    Mobahi, Farajtabar & Bartlett, NeurIPS 2020; Das & Sanghavi, ICML 2023.
    """

    name: ClassVar[str] = "self_distillation"
    axes: ClassVar[tuple[str, ...]] = ("rounds", "mixing", "ridge", "noise", "alpha")
    counted: ClassVar[dict[str, str]] = {"alpha": "example"}

    rounds: int = param(1, "rounds k after the first fit", kind=int, low=0, high=1000)
    mixing: float = param(0.5, "share ξ of the student's own answers in new labels; any sign", low=-1e8, high=1e8)
    ridge: float = param(0.1, "ridge λ of every fit", low=1e-8, high=1e8, short="-l")
    noise: float = param(0.5, "standard deviation σ of the labels' noise", low=0, high=1e8)
    alpha: float = param(2.0, "load α = n/N", low=1e-3, high=1e3, short="-a")

    def __post_init__(self) -> None:
        super().__post_init__()
        most = math.log(EXTREME) / math.log(abs(self.mixing)) if abs(self.mixing) > 1 else math.inf
        if self.rounds > most:
            raise ModelError("rounds", self.rounds, f"must be at most {int(most)} at mixing = {self.mixing:g}")
