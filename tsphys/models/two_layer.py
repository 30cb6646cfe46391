"""Two-layer student that learns a two-layer teacher by online SGD (Saad & Solla 1995; Goldt et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import LARGEST_SCALE, MOST_UNITS, Row, Rows, param
from tsphys.physics.names import ACTIVATIONS, code
from tsphys.physics.order_parameters import check_task
from tsphys.rules.learning_rule import LearningRule
from tsphys.rules.training import Trained

_TRAIN = ("first", "second", "both")
_TEACHERS = ("isotropic", "graded", "given")


@dataclass(frozen=True)
class TwoLayer(Trained):
    """Student φ(x) = Σ_k v_k g(λ_k), teacher y(x) = Σ_m v*_m g*(ν_m) + σζ, inputs x_i ~ N(0, 1), ζ ~ N(0, 1).

    A step of online SGD on the squared error of b examples, Δ_β = φ(x_β) − y_β::

        w_k ← (1 − κ/N) w_k − η/(b√N) Σ_β v_k g'(λ_kβ) Δ_β x_β
        v_k ← (1 − κ_v/N) v_k − η_v/(bN) Σ_β g(λ_kβ) Δ_β

    Time is t = steps/N (for b = 1: examples/N); eps_g = ½⟨(φ − Σ v* g*)²⟩, the teacher without its noise.

    Parameters
    ----------
    K, M : int
        Hidden units of student and teacher.
    activation, teacher_activation : str
        g and g*: erf (erf(x/√2)), relu, linear, tanh, quad (x²), he2 ((x² − 1)/√2), sign (teacher only).
    lr, lr_v : float
        Learning rates η and η_v of first and second layer.
    train : {"first", "second", "both"}
        Layers that train; none: both if `lr_v` is given and positive, else first. With "both" and no `lr_v`, η_v = η.
    noise : float
        Standard deviation σ of the teacher's output noise.
    weight_decay, weight_decay_v : float
        κ and κ_v, not multiplied by a learning rate; `weight_decay_v` is `weight_decay` if the second layer trains.
    minibatch : int
        Examples b in a step.
    teacher : {"isotropic", "graded", "given"}
        Default teacher overlaps T: identity, diagonal (1, 2, …, M), or `T`.
    T, v_star, v : array_like, optional
        Teacher overlaps (M, M), teacher readout (M,), student readout at t = 0 (K,). Readouts are ones by default.
    init : float
        Standard deviation of the initial student weights when no start is given.
    inputs : {"gaussian", "binary"}
        Law of the inputs. The theory is that of both for N → ∞.
    alpha : float, optional
        Load of a fixed training set; none: online.
    batch, order, epoch, momentum
        How a fixed training set is learned, see `LearningRule`.

    Raises
    ------
    ModelError
        If a parameter is out of range.

    References
    ----------
    Saad & Solla, PRE 52, 4225 (1995); Biehl & Schwarze, J. Phys. A 28, 643 (1995); Riegler & Biehl, J. Phys. A 28,
    L507 (1995); Goldt, Advani, Saxe, Krzakala & Zdeborová, NeurIPS 2019.
    """

    name: ClassVar[str] = "two_layer"

    K: int = param(2, "hidden units of the student", kind=int, low=1, high=MOST_UNITS, short="-K")
    M: int = param(2, "hidden units of the teacher", kind=int, low=1, high=MOST_UNITS, short="-M")
    activation: str = param("erf", "activation g of the student", kind=str, choices=tuple(ACTIVATIONS), short="-g")
    teacher_activation: str | None = param(
        None, "activation of the teacher; none: the student's", kind=str, choices=tuple(ACTIVATIONS), optional=True
    )
    lr: float = param(0.2, "learning rate η of the first layer", low=0, open_low=True)
    lr_v: float | None = param(None, "learning rate η_v of the second layer", low=0, optional=True)
    train: str | None = param(
        None, "layers that train; none: both if lr_v > 0, else first", kind=str, choices=_TRAIN, optional=True
    )
    noise: float = param(0.0, "standard deviation σ of the teacher's output noise", low=0, high=LARGEST_SCALE)
    weight_decay: float = param(0.0, "weight decay κ of the first layer, in 1/N a step", low=0)
    weight_decay_v: float | None = param(
        None, "weight decay of the second layer; none: κ if it trains", low=0, optional=True
    )
    minibatch: int = param(1, "examples b in a step", kind=int, low=1, short="-b")
    teacher: str = param("isotropic", "teacher overlaps T: identity, diag(1..M), or T", kind=str, choices=_TEACHERS)
    T: Rows | None = param(None, "given teacher overlaps (M, M)", shape=2, optional=True)
    v_star: Row | None = param(None, "teacher readout (M,); none: ones", shape=1, optional=True)
    v: Row | None = param(None, "student readout at t = 0 (K,); none: ones", shape=1, optional=True)
    init: float = param(0.1, "standard deviation of the initial student weights", low=0, high=LARGEST_SCALE)

    def __post_init__(self) -> None:
        for name in ("activation", "teacher_activation"):
            given = getattr(self, name)
            if isinstance(given, str) and given == "quadratic":
                object.__setattr__(self, name, "he2")
        super().__post_init__()
        if self.activation == "sign" and self.train != "second":
            raise ModelError("activation", "sign", "has no gradient, so it is for teachers; see the model perceptron")
        if self.train == "first" and self.lr_v:
            raise ModelError("lr_v", self.lr_v, 'must be none or 0 with train = "first"')
        if self.train in ("second", "both") and self.lr_v == 0:
            raise ModelError("lr_v", self.lr_v, f'must be > 0 with train = "{self.train}"')
        if (self.teacher == "given") != (self.T is not None):
            raise ModelError("T", self.T, 'is given with teacher = "given", and only then')
        check_task(self.T, self.v_star, self.v, self.K, self.M)

    @property
    def layers(self) -> str:
        """Layers that train: "first", "second" or "both"."""
        return self.train or ("both" if self.lr_v else "first")

    @property
    def eta_w(self) -> float:
        """Learning rate of the first layer, 0 if it does not train."""
        return 0.0 if self.layers == "second" else self.lr

    @property
    def eta_v(self) -> float:
        """Learning rate of the second layer, 0 if it does not train."""
        if self.layers == "first":
            return 0.0
        return self.lr if self.lr_v is None else self.lr_v

    @property
    def kappa(self) -> float:
        """Weight decay of the first layer."""
        return 0.0 if self.layers == "second" else self.weight_decay

    @property
    def kappa_v(self) -> float:
        """Weight decay of the second layer."""
        if self.weight_decay_v is not None:
            return self.weight_decay_v
        return 0.0 if self.layers == "first" else self.weight_decay

    @property
    def activations(self) -> tuple[str, str]:
        """Activations of student and teacher."""
        return self.activation, self.teacher_activation or self.activation

    def teacher_overlaps(self) -> np.ndarray:
        """T (M, M) of the default start."""
        if self.T is not None:
            return np.array(self.T)
        return np.eye(self.M) if self.teacher == "isotropic" else np.diag(np.arange(1.0, self.M + 1))

    def learning_rule(self) -> LearningRule:
        """The rule on local fields that this model is an instance of."""
        from tsphys.rules import two_layer

        g, g_star = self.activations
        return LearningRule(
            two_layer.rule,
            K=self.K,
            M=self.M,
            params=two_layer.Params(code(g), code(g_star), self.eta_w, self.eta_v, self.noise),
            error=two_layer.error,
            n_noise=1,
            v=self.v or (1.0,) * self.K,
            v_star=self.v_star or (1.0,) * self.M,
            T=None if self.T is None and self.teacher == "isotropic" else self.teacher_overlaps(),
            init=self.init,
            minibatch=self.minibatch,
            weight_decay=self.kappa,
            weight_decay_v=self.kappa_v,
            smooth={g, g_star}.isdisjoint({"relu", "sign"}),
            **self.examples(),
        )

    def eps_g(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> np.ndarray:
        """Generalisation error at given overlaps with any leading axes, in closed form where there is one."""
        from tsphys.physics.committee.gaussian import generalisation_error

        return generalisation_error(*self.activations, R, Q, T, v, v_star)

    def trained(
        self, lam: np.ndarray, nu: np.ndarray, v: np.ndarray, v_star: np.ndarray, noise: np.ndarray
    ) -> dict[str, Any]:  # fmt: skip
        """``train_loss``, half the mean squared error on the training set as it is."""
        from tsphys.physics.committee.outputs import output

        g, g_star = self.activations
        return {
            "train_loss": 0.5 * np.mean((output(g, lam, v) - output(g_star, nu, v_star) - self.noise * noise[0]) ** 2)
        }
