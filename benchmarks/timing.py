"""Time of a step of several programs, measured in turn."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping

import numpy as np

from tsphys.errors import ModelError

Advance = Callable[[int], object]
Clock = Callable[[], float]
#: A program that does these in no time does none.
MOST_STEPS = 10**15


def seconds_of(advance: Advance, steps: int, clock: Clock = time.perf_counter) -> float:
    """Time of so many steps."""
    begin = clock()
    advance(steps)
    return clock() - begin


def steps_for(advance: Advance, seconds: float, start_up: float = 0.0, clock: Clock = time.perf_counter) -> int:
    """How many steps take about so long, beyond a `start_up`; compiles and warms up on the way.

    Raises
    ------
    ModelError
        If they take no time, however many.
    """
    advance(1)
    steps = 1
    while True:
        spent = seconds_of(advance, steps, clock) - start_up
        if spent > 0.2 * seconds:
            return max(1, round(steps * seconds / spent))
        if steps > MOST_STEPS:
            raise ModelError("steps", steps, "must take some time, more of them longer")
        guess = 0.3 * seconds / spent * steps if spent > 0 else math.inf
        steps = max(2 * steps, int(min(100 * steps, guess)))


def interleaved(
    cases: Mapping[str, Advance],
    seconds: float,
    rounds: int,
    steps: int | None = None,
    programs: Collection[str] = (),
    clock: Clock = time.perf_counter,
) -> dict[str, np.ndarray]:
    """Seconds a step of each case in each round, each (rounds,).

    Entry i of every case was measured within the same second or so, and a ratio of two of them does not see a machine
    that is slower in some rounds than in others. From the time of `programs`, which have a start-up of their own, that
    of no steps is taken off in each round. Other programs count by the wall `clock` alone.
    """
    many = {}
    for name, advance in cases.items():
        if steps:
            advance(1)
            many[name] = steps
        else:
            start_up = seconds_of(advance, 0, clock) if name in programs else 0.0
            # The difference of two times of a program must be well above the scatter of its start-up.
            many[name] = steps_for(advance, max(seconds / rounds, 2 * start_up), start_up, clock)
    times = {name: np.empty(rounds) for name in cases}
    for i in range(rounds):
        for name, advance in cases.items():
            start_up = seconds_of(advance, 0, clock) if name in programs else 0.0
            times[name][i] = (seconds_of(advance, many[name], clock) - start_up) / many[name]
    return times
