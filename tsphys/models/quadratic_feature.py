"""A network of quadratic features that learns one direction of its inputs late: grokking, from lazy to rich."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tsphys.ground.parameters import param
from tsphys.rules.contract import Model


@dataclass(frozen=True)
class QuadraticFeature(Model):
    """f = (α/N) Σ [φ(h_i) − φ(h_i(0))], φ(h) = h + ½εh², fitted by gradient flow to y = ½(β·x)²/D on P inputs.

    h_i = w_i·x/√D with x ~ N(0, I_D), |β|² = D, and w_i ~ N(0, I_D) at the start. The flow is that of ½Σ(y − f)² at the
    rate N/α², at which the kernel of the start does not depend on α: large α are lazy. Small ε are kernels that are
    aligned badly with the teacher.

    References
    ----------
    Kumar, Bordelon, Gershman & Pehlevan, ICLR 2024.
    """

    name: ClassVar[str] = "quadratic_feature"
    size: ClassVar[str] = "inputs"

    alpha: float | None = param(
        0.5, "output scale α; none: the lazy limit α → ∞", low=0.01, high=1e6, optional=True, short="-a"
    )
    eps: float = param(0.5, "weight ε of quadratic features at the start", low=0, high=5)
    inputs: int = param(20, "input dimension D", kind=int, low=1, high=200, short="-d")
    examples: int | None = param(
        100, "training examples P; none: the whole population, in the time tP/D", kind=int, low=1, high=5000,
        optional=True, short="-P",
    )  # fmt: skip

    def drawn(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A teacher β (D,) and inputs (P, D)."""
        beta = rng.standard_normal(self.inputs)
        beta *= np.sqrt(self.inputs) / np.linalg.norm(beta)
        return beta, rng.standard_normal((self.examples or 0, self.inputs))
