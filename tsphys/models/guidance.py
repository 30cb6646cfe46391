"""A linear network that is helped on its way: pretrained on its own inputs, or held to a guide's hidden layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import Row, param
from tsphys.rules.contract import Model


@dataclass(frozen=True)
class Guidance(Model):
    """y = W₂W₁x by gradient flow on ½⟨|Sx − W₂W₁x|²⟩ + (γ/4)|W₁ᵀW₁ − A_g|², from small layers along the teacher.

    S, ⟨xxᵀ⟩ and A_g share their directions: mode i has the target, the variance and the guide's Gram number i, and
    starts at W₂W₁ = `start`. Before that, for a time `pretraining`, W₁ has been the encoder of an autoencoder of x that
    begins as small. Times count from the first step on the task.

    Parameters
    ----------
    target : sequence of float
        t_i, singular values of S.
    variance : sequence of float, optional
        λ_i of the inputs; none: 1.
    start : float
        s₀, of each product of layers.
    pretraining : float
        T_p.
    strength : float
        γ; 0 is no guide.
    guide : sequence of float, optional
        g_i ≥ 0; none: 1, as of a wide random network. 0 is a direction that the guide has not.
    until : float, optional
        When the guide is switched off; none: never.

    References
    ----------
    Amos, Berant & Gupta, ICLR 2024; Subramaniam et al. 2024; Saxe, McClelland & Ganguli, ICLR 2014.
    """

    name: ClassVar[str] = "guidance"
    size: ClassVar[str] = "width"

    target: Row = param((1.0, 0.3), "singular values t of the teacher", shape=1)
    variance: Row | None = param(None, "variances λ of the inputs along them; none: 1", shape=1, optional=True)
    start: float = param(1e-4, "product s₀ of the layers at the start", low=1e-12, high=1)
    pretraining: float = param(0.0, "time T_p as an autoencoder before the task", low=0, high=1000)
    strength: float = param(0.0, "strength γ of the guide", low=0, high=100)
    guide: Row | None = param(None, "its Gram matrix g along each direction; none: 1", shape=1, optional=True)
    until: float | None = param(None, "time at which it is switched off; none: never", low=0, high=1e6, optional=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        m = len(self.target)
        if not 1 <= m <= 1000 or not 1e-6 <= min(self.target) <= max(self.target) <= 10:
            raise ModelError("target", self.target, "must be 1 to 1000 numbers from 1e-6 to 10")
        for name, least in (("variance", 1e-6), ("guide", 0.0)):
            row = getattr(self, name)
            if row is not None and (len(row) != m or not least <= min(row) <= max(row) <= 10):
                raise ModelError(name, row, f"must be {m} numbers from {least:g} to 10, as many as targets")

    def modes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """t, λ and g, each (m,)."""
        one = np.ones(len(self.target))
        return (
            np.array(self.target, dtype=float),
            one if self.variance is None else np.array(self.variance, dtype=float),
            one if self.guide is None else np.array(self.guide, dtype=float),
        )

    def stages(self, end: float) -> list[tuple[float, float]]:
        """Strength of the guide, and until when, up to `end`."""
        if self.until is None or self.until >= end or self.strength == 0:
            return [(self.strength, end)]
        return [(self.strength, self.until), (0.0, end)] if self.until > 0 else [(0.0, end)]
