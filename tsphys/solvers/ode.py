"""Integration of ordinary differential equations with a verdict: numbers come back only if the tolerance was met."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from tsphys.errors import ConvergenceError, DivergedError, ModelError
from tsphys.ground.parameters import number, word
from tsphys.ground.progress import tell
from tsphys.ground.times import times
from tsphys.solvers.rest import Rest, at_rest, jacobian

METHODS = ("auto", "LSODA", "DOP853", "Radau", "BDF")
#: Steps after which a solution is first asked whether it has come to rest; then it is asked after half as many more
#: each time, and when the time has grown tenfold.
FIRST_LOOK = 50
#: Rates and times with larger exponents overflow where a solver squares them.
EXTREME = 1e100
#: First steps, relative to the end, that are tried where a solver's own fails.
FIRST_STEPS = 10.0 ** -np.arange(5.0, 60.0, 5.0)
#: Steps for which an absolute tolerance that depends on the state is kept.
TOLERANCE_KEPT = 200
#: Steps for which LSODA's Jacobian is kept where its corrector converges with it, as in CVODE: it would have it made
#: anew whenever the step size changes.
JACOBIAN_KEPT = 50
#: Steps over which the pace is measured.
PACE = 2000


def integrate(
    rhs: Callable[[float, np.ndarray], np.ndarray],
    y0: Any,
    t: Any,
    *,
    rtol: float = 1e-10,
    atol: Any = 1e-12,
    method: str = "auto",
    limit: float = 1e8,
    max_steps: int = 300_000,
    event: Callable[[float, np.ndarray], float] | None = None,
    event_from: float = 0.0,
    free: Callable[[float, np.ndarray], np.ndarray] | None = None,
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
        usually ten to a hundred times as large. Where the size of one component sets the scale of another, `atol` is a
        function of y, and the solver begins anew when it has changed much.
    method : {"auto", "LSODA", "DOP853", "Radau", "BDF"}
        ``auto`` is LSODA, which changes between Adams' and BDF formulas, so that a long plateau after a fast transient
        costs few steps, and the rest near a stationary state none; ``DOP853`` is an explicit Runge-Kutta formula of
        order 8, for an independent check.
    limit : float
        The solution counts as diverged when a component exceeds it.
    max_steps : int
        Most steps, taken or to be expected from the last `PACE` of them.
    event : callable, optional
        The integration ends where ``event(t, y)``, looked at after each step, has become zero or less.
    event_from : float
        Earliest time of the event.
    free : callable, optional
        Rates without what `rhs` imposes on them, like a symmetry, by which it is told how stable the solution is at
        rest.

    Returns
    -------
    y : ndarray (len(t), n)
        The solution.
    info : dict
        ``method, rtol, atol, steps, evaluations``, ready for JSON. If the event came, ``event`` is its time, y is NaN
        after it, and ``event_state`` the solution there, as a list. If the solution came to rest long before the end,
        ``rest`` has the time ``t`` from which on it moves by less than its tolerance, and the ``growth`` of deviations
        there, see `tsphys.solvers.rest.Rest`; if that is positive a symmetry of its start holds it at a saddle.

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
    Petzold, SIAM J. Sci. Stat. Comput. 4, 136 (1983), as `scipy.integrate.LSODA`; Cohen & Hindmarsh, Comput. Phys. 10,
    138 (1996), for a Jacobian that is kept.
    """
    t = times("t", t)
    rtol = number("rtol", rtol, low=1e-13, high=1e-2)
    word("method", method, METHODS)
    y0 = np.array(y0, dtype=np.float64)
    tolerance = atol if callable(atol) else lambda y: atol
    first = np.array(tolerance(y0), dtype=np.float64)
    if first.shape not in ((), y0.shape) or not (np.isfinite(first) & (first >= 0)).all():
        raise ModelError("atol", first.tolist(), f"must be one number >= 0, or {len(y0)} of them")
    method = "LSODA" if method == "auto" else method
    more: dict[str, Any] = {}
    with np.errstate(over="ignore", invalid="ignore"), warnings.catch_warnings():
        # What LSODA warns of is said in the error.
        warnings.simplefilter("ignore", UserWarning)
        run = _Run(rhs, y0, t, rtol, tolerance, method, limit, free or rhs)
        while run.filled < len(t):
            going = run.step()
            found = _event(event, run.curve, max(run.before, event_from), run.now) if going and event else None
            run.record(run.now if found is None else found)
            if found is not None:
                more = {"event": found, "event_state": run.curve(found).tolist()}
                break
            if going and (not run.worth_a_look() or run.filled == len(t)):
                run.check_pace(max_steps)
                continue
            # A solver may also fail because the solution is at rest, at the rounding of the rates.
            rest = run.rest()
            if rest is not None and (event is None or event(t[-1], rest.y) > 0):
                run.y[run.filled :] = rest.y
                more = {"rest": {"t": float(run.now), "growth": rest.growth}}
                break
            if not going:
                raise run.failed()
    info = {"method": method, "rtol": rtol, "atol": first.tolist(), **more}
    return run.y, {**info, "steps": run.steps, "evaluations": run.evaluations}


