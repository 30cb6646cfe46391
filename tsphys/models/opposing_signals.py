"""Outliers with opposing signals: a linear net that gradient descent drives to the edge of stability, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tsphys.ground.parameters import LARGEST_SCALE, param
from tsphys.rules.contract import Model


@dataclass(frozen=True)
class OpposingSignals(Model):
    """A student f = c(b·x_s + b_o x_o), fitted to y = β·x_s + κ|x_o| by gradient descent on all data at once.

    x_s ~ N(0, I), and x_o = ±A for a share p of outliers of random signs, else 0, of which a linear student can serve
    but one; their curvature γc², γ = pA², sharpens until ηγc² > 2: b_o then alternates, grows, and pulls c back.

    References
    ----------
    Rosenfeld & Risteski, ICLR 2024; Cohen et al., ICLR 2021; Damian, Nichani & Lee, ICLR 2023.
    """

    name: ClassVar[str] = "opposing_signals"
    size: ClassVar[str] = "n"

    lr: float = param(0.25, "learning rate η", low=0, open_low=True)
    beta: float = param(1.0, "size of β", low=0, high=LARGEST_SCALE)
    share: float = param(0.1, "share p of outliers", low=0, high=1, open_low=True)
    outlier: float = param(10.0, "size A of an outlier", low=0, high=LARGEST_SCALE, open_low=True)
    kappa: float = param(0.5, "answer κ to an outlier over its size", low=0, high=LARGEST_SCALE)
    c: float = param(0.1, "c at the start", low=-LARGEST_SCALE, high=LARGEST_SCALE)
    b: float = param(0.1, "b at the start, along β", low=-LARGEST_SCALE, high=LARGEST_SCALE)
    b_o: float = param(1e-3, "b_o at the start", low=-LARGEST_SCALE, high=LARGEST_SCALE)

    @property
    def gamma(self) -> float:
        """Second moment γ = pA² of x_o."""
        return self.share * self.outlier**2
