"""Learning rules that change in time: phases with parameters, a readout and anchors of their own."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.given import call, in_words, takes
from tsphys.ground.parameters import array, number
from tsphys.rules.engines import check
from tsphys.rules.params import changed

#: First phases for whose parameters the rule is tried anew; a schedule may have thousands.
TRIED = 16


class Units(NamedTuple):
    """How a phase makes its students of those before it, W ← G W + Z.

    Parameters
    ----------
    mix : (K, K) array_like
        G.
    fresh : (K, K) array_like
        ZZᵀ/N of what is new, in random directions outside of all students and teachers.
    """

    mix: Any
    fresh: Any

    def of(self, R: np.ndarray, Q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """R, and Q or what of it is outside of the teachers' span, of the students that are made."""
        return self.mix @ R, self.mix @ Q @ self.mix.T + self.fresh


class State(NamedTuple):
    """Where learning stands at time t, with arrays as in `tsphys.OrderParameters`."""

    t: float
    R: np.ndarray
    Q: np.ndarray
    T: np.ndarray
    v: np.ndarray
    v_star: np.ndarray


@dataclass(frozen=True)
class Phase:
    """What a learning rule does for a while.

    A schedule is a function ``schedule(i, state) -> Phase`` of the number i = 0, 1, … of the phase and the `State` at
    which it begins.

    Parameters
    ----------
    params : mapping, NamedTuple or sequence of float
        The rule's parameters; a mapping changes those that it names and leaves all others as the rule has them,
        whatever phases before did, a sequence has as many as the rule.
    until : float
        Time at which the phase ends, unless it ends earlier; it lasts for a step at least.
    stop : function ``stop(state) -> float``, optional
        The phase ends as soon as this is not positive, and when it has lasted for `every` at least.
    every : float
        Simulations look at `stop` at intervals of this time.
    v : sequence of float, optional
        Readout with which the phase begins; none: as it is.
    pull : sequence of float (K,), optional
        Rates Ω_k ≥ 0 at which w_k is drawn to where it was when the phase began, w̄_k: a step adds −(Ω_k/N)(w_k − w̄_k).
    keep : bool
        Weights and readout with which it begins are kept, for a phase to come.
    rewind : bool
        It begins with the weights and the readout that were kept last; `v`, if given, is then its readout.
    masks : function ``masks(W, rng) -> (K, N) array_like``, optional
        Zeros and ones of weights W (K, N), those at the end of the phase before: which of them are left, from now on,
        in a rule that has masks. Those that it begins with, rewound or not, are then masked.
    units : Units, optional
        How its students are made of those before; none: they are the same. One that is nothing yet, of zero weights and
        readout, waits for its phase as long as the rule lets it.
    """

    params: Any
    until: float = math.inf
    stop: Callable[[State], float] | None = None
    every: float = 0.01
    v: Any = None
    pull: Any = None
    units: Units | None = None
    keep: bool = False
    rewind: bool = False
    masks: Callable[[np.ndarray, np.random.Generator], Any] | None = None

    def of(self, rule: Any) -> Any:
        """The rule with the parameters of this phase."""
        params = changed(rule.params, self.params)
        if params == rule.params:
            return rule
        own = copy.copy(rule)
        object.__setattr__(own, "params", params)
        return own

    def rates(self, rule: Any, N: float = math.inf) -> np.ndarray | None:
        """`pull` as an array (K,); None if nothing pulls.

        Raises
        ------
        ModelError
            If a rate is negative, a step at size N would more than close the gap to the anchor, students, teachers and
            anchors do not fit into N dimensions, or it is a rule that has no anchors.
        """
        if self.pull is None:
            return None
        rates = array("pull", self.pull, (rule.K,), "a rate for each student")
        if rates.min() < 0 or rates.max() > N:
            raise ModelError("pull", rates.tolist(), f"must be rates >= 0, at most N = {N:g}")
        if rates.max() == 0:
            return None
        check(rule, pull=rates.tolist())
        if rule.M + 2 * rule.K > N:
            raise ModelError("N", N, f"must be at least M + 2K = {rule.M + 2 * rule.K} with anchors")
        return rates

    @property
    def asked(self) -> dict[str, Any]:
        """What it asks for beside its rule, but for anchors, which `rates` tells; None: nothing."""
        return {"stop": self.stop, "rewind": self.rewind or None, "units": self.units}

    def end(self, begin: float) -> float:
        """`until` as a time after `begin`, or a ModelError."""
        words = f"must be a time after {begin:g}, at which the phase begins, or infinite"
        if self.until == math.inf:
            return math.inf
        return number("until", self.until, low=begin, open_low=True, words=words)


