"""Replicas whose learning rule changes at given times or at a threshold, and anchors that pull their students."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.times import MOST_STEPS
from tsphys.physics.order_parameters import OrderParameters
from tsphys.rules.learning_rule import LearningRule
from tsphys.rules.phases import State, entered, stopping


class Held(NamedTuple):
    """Overlaps of the held part of the anchors, with the teachers (K, M) and with each other (K, K)."""

    R: np.ndarray
    Q: np.ndarray


def restored(R: np.ndarray, Q: np.ndarray, held: Held | None) -> tuple[np.ndarray, np.ndarray]:
    """R (K, M) and Q (K, K) of the weights, of which the engine holds the differences from what is held, if anything.

    R (K, M + K) then has the overlaps of the differences with teachers and anchors.
    """
    if held is None:
        return R.copy(), Q.copy()
    M = held.R.shape[1]
    cross = R[:, M:]
    return R[:, :M] + held.R, Q + cross + cross.T + held.Q


class Phases:
    """A replica that enters one phase after the other: ``phases(step, stop) -> (step reached, R, Q, v)``.

    A phase begins with its first step, so that what is observed at its start is the end of the last one. `record` holds
    the state at each beginning.
    """

    def __init__(self, run: Any, rule: LearningRule, N: int, start: OrderParameters):
        self.run, self.rule, self.N, self.start = run, rule, N, start
        self.record: list[dict[str, Any]] = []
        self.end = 0

    def _state(self, step: int, R: np.ndarray, Q: np.ndarray, v: np.ndarray) -> State:
        return State(step / self.N, R, Q, np.array(self.start.T), v, np.array(self.start.v_star))

    def _enter(self, step: int) -> None:
        state = self._state(*self.run(step, step))
        self.phase = entered(self.rule, len(self.record), state)
        if self.phase.units is not None and self.rule.M + 2 * self.rule.K > self.N:
            least = self.rule.M + 2 * self.rule.K
            raise ModelError("N", self.N, f"must be at least M + 2K = {least} where students are made anew")
        self.run.enter(self.phase)
        self.end = int(min(max(round(min(self.phase.end(state.t) * self.N, MOST_STEPS)), step + 1), MOST_STEPS))
        self.every = max(1, round(self.phase.every * self.N))
        self.look = step + self.every if self.phase.stop is not None else self.end
        R, Q = (state.R, state.Q) if self.phase.units is None else self.phase.units.of(state.R, state.Q)
        v = state.v if self.phase.v is None else np.array(self.phase.v)
        if self.phase.rewind or self.phase.masks is not None:
            _, R, Q, v = self.run(step, step)
        self.record.append({"t": state.t, "R": R.tolist(), "Q": Q.tolist(), "v": v.tolist()})

    def __call__(self, step: int, stop: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        if step == stop:
            return self.run(step, stop)
        while True:
            if step == self.end:
                self._enter(step)
            target = min(stop, self.end, self.look)
            step, R, Q, v = self.run(step, target)
            if step < target:
                return step, R, Q, v
            if step == self.look < self.end:
                if self.phase.stop is not None and stopping(self.phase, self._state(step, R, Q, v)) <= 0:
                    self.end = step
                self.look += self.every
            if step == stop:
                return step, R, Q, v


def through_phases(run: Any, rule: LearningRule, N: int, start: OrderParameters) -> Any:
    """The replica `run`, with the phases of the rule's schedule if it has one."""
    return run if rule.schedule is None else Phases(run, rule, N, start)
