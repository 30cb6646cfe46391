"""Two students of one teacher: do they learn the same, unit by unit?"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np

from tsphys.ground.parameters import LARGEST_SCALE, MOST_UNITS, Row, Rows, param
from tsphys.physics.matching import matched
from tsphys.physics.names import code
from tsphys.physics.order_parameters import DIMS, check_task
from tsphys.rules.contract import Online
from tsphys.rules.learning_rule import LearningRule

#: No normal variable is ever beyond.
_NEVER = 40.0


@dataclass(frozen=True)
class TwoStudents(Online):
    """Two students of K and K' units and a teacher of M, as in `TwoLayer`; each learns by SGD on its own error.

    In a step both see the same example, with the same label noise, with probability f, otherwise one each. Arrays hold
    the units of the first and then of the second student, so that the upper right block of Q are their overlaps
    U = w·w'/N with each other.

    Parameters
    ----------
    K, other : int
        Units of the first student, and of the second; none: as many.
    M, activation, lr, lr_v, noise, T, v_star, init
        As in `TwoLayer`; erf or linear, in all three.
    shared : float
        f.
    v : (K + K',) array_like, optional
        Readouts at t = 0; none: ones.

    Raises
    ------
    ModelError
        If a parameter is out of range.

    References
    ----------
    Li, Yosinski, Clune, Lipson & Hopcroft, ICLR 2016 (arXiv:1511.07543).
    """

    name: ClassVar[str] = "two_students"
    dims: ClassVar[dict[str, tuple[str, ...]]] = {**DIMS, "eps_g": ("network",)}

    #: Examples of each student in a step.
    minibatch: ClassVar[int] = 1

    K: int = param(2, "hidden units of the first student", kind=int, low=1, high=MOST_UNITS // 2, short="-K")
    other: int | None = param(
        None, "hidden units of the second; none: as many", kind=int, low=1, high=MOST_UNITS // 2, optional=True
    )
    M: int = param(2, "hidden units of the teacher", kind=int, low=1, high=MOST_UNITS, short="-M")
    activation: str = param("erf", "activation g", kind=str, choices=("erf", "linear"), short="-g")
    lr: float = param(0.5, "learning rate η of the first layers", low=0, open_low=True)
    lr_v: float = param(0.0, "learning rate η_v of the second layers; 0: they do not train", low=0)
    noise: float = param(0.1, "standard deviation σ of the teacher's output noise", low=0, high=LARGEST_SCALE)
    shared: float = param(0.5, "part f of the examples that both see", low=0, high=1, short="-f")
    T: Rows | None = param(None, "overlaps of the teachers (M, M); none: identity", shape=2, optional=True)
    v_star: Row | None = param(None, "teacher readout (M,); none: ones", shape=1, optional=True)
    v: Row | None = param(None, "readouts of both at t = 0 (K + K',); none: ones", shape=1, optional=True)
    init: float = param(0.5, "standard deviation of the initial weights of both", low=0, high=LARGEST_SCALE)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_task(self.T, self.v_star, self.v, self.units, self.M)

    @property
    def units(self) -> int:
        """Those of both."""
        return self.K + (self.other or self.K)

    def readouts(self) -> tuple[np.ndarray, np.ndarray]:
        """v at t = 0 and v*."""
        v = np.ones(self.units) if self.v is None else np.array(self.v)
        return v, np.ones(self.M) if self.v_star is None else np.array(self.v_star)

    def learning_rule(self) -> LearningRule:
        """The rule on local fields that this model is an instance of."""
        from tsphys.rules import two_students

        v, v_star = self.readouts()
        below = NormalDist().inv_cdf(self.shared) if 0 < self.shared < 1 else (2 * self.shared - 1) * _NEVER
        return LearningRule(
            two_students.rule,
            K=self.units,
            M=self.M,
            params=two_students.Params(code(self.activation), self.lr, self.lr_v, self.noise, self.K, below),
            n_noise=2,
            v=tuple(v),
            v_star=tuple(v_star),
            T=self.T,
            init=self.init,
            minibatch=2,
            whole_batch=True,
            smooth=self.shared in (0, 1),
        )

    def eps_g(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> np.ndarray:
        """Generalisation errors (…, 2) of both students."""
        from tsphys.physics.committee.gaussian import generalisation_error

        g, (R, Q, v) = self.activation, (np.asarray(a) for a in (R, Q, v))
        parts = slice(0, self.K), slice(self.K, self.units)
        errors = [generalisation_error(g, g, R[..., s, :], Q[..., s, s], T, v[..., s], v_star) for s in parts]
        return np.stack(errors, axis=-1)

    def observables(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> dict[str, np.ndarray]:
        """The errors, and how the units of both match; see `tsphys.physics.matching.matched`."""
        return {"eps_g": self.eps_g(R, Q, T, v, v_star), **matched(self.activation, np.asarray(Q), self.K)}
