"""A mask for each task: a student that learns two tasks, one after the other, with weights that they share in part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import LARGEST_SCALE, MOST_UNITS, Rows, array, param
from tsphys.models.latent_teacher import STUDENTS
from tsphys.models.pruned import Pruned
from tsphys.physics.order_parameters import OrderParameters, random_overlaps
from tsphys.physics.similarity import cosines, stacked
from tsphys.rules.contract import Model

#: Size at which the default start is drawn.
DRAWN_AT = 1000


@dataclass(frozen=True)
class TaskMasks(Model):
    """Tasks s = 1, 2, y = Σ_m g(ν^s_m) + σζ; student φ^s(x) = Σ_k h^s_k g(λ^s_k), λ^s_k = (m_s∘w_k)·x/√N.

    All units of task s see the coordinates of one mask m_s ∈ {0, 1}^N alone. Both masks have ρN coordinates, of which
    oρN are common. The first task is learned until the time t_s, then the second, by online SGD with the head h^s of
    its own; only coordinates of its mask move, Δ = φ^s(x) − y::

        w_k ← w_k − η/√N h^s_k g'(λ^s_k) Δ m_s∘x,        h^s_k ← h^s_k − η_h/N g(λ^s_k) Δ

    Time is t = steps/N. Unit m of one teacher has the overlap V with unit m of the other, none with the others.

    Parameters
    ----------
    K, M : int
        Hidden units of the student and of each teacher.
    activation : {"erf", "relu", "linear"}
        g of all of them.
    lr, lr_v : float
        Learning rates η of the weights and η_h of the heads.
    noise : float
        Standard deviation σ of the label noise.
    similarity : float
        V.
    density, overlap : float
        ρ and o; both masks fit into all coordinates, ρ(2 − o) ≤ 1.
    switch : float
        t_s.
    R, Q : (K, 2M), (K, K) array_like, optional
        Overlaps at t = 0, before there are masks, with the teachers of both tasks and each other; none: as normal
        weights of standard deviation `init` have at N = 1000.
    v : (2, K) array_like, optional
        Heads at t = 0; none: one over K.
    init : float
        Standard deviation of the initial weights, if no overlaps are given.

    Raises
    ------
    ModelError
        If a parameter is out of range, or no masks or vectors have such overlaps.

    References
    ----------
    Yildirim et al. 2023 (arXiv:2308.14831).
    """

    name: ClassVar[str] = "task_masks"
    dims: ClassVar[dict[str, tuple[str, ...]]] = {
        "eps_g": ("task",),
        "R": ("task", "student", "teacher"),
        "Q": ("task", "student", "student_2"),
        "v": ("task", "student"),
    }

    K: int = param(2, "hidden units of the student", kind=int, low=1, high=MOST_UNITS, short="-K")
    M: int = param(1, "hidden units of each teacher", kind=int, low=1, high=MOST_UNITS // 2, short="-M")
    activation: str = param("erf", "activation g of student and teachers", kind=str, choices=STUDENTS, short="-g")
    lr: float = param(1.0, "learning rate η of the weights", low=0, open_low=True)
    lr_v: float = param(0.5, "learning rate η_h of the heads; 0: they do not train", low=0)
    noise: float = param(0.1, "standard deviation σ of the label noise", low=0, high=LARGEST_SCALE)
    similarity: float = param(0.5, "feature similarity V of the tasks", low=-1, high=1, short="-V")
    density: float = param(0.5, "ρ: fraction of the coordinates that a task has", low=0, open_low=True, high=1)
    overlap: float = param(0.5, "o: part of them that the other has, too", low=0, high=1)
    switch: float = param(20.0, "time t_s at which the second task begins", low=0, open_low=True)
    R: Rows | None = param(None, "overlaps with both teachers at t = 0 (K, 2M)", shape=2, optional=True)
    Q: Rows | None = param(None, "overlaps of the units at t = 0 (K, K)", shape=2, optional=True)
    v: Rows | None = param(None, "heads at t = 0 (2, K); none: 1/K", shape=2, optional=True)
    init: float = param(0.3, "standard deviation of the initial weights", low=0, high=LARGEST_SCALE)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.density * (2 - self.overlap) > 1 + 1e-12:
            least = max(0.0, 2 - 1 / self.density)
            raise ModelError("overlap", self.overlap, f"must be at least 2 - 1/density = {least:.4g}")
        for name, shape in (("R", (self.K, 2 * self.M)), ("Q", (self.K, self.K)), ("v", (2, self.K))):
            if getattr(self, name) is not None:
                array(name, getattr(self, name), shape, "overlaps or heads")
        for name, other in (("R", "Q"), ("Q", "R")):
            if getattr(self, name) is None and getattr(self, other) is not None:
                raise ModelError(name, None, f"must be given with {other}")
        if self.R is not None:
            OrderParameters(R=self.R, Q=np.array(self.Q), T=self.teacher_overlaps())

    def teacher_overlaps(self) -> np.ndarray:
        """T (2M, 2M) of the teachers of both tasks."""
        return stacked(cosines("similarity", self.similarity, None, 2), self.M, 0)

    def start(self) -> OrderParameters:
        """Overlaps at t = 0, before there are masks."""
        T = self.teacher_overlaps()
        if self.R is not None:
            return OrderParameters(R=self.R, Q=np.array(self.Q), T=T)
        R, Q = random_overlaps(self.K, T, DRAWN_AT, self.init, np.random.default_rng(0))
        return OrderParameters(R=R, Q=Q, T=T)

    def heads(self) -> np.ndarray:
        """h (2, K) at t = 0."""
        return np.full((2, self.K), 1.0 / self.K) if self.v is None else np.array(self.v)

    def classes(self) -> tuple[np.ndarray, np.ndarray]:
        """Fractions (3,) of the coordinates of the first task, of both, of the second; who has them (3, 2)."""
        alone, common = self.density * (1 - self.overlap), self.density * self.overlap
        return np.array([alone, common, alone]), np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])

    def draw_masks(self, N: int, rng: np.random.Generator) -> np.ndarray:
        """Zeros and ones (2, N)."""
        size = round(self.density * N)
        common = max(round(self.overlap * size), 2 * size - N)
        if size == 0:
            raise ModelError("density", self.density, f"must be more than 1/(2N) = {0.5 / N:g}, one coordinate")
        order, masks = rng.permutation(N), np.zeros((2, N))
        masks[0, order[:size]] = masks[1, order[size - common : 2 * size - common]] = 1.0
        return masks

    def student(self, task: int) -> Pruned:
        """The student of a task 0, 1 among the teachers of both, of which the others' are silent."""
        v_star = np.zeros((2, self.M))
        v_star[task] = 1.0
        return Pruned(
            K=self.K, M=2 * self.M, activation=self.activation, lr=self.lr, lr_v=self.lr_v, noise=self.noise,
            T=self.teacher_overlaps(), v_star=tuple(v_star.ravel()), density=self.density, masks="common",
        )  # fmt: skip

    def errors(self, R: np.ndarray, Q: np.ndarray, v: np.ndarray) -> np.ndarray:
        """eps_g (…, 2) at overlaps (…, 2, K, 2M), (…, 2, K, K) of what each task has, and heads (…, 2, K)."""
        T = self.teacher_overlaps()
        out = [
            self.student(s).eps_g(R[..., s, :, :], Q[..., s, :, :], T, v[..., s, :], self.student(s).readouts()[1])
            for s in range(2)
        ]
        # The sum of squares may round to less than nothing.
        return np.maximum(np.stack(out, axis=-1), 0.0)
