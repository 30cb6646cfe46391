"""ReLUs with biases: the part of its units that an input activates, and how learning makes it small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import LARGEST_SCALE, MOST_UNITS, Row, Rows, param
from tsphys.physics.order_parameters import DIMS, check_task
from tsphys.rules.contract import Online
from tsphys.rules.learning_rule import LearningRule

LABELS = ("teacher", "random")


@dataclass(frozen=True)
class ActiveFraction(Online):
    """Student φ = Σ_k v_k (λ_k + β_k)₊, teacher y = Σ_m v*_m (ν_m + β*_m)₊ + σζ, or no teacher but the noise, y = σζ.

    A step of online SGD on the squared error, with Δ = φ − y and 1_k for units with λ_k + β_k > 0::

        w_k ← w_k − (η/√N) v_k 1_k Δ x,   v_k ← v_k − (η_v/N)(λ_k + β_k)₊ Δ,   β_k ← β_k − (η_β/N) v_k 1_k Δ

    ``active`` (…, K) is the share p_k = Φ(β_k/√Q_kk) of the inputs that activate a unit: its mean over units is the
    share of units that an input activates. It is ½ of units without biases.

    Parameters
    ----------
    K, M : int
        Hidden units of student and teacher.
    labels : {"teacher", "random"}
        Of ``random`` labels the teacher is seen by nobody: its readout is zero.
    lr, lr_v, lr_b : float
        η, η_v and η_β.
    noise : float
        σ.
    minibatch : int
        Examples b in a step.
    T, v_star, b_star, v, b : array_like, optional
        Overlaps of the teachers (M, M), readouts and biases of the teacher (M,) and, at t = 0, of the student (K,).
        None: identity, ones, zeros.
    init : float
        Standard deviation of the initial student weights when no start is given.

    Readouts of a start, and those seen as ``v`` (…, 2, K), are v and behind it β; ``bias`` (…, K) is β.

    Raises
    ------
    ModelError
        If a parameter is out of range, or a teacher is given with random labels.

    References
    ----------
    Li et al., ICLR 2023 (arXiv:2210.06313); Straat & Biehl, ESANN 2019.
    """

    name: ClassVar[str] = "active_fraction"
    dims: ClassVar[dict[str, tuple[str, ...]]] = {
        **DIMS, "v": ("readout_or_bias", "student"), "v_star": ("teacher_readouts_and_biases",),
        "active": ("student",), "bias": ("student",),
    }  # fmt: skip

    K: int = param(2, "hidden units of the student", kind=int, low=1, high=MOST_UNITS, short="-K")
    M: int = param(2, "hidden units of the teacher", kind=int, low=1, high=MOST_UNITS, short="-M")
    labels: str = param("teacher", "what is learned", kind=str, choices=LABELS)
    lr: float = param(0.3, "learning rate η of the weights", low=0, open_low=True)
    lr_v: float = param(0.0, "learning rate η_v of the readouts; 0: they do not train", low=0)
    lr_b: float = param(0.3, "learning rate η_β of the biases; 0: they do not train", low=0)
    noise: float = param(1.0, "standard deviation σ of the noise of the labels", low=0, high=LARGEST_SCALE)
    minibatch: int = param(1, "examples b in a step", kind=int, low=1, short="-b")
    T: Rows | None = param(None, "overlaps of the teachers (M, M); none: identity", shape=2, optional=True)
    v_star: Row | None = param(None, "teacher readout (M,); none: ones", shape=1, optional=True)
    b_star: Row | None = param(None, "biases of the teacher (M,); none: zeros", shape=1, optional=True)
    v: Row | None = param(None, "student readout at t = 0 (K,); none: ones", shape=1, optional=True)
    b: Row | None = param(None, "biases of the student at t = 0 (K,); none: zeros", shape=1, optional=True)
    init: float = param(1.0, "standard deviation of the initial student weights", low=0, high=LARGEST_SCALE)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_task(self.T, self.v_star, self.v, self.K, self.M)
        for name, n in (("b", self.K), ("b_star", self.M)):
            value = getattr(self, name)
            if value is not None and len(value) != n:
                raise ModelError(name, value, f"must have {n} entries, one a unit")
        for name in ("v_star", "b_star") if self.labels == "random" else ():
            if getattr(self, name) is not None:
                raise ModelError(name, getattr(self, name), "must be none with random labels, which no teacher gives")

    @property
    def readout_shape(self) -> tuple[int, int]:
        """Readouts, and biases."""
        return 2, self.K

    def learning_rule(self) -> LearningRule:
        """The rule on local fields that this model is an instance of."""
        from tsphys.rules import active_fraction as own

        heard = float(self.labels == "teacher")
        v, v_star = self.v or (1.0,) * self.K, self.v_star or (heard,) * self.M
        return LearningRule(
            own.rule,
            K=self.K,
            M=self.M,
            params=own.Params(self.lr, self.lr_v, self.lr_b, self.noise),
            n_noise=1,
            v=(*v, *(self.b or (0.0,) * self.K)),
            v_star=(*v_star, *(self.b_star or (0.0,) * self.M)),
            T=None if self.T is None else np.array(self.T),
            init=self.init,
            minibatch=self.minibatch,
        )

    def completed(self, start: Any) -> Any:
        """A start of readouts alone with the biases of the model."""
        if getattr(start, "R", None) is None or start.R.shape != (self.K, self.M):
            return start
        if self.labels == "random" and start.v_star is not None and np.any(start.v_star[..., : self.M]):
            words = "must be none or zeros with random labels, which no teacher gives"
            raise ModelError("start", f"v_star = {start.v_star.tolist()}", words)
        rule = self.learning_rule()
        whole = []
        for own, n, all_ in ((start.v, self.K, rule.v), (start.v_star, self.M, rule.v_star)):
            short = own is not None and own.shape[-1] == n
            whole.append(np.concatenate([own, np.broadcast_to(all_[n:], own.shape)], axis=-1) if short else own)
        return start.read_by(*whole)

    def eps_g(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> np.ndarray:
        """½⟨(φ − y)²⟩ without the noise, at given overlaps with any leading axes, in closed form."""
        from tsphys.physics.committee.biased import outputs_product

        R, v = np.asarray(R), np.asarray(v)
        C = np.empty((*R.shape[:-2], self.K + self.M, self.K + self.M))
        C[..., : self.K, : self.K], C[..., self.K :, self.K :] = Q, T
        C[..., : self.K, self.K :], C[..., self.K :, : self.K] = R, np.swapaxes(R, -1, -2)
        v_star = np.broadcast_to(v_star, (*v.shape[:-1], 2 * self.M))
        a = np.concatenate([v[..., : self.K], -v_star[..., : self.M]], axis=-1)
        b = np.concatenate([v[..., self.K :], v_star[..., self.M :]], axis=-1)
        # The sum of squares may round to less than nothing.
        return np.maximum(0.5 * np.einsum("...i,...j,...ij->...", a, a, outputs_product(C, b)), 0.0)

    def observables(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> dict[str, np.ndarray]:
        """``eps_g``, the ``bias`` and the ``active`` share of each unit (…, K)."""
        from scipy.special import ndtr

        bias, norm = np.asarray(v)[..., self.K :], np.sqrt(np.maximum(np.diagonal(Q, axis1=-2, axis2=-1), 1e-300))
        return {"eps_g": self.eps_g(R, Q, T, v, v_star), "active": ndtr(bias / norm), "bias": bias}