class _Run:
    """An integration between two steps of its solver: what has been recorded until `now`, and how it came there."""

    def __init__(
        self,
        rhs: Any,
        y0: np.ndarray,
        t: np.ndarray,
        rtol: float,
        tolerance: Any,
        method: str,
        limit: float,
        free: Any,
    ):
        self.free = free
        self.rhs, self.t, self.rtol, self.tolerance, self.method, self.limit = rhs, t, rtol, tolerance, method, limit
        self.y = np.full((len(t), len(y0)), np.nan)
        self.filled = int(t[0] == 0)
        self.y[: self.filled] = y0
        self.now = self.before = self.paced = 0.0
        self.steps = self.evaluations = 0
        self.next_look, self.looked, self.since = FIRST_LOOK, math.inf, math.inf
        if self.filled < len(t):
            self.unit = _unit(float(np.abs(self.rates(0.0, y0)).max(initial=0.0)), t[-1])
            self.begin(y0)

    def begin(self, y: np.ndarray, **options: Any) -> None:
        """Set up the solver at y and now."""
        import scipy.integrate

        unit = self.unit
        # The square of a smaller one is no number that a solver can tell from zero.
        self.atol = np.maximum(np.array(self.tolerance(y), dtype=np.float64), 1 / EXTREME)

        def scaled(time: float, state: np.ndarray) -> np.ndarray:
            return unit * self.rates(unit * time, state)

        def slopes(time: float, state: np.ndarray) -> np.ndarray:
            return jacobian(lambda y: scaled(time, y), state, scaled(time, state), self.sizes(state))

        if self.method != "DOP853":
            # The solvers' own differences are too small for a component that has decayed below the others.
            options["jac"] = self.kept(slopes) if self.method == "LSODA" else slopes
        solver = getattr(scipy.integrate, self.method)
        self.solver = solver(scaled, self.now / unit, y, self.t[-1] / unit, rtol=self.rtol, atol=self.atol, **options)

    def kept(self, slopes: Callable[[float, np.ndarray], np.ndarray]) -> Callable[[float, np.ndarray], np.ndarray]:
        """Slopes that are made anew when they are old, or asked for twice in one step, which has failed with them."""
        made = asked = -JACOBIAN_KEPT
        last = np.empty(0)

        def recent(time: float, state: np.ndarray) -> np.ndarray:
            nonlocal made, asked, last
            if self.steps - made >= JACOBIAN_KEPT or self.steps == asked:
                made, last = self.steps, slopes(time, state)
            asked = self.steps
            # The solver makes its own matrix of what it is given, in place.
            return last.copy()

        return recent

    def rates(self, time: float, state: np.ndarray, free: bool = False) -> np.ndarray:
        """dy/dt, which is finite; `free`: without what is imposed on it."""
        self.evaluations += 1
        try:
            value = np.asarray((self.free if free else self.rhs)(time, state))
        except OverflowError:
            raise self.diverged() from None
        if not np.isfinite(value).all():
            raise self.diverged()
        return value

    def sizes(self, state: np.ndarray) -> np.ndarray:
        """What counts as a change of order one of each component."""
        size = np.abs(state) + self.atol / self.rtol
        return np.where(size > 0, size, 1.0)

    def step(self) -> bool:
        """Take a step; whether the solver could."""
        y = self.solver.y
        if self.steps % TOLERANCE_KEPT == TOLERANCE_KEPT - 1:
            wanted, kept = (atol + self.rtol * np.abs(y) for atol in (self.tolerance(y), self.atol))
            if (np.maximum(wanted, kept) > 10 * np.minimum(wanted, kept)).any():
                self.begin(y)
        self.message = self.solver.step()
        for power in FIRST_STEPS if self.steps == 0 and self.solver.status == "failed" else ():
            # The rates at the start may say nothing of how fast they change.
            self.begin(y, first_step=power * self.t[-1] / self.unit)
            self.message = self.solver.step()
            if self.solver.status != "failed":
                break
        if self.solver.status == "failed":
            return False
        self.steps += 1
        self.before, self.now = self.now, self.unit * self.solver.t
        if self.solver.status == "finished":
            self.now = self.t[-1]
        if not float(np.max(np.abs(self.solver.y), initial=0.0)) <= self.limit:
            raise self.diverged()
        self.curve = _Curve(self.solver, self.unit)
        return True

    def record(self, until: float) -> None:
        """Read the solution off at the times up to `until`, within the last step."""
        reached = int(np.searchsorted(self.t, until, side="right"))
        if reached > self.filled:
            self.y[self.filled : reached] = self.curve(self.t[self.filled : reached]).T
            self.filled = reached
            tell(self.filled / len(self.t))

    def worth_a_look(self) -> bool:
        """Whether to ask now if the solution is at rest."""
        if self.steps < self.next_look and self.now < 10 * self.looked:
            return False
        self.next_look, self.looked = self.steps + self.steps // 2, self.now
        return True

    def rest(self) -> Rest | None:
        """The stationary state in which the solution stays from now on, if it does."""
        y = self.solver.y
        tolerance = self.atol + self.rtol * np.abs(y)
        if self.method == "DOP853":
            # At the largest step at which it is stable its error does not die out, but hovers at some 30 tolerances.
            tolerance = 100 * tolerance
        rest = at_rest(lambda y: self.rates(self.now, y, free=True), y, self.sizes(y), tolerance, self.t[-1] - self.now)
        if rest is None:
            self.since = math.inf
            return None
        self.since = min(self.since, self.now)
        return rest if self.now - self.since >= rest.trial else None

    def check_pace(self, most: int) -> None:
        """Raise a ConvergenceError if more steps than `most` are to be expected, as if they grew with the time."""
        if self.filled == len(self.t):
            return
        if self.steps >= most:
            self.message = f"{most} steps are taken"
            raise self.failed()
        if self.steps % PACE:
            return
        if self.paced > 0:
            to_go = PACE * math.log(self.t[-1] / self.now) / max(math.log(self.now / self.paced), 1e-300)
            if self.steps + to_go > most:
                self.message = f"at steps of {self.now - self.before:.3g} the end is {to_go:.3g} of them away"
                raise self.failed()
        self.paced = self.now

    def failed(self) -> ConvergenceError:
        """The error of a tolerance that cannot be met."""
        words = f"{self.method} cannot keep rtol = {self.rtol:g} beyond t = {self.now:.4g}: {self.message}"
        return ConvergenceError(words, iterations=self.steps, last=self.y)

    def diverged(self) -> DivergedError:
        """The error of a solution that has left every bound."""
        words = f"the solution diverged at t = {self.now:.4g} (lr too large?)"
        return DivergedError(words, t=float(self.now), partial=self.y)


def _unit(speed: float, end: float) -> float:
    """A unit of time in which neither the rates nor the end are so large or small that their squares are not finite."""
    if speed < EXTREME and 1 / EXTREME < end < EXTREME:
        return 1.0
    return max(min(end, 1 / speed if speed > 0 else end), end / EXTREME**2)


class _Curve:
    """The solution over the last step of a solver, made when it is first asked for."""

    def __init__(self, solver: Any, unit: float):
        self.solver, self.unit = solver, unit

    @cached_property
    def dense(self) -> Any:
        return self.solver.dense_output()

    def __call__(self, time: Any) -> np.ndarray:
        return self.dense(np.asarray(time) / self.unit)


def _event(
    event: Callable[[float, np.ndarray], float], curve: Callable[[Any], np.ndarray], low: float, high: float
) -> float | None:
    """Time at which the event came between two times; None if it did not."""
    import scipy.optimize

    if high < low:
        return None
    if event(low, curve(low)) <= 0:
        return float(low)
    if event(high, curve(high)) > 0:
        return None
    return float(scipy.optimize.brentq(lambda time: event(time, curve(time)), low, high, xtol=1e-12, rtol=1e-12))
