"""Classifiers of infinitely wide and deep nets: majority vote, nearest neighbour, or a singular kernel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import Row, param
from tsphys.rules.contract import Static


@dataclass(frozen=True)
class InfiniteDepth(Static):
    """The sign of kernel regression with the NTK of a net of depth L on n examples, and what it tends to for L → ∞.

    Inputs are uniform on the sphere S^D in D + 1 dimensions; the truth is sign(x_1 − h), and a share p of the labels is
    flipped. The activation φ = Σ_k c_k h_k, in normalised Hermite polynomials, is given by its weights c_k².

    With c_0 ≠ 0 all examples count the same in the end; with c_0 = c_1 = 0 the nearest one alone; otherwise the answer
    is sign Σ_i y_i ψ(x·x_i) with ψ ~ (1 − ξ)^{−a} at ξ → 1, a = −ln c_1²/ln Σ_k k c_k². It finds the truth for n → ∞
    where 2a = D (Devroye, Györfi & Krzyżak 1998).

    References
    ----------
    Radhakrishnan, Belkin & Uhler, PNAS 120, e2208779120 (2023).
    """

    name: ClassVar[str] = "infinite_depth"
    axes: ClassVar[tuple[str, ...]] = ("depth", "n", "noise", "threshold")
    size: ClassVar[str] = "n"

    weights: Row = param((0.0, 0.5, 0.0, 0.5), "weights c_k² of the activation, k = 0, 1, …", shape=1)
    depth: int = param(40, "layers L of the nets that are simulated", kind=int, low=1, high=100_000, short="-L")
    n: int = param(300, "examples", kind=int, low=1, short="-n")
    sphere: int = param(2, "dimension D of the sphere", kind=int, low=1, high=1000, short="-D")
    threshold: float = param(0.2, "h of the truth sign(x_1 − h)", low=-1, high=1, open_low=True, open_high=True)
    noise: float = param(0.1, "share p of labels that are flipped", low=0, high=0.5)

    def __post_init__(self) -> None:
        super().__post_init__()
        c = self.squares()
        if not c or min(c) < 0 or not math.isclose(sum(c), 1, rel_tol=1e-9):
            raise ModelError("weights", self.weights, "must be >= 0, of sum 1")
        if sum(c[2:]) == 0:
            raise ModelError("weights", self.weights, "must have some k >= 2: a linear net is the same at every depth")

    def squares(self) -> tuple[float, ...]:
        """c_k²."""
        return tuple(float(x) for x in self.weights)
