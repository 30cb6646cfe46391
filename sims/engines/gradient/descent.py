"""Descent of any net that tells its force: by steps, or along the gradient flow, to a tolerance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from tsphys.errors import ConvergenceError, DivergedError
from tsphys.ground.progress import tell
from tsphys.ground.times import strides

#: Steps between two reports.
PIECE = 2000
#: Steps of a flow over which its pace is measured.
PACE = 2000
#: Weights beyond are lost.
LARGEST = 1e30
#: Of a pair of embedded formulas of orders five and four (Dormand & Prince, J. Comput. Appl. Math. 6, 19 (1980)).
STAGES = (
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
DIFFERENCE = (71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)


class Net(Protocol):
    """What descends, with what it learns from; weights are one vector."""

    def force(self, w: np.ndarray) -> np.ndarray:
        """Minus the gradient."""
        ...


class Stepping(Net, Protocol):
    """One that does many steps at once."""

    def advance(self, w: np.ndarray, lr: float, steps: int) -> int:
        """So many steps of w in place; how many went well."""
        ...


def descend(net: Stepping, w: np.ndarray, t: np.ndarray, lr: float) -> Iterator[np.ndarray]:
    """Weights after the numbers of steps `t`, from w, by steps w + lr·force; how far that is is told.

    Raises
    ------
    DivergedError
        If a weight is beyond every bound, or no number.
    """
    w, done = np.array(w, dtype=float), 0
    for target in np.asarray(t).astype(np.int64).tolist():
        while done < target:
            steps = min(PIECE, target - done)
            well = net.advance(w, lr, steps)
            if well < steps:
                at = done + well + 1
                raise DivergedError(f"descent diverged at step {at} (lr too large?)", t=float(at))
            done += steps
            tell(done / t[-1])
        yield w.copy()


def paced(net: Stepping, w: np.ndarray, t: np.ndarray, longest: float) -> Iterator[np.ndarray]:
    """Weights at the times `t`, from w at 0, by equal steps from each to the next, none longer than `longest`.

    Raises
    ------
    DivergedError
        If a weight is beyond every bound, or no number.
    """
    now = 0.0
    for target, (steps, lr) in zip(np.asarray(t, dtype=float).tolist(), strides(t, longest), strict=True):
        try:
            (w,) = descend(net, w, np.array([steps]), lr)
        except DivergedError as error:
            raise DivergedError(str(error), t=now + (error.t or 0.0) * lr) from None
        now = target
        yield w


def flow(
    net: Net, w: np.ndarray, t: np.ndarray, rtol: float = 1e-8, most: int = 10**6, longest: float = np.inf
) -> Iterator[np.ndarray]:
    """Weights at the times `t` of dw/dt = force(w), from w at 0; how far that is is told.

    The length of steps follows an estimate of their error, `rtol` of the largest weight each; errors of the weights
    that are seen are some ten times as large. No step is longer than `longest`, for what is far smaller than that.

    Raises
    ------
    DivergedError
        If a weight is beyond every bound, or no number.
    ConvergenceError
        If that takes more than so many steps, as far beyond the reach of explicit formulas.
    """
    w, now, looks = np.array(w, dtype=float), 0.0, [0.0]
    end = float(np.max(t, initial=0.0))
    first = net.force(w)
    h = 0.01 * (np.abs(w).max() or 1.0) / max(np.abs(first).max(), 1e-30)
    count = 0
    for target in np.asarray(t, dtype=float).tolist():
        while now < target:
            step = min(h, longest, target - now)
            new, last, error = _step(net, w, first, step)
            error /= rtol * max(np.abs(w).max(), np.abs(new).max(), 1e-300)
            lost = not np.abs(new).max() < LARGEST
            if lost and (error <= 1 or step < 1e-12 * max(now, 1e-12)):
                raise DivergedError(f"the flow diverged at t = {now:g}", t=now)
            count += 1
            if count % PACE == 0:
                looks = [*looks[-2:], now]
            if count > most or end / longest > most or _left(looks, end) > 10 * most:
                raise ConvergenceError(f"the flow takes more than {most} steps to t = {end:g}", iterations=count)
            if error <= 1:
                w, first, now = new, last, target if step == target - now else now + step
                tell(now / end)
            # Where nothing is to be seen, as beyond every bound, a tenth.
            change = 0.9 * error**-0.2 if 0 < error < np.inf else (5.0 if error == 0 else 0.1)
            if step == h or change < 1:
                h = step * min(5.0, max(0.1, change))
        yield w.copy()


def _left(looks: list[float], end: float) -> float:
    """Steps that are left if their length, which no longer grows, stays; 0 while it grows."""
    if len(looks) < 3 or looks[2] - looks[1] > 1.1 * (looks[1] - looks[0]):
        return 0.0
    return PACE * (end - looks[2]) / max(looks[2] - looks[1], 1e-300)


def _step(net: Net, w: np.ndarray, first: np.ndarray, h: float) -> tuple[np.ndarray, np.ndarray, float]:
    """The next weights, the force on them, and the estimate of the error."""
    forces, new = [first], w
    with np.errstate(over="ignore", invalid="ignore"):
        for row in STAGES:
            new = w + h * sum(a * k for a, k in zip(row, forces) if a)
            forces.append(net.force(new))
        error = h * sum(a * k for a, k in zip(DIFFERENCE, forces) if a)
        return new, forces[-1], float(np.abs(error).max())


def reduced(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Z (n, n) and Q (p, n) with X (n, p) = Z Qᵀ and QᵀQ = 1, where examples n are fewer than inputs p.

    Descent of weights W on inputs X moves them in the directions of examples alone: that of WQ on Z is the same, from
    the same Gram matrix XXᵀ = ZZᵀ, and W(t) = W(0) + (WQ(t) − W(0)Q)Qᵀ.
    """
    from scipy.linalg import qr

    # NumPy's, of the same library, copies what it factors three times.
    Q, R = qr(X.T, mode="economic", check_finite=False)
    return np.ascontiguousarray(R.T), Q
