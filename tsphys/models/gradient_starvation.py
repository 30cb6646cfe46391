"""A spurious feature starves a core feature of gradient; a second student learns from what the first gets wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import LARGEST_SCALE, param
from tsphys.physics.order_parameters import DIMS
from tsphys.rules.contract import Online
from tsphys.rules.learning_rule import LearningRule
from tsphys.rules.phases import Phase, State

#: No normal variable is ever beyond.
_NEVER = 40.0


@dataclass(frozen=True)
class GradientStarvation(Online):
    """A linear student f = w·x/√N learns labels y = ±1 from inputs with two features, by online SGD::

        x = z + y (μ_c u_c + ε μ_s u_s)/√N,    w ← w + (η/√N) h g y x,    g = σ(−yf) or 1 − yf

    with z normal, perpendicular features of |u|² = N, and ε = 1 in the majority, a share ρ of the examples, otherwise
    −1. From the time `retrain_at` a second student learns in the place of the first, which is kept as it is, with
    h = κ on examples that the first gets wrong, otherwise h = 1. R (K, 2) are the overlaps M_c = w·u_c/N and M_s of
    each. By default both start from zero.

    Parameters
    ----------
    core, spurious : float
        μ_c and μ_s.
    majority : float
        ρ.
    loss : {"logistic", "square"}
        ln(1 + exp(−yf)), or ½(1 − yf)².
    lr : float
        η.
    retrain_at : float, optional
        Time at which the second student takes over; none: there is one student.
    weight : float
        κ. Of a first student whose mistakes are those in the minority, ρ/(1 − ρ) makes both environments equal.
    init : float
        Standard deviation of the weights at t = 0.

    Raises
    ------
    ModelError
        If a parameter is out of range, or a weight is given without a second student.

    References
    ----------
    Pezeshki, Kaba, Bengio, Courville, Precup & Lajoie, NeurIPS 2021 (arXiv:2011.09468); Liu et al., ICML 2021
    (arXiv:2107.09044); Zhang, Lopez-Paz & Bottou, ICML 2022 (arXiv:2203.15516).
    """

    name: ClassVar[str] = "gradient_starvation"
    dims: ClassVar[dict[str, tuple[str, ...]]] = {**DIMS, **dict.fromkeys(("eps_g", "majority", "minority"), ("k",))}

    core: float = param(1.0, "strength μ_c of the core feature", low=0, high=LARGEST_SCALE)
    spurious: float = param(2.0, "strength μ_s of the spurious feature", low=0, high=LARGEST_SCALE)
    majority: float = param(0.95, "share ρ of examples in which it tells the label", low=0, high=1)
    loss: str = param("logistic", "loss of an example", kind=str, choices=("logistic", "square"))
    lr: float = param(0.2, "learning rate η", low=0, open_low=True)
    retrain_at: float | None = param(
        None, "time from which a second student learns in the place of the first; none: never", low=0, open_low=True,
        optional=True,
    )  # fmt: skip
    weight: float = param(1.0, "weight κ of what the first student gets wrong", low=0, high=LARGEST_SCALE)
    init: float = param(0.0, "standard deviation of the initial weights", low=0, high=LARGEST_SCALE)

    #: Features.
    M: ClassVar[int] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.retrain_at is None and self.weight != 1:
            raise ModelError("weight", self.weight, "must be 1 without retrain_at: there is no second student")

    @property
    def K(self) -> int:
        """Students."""
        return 1 if self.retrain_at is None else 2

    @property
    def environments(self) -> tuple[tuple[float, np.ndarray], ...]:
        """Majority and minority: their share, and the means (2,) of the features in them, times y."""
        rho = self.majority
        return tuple((p, np.array([self.core, e * self.spurious])) for p, e in ((rho, 1.0), (1 - rho, -1.0)))

    def phase(self, i: int, state: State) -> Phase:
        """The student i learns."""
        return Phase({"student": i}, until=self.retrain_at if i == 0 and self.retrain_at else math.inf)

    def learning_rule(self) -> LearningRule:
        """The rule on local fields that this model is an instance of."""
        from tsphys.rules import gradient_starvation as own

        rho = self.majority
        below = NormalDist().inv_cdf(rho) if 0 < rho < 1 else (2 * rho - 1) * _NEVER
        square = int(self.loss == "square")
        return LearningRule(
            own.rule,
            K=self.K,
            M=2,
            params=own.Params(self.core, self.spurious, below, square, self.lr, 0, self.weight),
            n_noise=2,
            law=own.law,
            init=self.init,
            schedule=None if self.retrain_at is None else self.phase,
        )

    def accuracies(self, R: Any, Q: Any) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities (…, K) of the right sign in the majority and in the minority; ½ of a student of no weights."""
        from scipy.special import ndtr

        R, norm = np.asarray(R), np.sqrt(np.maximum(np.diagonal(Q, axis1=-2, axis2=-1), 0.0))
        norm = np.where(norm > 0, norm, math.inf)
        first, second = (ndtr(R @ mu / norm) for _, mu in self.environments)
        return first, second

    def eps_g(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> np.ndarray:
        """Probability (…, K) of the wrong sign."""
        return self.observables(R, Q, T, v, v_star)["eps_g"]

    def observables(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> dict[str, np.ndarray]:
        """``eps_g``, and the accuracies in ``majority`` and ``minority``, of each student (…, K)."""
        most, few = self.accuracies(R, Q)
        return {"eps_g": 1 - self.majority * most - (1 - self.majority) * few, "majority": most, "minority": few}
