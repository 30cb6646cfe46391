"""The Potts model in mean field: colours that all see each other alike, and first-order transitions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from tsphys.ground.parameters import param
from tsphys.rules.contract import Static


@dataclass(frozen=True)
class Potts(Static):
    """N sites of C colours, all coupled alike, −H = (β/N) Σ_{i<j} δ(s_i, s_j) + h Σ_i δ(s_i, 0), the temperature in it.

    Of a state the first colour has the share (1 + (C − 1)m)/C of the sites, and each of the others (1 − m)/C: ordered
    is what has more than half of them. Without a field any other colour may take the place of the first.

    References
    ----------
    Wu, Rev. Mod. Phys. 54, 235 (1982); Costeniuc, Ellis & Touchette, J. Math. Phys. 46, 063301 (2005).
    """

    name: ClassVar[str] = "potts"
    axes: ClassVar[tuple[str, ...]] = ("beta", "field")

    C: int = param(3, "colours", kind=int, low=2, high=64, short="-C")
    beta: float = param(
        3.0, "coupling β, of which each pair has β/N; the temperature is in it", low=0, high=100, short="-b"
    )
    field: float = param(0.0, "field h on the first colour", low=0, high=100)
    phase: str = param(
        "stable", "state: stable, or ordered or disordered, be it metastable", kind=str,
        choices=("stable", "ordered", "disordered"),
    )  # fmt: skip

    @property
    def ordered(self) -> bool:
        """Whether most sites are to have the first colour."""
        if self.phase == "stable":
            return self.field + self.beta * (self.C - 2) / (2 * (self.C - 1)) >= math.log(self.C - 1)
        return self.phase == "ordered"
