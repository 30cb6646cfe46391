"""Continual learning: one student, a head for each task, teachers of a given similarity (Lee, Goldt & Saxe 2021)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import LARGEST_SCALE, MOST_UNITS, Row, Rows, array, number, param
from tsphys.physics.names import ACTIVATIONS, code
from tsphys.physics.order_parameters import OrderParameters, of_many, random_overlaps
from tsphys.physics.similarity import cosines, readouts, stacked
from tsphys.rules.contract import Online
from tsphys.rules.learning_rule import LearningRule
from tsphys.rules.phases import Phase, State

#: Activations whose equations of motion are closed.
_CLOSED = tuple(a for a in ACTIVATIONS if a not in ("tanh", "sign"))
#: ⟨g'(x)²⟩ of a normal x of variance q.
_SLOPE_SQUARE: dict[str, Callable[[Any], Any]] = {
    "erf": lambda q: 2.0 / math.pi / np.sqrt(1.0 + 2.0 * q),
    "relu": lambda q: np.full_like(q, 0.5),
    "linear": np.ones_like,
    "quad": lambda q: 4.0 * q,
    "he2": lambda q: 2.0 * q,
}
#: No normal variable is ever beyond.
_NEVER = 40.0


@dataclass(frozen=True)
class Continual(Online):
    """Tasks s = 1, …, S, y = Σ_m v*^s_m g(ν^s_m) + σζ; student φ^s(x) = Σ_k h^s_k g(λ_k) with a head h^s for each task.

    A step of online SGD on b examples of task s, Δ_β = φ^s(x_β) − y_β, moves the shared weights and the head of s::

        w_k   ← w_k − η/(b√N) Σ_β h^s_k g'(λ_kβ) Δ_β x_β − (η/N) Ω_k (w_k − w̄_k)
        h^s_k ← h^s_k − η_h/(bN) Σ_β g(λ_kβ) Δ_β

    Time is t = steps/N; eps_g (…, S) holds ½⟨(φ^s − Σ v*^s g)²⟩ of every task at all times, the head of each task
    being kept. Teachers have |w*|² = N and orthogonal units; unit m of task s has the overlap V with unit m of another
    task, none with the others. Readouts have |v*|² = M and the cosines Ṽ.

    Parameters
    ----------
    K, M, tasks : int
        Hidden units of the student and of each teacher, number S of tasks.
    activation : {"erf", "relu", "linear", "quad", "he2"}
        g of students and teachers.
    lr, lr_v : float
        Learning rates η of the weights (0: they are frozen) and η_h of the heads (none: η).
    noise : float
        Standard deviation σ of the label noise, of every task; `noises` (S,) gives one for each.
    similarity, similarities : float, (S, S) array_like
        Feature similarity V: one value for any two tasks, or a matrix, which must be one of cosines.
    readout_similarity, readout_similarities : float, (S, S) array_like
        Readout similarity Ṽ, likewise. The readouts must fit into M dimensions; with M = 1 only ±1 does.
    readout_angle : float
        φ of the first readout √M (cos φ, sin φ, 0, …).
    v_star : (S, M) array_like, optional
        Readouts of the teachers, instead of these.
    shared : int
        The first units of each teacher that all tasks have in common.
    init, init_v : float
        Standard deviations of the initial weights and heads when no start is given.
    v : (S, K) array_like, optional
        Heads at t = 0, instead of drawn ones.
    schedule : {"blocked", "interleaved"}
        One task after the other, or all at once: each example is of any task with probability 1/S.
    mixing : {"random", "alternate"}
        Interleaved tasks are drawn, or take turns.
    durations : sequence of float, optional
        Lengths in t of the blocks, one for all or one for each; none: a block ends at the threshold.
    order : sequence of int, optional
        Tasks 1 … S of successive blocks; none: 1, 2, …, S.
    cyclic : bool
        Begin anew after the last block; otherwise it has no end.
    threshold : float, optional
        A block ends when the error of its task falls below it, at its duration at the latest. Simulations look at
        intervals of 0.01 in t; a block lasts at least as long.
    replay : float
        Probability that an example is from one of the tasks of earlier blocks.
    head : {"fresh", "copy"}
        The head of a task when it is learned for the first time: as initialised, or a copy of that of the last block.
    regulariser : {"none", "l2", "ewc", "fisher"}
        Pull to the weights w̄ at the end of the last block: Ω_k = ξ; ξ Σ (h^s_k)² over the tasks s of earlier blocks
        other than the present one; or that times ⟨g'(λ_k)²⟩ at w̄, which is the diagonal of their Fisher information.
    strength : float
        ξ.
    minibatch : int
        Examples b in a step.
    inputs : {"gaussian", "binary"}
        Law of the inputs; the theory is that of both.

    Raises
    ------
    ModelError
        If a parameter is out of range, or no teachers have these similarities.

    References
    ----------
    Lee, Goldt & Saxe, ICML 2021 (arXiv:2107.04384); Lee, Sarao Mannelli, Clopath, Goldt & Saxe, ICML 2022
    (arXiv:2205.09029); Kirkpatrick et al., PNAS 114, 3521 (2017) for EWC.
    """

    name: ClassVar[str] = "continual"
    dims: ClassVar[dict[str, tuple[str, ...]]] = {
        "eps_g": ("task",),
        "R": ("student", "teacher"),
        "Q": ("student", "student_2"),
        "v": ("task", "student"),
        "T": ("teacher", "teacher_2"),
        "v_star": ("teacher",),
    }

    K: int = param(2, "hidden units of the student", kind=int, low=1, high=MOST_UNITS, short="-K")
    M: int = param(1, "hidden units of each teacher", kind=int, low=1, high=MOST_UNITS, short="-M")
    tasks: int = param(2, "number S of tasks", kind=int, low=1, high=MOST_UNITS, short="-S")
    activation: str = param("erf", "activation g", kind=str, choices=_CLOSED, short="-g")
    lr: float = param(1.0, "learning rate η of the weights; 0: frozen", low=0)
    lr_v: float | None = param(None, "learning rate η_h of the heads; none: η", low=0, optional=True)
    noise: float = param(0.0, "standard deviation σ of the label noise", low=0, high=LARGEST_SCALE)
    noises: Row | None = param(None, "σ of each task (S,); none: noise", shape=1, optional=True)
    similarity: float = param(0.5, "feature similarity V of any two tasks", low=-1, high=1, short="-V")
    similarities: Rows | None = param(None, "feature similarities (S, S); none: V", shape=2, optional=True)
    readout_similarity: float = param(1.0, "readout similarity of any two tasks; M = 1: ±1", low=-1, high=1)
    readout_similarities: Rows | None = param(None, "readout similarities (S, S)", shape=2, optional=True)
    readout_angle: float = param(math.pi / 4, "angle φ of the first readout in its first two components")
    v_star: Rows | None = param(None, "teacher readouts (S, M); none: by their similarity", shape=2, optional=True)
    shared: int = param(0, "units that all teachers have in common", kind=int, low=0)
    init: float = param(0.1, "standard deviation of the initial student weights", low=0, high=LARGEST_SCALE)
    init_v: float = param(0.1, "standard deviation of the initial heads", low=0, high=LARGEST_SCALE)
    v: Rows | None = param(None, "heads at t = 0 (S, K); none: drawn", shape=2, optional=True)
    schedule: str = param(
        "blocked", "one task after the other, or all at once", kind=str, choices=("blocked", "interleaved")
    )
    mixing: str = param(
        "random", "interleaved tasks are drawn, or take turns", kind=str, choices=("random", "alternate")
    )
    durations: Row | None = param(
        (100.0,), "lengths of the blocks in t, one for all or one each; none: until the threshold", shape=1,
        optional=True,
    )  # fmt: skip
    order: Row | None = param(None, "tasks 1 … S of successive blocks; none: 1, …, S", shape=1, optional=True)
    cyclic: bool = param(False, "begin anew after the last block", kind=bool)
    threshold: float | None = param(
        None, "error of its task at which a block ends", low=0, open_low=True, optional=True
    )
    replay: float = param(0.0, "probability of an example of an earlier block", low=0, high=1)
    head: str = param("fresh", "head of a new task", kind=str, choices=("fresh", "copy"))
    regulariser: str = param("none", "pull to the weights of before", kind=str, choices=("none", "l2", "ewc", "fisher"))
    strength: float = param(1.0, "strength ξ of the pull", low=0)
    minibatch: int = param(1, "examples b in a step", kind=int, low=1, short="-b")
    inputs: str = param("gaussian", "law of the inputs", kind=str, choices=("gaussian", "binary"))

    def __post_init__(self) -> None:
        super().__post_init__()
        S = self.tasks
        if self.shared > self.M:
            raise ModelError("shared", self.shared, f"must be at most M = {self.M}")
        for name, shape, what in (
            ("noises", (S,), "one for each task"),
            ("v_star", (S, self.M), "a readout for each teacher"),
            ("v", (S, self.K), "a head for each task"),
        ):
            if getattr(self, name) is not None:
                array(name, getattr(self, name), shape, what)
        if self.noises is not None and min(self.noises) < 0:
            raise ModelError("noises", self.noises, "must be >= 0")
        self.teacher_overlaps()
        self.teacher_readouts()
        if self.order is not None:
            object.__setattr__(
                self, "order", tuple(number("order", s, kind=int, low=1, high=S) for s in self.order) or None
            )
        # One of the two kinds of schedule has no use for the options of the other.
        foreign = ("mixing",) if self.schedule == "blocked" else ("threshold", "order", "cyclic", "replay", "head")
        for name in foreign + ("regulariser",) * (self.schedule == "interleaved"):
            default, value = type(self).__dataclass_fields__[name].default, getattr(self, name)
            if value != default:
                raise ModelError(name, value, f'must be {default} with schedule = "{self.schedule}"')
        if self.durations is None and self.threshold is None and self.schedule == "blocked":
            raise ModelError("durations", None, "must be given unless blocks end at a threshold")
        if self.durations is not None and (
            len(self.durations) not in (1, len(self.sequence)) or min(self.durations) <= 0
        ):
            words = f"must be positive, one for all blocks or one for each of the {len(self.sequence)}"
            raise ModelError("durations", self.durations, words)

    @property
    def sequence(self) -> tuple[int, ...]:
        """Tasks 0 … S − 1 of the blocks."""
        return tuple(range(self.tasks)) if self.order is None else tuple(int(s) - 1 for s in self.order)

    @property
    def eta_v(self) -> float:
        """Learning rate of the heads."""
        return self.lr if self.lr_v is None else self.lr_v

    @property
    def readout_shape(self) -> tuple[int, int]:
        """Shape of the heads, (S, K)."""
        return self.tasks, self.K

    @property
    def sigmas(self) -> np.ndarray:
        """Noise of each task (S,)."""
        return np.full(self.tasks, self.noise) if self.noises is None else np.array(self.noises)

    def teacher_overlaps(self) -> np.ndarray:
        """T (S·M, S·M) of the teachers, task after task."""
        C = cosines(
            "similarity" if self.similarities is None else "similarities", self.similarity, self.similarities,
            self.tasks,
        )  # fmt: skip
        return stacked(C, self.M, self.shared)

    def teacher_readouts(self) -> np.ndarray:
        """v* (S, M)."""
        if self.v_star is not None:
            return np.array(self.v_star)
        name = "readout_similarity" if self.readout_similarities is None else "readout_similarities"
        C = cosines(name, self.readout_similarity, self.readout_similarities, self.tasks)
        return readouts(C, self.M, self.readout_angle, name)

    @of_many
    def start(self, N: int, rng: np.random.Generator) -> OrderParameters:
        """Overlaps of iid Gaussian student weights at size N, drawn from their exact law, and heads."""
        T = self.teacher_overlaps()
        R, Q = random_overlaps(self.K, T, N, self.init, rng)
        v = np.ravel(self.v) if self.v is not None else None
        if v is None:
            v = (self.init_v * rng.standard_normal(self.readout_shape)).reshape(*R.shape[:-2], -1)
        return OrderParameters(R=R, Q=Q, T=T, v=v, v_star=self.teacher_readouts().ravel())

    def task(self, block: int) -> int:
        """Task, 0 … S − 1, of a block of the schedule, 0, 1, …"""
        n = len(self.sequence)
        return self.sequence[block % n if self.cyclic else min(block, n - 1)]

    def earlier(self, block: int) -> list[int]:
        """Tasks of the blocks before that are not the task of this one."""
        return sorted(self.seen(block) - {self.task(block)})

    def seen(self, block: int) -> set[int]:
        """Tasks of the blocks before."""
        return {self.task(i) for i in range(min(block, len(self.sequence)))}

    def mixture(self, block: int) -> np.ndarray:
        """Probability (S,) that an example of a block is of each task."""
        if self.schedule == "interleaved":
            return np.full(self.tasks, 1.0 / self.tasks)
        out, earlier = np.zeros(self.tasks), self.earlier(block)
        out[self.task(block)] = 1.0
        if earlier and self.replay:
            out *= 1.0 - self.replay
            out[earlier] = self.replay / len(earlier)
        return out

    def pull(self, block: int, heads: np.ndarray, Q: np.ndarray) -> np.ndarray | None:
        """Rates η Ω_k (K,) at which a block draws the weights to where they were at its beginning."""
        earlier = self.earlier(block)
        if self.regulariser == "none" or not earlier or self.schedule == "interleaved":
            return None
        if self.regulariser == "l2":
            return np.full(self.K, self.lr * self.strength)
        rates = self.lr * self.strength * (heads[earlier] ** 2).sum(axis=0)
        return rates * _SLOPE_SQUARE[self.activation](np.diag(Q)) if self.regulariser == "fisher" else rates

    def phase(self, block: int, state: State) -> Phase:
        """The block of the schedule that begins at a state."""
        task, heads = self.task(block), state.v.reshape(self.readout_shape).copy()
        if self.head == "copy" and block > 0 and task not in self.seen(block):
            heads[task] = heads[self.task(block - 1)]
        last = self.schedule == "interleaved" or (not self.cyclic and block >= len(self.sequence) - 1)
        until, stop = math.inf, None
        if not last and self.durations is not None:
            n = len(self.durations)
            until = state.t + self.durations[block % len(self.sequence) if n > 1 else 0]
        if not last and self.threshold is not None:

            def stop(now: State) -> float:
                return float(self.eps_g(now.R, now.Q, now.T, now.v, now.v_star)[task] - self.threshold)

        pull = self.pull(block, heads, state.Q)
        return Phase(self.parameters_of(self.mixture(block)), until=until, stop=stop, v=heads.ravel(), pull=pull)

    def parameters_of(self, mixture: np.ndarray) -> Any:
        """Parameters of the rule, where examples are of each task with the probabilities `mixture` (S,)."""
        from tsphys.rules.continual import Params

        below = [NormalDist().inv_cdf(p) if 0 < p < 1 else math.copysign(_NEVER, p - 0.5) for p in np.cumsum(mixture)]
        alternate = self.schedule == "interleaved" and self.mixing == "alternate"
        return Params(
            code(self.activation), self.lr, self.eta_v, int(alternate), clock=[0.0], sigma=self.sigmas, below=below
        )

    def learning_rule(self) -> LearningRule:
        """The rule on local fields that this model is an instance of."""
        from tsphys.rules import continual

        drawn = self.replay > 0 if self.schedule == "blocked" else self.mixing == "random"
        return LearningRule(
            continual.rule,
            K=self.K,
            M=self.tasks * self.M,
            params=self.parameters_of(self.mixture(0)),
            n_noise=2 if drawn and self.tasks > 1 else 1,
            v=np.zeros(self.tasks * self.K) if self.v is None else np.ravel(self.v),
            v_star=self.teacher_readouts().ravel(),
            T=self.teacher_overlaps(),
            minibatch=self.minibatch,
            inputs=self.inputs,
            schedule=self.phase,
            init=self.init,
        )

    def eps_g(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> np.ndarray:
        """Error (…, S) of every task at given overlaps with any leading axes, heads (…, S·K) or (…, S, K)."""
        from tsphys.physics.forgetting import errors_of_tasks

        return errors_of_tasks(self.activation, self.tasks, R, Q, T, v, v_star)
