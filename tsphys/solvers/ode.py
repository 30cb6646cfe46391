"""Integration of ordinary differential equations with a verdict: numbers come back only if the tolerance was met."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys.errors import ConvergenceError, DivergedError, ModelError
from tsphys.ground.parameters import number, word
from tsphys.ground.progress import tell
from tsphys.ground.times import times

METHODS = ("auto", "LSODA", "DOP853", "Radau", "BDF")


def integrate(
    rhs: Callable[[float, np.ndarray], np.ndarray],
    y0: Any,
    t: Any,
    *,
    rtol: float = 1e-10,
    atol: Any = 1e-12,
    method: str = "auto",
    limit: float = 1e8,
    max_steps: int = 1_000_000,
    event: Callable[[float, np.ndarray], float] | None = None,
    event_from: float = 0.0,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Solve dy/dt = rhs(t, y) from y(0) = y0, and read y off at the times `t`.

    Parameters
    ----------
    rhs : callable
        ``rhs(t, y)`` returns dy/dt (n,); it must be smooth in y, or the step size collapses.
    y0 : (n,) array_like
        The state at time 0.
    t : sequence of float
        Times, increasing from 0 or later.
    rtol, atol : float
        Bounds on the local error of a step, atol + rtol·|y|; `atol` may be an array (n,). The error of the solution is
        usually ten to a hundred times as large.
    method : {"auto", "LSODA", "DOP853", "Radau", "BDF"}
        ``auto`` is LSODA, which changes between Adams' and BDF formulas, so that a long plateau after a fast transient
        costs few steps; ``DOP853`` is an explicit Runge-Kutta formula of order 8, for an independent check.
    limit : float
        The solution counts as diverged when a component exceeds it.
    max_steps : int
        Most steps taken.
    event : callable, optional
        The integration ends where ``event(t, y)``, looked at after each step, has become zero or less.
    event_from : float
        Earliest time of the event.

    Returns
    -------
    y : ndarray (len(t), n)
        The solution.
    info : dict
        ``method, rtol, atol, steps, evaluations``, ready for JSON. If the event came, ``event`` is its time, y is NaN
        after it, and ``event_state`` the solution there, as a list.

    Raises
    ------
    ModelError
        If `t`, a tolerance or the method is out of range.
    DivergedError
        If a component exceeds `limit`, or `rhs` is not finite; ``partial`` holds y (len(t), n), NaN after.
    ConvergenceError
        If the tolerance could not be met.

    References
    ----------
    Petzold, SIAM J. Sci. Stat. Comput. 4, 136 (1983), as `scipy.integrate.LSODA`.
    """
    import scipy.integrate

    t = times("t", t)
    rtol = number("rtol", rtol, low=1e-13, high=1e-2)
    word("method", method, METHODS)
    y0 = np.array(y0, dtype=np.float64)
    atol = np.array(atol, dtype=np.float64)
    if atol.shape not in ((), y0.shape) or not (np.isfinite(atol) & (atol >= 0)).all():
        raise ModelError("atol", atol.tolist(), f"must be one number >= 0, or {len(y0)} of them")
    method = "LSODA" if method == "auto" else method
    y = np.full((len(t), len(y0)), np.nan)
    filled = int(t[0] == 0)
    y[:filled] = y0
    now, largest, evaluations = 0.0, 0.0, 0

    def diverged() -> DivergedError:
        return DivergedError(f"the solution diverged at t = {now:.4g} (lr too large?)", t=float(now), partial=y)

    def checked(time: float, state: np.ndarray) -> np.ndarray:
        nonlocal evaluations
        evaluations += 1
        value = np.asarray(rhs(time, state))
        if not np.isfinite(value).all():
            raise diverged()
        return value

    steps = 0
    came: dict[str, Any] = {}
    with np.errstate(over="ignore", invalid="ignore"):
        if filled < len(t):
            solver = getattr(scipy.integrate, method)(checked, 0.0, y0, t[-1], rtol=rtol, atol=atol)
        while filled < len(t):
            message = solver.step() if steps < max_steps else f"more than {max_steps} steps"
            if solver.status == "failed" or steps >= max_steps:
                raise ConvergenceError(
                    f"{method} cannot keep rtol = {rtol:g} beyond t = {now:.4g}: {message}", iterations=steps, last=y
                )
            steps += 1
            now, largest = solver.t, float(np.max(np.abs(solver.y), initial=0.0))
            if not largest <= limit:
                raise diverged()
            found = None if event is None else _event(event, solver, event_from)
            reached = int(np.searchsorted(t, now if found is None else found, side="right"))
            if reached > filled:
                y[filled:reached] = solver.dense_output()(t[filled:reached]).T
                filled = reached
                tell(filled / len(t))
            if found is not None:
                came = {"event": found, "event_state": solver.dense_output()(found).tolist()}
                break
    info: dict[str, Any] = {"method": method, "rtol": rtol, "atol": atol.tolist(), **came}
    return y, {**info, "steps": steps, "evaluations": evaluations}


def _event(event: Callable[[float, np.ndarray], float], solver: Any, earliest: float) -> float | None:
    """Time at which the event came during the last step of a solver; None if it did not."""
    import scipy.optimize

    if solver.t < earliest:
        return None
    low, curve = max(solver.t_old, earliest), solver.dense_output()
    if event(low, curve(low)) <= 0:
        return float(low)
    if event(solver.t, solver.y) > 0:
        return None
    return float(scipy.optimize.brentq(lambda time: event(time, curve(time)), low, solver.t, xtol=1e-12, rtol=1e-12))
