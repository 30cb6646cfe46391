"""Fixed points x = g(x) with a verdict, branches of them along an axis, and where a branch ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.numerics.roots import crossing as crossing

Map = Callable[[np.ndarray], Any]


class BranchEnd(ConvergenceError):
    """A branch of solutions that does not reach the value that was asked for.

    Attributes
    ----------
    bracket : tuple of float
        Last value of the axis with a solution, first one without.
    value : float
        Where the branch ends: its fold if one was located, otherwise the first end of the bracket.
    """

    def __init__(self, message: str, *, bracket: tuple[float, float], value: float, **verdict: Any):
        self.bracket, self.value = bracket, value
        super().__init__(message, **verdict)


@dataclass(frozen=True)
class FixedPoint:
    """A solution with its certificate.

    Attributes
    ----------
    x : ndarray
        The fixed point, shape (d,).
    residual : float
        Largest |g(x) − x| / (1 + |x|) over the components.
    iterations : int
        Evaluations of g.
    """

    x: np.ndarray
    residual: float
    iterations: int


def _residual(x: np.ndarray, gap: np.ndarray) -> float:
    size = float(np.max(np.abs(gap) / (1 + np.abs(x))))
    return size if np.isfinite(size) else np.inf


def _anderson(step: Map, x: np.ndarray, tol: float, damping: float, memory: int, most: int, clip: Map):
    """Damped iteration that extrapolates from its last `memory` steps (Anderson 1965); returns the best iterate."""
    best, best_residual = x, np.inf
    steps: list[np.ndarray] = []
    gaps: list[np.ndarray] = []
    old_x = old_gap = None
    for _ in range(most):
        gap = step(x) - x
        residual = _residual(x, gap)
        if residual < best_residual:
            best, best_residual = x, residual
        if residual <= tol:
            break
        if not np.isfinite(residual) or residual > 1e3 * best_residual:
            # The extrapolation left the basin: forget it and creep on from the best iterate.
            x, gap = best, step(best) - best
            steps, gaps, old_x = [], [], None
            if not np.isfinite(gap).all():
                break
        if old_x is not None:
            steps, gaps = [*steps, x - old_x][-memory:], [*gaps, gap - old_gap][-memory:]
        old_x, old_gap = x, gap
        move = damping * gap
        if gaps:
            G = np.array(gaps).T
            weights = np.linalg.lstsq(G, gap, rcond=1e-12)[0]
            move = move - (np.array(steps).T + damping * G) @ weights
        x = clip(x + move)
    return best, best_residual


def fixed_point(
    function: Map,
    start: Any,
    *,
    tol: float = 1e-12,
    damping: float = 1.0,
    memory: int = 4,
    max_iterations: int = 400,
    bounds: tuple[Any, Any] | None = None,
    what: str = "the fixed point",
) -> FixedPoint:
    """Solve x = g(x) by damped, Anderson-accelerated iteration, and by Powell's hybrid Newton method where that stalls.

    Parameters
    ----------
    function : callable
        g, from shape (d,) to shape (d,).
    start : array_like
        First iterate (d,); it chooses the branch.
    tol : float
        Largest residual |g(x) − x| / (1 + |x|) that is called converged.
    damping : float
        Fraction of g(x) − x that a step takes, in (0, 1].
    memory : int
        Steps that the acceleration looks back; 0 is plain damped iteration.
    max_iterations : int
        Iterations before Newton's method; 0 goes to it at once, which stays closest to the start.
    bounds : pair of array_like, optional
        Lowest and highest allowed components; iterates are clipped into them.
    what : str
        What is solved, for the message.

    Returns
    -------
    FixedPoint

    Raises
    ------
    ConvergenceError
        If the residual stays above `tol`; it holds the last iterate.
    """
    from scipy import optimize

    count = 0

    def clip(x: np.ndarray) -> np.ndarray:
        return x if bounds is None else np.clip(x, bounds[0], bounds[1])

    def step(x: np.ndarray) -> np.ndarray:
        nonlocal count
        count += 1
        return np.atleast_1d(np.asarray(function(x), dtype=float))

    x = clip(np.atleast_1d(np.array(start, dtype=float)))
    residual = np.inf
    if max_iterations > 0:
        x, residual = _anderson(step, x, tol, damping, max(memory, 0), max_iterations, clip)
    if residual > tol:
        # Outside of the bounds g is not defined; there the equations are continued by the distance to the bounds.
        found = optimize.root(
            lambda y: step(clip(y)) - y, x, method="hybr", options={"xtol": 1e-14, "maxfev": 100 * (x.size + 1)}
        )
        polished = clip(found.x)
        polished_residual = _residual(polished, step(polished) - polished)
        if polished_residual < residual:
            x, residual = polished, polished_residual
    if not residual <= tol:
        raise ConvergenceError(f"{what} was not reached", residual=residual, iterations=count, last=x)
    return FixedPoint(x, residual, count)


@dataclass(frozen=True)
class Branch:
    """Solutions along an axis.

    Attributes
    ----------
    values, x, residual : ndarray
        The axis (n,), the solutions (n, d) and their residuals (n,).
    iterations : int
        Evaluations of g, substeps included.
    """

    values: np.ndarray
    x: np.ndarray
    residual: np.ndarray
    iterations: int


def continuation(
    function: Callable[[np.ndarray, float], Any],
    values: Sequence[float],
    start: Any,
    *,
    tol: float = 1e-12,
    jump: float = 0.05,
    smallest: float = 1e-7,
    bounds: tuple[Any, Any] | None = None,
    axis: str = "value",
    **options: Any,
) -> Branch:
    """Follow a branch x = g(x, value): each point starts from the line through the last two solutions.

    A substep is accepted if its solution lies within `jump` of that prediction, and is halved otherwise, so that the
    branch is not left for another one.

    Parameters
    ----------
    function : callable
        g(x, value).
    values : sequence of float
        The axis, in the order in which it is followed; the branch is fixed by `start` at the first.
    start : array_like
        First iterate at ``values[0]``, (d,).
    tol, bounds, options
        As for `fixed_point`; the options hold for the first point.
    jump : float
        Largest distance, in any component, between prediction and solution.
    smallest : float
        Smallest substep, as a fraction of the whole range.
    axis : str
        Name of the axis, for the message.

    Returns
    -------
    Branch

    Raises
    ------
    BranchEnd
        If the branch ends before the last value; its message tells where.
    ConvergenceError
        If there is no solution at the first value.
    """
    along = np.asarray(values, dtype=float)
    first = fixed_point(lambda x: function(x, along[0]), start, tol=tol, bounds=bounds, **options)
    out, residuals, count = [first.x], [first.residual], first.iterations
    known = [(float(along[0]), first.x)]
    shortest = smallest * max(float(np.ptp(along)), 1e-300)
    for target in along[1:]:
        at, x = known[-1]
        step = float(target) - at
        point: FixedPoint | None = None
        while at != target:
            aim = float(target) if abs(step) >= abs(target - at) else at + step
            guess = x
            if len(known) > 1 and known[-2][0] != at:
                slope = (x - known[-2][1]) / (at - known[-2][0])
                guess = x + slope * (aim - at)
            try:
                point = fixed_point(partial(_swapped, function, aim), guess, tol=tol, bounds=bounds, max_iterations=0)
                count += point.iterations
                accepted = bool(np.max(np.abs(point.x - guess)) <= jump)
            except ConvergenceError as error:
                count += error.iterations
                accepted = False
            if accepted and point is not None:
                at, x = aim, point.x
                known.append((at, x))
                step *= 2
                continue
            step /= 2
            if abs(step) < shortest:
                raise _ended(function, known, aim, axis, bounds, count)
        out.append(x)
        residuals.append(point.residual if point is not None else residuals[-1])
    return Branch(along, np.array(out), np.array(residuals), count)


def _swapped(function: Callable[..., Any], value: float, x: Any) -> Any:
    return function(x, value)


def _times(sign: float, function: Callable[[float], float], x: float) -> float:
    return sign * function(x)


def _ended(function, known, failed: float, axis: str, bounds, count: int) -> BranchEnd:
    at, x = known[-1]
    value, words = at, f"between {at:.9g} and {failed:.9g}"
    try:
        where, _ = fold(function, x, at, bounds=bounds)
        near = 10 * abs(failed - at) + 1e-6 * (1 + abs(at))
        if abs(where - at) <= near:
            value, words = where, f"at {where:.9g} (a spinodal)"
    except ConvergenceError:
        pass
    gap = np.atleast_1d(np.asarray(function(x, at), dtype=float)) - x
    return BranchEnd(
        f"the branch ends on the axis {axis} {words}",
        bracket=(at, failed), value=value, residual=_residual(x, gap), iterations=count, last=x,
    )  # fmt: skip


def fold(
    function: Callable[[np.ndarray, float], Any],
    x: Any,
    value: float,
    *,
    tol: float = 1e-10,
    bounds: tuple[Any, Any] | None = None,
) -> tuple[float, np.ndarray]:
    """Where two branches of x = g(x, value) meet and end (saddle-node, spinodal).

    Solves F = g − x = 0 together with (∂F/∂x) u = 0, |u| fixed, by Newton's method from a nearby solution; the
    derivative along u is a central difference of step 1e-5, whose error enters the value in second order only.

    Parameters
    ----------
    function : callable
        g(x, value).
    x, value : array_like, float
        A solution close to the end.
    tol : float
        Largest residual of F that is called converged.
    bounds : pair of array_like, optional
        As for `fixed_point`.

    Returns
    -------
    value : float
        Where the branch ends.
    x : ndarray
        The solution there, (d,).

    Raises
    ------
    ConvergenceError
        If there is no such point nearby.
    """
    from scipy import optimize

    x = np.atleast_1d(np.array(x, dtype=float))
    d, eps = x.size, 1e-5
    count = 0

    def F(y: np.ndarray, p: float) -> np.ndarray:
        nonlocal count
        count += 1
        inner = y if bounds is None else np.clip(y, bounds[0], bounds[1])
        return np.atleast_1d(np.asarray(function(inner, p), dtype=float)) - y

    J = np.array([(F(x + eps * e, value) - F(x - eps * e, value)) / (2 * eps) for e in np.eye(d)]).T
    null = np.linalg.svd(J)[2][-1]

    def extended(z: np.ndarray) -> np.ndarray:
        y, u, p = z[:d], z[d : 2 * d], z[-1]
        along = (F(y + eps * u, p) - F(y - eps * u, p)) / (2 * eps)
        return np.concatenate([F(y, p), along, [null @ u - 1]])

    found = optimize.root(extended, np.concatenate([x, null, [value]]), method="hybr", options={"xtol": 1e-13})
    y, p = found.x[:d], float(found.x[-1])
    gap = extended(found.x)
    residual = max(_residual(y, gap[:d]), 1e-3 * _residual(y, gap[d : 2 * d]))
    if not residual <= tol:
        raise ConvergenceError("no end of the branch was found", residual=residual, iterations=count, last=y)
    return p, y


def maximum(
    function: Callable[[float], float], low: float, high: float, points: int = 33, *, last: bool = False
) -> tuple[float, float]:
    """Argument and value of the highest maximum of a smooth scalar function, on a grid and then by Brent's method.

    With `last` it is the local maximum of largest argument. The value is exact to rounding, since the argument's error
    (1e-8 of the range) enters it in second order.
    """
    from scipy import optimize

    grid = np.linspace(low, high, points)
    heights = np.array([function(g) for g in grid])
    at = int(np.nanargmax(heights))
    if last:
        at = points - 1
        while at > 0 and heights[at - 1] >= heights[at]:
            at -= 1
    left, right = grid[max(at - 1, 0)], grid[min(at + 1, points - 1)]
    found = optimize.minimize_scalar(
        lambda g: -function(g), bounds=(left, right), method="bounded", options={"xatol": 1e-9 * (high - low)}
    )
    if -found.fun >= heights[at]:
        return float(found.x), float(-found.fun)
    return float(grid[at]), float(heights[at])


def turns(function: Callable[[float], float], grid: np.ndarray) -> list[tuple[int, float, float]]:
    """All extrema of a smooth scalar function that an ascending grid resolves, by Brent's method between neighbours.

    Those of rounding, lower than 1e-13 of the value, are none.

    Returns
    -------
    list of (int, float, float)
        1 for a maximum and −1 for a minimum, its argument and its value, ascending in the argument.
    """
    heights = np.array([function(g) for g in grid])
    found = []
    for i in range(1, len(grid) - 1):
        for sign in (1, -1):
            before, after = sign * (heights[i] - heights[i - 1]), sign * (heights[i] - heights[i + 1])
            if before > 0 and after >= 0 and max(before, after) > 1e-13 * abs(heights[i]):
                at, value = maximum(partial(_times, sign, function), grid[i - 1], grid[i + 1], 5)
                found.append((sign, at, sign * value))
    return found
