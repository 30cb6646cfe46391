"""Stationary states of dy/dt = f(y): Jacobian, whether a solution has come to rest, whether it is stable there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Rates = Callable[[np.ndarray], np.ndarray]

#: Most variables for which the whole Jacobian is formed.
DENSE = 400
#: Relative step of the differences. They are forward ones, as a variance must not become negative.
STEP = 1e-7
#: Eigenvalues below this, relative to the largest, are not told from zero by such differences.
NEUTRAL = 1e-6
#: Rounding of a rate, relative to the sum of all |J_ij y_j|.
ROUNDING = 1e-15
#: Condition of the eigenvectors beyond which they are not used.
ILL = 1e10
#: Growth by which a deviation from rounding becomes as large as the solution: e^40 = 2·10¹⁷.
OUTSTAYED = 40.0


@dataclass(frozen=True)
class Rest:
    """A stationary state.

    Attributes
    ----------
    y : ndarray (n,)
        The state.
    growth : float or None
        Largest real part of an eigenvalue of the Jacobian: the rate at which it is left if positive; zero if it cannot
        be told from that; None if the Jacobian could not be trusted.
    trial : float
        For how long a solution must have been here before it can be said to stay. At a saddle it stays if a symmetry
        holds it there that the rates keep to the last bit, which shows once rounding would have carried it away.
    """

    y: np.ndarray
    growth: float | None
    trial: float


def jacobian(rates: Rates, y: np.ndarray, f: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """∂f_i/∂y_j by forward differences from f = rates(y); `sizes` (n,) is what counts as a change of order one."""
    out = np.empty((len(f), len(y)))
    for j in range(len(y)):
        moved = y.copy()
        moved[j] += STEP * sizes[j]
        out[:, j] = (rates(moved) - f) / (moved[j] - y[j])
    return out


def at_rest(rates: Rates, y: np.ndarray, sizes: np.ndarray, tolerance: np.ndarray, ahead: float) -> Rest | None:
    """The stationary state next to y, if the solution from there moves by no more than `tolerance` in the time `ahead`.

    Parameters
    ----------
    rates : callable
        f(y).
    y, sizes : ndarray (n,)
        As in `jacobian`.
    tolerance : ndarray (n,)
        Largest change that counts as none.
    ahead : float
        Time to come.

    Returns
    -------
    Rest or None
        Next to a saddle, whose growth is positive, only if nothing but rounding drives the solution away.
    """
    if len(y) > DENSE:
        return _large(rates, y, sizes, tolerance)
    f = rates(y)
    J = jacobian(rates, y, f, sizes)
    if not np.isfinite(J).all():
        return None
    eigenvalues, V = np.linalg.eig(J)
    real, fast = eigenvalues.real, np.abs(eigenvalues) > NEUTRAL * np.abs(eigenvalues).max()
    noise = ROUNDING * np.abs(J) @ np.abs(y)
    if not np.linalg.cond(V) < ILL:
        # As where rates have a kink, like at the edge of what is possible.
        still = (np.abs(f) <= noise).all() and fast.any()
        return Rest(y, None, OUTSTAYED / float(np.abs(eigenvalues[fast]).min())) if still else None
    inverse, decays = np.linalg.inv(V), fast & (real < 0)
    rounding = np.abs(inverse) @ noise
    # A decaying deviation of rate c comes to c/|λ|, a neutral one may go on for all time.
    reach = np.where(decays, 1 / np.where(decays, np.abs(eigenvalues), 1.0), ahead)
    # Where decaying ones end is known no better than the rates are.
    tolerance = tolerance + np.abs(V[:, decays]) @ (rounding * reach)[decays]
    there = y
    for _ in range(3):
        c = inverse @ f
        c[~decays & (np.abs(c) <= rounding)] = 0.0
        if not (np.abs(there - y) + np.abs(V) @ (np.abs(c) * reach) <= tolerance).all():
            return None
        there = there - (V[:, decays] @ (c[decays] / eigenvalues[decays])).real
        f = rates(there)
    growth = float(np.where(fast, real, 0.0).max())
    return Rest(there, growth, OUTSTAYED / growth if growth > 0 else 0.0)


def _large(rates: Rates, y: np.ndarray, sizes: np.ndarray, tolerance: np.ndarray) -> Rest | None:
    """The same for a stable state without the whole Jacobian: the way by GMRES, the eigenvalue by Arnoldi."""
    from scipy.sparse.linalg import ArpackError, LinearOperator, eigs, gmres

    f = rates(y)

    def along(x: np.ndarray) -> np.ndarray:
        x = x.ravel()
        h = STEP / max(float(np.abs(x / sizes).max()), 1e-300)
        return (rates(y + h * x) - f) / h

    J = LinearOperator((len(y), len(y)), matvec=along, dtype=np.float64)
    step, failed = gmres(J, -f, rtol=0.03, atol=0.0, restart=100, maxiter=3)
    if failed or not (np.abs(step) <= tolerance).all():
        return None
    try:
        growth = float(eigs(J, k=1, which="LR", tol=1e-2, return_eigenvectors=False, maxiter=50)[0].real)
    except ArpackError:
        return None
    return Rest(y + step, growth, 0.0) if growth < 0 else None
