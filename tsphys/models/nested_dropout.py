"""A linear autoencoder whose last units are dropped at random: units that come earlier learn larger modes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import Row, param
from tsphys.rules.contract import Model


@dataclass(frozen=True)
class NestedDropout(Model):
    """Decoder A (N, K) and encoder B (K, N) by gradient flow on ½ Σ_b p_b ⟨|x − A_{:b}B_{b:}x|²⟩, b units kept.

    Inputs have the variances λ_1 > λ_2 > … along orthonormal directions u_j, and none beyond. Unit j is there with the
    probability π_j = Σ_{b ≥ j} p_b. It starts along u_j with the strength s₀ of the product of its two weights.

    References
    ----------
    Rippel, Gelbart & Adams, ICML 2014; Valipour et al. 2023.
    """

    name: ClassVar[str] = "nested_dropout"

    variance: Row = param((3.0, 2.0, 1.2, 0.7, 0.4, 0.2), "variances λ of the inputs, falling", shape=1)
    keep: Row = param((0.5, 0.3, 0.2), "probabilities p of keeping 1, 2, … units, of sum 1", shape=1)
    start: float = param(0.01, "strength s₀ of every unit at the start", low=1e-12, high=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        values, keep = np.array(self.variance, dtype=float), np.array(self.keep, dtype=float)
        if not 1 <= len(values) <= 200 or values.min() < 1e-6 or values.max() > 1e3 or (np.diff(values) > 0).any():
            raise ModelError("variance", self.variance, "must be 1 to 200 numbers from 1e-6 to 1000, none rising")
        if not 1 <= len(keep) <= len(values) or keep.min() < 0 or abs(keep.sum() - 1) > 1e-9 or keep[-1] == 0:
            words = "must be probabilities of sum 1, at most as many as variances, the last of them > 0"
            raise ModelError("keep", self.keep, words)

    @property
    def present(self) -> np.ndarray:
        """π_j, (K,)."""
        return np.cumsum(np.array(self.keep, dtype=float)[::-1])[::-1]
