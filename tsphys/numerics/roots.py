"""Where a scalar function changes sign."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tsphys.errors import ConvergenceError


def crossing(function: Callable[[float], float], low: float, high: float, what: str = "the crossing") -> float:
    """Where a scalar function changes sign between `low` and `high`, to rounding (Brent).

    Raises
    ------
    ConvergenceError
        If it has the same sign at both ends.
    """
    from scipy import optimize

    f_low, f_high = function(low), function(high)
    if not np.sign(f_low) * np.sign(f_high) <= 0:
        message = f"{what} does not lie between {low:.9g} and {high:.9g}"
        raise ConvergenceError(message, residual=min(abs(f_low), abs(f_high)), iterations=2, last=(low, high))
    # An absolute tolerance far below rounding of the range, for roots that are zero; they take about 70 bisections.
    size = 1e-20 * max(abs(low), abs(high)) + 1e-300
    return float(optimize.brentq(function, low, high, xtol=size, rtol=4 * np.finfo(float).eps, maxiter=500))
