"""Attacks on online learners: the labels of a stream, moved from a teacher towards an attacker's target."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.physics.names import code
from tsphys.physics.order_parameters import DIMS, OrderParameters, of_many
from tsphys.rules.contract import Online
from tsphys.rules.learning_rule import LearningRule

#: Names of the strategies.
STRATEGIES = ("none", "constant", "greedy", "optimal", "clairvoyant")
#: What the readout of the student is followed by: integrals over time of action, its square, and cost.
MEMORY = ("action", "action_square", "cost")


def _half_square(activation: str, R: Any, Q: Any) -> np.ndarray:
    """½⟨(Σ g(λ_k) − Σ g(ν_m))²⟩ for K units with overlaps Q, and R with K orthonormal others."""
    from tsphys.physics.committee.gaussian import generalisation_error

    K = np.shape(Q)[-1]
    return generalisation_error(activation, activation, R, Q, np.eye(K), np.ones(K), np.ones(K))


@lru_cache
def _distance(activation: str, K: int, overlap: float) -> float:
    return float(2 * _half_square(activation, overlap * np.eye(K), np.eye(K)))


@dataclass(frozen=True)
class OnlineAttack(Online):
    """A student learns from labels that an attacker moves from a teacher towards a target, at a price.

    Student φ_s = Σ_k g(w_k·x/√N), teacher φ_t and target φ_* of the same form, x_i ~ N(0, 1). The attacker sees a
    minibatch of P examples and sets its labels to y = (1 − a) φ_t + a φ_*; the student does a step of SGD on them::

        w_k ← w_k − η/(P√N) Σ_p g'(λ_kp) (φ_s − y)_p x_p

    A step costs the attacker ½CΩa² for the action and ½ mean_p (φ_s − φ_*)² for the student as it is, with
    Ω = ⟨(φ_* − φ_t)²⟩; C is the price of actions, 1/C the strength of the attacker. Time is t = steps/N.

    Strategies: ``none`` a = 0; ``constant``; ``greedy``, the a that minimises the price of the action plus ρN/η times
    the cost that the student has after the step; ``optimal``, the feedback that minimises the cost of all times, for
    N → ∞, a linear student and actions without bounds, clipped to the bounds if there are any; ``clairvoyant``, the
    sequence of actions that does so for a stream known in advance, for a linear student (simulation only).

    Parameters
    ----------
    K : int
        Hidden units of student, teacher and target; their readout is one.
    activation : {"linear", "erf"}
        g; erf is erf(x/√2).
    lr : float
        Learning rate η.
    minibatch : int
        Examples P in a step.
    cost : float
        Price C of actions.
    strategy : {"none", "constant", "greedy", "optimal", "clairvoyant"}
        What the attacker does.
    rho : float
        Weight ρ of the future in the greedy strategy.
    a_min, a_max : float, optional
        Bounds of the actions; none: unbounded.
    action : float, optional
        The constant action; none: the best for a linear student and η → 0, 1/(1 + C) if it meets all examples, f/(C +
        f²) or, with one action per example, 1/(C + f), if it meets a fraction f.
    control : {"batch", "example"}
        One action for the minibatch, or one for each example, at the mean price ½CΩ mean_p a_p². With one for each the
        greedy attacker takes the examples of a minibatch for perpendicular: it ignores their overlaps, of order 1/√N.
    poisoned : int, optional
        Examples of a minibatch that the attacker gets at; none: all.
    overlap : float
        Overlap of each unit of the target with the same unit of the teacher, w_t·w_*/N.
    discount : float
        Rate b at which the optimal and the clairvoyant strategy discount the future, in units of ηt: a step weighs
        γ = exp(−bη/N) times the one before.
    horizon : float
        Time for which the clairvoyant strategy knows the stream.
    inputs : {"gaussian", "binary"}
        Law of the inputs. The theory is that of both for N → ∞.

    Raises
    ------
    ModelError
        If a parameter is out of range, or a strategy is not known for the student.

    References
    ----------
    Margiotta, Goldt and Sanguinetti, NeurIPS (2023), arXiv:2305.11132; Zhang, Zhu and Lessard, L4DC (2020).
    """

    name: ClassVar[str] = "online_attack"
    #: v holds sums over the actions besides the readouts; teacher and target share v_star.
    dims: ClassVar[dict[str, tuple[str, ...]]] = {**DIMS, "v": ("readout",), "v_star": ("unit",)}

    K: int = param(1, "units of student, teacher and target", kind=int, low=1, high=1000, short="-K")
    activation: str = param("linear", "activation g", kind=str, choices=("linear", "erf"), short="-g")
    lr: float = param(0.2, "learning rate η", low=0, open_low=True)
    minibatch: int = param(1, "examples P in a step", kind=int, low=1, short="-b")
    cost: float = param(1.0, "price C of actions", low=0, open_low=True, short="-C")
    strategy: str = param("greedy", "what the attacker does", kind=str, choices=STRATEGIES)
    rho: float = param(1.0, "weight ρ of the future in the greedy strategy", low=0, open_low=True)
    a_min: float | None = param(-2.0, "least action; none: unbounded", optional=True)
    a_max: float | None = param(3.0, "largest action; none: unbounded", optional=True)
    action: float | None = param(None, "the constant action; none: the best", optional=True)
    control: str = param("batch", "one action per minibatch or per example", kind=str, choices=("batch", "example"))
    poisoned: int | None = param(
        None, "examples of a minibatch under attack; none: all", kind=int, low=1, optional=True
    )
    overlap: float = param(-1.0, "overlap of target and teacher", low=-1, high=1, open_high=True)
    discount: float = param(0.0, "rate b of discount, in units of ηt", low=0)
    horizon: float = param(10.0, "time for which the clairvoyant strategy knows the stream", low=0, open_low=True)
    inputs: str = param("gaussian", "law of the inputs", kind=str, choices=("gaussian", "binary"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.poisoned is not None and self.poisoned > self.minibatch:
            raise ModelError("poisoned", self.poisoned, f"must be at most minibatch = {self.minibatch}")
        if self.bounds[0] >= self.bounds[1]:
            raise ModelError("a_min", self.a_min, f"must be < a_max = {self.a_max}")
        fixed = self.strategy in ("none", "constant")
        if fixed and not self.bounds[0] <= self.fixed_action <= self.bounds[1]:
            name, value = ("action", self.action) if self.strategy == "constant" else ("a_min", self.a_min)
            raise ModelError(name, value, f"the action {self.fixed_action:g} must lie between a_min and a_max")
        if self.strategy in ("optimal", "clairvoyant") and (self.activation != "linear" or self.K > 1):
            raise ModelError("strategy", self.strategy, 'needs activation = "linear" and K = 1')
        if self.strategy == "optimal" and self.lr >= 2 * self.minibatch:
            raise ModelError("lr", self.lr, f"must be < 2·minibatch = {2 * self.minibatch}, where learning is stable")
        if self.strategy == "clairvoyant" and (self.control, self.examples) != ("batch", self.minibatch):
            raise ModelError("strategy", self.strategy, "needs one action for all examples of a minibatch")
        if self.activation == "erf" and self.strategy == "greedy" and not np.isfinite(self.bounds).all():
            raise ModelError("a_min", self.a_min, "must be given, as a_max, for the greedy strategy and erf")

    @property
    def M(self) -> int:
        """Fixed vectors in the role of teachers: the units of the teacher, then those of the target."""
        return 2 * self.K

    @property
    def bounds(self) -> tuple[float, float]:
        """Least and largest action."""
        low = -math.inf if self.a_min is None else self.a_min
        return low, math.inf if self.a_max is None else self.a_max

    @property
    def fixed_action(self) -> float:
        """The action of the strategies that have only one, 0 for the others."""
        if self.strategy != "constant":
            return 0.0
        share, paid = self.examples / self.minibatch, self.controls[0] * self.controls[2]
        return share / (paid * self.cost + share**2) if self.action is None else self.action

    @property
    def examples(self) -> int:
        """Examples of a minibatch that are under attack."""
        return self.minibatch if self.poisoned is None else self.poisoned

    @property
    def controls(self) -> tuple[int, int, float]:
        """Actions in a step, examples that each moves, and the weight of each in the price."""
        return (1, self.examples, 1.0) if self.control == "batch" else (self.examples, 1, 1.0 / self.minibatch)

    def teacher_overlaps(self) -> np.ndarray:
        """T (2K, 2K) of teacher and target."""
        return np.kron([[1.0, self.overlap], [self.overlap, 1.0]], np.eye(self.K))

    def distance(self) -> float:
        """Ω = ⟨(φ_* − φ_t)²⟩."""
        return _distance(self.activation, self.K, self.overlap)

    def _half_square(self, R: Any, Q: Any) -> np.ndarray:
        return _half_square(self.activation, R, Q)

    @of_many
    def start(self, N: int, rng: np.random.Generator) -> OrderParameters:
        """A student that has learned the teacher."""
        T = self.teacher_overlaps()
        return OrderParameters(R=T[: self.K], Q=T[: self.K, : self.K], T=T, v=None, v_star=None)

    def learning_rule(self) -> LearningRule:
        """The rule on local fields that this model is an instance of."""
        from tsphys.rules import online_attack as rules

        if self.strategy == "clairvoyant":
            raise ModelError("strategy", self.strategy, "depends on the future, and has no theory for N → ∞")
        single = self.strategy in ("none", "constant") and self.examples == self.minibatch
        gains = (0.0, 0.0, 0.0, 0.0)
        if self.strategy == "optimal":
            from tsphys.physics.linear_control import optimal_gains

            gains = optimal_gains(self)
        kind = {"greedy": rules.GREEDY, "optimal": rules.FEEDBACK}.get(self.strategy, rules.FIXED)
        (low, high), (controls, each, weight) = np.clip(self.bounds, -1e300, 1e300), self.controls
        params = rules.Params(
            code(self.activation), self.lr, self.cost * self.distance(), low, high, self.fixed_action, kind, self.rho,
            controls, each, weight, self.overlap, *gains,
        )  # fmt: skip
        return LearningRule(
            rules.fixed if single else rules.blind if kind == rules.FIXED else rules.rule,
            K=self.K,
            M=self.M,
            params=params,
            v=(1.0,) * self.K + (0.0,) * len(MEMORY),
            v_star=(1.0,) * self.K,
            T=self.teacher_overlaps(),
            fixed_teacher=True,
            minibatch=self.minibatch,
            # Between its bounds; where they matter the sizes of the quadrature disagree.
            smooth=True,
            uses_overlaps=kind != rules.FIXED,
            whole_batch=not single,
            inputs=self.inputs,
        )

    def eps_g(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> np.ndarray:
        """Generalisation error ½⟨(φ_s − φ_t)²⟩, of the student against the teacher."""
        return self._half_square(np.asarray(R)[..., : self.K], Q)

    def measured(self, t: Any, R: Any, Q: Any, v: Any) -> dict[str, np.ndarray]:
        """What else there is to see at times t, from overlaps R (…, len(t), K, 2K), Q, and v (…, len(t), K + 3).

        Returns
        -------
        dict
            ``eps_target`` = ½⟨(φ_s − φ_*)²⟩; ``distance`` = √(⟨(φ_s − φ_t)²⟩/Ω); for K = 1 ``accuracy``, the
            probability that φ_s and φ_t have one sign; and the means over all steps until t, 0 at t = 0, of the
            ``action``, its square, and the ``cost``.
        """
        t, R, Q, v = (np.asarray(a, dtype=np.float64) for a in (t, R, Q, v))
        out = {
            "eps_target": self._half_square(R[..., self.K :], Q),
            # Rounding of the overlaps may leave less than nothing.
            "distance": np.sqrt(np.maximum(2 * self._half_square(R[..., : self.K], Q) / self.distance(), 0.0)),
        }
        if self.K == 1:
            along, square = R[..., 0, 0], Q[..., 0, 0]
            out["accuracy"] = 1 - np.arctan2(np.sqrt(np.maximum(square - along**2, 0.0)), along) / np.pi
        passed = np.where(t > 0, t, np.inf)
        return out | {name: v[..., self.K + i] / passed for i, name in enumerate(MEMORY)}
