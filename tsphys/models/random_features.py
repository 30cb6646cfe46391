"""Random features: a layer of fixed random weights, of which only the readout learns (Rahimi & Recht 2007)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tsphys.errors import ModelError
from tsphys.ground.parameters import EXTREME, param
from tsphys.physics.names import ACTIVATIONS
from tsphys.rules.contract import Static

#: Least ridge of a loss whose minimum may be at infinity without one.
SMALLEST_RIDGE = 1e-12


@dataclass(frozen=True)
class RandomFeatures(Static):
    """A student h(x) = w·v(x)/√p with p features v = φ(Fx/√N), F and inputs x ∈ R^N iid N(0, 1), on n examples.

    The teacher is ν = θ·x/√N with ‖θ‖² = N, so that ⟨ν²⟩ = 1, and ζ ~ N(0, 1) is its noise::

        linear   y = ν + σζ          sign   y = sign(ν + σζ)

    The student minimises Σ_μ ℓ(y_μ, h_μ) + (λ/2)‖w‖² over w, with ℓ = ½(y − h)² or, for labels ±1, ln(1 + e^(−yh)).
    Features are taken without their mean ⟨φ(z)⟩, z ~ N(0, 1).

    Parameters
    ----------
    activation : str
        φ: ``erf``, ``relu``, ``linear``, ``tanh``, ``quad``, ``he2`` or ``sign``.
    width : float
        Features per input dimension, p/N.
    alpha : float
        Training examples per input dimension, n/N.
    ridge : float
        λ; 0 is the limit λ → 0, the solution of least norm among those of least loss.
    noise : float
        σ.
    teacher : {"linear", "sign"}
        As above.
    loss : {"square", "logistic"}
        As above; ``logistic`` needs a teacher ``sign`` and λ ≥ 1e-12.

    Raises
    ------
    ModelError
        If a parameter is out of range, or two do not go together.

    References
    ----------
    Rahimi & Recht, NeurIPS 2007; Mei & Montanari, Commun. Pure Appl. Math. 75, 667 (2022); Gerace et al., ICML 2020;
    Loureiro et al., NeurIPS 2021.
    """

    name: ClassVar[str] = "random_features"
    axes: ClassVar[tuple[str, ...]] = ("width", "alpha", "ridge", "noise")
    counted: ClassVar[dict[str, str]] = {"width": "feature", "alpha": "example"}

    activation: str = param("tanh", "φ of the features", kind=str, choices=tuple(ACTIVATIONS), short="-g")
    width: float = param(2.0, "features per input dimension, p/N", low=1 / EXTREME, high=EXTREME, short="-w")
    alpha: float = param(3.0, "training examples per input dimension, n/N", low=1 / EXTREME, high=EXTREME, short="-a")
    ridge: float = param(
        0.01, "λ of the penalty (λ/2)‖w‖²; 0 is the limit of least norm", low=0, high=EXTREME, short="-l"
    )
    noise: float = param(0.0, "standard deviation σ of the teacher's noise", low=0, high=EXTREME)
    teacher: str = param("linear", "labels ν + σζ, or their sign", kind=str, choices=("linear", "sign"))
    loss: str = param("square", "loss of an example", kind=str, choices=("square", "logistic"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss == "logistic" and self.teacher != "sign":
            raise ModelError("loss", self.loss, 'must be "square" unless teacher = "sign"')
        if self.loss == "logistic" and self.ridge < SMALLEST_RIDGE:
            raise ModelError("ridge", self.ridge, f'must be >= {SMALLEST_RIDGE:g} with loss = "logistic"')
