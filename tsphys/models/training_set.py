"""One layer that learns a fixed training set by gradient descent: overfitting, early stopping, minibatches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.given import call, takes
from tsphys.ground.parameters import LARGEST_SCALE, param
from tsphys.ground.times import iterations, strides
from tsphys.rules.contract import Model

LOSSES = ("logistic", "hinge", "square", "perceptron")
CHANNELS = ("sign", "linear", "mixture")


@dataclass(frozen=True)
class TrainingSet(Model):
    """A student h = w·x/√N of n = αN examples x ~ N(0, I_N), whose labels y are those of a teacher and stay the same.

    A step goes down the slope of (1/α) Σ s ℓ(y, h) + ½λ|w|², with s = 1, or n/b for the b examples of a minibatch and
    0 for all others::

        V ← βV − (η/α√N) Σ_μ s_μ ℓ'(y_μ, h_μ) x_μ − ηλw,        w ← w + V

    A regularisation of αλ in `GLM` has the same minimum.

    Parameters
    ----------
    alpha : float
        Load α = n/N.
    loss : {"logistic", "hinge", "square", "perceptron"}
        ln(1 + e^{−yh}), max(0, 1 − yh), ½(y − h)², max(0, −yh).
    channel : {"sign", "linear", "mixture"} or function
        y = sign(ν + σζ) or ν + σζ, with ν = w*·x/√N the teacher's field and ζ ~ N(0, 1), or ``y(ν, σζ)`` of arrays; or
        y = ±1 at random, and x ~ N(y r w*/√N, 1_N): a mixture of two Gaussians at a distance 2r.
    separation : float
        r.
    noise : float
        σ.
    lr, regularization, momentum : float
        η, λ and β.
    batch : float
        Share of the examples that a step is made of.
    order : {"replacement", "shuffle"}
        Minibatches that are drawn anew for each step, or the 1/`batch` parts of a new order in each epoch.
    flow : bool
        Gradient flow in place of steps of η, over t = η·steps.
    init : float
        Standard deviation |w|/√N of the initial weights, which know nothing of the teacher.

    Raises
    ------
    ModelError
        If a parameter is out of range, or two do not go together.

    References
    ----------
    Mignacco, Krzakala, Urbani & Zdeborová, NeurIPS 2020; Gerbelot, Troiani, Mignacco, Krzakala & Zdeborová, SIAM J.
    Math. Data Sci. 6 (2024); Bolthausen, Commun. Math. Phys. 325 (2014).
    """

    name: ClassVar[str] = "training_set"
    counted: ClassVar[dict[str, str]] = {"alpha": "example"}

    alpha: float = param(2.0, "load α = n/N", low=1e-2, high=1e3, short="-a")
    loss: str = param("logistic", "loss of an example", kind=str, choices=LOSSES)
    channel: Any = param("sign", "labels that the teacher gives", kind=str, choices=CHANNELS, function=True)
    separation: float = param(1.0, "mixture: distance r of the two from the middle", low=0, high=LARGEST_SCALE)
    noise: float = param(0.0, "standard deviation σ of the noise in the labels", low=0, high=LARGEST_SCALE)
    lr: float = param(1.0, "learning rate η", low=0, open_low=True)
    regularization: float = param(0.0, "regularisation λ, of which a step takes ηλ", low=0)
    momentum: float = param(0.0, "momentum β", low=0, high=1, open_high=True)
    batch: float = param(1.0, "share of the examples in a step", low=0, high=1, open_low=True)
    order: str = param("replacement", "minibatches: anew or by epochs", kind=str, choices=("replacement", "shuffle"))
    flow: bool = param(False, "gradient flow, over t = η·steps", kind=bool)
    init: float = param(0.0, "standard deviation of the initial weights", low=0, high=LARGEST_SCALE)

    def __post_init__(self) -> None:
        super().__post_init__()
        if callable(self.channel):
            takes("channel", self.channel, "nu", "noise")
        if self.loss != "square" and self.channel == "linear":
            raise ModelError("loss", self.loss, 'must be square with channel = "linear", which gives no labels ±1')
        if self.channel != "mixture" and self.separation != 1:
            raise ModelError("separation", self.separation, 'must be 1 without channel = "mixture"')
        if self.channel == "mixture" and self.noise:
            raise ModelError("noise", self.noise, 'must be 0 with channel = "mixture", whose labels come first')
        if self.order == "shuffle" and abs(self.parts * self.batch - 1) > 1e-9:
            raise ModelError("batch", self.batch, 'must be 1, 1/2, 1/3, … with order = "shuffle"')
        if self.flow:
            for name in ("momentum", "batch", "lr"):
                plain = type(self).__dataclass_fields__[name].default
                if getattr(self, name) != plain:
                    raise ModelError(name, getattr(self, name), f"must be {plain:g} with flow, which takes no steps")

    def strides(self, t: np.ndarray, longest: float, parts: int = 1) -> list[tuple[int, float]]:
        """How many steps lead from each time to the next, and their η: of a flow so many parts of steps that are no
        longer than that.

        Raises
        ------
        ModelError
            If times are steps and not whole.
        """
        if self.flow:
            return [(k * parts, length / parts) for k, length in strides(t, longest)]
        return [(int(k), self.lr) for k in np.diff(iterations("t", t), prepend=0)]

    @property
    def parts(self) -> int:
        """Of how many minibatches an epoch is made."""
        return round(1 / self.batch)

    @property
    def sharpest(self) -> float:
        """Largest curvature of the risk if ℓ'' ≤ 1, for N → ∞: steps of more than 2 over it are not stable."""
        along = 1 + self.separation**2 if self.channel == "mixture" else 1
        return along * (1 + self.alpha**-0.5) ** 2 + self.regularization

    def labels(self, nu: np.ndarray, zeta: np.ndarray) -> np.ndarray:
        """y of teacher's fields ν and noises ζ; of a mixture of ζ alone, and `shift` follows."""
        if self.channel == "mixture":
            return np.where(zeta < 0, -1.0, 1.0)
        seen = nu + self.noise * zeta
        if self.channel == "linear":
            return seen
        if self.channel == "sign":
            return np.where(seen < 0, -1.0, 1.0)
        y = np.asarray(call("channel", self.channel, nu, self.noise * zeta), dtype=float)
        if y.shape != nu.shape or not np.isfinite(y).all():
            raise ModelError("channel", self.channel, "must give a finite number for each field")
        if self.loss != "square" and not (np.abs(y) == 1).all():
            raise ModelError("channel", self.channel, f"must give labels ±1 with loss = {self.loss}")
        return y

    def shift(self, y: np.ndarray) -> Any:
        """What the inputs of a mixture have along the teacher beside N(0, 1)."""
        return self.separation * y if self.channel == "mixture" else 0.0
