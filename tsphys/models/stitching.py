"""Relative representations: a readout on products with anchors, trained on one random net and used on another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tsphys.ground.parameters import EXTREME, param
from tsphys.physics.names import ACTIVATIONS
from tsphys.rules.contract import Static


@dataclass(frozen=True)
class Stitching(Static):
    """Two nets of p random features φ(Fx/√N), each with its own F ~ N(0, 1), and m anchors that both of them see.

    A net tells of an input its products with the anchors, g_j(x) = φ(Fx/√N)·φ(Fa_j/√N)/p, which are alike in all nets
    as p → ∞. A readout f = Σ_j w_j g_j is fitted on net A to n examples y = x_1 + σζ, by the least
    ½Σ(y − f)² + (λ/2)|w|², and is then used on net B as it is: stitched. Inputs and anchors lie on the sphere |x|² = N.

    Coordinates are ``centred``, of features without their mean κ_0 over inputs; ``gram``, with it, and less κ_0²; or
    ``cosine``, of features with it, less κ_0²/⟨φ²⟩.

    References
    ----------
    Moschella et al., ICLR 2023.
    """

    name: ClassVar[str] = "stitching"
    axes: ClassVar[tuple[str, ...]] = ("width", "anchors", "alpha", "ridge", "noise")
    counted: ClassVar[dict[str, str]] = {"width": "feature", "anchors": "anchor", "alpha": "example"}

    activation: str = param("relu", "φ of the features", kind=str, choices=tuple(ACTIVATIONS), short="-g")
    coordinates: str = param(
        "centred", "products with anchors, or cosines", kind=str, choices=("centred", "gram", "cosine")
    )
    width: float = param(4.0, "features per input dimension, p/N", low=1e-3, high=1e6, short="-w")
    anchors: float = param(1.0, "anchors per input dimension, m/N", low=1e-3, high=1e3, short="-m")
    alpha: float = param(4.0, "training examples per input dimension, n/N", low=1e-3, high=1e3, short="-a")
    ridge: float = param(0.1, "λ of the penalty (λ/2)|w|²", low=0, high=EXTREME, short="-l")
    noise: float = param(0.0, "standard deviation σ of the noise of labels", low=0, high=EXTREME)
