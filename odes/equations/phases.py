"""Equations of motion whose right-hand side changes from phase to phase of a schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tsphys.errors import DivergedError
from tsphys.physics.order_parameters import DIVERGED
from tsphys.rules.phases import Phase, State, rewound, stopping
from tsphys.solvers.ode import integrate


class Leg(NamedTuple):
    """The motion during a phase, in variables of its own.

    ``rhs(t, z)``, the state z at its beginning, the tolerances of z, and ``back``, which turns z (n, …) into the state
    (n, …) that all phases share; `free` is that of `integrate`.
    """

    rhs: Callable[[float, np.ndarray], np.ndarray]
    start: np.ndarray
    atol: Any
    back: Callable[[np.ndarray], np.ndarray]
    free: Callable[[float, np.ndarray], np.ndarray] | None = None


def through_phases(
    enter: Callable[[int, State], Phase],
    leg_of: Callable[[Phase, np.ndarray], Leg],
    state_of: Callable[[float, np.ndarray], State],
    y0: np.ndarray,
    t: np.ndarray,
    **options: Any,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Integrate from one phase to the next.

    Parameters
    ----------
    enter : callable
        ``enter(i, state)`` is the phase i = 0, 1, …, which begins at a `State`.
    leg_of : callable
        ``leg_of(phase, y)`` is the motion from y on, with the readout of the phase if it has one.
    state_of : callable
        ``state_of(time, y)``.
    y0 : ndarray (n,)
        State at time 0.
    t : ndarray
        Times at which it is observed; at the end of a phase before the next one begins.
    options
        Of `tsphys.solvers.ode.integrate`.

    Returns
    -------
    y : ndarray (len(t), n)
    info : dict
        As `integrate`, summed over phases; ``phases`` has t, R, Q and v at the beginning of each.

    Raises
    ------
    DivergedError, ConvergenceError
        As `integrate`, with times counted from 0.
    """
    y = np.full((len(t), len(y0)), np.nan)
    filled = int(t[0] == 0)
    y[:filled] = y0
    begin, now = 0.0, y0
    begins: list[Any] = []
    held: np.ndarray | None = None
    info: dict[str, Any] = {"steps": 0, "evaluations": 0}
    while filled < len(t):
        phase = enter(len(begins), state_of(begin, now))
        leg = leg_of(phase, rewound(held) if phase.rewind else now)
        begun = leg.back(leg.start[None])[0]
        held = begun if phase.keep else held
        state = state_of(begin, begun)
        begins.append({"t": begin, **{name: getattr(state, name).tolist() for name in ("R", "Q", "v")}})
        end = phase.end(begin)
        inside = t[filled:][t[filled:] <= end]
        wanted = np.append(inside, end) if end < t[-1] and not (len(inside) and inside[-1] == end) else inside

        def event(time: float, z: Any, begin: float = begin, leg: Leg = leg, phase: Phase = phase) -> float:
            return stopping(phase, state_of(begin + time, leg.back(np.asarray(z)[None])[0]))

        try:
            rows, found = integrate(
                leg.rhs, leg.start, wanted - begin, atol=leg.atol, limit=DIVERGED, event_from=phase.every,
                event=None if phase.stop is None else event, free=leg.free, **options,
            )  # fmt: skip
        except DivergedError as error:
            y[filled : filled + len(inside)] = leg.back(error.partial[: len(inside)])
            time = begin + error.t
            raise DivergedError(f"the solution diverged at t = {time:.4g} (lr too large?)", t=time, partial=y) from None
        info = {**found, **{name: info[name] + found[name] for name in ("steps", "evaluations")}}
        came, last = info.pop("event", None), info.pop("event_state", None)
        if came is not None:
            wanted, rows = wanted[wanted <= begin + came], rows[: np.searchsorted(wanted, begin + came, side="right")]
        kept = min(len(inside), len(rows))
        y[filled : filled + kept] = leg.back(rows[:kept])
        filled += kept
        now = leg.back(np.array([last if came is not None else rows[-1]]))[0]
        begin = begin + came if came is not None else end
    info.pop("atol", None)
    return y, {**info, "phases": [begins]}
