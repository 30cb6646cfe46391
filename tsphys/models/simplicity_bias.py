"""A network learns two labelled classes, or clones of them that share only means, or means and covariances (Refinetti,
Ingrosso & Goldt 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import LARGEST_SCALE, Row, Rows, array, param
from tsphys.physics.names import code
from tsphys.physics.order_parameters import OrderParameters, of_many, random_overlaps, transposed
from tsphys.rules.contract import Online
from tsphys.rules.learning_rule import LearningRule

#: Data sets that a student can be trained on.
DATA = ("original", "gaussian", "isotropic")


@dataclass(frozen=True)
class SimplicityBias(Online):
    """Student φ(x) = Σ_k v_k g(λ_k) learns the label y = ±1 of inputs x by online SGD on (φ − y)²/2.

    Each label has probability ½. Two coordinates of x, the plane, have a law that depends on the label,
    s = yμ + M_y u with M_y = Rot(θ_y) diag(h_y), a rectangle: u_j are iid uniform on [−√3, √3] (unit variance). All
    other coordinates are N(0, 1). Clones keep the labels: ``gaussian`` has u_j ~ N(0, 1), so that means and
    covariances of the classes are the same; ``isotropic`` has s ~ N(yμ, σ̄²1) with σ̄² the mean variance, so that only
    their means are. A step on b examples is w_k ← w_k − η/(b√N) Σ_β v_k g'(λ_kβ) (φ_β − y_β) x_β, at time t = steps/N.

    The two axes of the plane take the place of teachers: R (K, 2) are the students' components in the plane,
    R_km = w_km/√N, and Q − R Rᵀ the overlaps of the rest. ``eps_g`` is the mean of (φ − y)²/2 and ``accuracy`` the
    probability of sign φ = y, both on the *original* data, whatever the student was trained on.

    Parameters
    ----------
    trained_on : {"original", "gaussian", "isotropic"}
        The data set that examples are drawn from.
    K : int
        Hidden units.
    activation : {"erf", "linear"}
        g, erf(x/√2) or x.
    lr : float
        Learning rate η.
    minibatch : int
        Examples b in a step.
    mu, h_plus, h_minus : (2,) array_like
        Mean μ of the class y = 1, and standard deviations along the edges of the two rectangles.
    theta_plus, theta_minus : float
        Angles of the first edges to the first axis.
    v : (K,) array_like, optional
        Readout, which does not train; none: ones.
    init : float
        Standard deviation of the initial weights when no start is given.
    a : (K, 2) array_like, optional
        Components R in the plane at the start; none: drawn, of order init/√N.

    Raises
    ------
    ModelError
        If a parameter is out of range.

    References
    ----------
    Refinetti, Ingrosso & Goldt, ICML 2023 (arXiv:2211.11567), whose synthetic task this is a version of.
    """

    name: ClassVar[str] = "simplicity_bias"

    trained_on: str = param("original", "data set that examples are drawn from", kind=str, choices=DATA)
    K: int = param(1, "hidden units of the student", kind=int, low=1, high=100, short="-K")
    activation: str = param("erf", "activation g of the student", kind=str, choices=("erf", "linear"), short="-g")
    lr: float = param(0.5, "learning rate η", low=0, open_low=True)
    minibatch: int = param(1, "examples b in a step", kind=int, low=1, short="-b")
    mu: Row = param((0.6, 0.3), "mean of the class y = 1", shape=1)
    h_plus: Row = param((1.2, 0.3), "standard deviations of the class y = 1", shape=1)
    h_minus: Row = param((0.8, 0.5), "standard deviations of the class y = -1", shape=1)
    theta_plus: float = param(np.pi / 3, "angle of the class y = 1")
    theta_minus: float = param(np.pi / 6, "angle of the class y = -1")
    v: Row | None = param(None, "readout (K,), which does not train; none: ones", shape=1, optional=True)
    init: float = param(
        0.5, "standard deviation of the initial student weights", low=0, high=LARGEST_SCALE, open_low=True
    )
    a: Rows | None = param(None, "components in the plane (K, 2) at the start; none: drawn", shape=2, optional=True)

    #: Axes of the plane.
    M: ClassVar[int] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        array("mu", self.mu, (2,), "the two axes of the plane")
        for name in ("h_plus", "h_minus"):
            if array(name, getattr(self, name), (2,), "the two edges of a rectangle").min() < 0:
                raise ModelError(name, getattr(self, name), "must be standard deviations >= 0")
        if self.v is not None:
            array("v", self.v, (self.K,), "a readout for each student unit")
        if self.a is not None:
            array("a", self.a, (self.K, 2), "components of K students in the plane")

    def roots(self, data: str | None = None) -> np.ndarray:
        """M_+ and M_− (2, 2, 2) of a data set, by default that which the student is trained on."""
        edges = [(self.theta_plus, self.h_plus), (self.theta_minus, self.h_minus)]
        turns = [np.array([[np.cos(o), -np.sin(o)], [np.sin(o), np.cos(o)]]) * h for o, h in edges]
        if (data or self.trained_on) == "isotropic":
            return np.array([np.eye(2) * np.sqrt(0.25 * np.sum(np.square(turns)))] * 2)
        return np.array(turns)

    @of_many
    def start(self, N: int, rng: np.random.Generator) -> OrderParameters:
        """Overlaps of iid Gaussian student weights at size N, drawn from their exact law; R is `a` if that is given."""
        R, Q = random_overlaps(self.K, np.eye(2), N, self.init, rng)
        if self.a is not None:
            A = np.broadcast_to(np.array(self.a), R.shape)
            R, Q = A, Q - R @ transposed(R) + A @ transposed(A)
        return OrderParameters(R=R, Q=Q, T=np.eye(2), v=self.v, v_star=(0.0, 0.0))

    def learning_rule(self) -> LearningRule:
        """The rule on local fields that this model is an instance of."""
        from tsphys.rules import rectangle, two_layer

        uniform, (plus, minus) = int(self.trained_on == "original"), self.roots()
        return LearningRule(
            two_layer.rule,
            K=self.K,
            M=2,
            params=rectangle.Params(
                code(self.activation), code("linear"), self.lr, 0.0, 1.0, uniform, self.mu, plus, minus
            ),
            n_noise=1,
            v=self.v or (1.0,) * self.K,
            v_star=(0.0, 0.0),
            minibatch=self.minibatch,
            law=rectangle.law,
            init=self.init,
        )

    def eps_g(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> np.ndarray:
        """Mean of (φ − y)²/2 on the original data at given overlaps with any leading axes."""
        from tsphys.physics.classes import half_square

        return half_square(self.activation, self.density("original"), R, Q, v)

    def accuracy(self, R: Any, Q: Any, v: Any) -> np.ndarray | None:
        """Probability of sign φ = y on the original data.

        Where the sign of φ is that of a sum of fields: a single unit, two with equal readouts, linear units; else None.
        """
        from tsphys.physics.classes import accuracy

        v = np.asarray(v, dtype=np.float64)
        if self.activation == "erf" and (self.K > 2 or np.ptp(v) != 0):
            return None
        return accuracy(self.density("original"), R, Q, v)

    def observables(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> dict[str, np.ndarray]:
        """What follows from the overlaps: ``eps_g`` and, where it is known, ``accuracy``."""
        accuracy = self.accuracy(R, Q, v)
        out = {"eps_g": self.eps_g(R, Q, T, v, v_star)}
        return out if accuracy is None else {**out, "accuracy": accuracy}

    def density(self, data: str | None = None, fewer: bool = False) -> Any:
        """Nodes of an average over the plane and the labels, by default of the data that the student is trained on."""
        from tsphys.physics.classes import AXIS, nodes

        n = 2 * AXIS // 3 if fewer else AXIS
        return nodes((data or self.trained_on) == "original", self.mu, self.roots(data), n)
