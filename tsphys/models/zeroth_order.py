"""Online learning without gradients: a two-layer student that knows its loss only, at as many points as it asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import LARGEST_SCALE, MOST_UNITS, Row, Rows, param
from tsphys.models.two_layer import TwoLayer
from tsphys.physics.names import ACTIVATIONS
from tsphys.rules.contract import Online
from tsphys.rules.learning_rule import LearningRule

_ESTIMATORS = ("rge", "cge", "sparse")


@dataclass(frozen=True)
class ZerothOrder(Online):
    """Student φ(x) = Σ_k v_k g(λ_k), teacher y(x) = Σ_m v*_m g(ν_m) + σζ, x_i, ζ ~ N(0, 1), and zeroth-order SGD.

    With Δ = φ(x) − y and the gradient G = (v_k g'(λ_k) Δ x)_k of all K students' weights, one step is::

        w_k ← w_k − (η/√N) Ĝ_k,        time t = steps/N

    where Ĝ estimates G from the loss at q + 1 points close to w, in the limit of short distances.

    Parameters
    ----------
    K, M : int
        Hidden units of student and teacher.
    activation : str
        g of both: erf (erf(x/√2)), relu, linear, tanh, quad (x²), he2 ((x² − 1)/√2).
    lr : float
        Learning rate η.
    noise : float
        Standard deviation σ of the teacher's output noise.
    estimator : {"rge", "cge", "sparse"}
        ``rge``: Ĝ = (1/q) Σ_j u_j (u_j·G) along q random directions u_j ~ N(0, 1) in all KN weights. ``cge``: one
        coordinate after the other, q = KN, which is G. ``sparse``: of these, each with probability `fraction` only,
        1/fraction times as large.
    kappa : float
        q/N of ``rge``.
    fraction : float
        s of ``sparse``; q = sKN on average.
    T : (M, M) array_like, optional
        Overlaps of the teachers in the default start; none: identity.
    v, v_star : array_like, optional
        Fixed readouts of student (K,) and teacher (M,); none: ones.
    init : float
        Standard deviation of the initial student weights.

    Raises
    ------
    ModelError
        If a parameter is out of range.

    References
    ----------
    Chen et al., DeepZero, ICLR (2024), for the estimators; Nesterov & Spokoiny, Found. Comput. Math. 17, 527 (2017).
    """

    name: ClassVar[str] = "zeroth_order"

    K: int = param(2, "hidden units of the student", kind=int, low=1, high=MOST_UNITS, short="-K")
    M: int = param(2, "hidden units of the teacher", kind=int, low=1, high=MOST_UNITS, short="-M")
    activation: str = param("erf", "activation g of both", kind=str, choices=tuple(ACTIVATIONS), short="-g")
    lr: float = param(0.2, "learning rate η", low=0, open_low=True)
    noise: float = param(0.0, "standard deviation σ of the teacher's output noise", low=0, high=LARGEST_SCALE)
    estimator: str = param("rge", "estimator of the gradient", kind=str, choices=_ESTIMATORS)
    kappa: float = param(1.0, "random directions q/N of a step of rge", low=0, open_low=True)
    fraction: float = param(0.5, "coordinates that a step of sparse looks at", low=0, open_low=True, high=1)
    T: Rows | None = param(None, "teacher overlaps (M, M); none: 1", shape=2, optional=True)
    v_star: Row | None = param(None, "teacher readout (M,); none: ones", shape=1, optional=True)
    v: Row | None = param(None, "student readout (K,); none: ones", shape=1, optional=True)
    init: float = param(0.1, "standard deviation of the initial student weights", low=0, high=LARGEST_SCALE)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.activation == "sign":
            raise ModelError("activation", "sign", "has no gradient that an estimate could be of")
        object.__setattr__(self, "activation", self.first_order().activation)

    def first_order(self) -> TwoLayer:
        """The same student with the gradient itself."""
        return TwoLayer(
            K=self.K, M=self.M, activation=self.activation, lr=self.lr, noise=self.noise, T=self.T, v=self.v,
            v_star=self.v_star, init=self.init, teacher="isotropic" if self.T is None else "given",
        )  # fmt: skip

    @property
    def queries(self) -> float | None:
        """κ, if there are random directions."""
        return self.kappa if self.estimator == "rge" else None

    @property
    def share(self) -> float | None:
        """s, if not all coordinates take part in a step."""
        return self.fraction if self.estimator == "sparse" else None

    @property
    def budget(self) -> float:
        """q/N: differences of the loss that a step takes, over N; the number by the time t is this × tN²."""
        return {"rge": self.kappa, "cge": float(self.K), "sparse": self.K * self.fraction}[self.estimator]

    def learning_rule(self) -> LearningRule:
        """The rule on local fields that this model is an instance of."""
        return replace(self.first_order().learning_rule(), queries=self.queries, fraction=self.share)

    def eps_g(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> np.ndarray:
        """Generalisation error at given overlaps with any leading axes, in closed form where there is one."""
        return self.first_order().eps_g(R, Q, T, v, v_star)
