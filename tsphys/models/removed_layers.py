"""A deep linear network from which layers are taken away, before it learns or while it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import Row, param
from tsphys.rules.contract import Model


@dataclass(frozen=True)
class RemovedLayers(Model):
    """y = W_L…W_1x by gradient flow on ½⟨|Sx − y|²⟩ with ⟨xxᵀ⟩ = 1, of which L' layers are left from a time on.

    S is symmetric with the eigenvalues y_k; every layer is a number a along each of its directions, a^L = s₀ at the
    start. A mode of strength s = a^L has s^(L'/L) when layers go.

    References
    ----------
    Saxe, McClelland & Ganguli, ICLR 2014; Jordao et al. 2023.
    """

    name: ClassVar[str] = "removed_layers"

    target: Row = param((2.0, 1.5, 1.0, 0.5), "eigenvalues y of the teacher, > 0", shape=1)
    layers: int = param(5, "layers L", kind=int, low=1, high=100, short="-L")
    left: int | None = param(None, "layers L' that are left; none: all", kind=int, low=1, optional=True)
    at: float = param(0.0, "time at which the others are taken away", low=0, high=1e6)
    start: float = param(0.05, "product s₀ of all L layers at the start", low=1e-12, high=1e3)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= len(self.target) <= 200 or min(self.target) < 1e-3 or max(self.target) > 100:
            raise ModelError("target", self.target, "must be 1 to 200 numbers from 0.001 to 100")
        if self.left is not None and self.left > self.layers:
            raise ModelError("left", self.left, f"must be at most layers = {self.layers}")

    def stages(self, end: float) -> list[tuple[int, float]]:
        """Layers, and until when, up to `end`; from a stage to the next they are taken away."""
        if self.left is None or self.left == self.layers or self.at >= end:
            return [(self.layers, end)]
        return [(self.layers, self.at), (self.left, end)] if self.at > 0 else [(self.left, end)]
