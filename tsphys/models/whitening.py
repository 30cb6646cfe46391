"""The first layer of a linear convolutional net: what labels make of its energy in each principal component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import LARGEST_SCALE, param
from tsphys.physics.flows.resolvents import Spectrum
from tsphys.rules.contract import Model


@dataclass(frozen=True)
class Whitening(Model):
    """A linear net f = Σ_p a_p·Wx_p of P patches, whose filters W, shared by all, descend on n examples.

    Patches have d principal components of variance λ_k = k^(−exponent), in each of which those that are l apart
    correlate like correlation^l. Labels are y = f*(x) + σζ: of a teacher with filters N(0, teacher²) under the same
    readouts, or, without one, random. Full-batch descent of ½⟨(y − f)²⟩ from W ~ N(0, start²); readouts are fixed.

    References
    ----------
    Chowers & Weiss, ICML 2023.
    """

    name: ClassVar[str] = "whitening"
    size: ClassVar[str] = "n"

    lr: float = param(0.2, "learning rate η", low=0, open_low=True)
    d: int = param(24, "principal components d of a patch", kind=int, low=1, high=10_000)
    n: int = param(400, "examples n", kind=int, low=1, short="-n")
    F: int = param(64, "filters F", kind=int, low=1, short="-F")
    patches: int = param(1, "patches P of an input", kind=int, low=1, high=1000)
    correlation: float = param(0.0, "correlation of neighbouring patches", low=0, high=1, open_high=True)
    pooling: float = param(0.0, "cosine of the readouts of two patches; 1: the mean of all is read", low=0, high=1)
    exponent: float = param(1.5, "fall of the variances, λ_k = k^(−exponent)", low=0, high=10)
    readout: float = param(1.0, "square A = |a_p|² of a readout", low=1e-100, high=LARGEST_SCALE)
    start: float = param(0.05, "standard deviation w0 of the first weights", low=0, high=LARGEST_SCALE)
    teacher: float = param(0.0, "standard deviation b of a teacher's weights; 0: none", low=0, high=LARGEST_SCALE)
    noise: float = param(1.0, "standard deviation σ of the noise of labels", low=0, high=LARGEST_SCALE)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.patches > self.F:
            raise ModelError("F", self.F, f"must be >= patches = {self.patches}, the number of readouts")
        data = self.data()
        bound = 2 / float(data.z(np.array(data.edges()[1])))
        if self.lr >= bound:
            raise ModelError("lr", self.lr, f"must be < {bound:.6g}, 2 over the largest curvature, where steps diverge")

    def variances(self) -> np.ndarray:
        """λ_k (d,)."""
        return np.arange(1.0, self.d + 1) ** -self.exponent

    def gram(self) -> np.ndarray:
        """a_p·a_q (P, P) of the readouts."""
        return self.readout * ((1 - self.pooling) * np.eye(self.patches) + self.pooling)

    def correlations(self) -> np.ndarray:
        """Those of two patches in a component, (P, P)."""
        place = np.arange(self.patches)
        return self.correlation ** np.abs(place[:, None] - place)

    def curvatures(self) -> np.ndarray:
        """Eigenvalues (P, d) of the loss's Hessian on the population, along the readouts; those of a rank alone."""
        root = np.linalg.cholesky(self.correlations())
        scales = np.linalg.eigvalsh(root.T @ self.gram() @ root)
        return scales[scales > 1e-12 * scales.max(), None] * self.variances()

    def data(self) -> Spectrum:
        """Their spectrum on n examples."""
        return Spectrum.sampled(self.curvatures().ravel(), self.n)
