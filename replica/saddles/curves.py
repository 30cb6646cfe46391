"""All retrieval states of a temperature on one curve, and the lines of the phase diagram that follow from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.physics.spins.averages import mean_tanh
from tsphys.replica.saddles.spins import (
    NONE,
    Spins,
    State,
    averages,
    bounds,
    free_energy,
    is_stable,
    largest_n,
    mean,
    noise,
    signal,
    state,
    step,
)
from tsphys.solvers.fixed_point import crossing, fixed_point, maximum


@dataclass(frozen=True)
class Curve:
    """All states at one temperature, along a coordinate that grows towards small loads.

    Attributes
    ----------
    low, high : float
        Range of the coordinate.
    spinodal : float
        Coordinate of the largest load.
    alpha : float
        That load.
    """

    low: float
    high: float
    spinodal: float
    alpha: float


def point(spins: Spins, coordinate: float) -> tuple[float, np.ndarray] | None:
    """Load and (n, C) of the state on the curve of the temperature of `spins`; None where there is none.

    For P = 2 the coordinate is log y, y = h/(σ√2): at fixed y the signal h solves a concave equation, so there is just
    one. For P ≥ 3 it stands for the overlap n, at which the noise σ solves a monotone equation, and is the log y that
    belongs to n at T = 0, with n in units of its value without load: equally spaced points resolve all its plateaus.
    """
    from scipy.special import erf

    v = np.array(spins.v)
    if spins.P == 2:
        width = 1 / (np.exp(coordinate) * np.sqrt(2))

        def excess(h: float) -> float:
            return mean(spins, v * mean_tanh(h * v, h * width, spins.T)) / (spins.scale * h) - 1

        h = largest_n(spins) / spins.scale
        if spins.T > 0 and excess(h * 1e-9) <= 0:
            return None
        if spins.T > 0:
            h = crossing(excess, h * 1e-9, h * (1 + 1e-12), "the signal")
            sigma = h * width
        else:
            h *= excess(h) + 1
            sigma = h * width
        n = h * spins.scale
    else:
        top = unloaded_overlap(spins.at(alpha=0.0))
        if top is None:
            return None
        share = mean(spins, np.abs(v) * erf(np.abs(v) * np.exp(coordinate))) / largest_n(spins)
        if share > 1 - 1e-9:
            # So close to n_0 rounding decides on σ.
            return None
        n = top * share
        h = signal(spins, n)

        def lack(sigma: float) -> float:
            return n - mean(spins, v * mean_tanh(h * v, sigma, spins.T))

        if lack(0.0) >= 0:
            return None
        top = h
        while lack(top) < 0:
            top *= 4
        sigma = crossing(lack, 0.0, top, "the noise")
    C = mean(spins, averages(spins, h, sigma).chi)
    if spins.P == 2 and C * max(spins.spectrum) >= 1:
        return None
    return sigma**2 / noise(spins, C), np.array([n, C])


def _on(spins: Spins, coordinate: float) -> tuple[float, np.ndarray]:
    found = point(spins, coordinate)
    if found is None:
        raise ConvergenceError(f"the curve of states has no point at {coordinate:g}", residual=np.nan)
    return found


def _load(spins: Spins, coordinate: float) -> float:
    found = point(spins, coordinate)
    return 0.0 if found is None else found[0]


def curve(spins: Spins) -> Curve | None:
    """The curve of states at the temperature of `spins`; None if nothing is retrieved there at any load.

    The spinodal is the end of the branch that begins at α = 0. With few examples there are further branches beyond it,
    of states in which spins of small |v| gave way, or in which hardly any are frozen.
    """
    return _curve(spins.at(alpha=0.0))


@cache
def _curve(law: Spins) -> Curve | None:
    low, high = np.log(0.05), np.log(20.0)
    if law.P == 2 and unloaded_end(law)[1] <= law.T:
        return None
    if law.P > 2:
        if unloaded_overlap(law) is None:
            return None
        while point(law, high) is None and high > low:
            high -= 0.1
        if high <= low:
            return None
    points = 97 if 1 < len(law.v) <= 12 else 33
    at, alpha = maximum(lambda c: _load(law, c), low, high, points, last=True)
    if not alpha > 0:
        return None
    return Curve(low, high, at, alpha)


def largest_load(spins: Spins, excess: Callable[[Spins, np.ndarray], float]) -> float:
    """Load up to which `excess(spins at that load, (n, C))` is positive in the retrieval state.

    The spinodal if it is positive up to there, 0 if it is not even for small loads, or if nothing is retrieved.
    """
    found = curve(spins) if highest_temperature(spins) > spins.T else None
    if found is None:
        return 0.0

    def at(coordinate: float) -> float:
        load, x = _on(spins, coordinate)
        return excess(spins.at(alpha=load), x)

    if at(found.spinodal) >= 0:
        return found.alpha
    if at(found.high) <= 0:
        return 0.0
    return _on(spins, crossing(at, found.spinodal, found.high, "the load"))[0]


def on_curve(spins: Spins, alpha: float) -> np.ndarray | None:
    """(n, C) of the retrieval state at load `alpha`; None beyond the spinodal."""
    found = curve(spins)
    if found is None or alpha > found.alpha:
        return None
    high = found.high
    if spins.P == 2:
        while _load(spins, high) > alpha and high < np.log(1e8):
            high += np.log(4.0)
    if _load(spins, high) > alpha:
        return _on(spins, high)[1]
    return _on(spins, crossing(lambda c: _load(spins, c) - alpha, found.spinodal, high, "the load"))[1]


def retrieved(spins: Spins, tol: float = 1e-12) -> State | None:
    """The retrieval state, or None where there is none.

    The iteration starts from perfect retrieval. Where it does not end in a retrieval state, as it may near the
    spinodal, the curve of all states at this temperature, which cannot be missed, gives the start.

    Raises
    ------
    ConvergenceError
        If there is one but it was not reached within `tol`.
    """
    box = bounds(spins)
    try:
        # Noise may leave the range of floats, where nothing is retrieved.
        with np.errstate(over="ignore", invalid="ignore"):
            found = fixed_point(
                lambda x: step(spins, x), [largest_n(spins), 0.0], tol=tol, bounds=box, max_iterations=60
            )
        connected = spins.P == 2 or len(spins.v) == 1 or spins.alpha <= spinodal(spins)
        if found.x[0] > NONE and is_stable(spins, found.x) and connected:
            return state(spins, found)
    except ConvergenceError:
        pass
    start = on_curve(spins, spins.alpha)
    if start is None:
        return None
    what = f"the retrieval state at alpha = {spins.alpha:g}, T = {spins.T:g}"
    found = fixed_point(lambda x: step(spins, x), start, tol=tol, bounds=box, max_iterations=0, what=what)
    if abs(found.x[0] - start[0]) > 1e-3:
        raise ConvergenceError(what + " was not reached", residual=found.residual, last=found.x)
    return state(spins, found)


def unloaded(spins: Spins, n: float) -> float:
    """Temperature at which n is the overlap at α = 0 (P ≥ 3)."""
    v, h = np.array(spins.v), signal(spins, n)

    def lack(T: float) -> float:
        return n - mean(spins, v * np.tanh(h * v / T))

    top = mean(spins, v**2) * h / n
    if top < 1e-290:
        # At a high order the signal of a small overlap is none.
        return 0.0
    return 0.0 if lack(1e-4 * top) >= 0 else crossing(lack, 1e-4 * top, top * (1 + 1e-12), "the temperature")


@cache
def unloaded_end(law: Spins) -> tuple[float, float]:
    """Overlap and temperature where retrieval ends at α = 0; for P = 2 there is no retrieval above it at any load."""
    if law.P == 2:
        return 0.0, mean(law, np.array(law.v) ** 2) / law.scale
    top = largest_n(law)
    return maximum(lambda n: unloaded(law, n), 1e-3 * top, top * (1 - 1e-12), points=65)


@cache
def unloaded_overlap(law: Spins) -> float | None:
    """Overlap n of the retrieval state at α = 0 and the temperature of `law` (P ≥ 3); None where there is none."""
    top = largest_n(law)
    if law.T == 0:
        return top
    end, hottest = unloaded_end(law.at(T=0.0))
    if hottest <= law.T:
        return None
    near = top * (1 - 1e-12)
    if unloaded(law, near) >= law.T:
        return near
    return crossing(lambda n: unloaded(law, n) - law.T, end, near, "the overlap")


def highest_temperature(spins: Spins) -> float:
    """Temperature above which nothing is retrieved at any load."""
    return unloaded_end(spins.at(alpha=0.0, T=0.0))[1]


def unloaded_transition(law: Spins) -> float:
    """Temperature at which retrieval and paramagnet have the same free energy at α = 0 (P ≥ 3)."""

    def difference(n: float) -> float:
        at = law.at(alpha=0.0, T=unloaded(law, n))
        return free_energy(at, n, float(step(at, np.array([n, 0.0]))[1])) + at.T * np.log(2)

    n = crossing(difference, unloaded_end(law.at(alpha=0.0, T=0.0))[0], 0.999 * largest_n(law), "the transition")
    return unloaded(law, n)


def largest_temperature(spins: Spins, load: Callable[[Spins], float]) -> float:
    """Largest T at which `load(spins at T)`, a line that ends at `highest_temperature`, reaches the load of `spins`.

    Raises
    ------
    ModelError
        If it does so at no temperature.
    """

    def at(T: float) -> float:
        return load(spins.at(T=T))

    high = highest_temperature(spins)
    low, top = 0.0, at(0.0)
    if spins.alpha > top:
        # Replica symmetry makes spinodals reentrant: the largest load is not at T = 0.
        low, top = maximum(at, 0.0, (0.2 if spins.P == 2 else 1.0) * high, points=17)
    if spins.alpha > top:
        raise ModelError("alpha", spins.alpha, f"must be <= {top:.9g} for retrieval at any temperature")
    return crossing(lambda T: at(T) - spins.alpha, low, high, "the temperature")


def spinodal(spins: Spins) -> float:
    """Largest load with a retrieval state at the temperature of `spins`; 0 where there is none at any load."""
    found = curve(spins) if highest_temperature(spins) > spins.T else None
    return 0.0 if found is None else found.alpha
