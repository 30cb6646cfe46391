"""The learning rule on local fields: what every model of online learning is an instance of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tsphys.ground.given import takes
from tsphys.ground.parameters import LARGEST_SCALE, MOST_UNITS, Row, Rows, array, number, param
from tsphys.physics.order_parameters import OrderParameters, of_many, random_overlaps
from tsphys.rules.engines import check
from tsphys.rules.params import kept, seen
from tsphys.rules.phases import Phase, State
from tsphys.rules.training import Trained


@dataclass(frozen=True)
class LearningRule(Trained):
    """A local learning rule: students w_k see an input x through λ_k = w_k·x/√N, teachers through ν_m = w*_m·x/√N.

    One step on b fresh examples x_β, at time t = steps/N::

        w_k ← (1 − κ/N) w_k + 1/(b√N) Σ_β c_kβ x_β
        v   ← (1 − κ_v/N) v + 1/(bN) Σ_β dv_β

    From `function` alone follow the simulation (engines ``direct``, ``exact``, ``cuda``) and, for N → ∞, the ODE
    dR/dt = ⟨c ν⟩ − κR, dQ/dt = ⟨cλᵀ + λcᵀ⟩ + ⟨ccᵀ⟩/b − 2κQ, dv/dt = ⟨dv⟩ − κ_v v.

    Parameters
    ----------
    function : function ``f(lam, nu, v, v_star, noise, p, c, dv)``
        Writes the coefficients ``c`` (K,) and the readout change ``dv`` (len(v),) of one example. ``lam`` (K,) and
        ``nu`` (M,) are the fields, ``noise`` (n_noise,) standard normals drawn with the example, ``p`` the `params`,
        as ``p.lr`` if they have names. Jitted by ``numba.njit``, or plain Python that Numba can compile. With
        `whole_batch` it is the function ``f(lam, nu, v, v_star, noise, gram, p, c, dv)`` of all b examples at once:
        ``lam`` (b, K), ``nu`` (b, M), ``noise`` (b, n_noise), the Gram matrix x·x'/N of the inputs, ``gram`` (b, b),
        and ``c`` (b, K) and ``dv`` (b, len(v)), which come as zeros.
    K, M : int
        Students and teachers.
    params : mapping, NamedTuple or sequence of float
        Handed to the rule as ``p``: numbers and arrays with names, or numbers in a row.
    error : function ``e(lam, nu, v, v_star, p) -> float``, optional
        Error on one example; its mean over Gaussian fields is ``eps_g``. Without it only R, Q, v are observed.
    n_noise : int
        Standard normals that the rule wants with each example.
    v, v_star : sequence of float
        Readouts that the rule may use: the student's at t = 0, the teacher's.
    T : (M, M) array_like, optional
        Teacher overlaps of the default start; none: the identity.
    fixed_teacher : bool
        The rule knows the teachers' overlaps to be those: starts with others are refused.
    init : float
        Standard deviation of the initial student weights of the default start.
    minibatch : int
        Examples b in a step.
    weight_decay, weight_decay_v : float
        κ and κ_v, not multiplied by a learning rate.
    smooth : bool
        The rule is smooth in fields and noise: its averages are taken by Gauss-Hermite quadrature; otherwise by
        quadratures that tolerate kinks and jumps.
    uses_overlaps : bool
        `function` gets the current overlaps ``R`` (K, M) and ``Q`` (K, K) as two more arguments before ``p``.
    whole_batch : bool
        `function` sees the whole minibatch, so that its examples need not be treated independently of each other.
    inputs : {"gaussian", "binary"}
        Law of the x_i: N(0, 1), or ±1.
    law : function ``f(s, noise, p)``, optional
        Gives the inputs another law in the span of the teachers, which are then orthonormal: it turns independent
        standard normals ``s`` (M,) and ``noise`` (n_noise,), in place, into the coordinates of x along the teachers and
        into what the rule gets as its noise, a label for instance. ``p`` are the `params`, whatever a phase makes of
        them. Across the span the inputs stay N(0, 1), so that `nu` is `s`.
    sphere : bool
        The student, a single one that learns from one example a step, is put back to |w|² = N after each step.
    alpha : float, optional
        Load of a fixed training set of ⌈αN⌉ examples (noise included) from which examples are drawn with replacement;
        none: each example is fresh (online learning).
    batch : float, optional
        Share of the training set that a step is made of, 1 for all of it. Steps are then N times as far, and t counts
        them: ``w ← w + Σ_β c_β x_β/(fα√N) − κw`` over the fαN examples β, at ``round(t)`` steps.
    order : {"replacement", "shuffle"}
        Examples of the training set that are drawn anew for each step, or one after the other in epochs, each in a new
        order.
    epoch : float
        Share of the examples that an epoch goes through, a new random part of them each time.
    momentum : float
        β of ``V ← βV + (step)``, ``w ← w + V``, with `batch`.
    queries : float, optional
        κ of a zeroth-order step: the gradient G of all students is replaced by (1/q) Σ_j u_j (u_j·G), what q = κN
        differences of the loss along directions u_j ~ N(0, 1) tell of it; none: the gradient itself.
    fraction : float, optional
        s of a step on some coordinates only: each of each student takes part with probability s, 1/s times as far.
    masks : function ``masks(N, rng) -> (K, N) array_like``, optional
        Zeros and ones: the coordinates that each student has, in each replica; the others stay zero. A given start is
        that of students that are then masked. Phases may change them.
    teachers : function ``teachers(N, rng) -> (M, N) array_like``, optional
        Directions of length √N, perpendicular to each other, that the teachers of each replica are made of; none:
        random ones. Students that have all coordinates see no difference in Gaussian inputs.
    schedule : function ``schedule(i, state) -> Phase``, optional
        Changes the parameters and the readout in time, and lets anchors pull the students: see
        `tsphys.rules.phases.Phase`.

    Raises
    ------
    ModelError
        If a parameter is out of range.
    """

    name: ClassVar[str] = "learning_rule"

    function: Callable[..., None]
    K: int = param(1, "number of student units", kind=int, low=1, high=MOST_UNITS, short="-K")
    M: int = param(1, "number of teacher units", kind=int, low=1, high=MOST_UNITS, short="-M")
    params: Any = param((), "handed to the rule, by names or in a row", kind=dict, check=kept)
    error: Callable[..., float] | None = None
    n_noise: int = param(0, "standard normals drawn with each example", kind=int, low=0, high=MOST_UNITS)
    v: Row = param((), "student readout at t = 0", shape=1)
    v_star: Row = param((), "teacher readout", shape=1)
    T: Rows | None = param(None, "teacher overlaps", shape=2, optional=True)
    fixed_teacher: bool = param(False, "refuses starts with other teacher overlaps", kind=bool)
    init: float = param(1.0, "standard deviation of the initial student weights", low=0, high=LARGEST_SCALE)
    minibatch: int = param(1, "examples in a step", kind=int, low=1)
    weight_decay: float = param(0.0, "weight decay κ, in units of 1/N a step", low=0)
    weight_decay_v: float = param(0.0, "weight decay of the readout, in units of 1/N a step", low=0)
    smooth: bool = param(False, "smooth in fields and noise", kind=bool)
    uses_overlaps: bool = param(False, "wants to see R and Q", kind=bool)
    whole_batch: bool = param(False, "the function is that of a whole minibatch", kind=bool)
    law: Callable[..., None] | None = None
    sphere: bool = param(False, "the student keeps |w|² = N", kind=bool)
    queries: float | None = param(None, "queries of a step, in units of N", low=0, open_low=True, optional=True)
    fraction: float | None = param(None, "coordinates of a step", low=0, high=1, open_low=True, optional=True)
    masks: Callable[[int, np.random.Generator], Any] | None = None
    teachers: Callable[[int, np.random.Generator], Any] | None = None
    schedule: Callable[[int, State], Phase] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.schedule is not None:
            takes("schedule", self.schedule, "i", "state")
        if self.T is not None:
            array("T", self.T, (self.M, self.M), "teacher overlaps of M teachers")
        for name in ("masks", "teachers"):
            if getattr(self, name) is not None:
                takes(name, getattr(self, name), "N", "rng")
        check(self)
        if self.whole_batch:
            number("minibatch", self.minibatch, kind=int, low=1, high=MOST_UNITS)
        if self.law is not None:
            object.__setattr__(self, "fixed_teacher", True)
        from tsphys.rules.trial import prepare

        prepare(self)

    @property
    def estimated(self) -> bool:
        """Whether steps are not the rule's own, but zeroth-order, partial or masked ones."""
        return self.queries is not None or self.fraction is not None or self.masks is not None

    def seen_params(self) -> Any:
        """`params` as the kernels see them, in arrays of their own."""
        return seen(self.params)

    def teacher_overlaps(self) -> np.ndarray:
        """T (M, M) of the default start."""
        return np.eye(self.M) if self.T is None else np.array(self.T)

    @of_many
    def start(self, N: int, rng: np.random.Generator) -> OrderParameters:
        """Overlaps of iid Gaussian student weights at size N, drawn from their exact law."""
        T = self.teacher_overlaps()
        R, Q = random_overlaps(self.K, T, N, self.init, rng)
        if self.sphere:
            R, Q = R / np.sqrt(Q), np.ones_like(Q)
        return OrderParameters(R=R, Q=Q, T=T, v=self.v, v_star=self.v_star)

    def learning_rule(self) -> LearningRule:
        """Itself; other models return the rule that they are an instance of."""
        return self

    def eps_g(self, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> np.ndarray | None:
        """Mean of `error` at given overlaps with any leading axes, by quadrature; None without an `error`."""
        if self.error is None:
            return None
        from tsphys.rules.field_average import mean_error

        return mean_error(self, R, Q, T, v, v_star)
