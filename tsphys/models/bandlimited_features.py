"""Random features with bounded frequencies: how much faster than any of them a wave can be and still be learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tsphys.ground.parameters import EXTREME, param
from tsphys.rules.contract import Static


@dataclass(frozen=True)
class BandlimitedFeatures(Static):
    """Ridge regression on features √2 cos(wx + b) of n inputs x, uniform in [−1, 1]; w in [−Ω, Ω], b in [0, 2π].

    The target is a wave cos ω_0x of mean square 1. Infinitely many features are the kernel sin Ω(x − x')/Ω(x − x').

    References
    ----------
    Li, Sonoda, Cao, Wang & Liang, ICML 2023; Slepian & Pollak, Bell Syst. Tech. J. 40, 43 (1961); Rahimi & Recht,
    NeurIPS 2007.
    """

    name: ClassVar[str] = "bandlimited_features"
    axes: ClassVar[tuple[str, ...]] = ("frequency", "n", "k", "ridge", "noise")
    size: ClassVar[str] = "n"

    n: int = param(200, "training examples", kind=int, low=1, short="-n")
    k: int | None = param(None, "random features; none: the kernel itself", kind=int, low=1, short="-k", optional=True)
    band: float = param(20.0, "largest frequency Ω of a feature", low=0.1, high=500)
    frequency: float = param(15.0, "frequency ω_0 of the target", low=0, high=1000)
    ridge: float = param(1e-3, "δ on the diagonal of the Gram matrix", low=1e-10, high=EXTREME, short="-l")
    noise: float = param(0.1, "standard deviation σ of the labels' noise", low=0, high=EXTREME)