def entered(rule: Any, i: int, state: State) -> Phase:
    """The phase i of a rule's schedule, which begins at a state, with its readout as an array.

    Raises
    ------
    ModelError
        If the schedule fails, it returns no Phase, or one whose parameters, readout, interval or `stop` cannot be.
    """
    phase = call("schedule", rule.schedule, i, _copied(state))
    if not isinstance(phase, Phase):
        raise ModelError("schedule", rule.schedule, f"must return a Phase, and returned {in_words(phase)}")
    own = phase.of(rule)
    if i < TRIED:
        from tsphys.rules.trial import try_out

        try_out(own, len(state.v), len(state.v_star))
    number("every", phase.every, low=0, open_low=True)
    if phase.stop is not None:
        takes("stop", phase.stop, "state")
    if phase.masks is not None:
        takes("masks", phase.masks, "W", "rng")
        if rule.masks is None:
            raise ModelError("masks", phase.masks, "must be none in phases of a rule that has no masks")
    check(rule, **phase.asked)
    v = None if phase.v is None else array("v", phase.v, state.v.shape, "the readout with which a phase begins")
    return replace(phase, v=v, units=None if phase.units is None else _made(phase.units, rule.K))


def _made(units: Any, K: int) -> Units:
    """Units whose parts are arrays, and the second a covariance."""
    if not isinstance(units, Units):
        raise ModelError("units", units, f"must be Units, not {in_words(units)}")
    mix, fresh = (array(name, a, (K, K), "(students, students)") for name, a in zip(Units._fields, units, strict=True))
    size = np.abs(fresh).max()
    if np.abs(fresh - fresh.T).max() > 1e-12 * size or np.linalg.eigvalsh(fresh)[0] < -1e-12 * size:
        raise ModelError("fresh", fresh.tolist(), "must be symmetric without a negative eigenvalue")
    return Units(mix, fresh)


def rewound(kept: Any) -> Any:
    """What was kept for a phase that rewinds; a ModelError if nothing was."""
    if kept is None:
        raise ModelError("rewind", True, "must be false unless a phase before has keep = True")
    return kept


def stopping(phase: Phase, state: State) -> float:
    """What `stop` of a phase makes of a state; a ModelError unless it is a number, which may be infinite."""
    assert phase.stop is not None
    value = call("stop", phase.stop, _copied(state))
    if np.ndim(value) == 0 and np.asarray(value).dtype.kind in "fiub" and not np.isnan(value):
        return float(value)
    # States that have left every bound are found out elsewhere.
    if np.ndim(value) == 0 and not np.isfinite(state.R.sum() + state.Q.sum() + state.v.sum()):
        return math.nan
    raise ModelError("stop", phase.stop, f"must return a number, and returned {in_words(value)}")


def _copied(state: State) -> State:
    return State(state.t, *(np.array(a) for a in state[1:]))


def held_fraction(pull: np.ndarray, decay: float) -> np.ndarray:
    """Ω/(κ + Ω) (K,): the part of an anchor at which pull and decay to zero are in balance."""
    return np.divide(pull, pull + decay, out=np.zeros_like(pull), where=pull > 0)
