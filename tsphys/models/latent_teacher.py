"""What models share in which a two-layer student sees inputs with a structure that its teacher may see beneath."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import LARGEST_SCALE, MOST_UNITS, Row, Rows, param
from tsphys.physics.names import code
from tsphys.physics.order_parameters import check_task, triangular_root
from tsphys.rules.contract import Model
from tsphys.rules.learning_rule import LearningRule

#: Those with closed averages, and with them closed equations of motion.
STUDENTS = ("erf", "relu", "linear")


@dataclass(frozen=True)
class LatentTeacher(Model):
    """Student and teacher of online SGD; see `tsphys.models.hidden_manifold.HiddenManifold`."""

    name: ClassVar[str]

    K: int = param(2, "hidden units of the student", kind=int, low=1, high=MOST_UNITS, short="-K")
    M: int = param(2, "hidden units of the teacher", kind=int, low=1, high=MOST_UNITS, short="-M")
    activation: str = param("erf", "activation g of student and teacher", kind=str, choices=STUDENTS, short="-g")
    lr: float = param(0.2, "learning rate η of the first layer", low=0, open_low=True)
    lr_v: float = param(0.0, "learning rate η_v of the second layer; 0: it does not train", low=0)
    noise: float = param(0.0, "standard deviation σ of the teacher's output noise", low=0, high=LARGEST_SCALE)
    minibatch: int = param(1, "examples b in a step", kind=int, low=1, short="-b")
    T: Rows | None = param(None, "overlaps of the teachers (M, M); none: identity", shape=2, optional=True)
    v_star: Row | None = param(None, "teacher readout (M,); none: ones", shape=1, optional=True)
    v: Row | None = param(None, "student readout at t = 0 (K,); none: ones", shape=1, optional=True)
    init: float = param(0.1, "standard deviation of the initial student weights", low=0, high=LARGEST_SCALE)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_task(self.T, self.v_star, self.v, self.K, self.M)

    def readouts(self) -> tuple[np.ndarray, np.ndarray]:
        """v at t = 0 and v*."""
        v = np.ones(self.K) if self.v is None else np.array(self.v)
        return v, np.ones(self.M) if self.v_star is None else np.array(self.v_star)

    def teacher_overlaps(self) -> np.ndarray:
        """T (M, M)."""
        return np.eye(self.M) if self.T is None else np.array(self.T)

    def initial_covariance(self) -> np.ndarray:
        """W_ξ (K, K): covariance of the random part of the initial weights of the K units."""
        return self.init**2 * np.eye(self.K)

    def draw_teacher(self, D: int, rng: np.random.Generator) -> np.ndarray:
        """Teacher θ (M, D) in a random direction with exactly θθᵀ/D = T."""
        if D < self.M:
            raise ModelError("M", self.M, f"must be at most {D}, the dimension that the teachers live in")
        basis = np.linalg.qr(rng.standard_normal((D, self.M)))[0].T * np.sqrt(D)
        return triangular_root(self.teacher_overlaps()) @ basis

    def draw_weights(self, N: int, rng: np.random.Generator) -> np.ndarray:
        """The random part ξ (K, N) of the initial weights."""
        return triangular_root(self.initial_covariance()) @ rng.standard_normal((self.K, N))

    def engine_rule(self) -> LearningRule:
        """The rule as the engines want it where the teachers' fields come along with the noise."""
        from tsphys.rules import latent_teacher, two_layer

        (v, v_star), g = self.readouts(), code(self.activation)
        return LearningRule(
            latent_teacher.rule,
            K=self.K,
            M=self.M,
            params=two_layer.Params(g, g, self.lr, self.lr_v, self.noise),
            n_noise=1 + self.M,
            v=tuple(v),
            v_star=tuple(v_star),
            minibatch=self.minibatch,
        )

    def eps_g(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> np.ndarray:
        """Generalisation error at given overlaps with any leading axes, in closed form, for Gaussian fields."""
        from tsphys.physics.committee.gaussian import generalisation_error

        return generalisation_error(self.activation, self.activation, R, Q, T, v, v_star)


def purpose(seed: int, replica: int, what: str) -> np.random.Generator:
    """The generator of a part of the disorder, for simulation and theory alike."""
    from tsphys.numerics.random import generator

    return generator(seed, replica, f"latent {what}")
