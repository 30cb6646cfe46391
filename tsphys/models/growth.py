"""A student that grows while it learns, each unit into two or by units of random weights, or that loses some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import LARGEST_SCALE, MOST_UNITS, param
from tsphys.models.latent_teacher import LatentTeacher
from tsphys.models.two_layer import TwoLayer
from tsphys.physics.order_parameters import OrderParameters, of_many, random_overlaps
from tsphys.rules.contract import Online
from tsphys.rules.learning_rule import LearningRule
from tsphys.rules.phases import Phase, State, Units

#: What a student can do, and the parameters that have a meaning then.
WAYS: Mapping[str, tuple[str, ...]] = {
    "split": ("spread", "share"),
    "random": ("new_norm", "new_v"),
    "remove": ("removed",),
}


@dataclass(frozen=True)
class Growth(LatentTeacher, Online):
    """Student and teacher of `TwoLayer`, where the student has K units until the time t_g and others from then on.

    ``split`` makes two units of each, ``random`` puts as many new ones beside them, ``remove`` takes the last away::

        split   w_k± = w_k ± √γ z_k,  v_k+ = s v_k,  v_k− = (1 − s) v_k
        random  w of squared norm qN in random directions, with a readout of their own

    with z_k of squared norm N in random directions outside of all students and teachers. Units that are still to come
    have zero weights and readout, and those that are gone as well; a start has the K units, or all. Time is not reset.

    Parameters
    ----------
    K, M, activation, lr, lr_v, noise, minibatch, T, v_star, v, init
        As in `Pruned`, of the K units before.
    way : {"split", "random", "remove"}
        What happens.
    at : float
        t_g.
    spread, share : float
        γ and s of a split. With γ = 0 and s = ½ the two stay equal for ever.
    new_norm, new_v : float
        q and the readout of new units.
    removed : int
        How many units are taken away.

    Raises
    ------
    ModelError
        If a parameter is out of range, has no meaning for what happens, or no unit is left.

    References
    ----------
    Chen, Goodfellow & Shlens, ICLR 2016.
    """

    name: ClassVar[str] = "growth"

    K: int = param(1, "hidden units of the student at first", kind=int, low=1, high=MOST_UNITS // 2, short="-K")
    lr: float = param(0.5, "learning rate η of the first layer", low=0, open_low=True)
    lr_v: float = param(0.5, "learning rate η_v of the second layer; 0: it does not train", low=0)
    noise: float = param(0.1, "standard deviation σ of the teacher's output noise", low=0, high=LARGEST_SCALE)
    init: float = param(0.3, "standard deviation of the initial student weights", low=0, high=LARGEST_SCALE)
    way: str = param("split", "what the student does", kind=str, choices=tuple(WAYS))
    at: float = param(5.0, "time t_g at which it does", low=0, open_low=True)
    spread: float = param(0.1, "γ: how far the two of a split are apart", low=0, high=LARGEST_SCALE)
    share: float = param(0.5, "s: part of the readout that the first of them gets")
    new_norm: float = param(0.2, "q: squared norm of new units over N", low=0, high=LARGEST_SCALE)
    new_v: float = param(0.1, "readout of new units")
    removed: int = param(1, "units that are taken away", kind=int, low=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        for way, names in WAYS.items():
            for name in names if way != self.way else ():
                default = type(self).__dataclass_fields__[name].default
                if getattr(self, name) != default:
                    raise ModelError(name, getattr(self, name), f'must be {default} with way = "{self.way}"')
        if self.way == "remove" and self.removed >= self.K:
            raise ModelError("removed", self.removed, f"must be less than K = {self.K}, one unit must stay")

    @property
    def later(self) -> int:
        """Units after t_g."""
        return self.K - self.removed if self.way == "remove" else 2 * self.K

    @property
    def most(self) -> int:
        """Units that there are at any time."""
        return max(self.K, self.later)

    def of(self, K: int) -> TwoLayer:
        """The student with this many units."""
        return TwoLayer(
            K=K, M=self.M, activation=self.activation, lr=self.lr, lr_v=self.lr_v or None, noise=self.noise,
            minibatch=self.minibatch, T=self.T, teacher="isotropic" if self.T is None else "given", init=self.init,
            v_star=self.v_star,
        )  # fmt: skip

    def units(self) -> Units:
        """How the students from t_g on are made of those before."""
        one, none = np.eye(self.K), np.zeros((self.K, self.K))
        if self.way == "split":
            apart = self.spread * np.array([[1.0, -1.0], [-1.0, 1.0]])
            return Units(np.block([[one, none], [one, none]]), np.kron(apart, one))
        if self.way == "random":
            return Units(np.block([[one, none], [none, none]]), np.block([[none, none], [none, self.new_norm * one]]))
        return Units(np.diag(np.arange(self.K) < self.later).astype(float), none)

    def readout(self, v: np.ndarray) -> np.ndarray:
        """That from t_g on, of the one before (most,)."""
        if self.way == "split":
            return np.concatenate([self.share * v[: self.K], (1 - self.share) * v[: self.K]])
        if self.way == "random":
            return np.concatenate([v[: self.K], np.full(self.K, self.new_v)])
        return np.where(np.arange(self.K) < self.later, v, 0.0)

    def phase(self, i: int, state: State) -> Phase:
        """Learning before t_g, and after."""
        return Phase({}, until=self.at) if i == 0 else Phase({}, v=self.readout(state.v), units=self.units())

    def completed(self, start: Any) -> Any:
        """A start of the K units with those that are still to come."""
        if isinstance(start, OrderParameters) and start.K == self.most > self.K:
            later = (
                start.Q[..., self.K :],
                start.R[..., self.K :, :],
                start.v if start.v is None else start.v[..., self.K :],
            )
            if any(part is not None and np.any(part) for part in later):
                raise ModelError(
                    "start", f"{start.K} units", f"must have zeros where units come after the K = {self.K}"
                )
        if not isinstance(start, OrderParameters) or start.K != self.K or self.most == self.K:
            return start
        wider = [(0, 0)] * (start.R.ndim - 2), (0, self.most - self.K)
        return OrderParameters(
            R=np.pad(start.R, [*wider[0], wider[1], (0, 0)]), Q=np.pad(start.Q, [*wider[0], wider[1], wider[1]]),
            T=start.T, v=None if start.v is None else np.pad(start.v, [*[(0, 0)] * (start.v.ndim - 1), wider[1]]),
            v_star=start.v_star,
        )  # fmt: skip

    @of_many
    def start(self, N: int, rng: np.random.Generator) -> OrderParameters:
        """Overlaps of iid Gaussian weights of the K units at size N, drawn from their exact law."""
        T = self.teacher_overlaps()
        v, v_star = self.readouts()
        R, Q = random_overlaps(self.K, T, N, self.init, rng)
        whole: OrderParameters = self.completed(OrderParameters(R=R, Q=Q, T=T, v=v, v_star=v_star))
        return whole

    def learning_rule(self) -> LearningRule:
        """The rule on local fields that this model is an instance of."""
        v = np.pad(self.readouts()[0], (0, self.most - self.K))
        return replace(self.of(self.most).learning_rule(), schedule=self.phase, v=tuple(v))
