"""Replica-symmetric saddle point of Hebbian spins: one condensed vector, Gaussian noise from all others.

A spin sees the field v h + σz, where v is the condensed vector measured along the archetype, h = n^(P−1)/Λ its signal
and z ~ N(0, 1). With C = β(1 − q)::

    n = E v⟨tanh β(vh + σz)⟩         q = E⟨tanh² β(vh + σz)⟩
    σ² = α [Σ_k ℓ_k² q/(1 − ℓ_k C)² + δq]     P = 2, couplings with the spectrum ℓ and static noise of variance αδ
    σ² = α (P − 1)! q^(P−1)                   P ≥ 3

(Amit, Gutfreund & Sompolinsky, Ann. Phys. 173, 30 (1987); Gardner, J. Phys. A 20, 3453 (1987).) The unknowns are
(n, C), q = 1 − TC, so that T = 0 is no special case.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import factorial

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.physics.spin_averages import SpinAverages, mean_tanh, spin_averages
from tsphys.solvers.fixed_point import FixedPoint, crossing, fixed_point, maximum

#: Overlap below which a state is not called retrieved; between the rounding of solutions and any retrieval state.
_NONE = 1e-6


@dataclass(frozen=True)
class Spins:
    """What the saddle point depends on.

    Parameters
    ----------
    alpha, T : float
        Load and temperature.
    P : int
        Order of the interaction.
    v, weights : tuple of float
        Values of the condensed vector along the archetype, and their probabilities.
    scale : float
        Λ, by which the signal is divided.
    spectrum, multiplicity : tuple of float
        Eigenvalues ℓ_k of a non-condensed archetype's block of couplings, and how many of each (P = 2).
    static : float
        δ, static noise over load (P = 2).
    """

    alpha: float
    T: float
    P: int = 2
    v: tuple[float, ...] = (1.0,)
    weights: tuple[float, ...] = (1.0,)
    scale: float = 1.0
    spectrum: tuple[float, ...] = (1.0,)
    multiplicity: tuple[float, ...] = (1.0,)
    static: float = 0.0

    def at(self, **changes: float) -> Spins:
        """The same with another load or temperature."""
        return replace(self, **changes)


@dataclass(frozen=True)
class State:
    """A solution: overlaps (m with the archetype, n with the condensed vector), q, C, noise and its certificate."""

    m: float
    n: float
    q: float
    C: float
    r: float
    free_energy: float
    energy: float
    entropy: float
    residual: float
    iterations: int


def _mean(spins: Spins, values: np.ndarray) -> float:
    return float(np.dot(spins.weights, values))


def largest_n(spins: Spins) -> float:
    """E|v|, the overlap when every spin follows its signal."""
    return _mean(spins, np.abs(spins.v))


def noise(spins: Spins, C: float) -> float:
    """σ²/α at a given C."""
    q = 1 - spins.T * C
    if spins.P > 2:
        return factorial(spins.P - 1) * q ** (spins.P - 1)
    return q * (_spectral(spins, C) + spins.static)


def _spectral(spins: Spins, C: float) -> float:
    ell = np.array(spins.spectrum)
    return float(np.dot(spins.multiplicity, (ell / (1 - ell * C)) ** 2))


def averages(spins: Spins, h: float, sigma: float) -> SpinAverages:
    """Averages of a spin for each value of v."""
    return spin_averages(h * np.array(spins.v), sigma, spins.T)


def signal(spins: Spins, n: float) -> float:
    """h = n^(P−1)/Λ."""
    return n ** (spins.P - 1) / spins.scale


def step(spins: Spins, x: np.ndarray) -> np.ndarray:
    """The map (n, C) → (n, C) whose fixed points are the states."""
    n, C = x
    a = averages(spins, signal(spins, n), np.sqrt(spins.alpha * noise(spins, C)))
    # Without noise nothing depends on C at T = 0, where spins without a field (v = 0) would make it infinite.
    bare = spins.alpha == 0 and spins.T == 0
    return np.array([_mean(spins, spins.v * a.tanh), 0.0 if bare else _mean(spins, a.chi)])


def bounds(spins: Spins) -> tuple[np.ndarray, np.ndarray]:
    """Where the map is defined: 0 ≤ n ≤ E|v|, 0 ≤ C < min(1/max ℓ, β)."""
    top = np.inf if spins.T == 0 else 1 / spins.T
    if spins.P == 2:
        top = min(top, (1 - 1e-9) / max(spins.spectrum))
    return np.zeros(2), np.array([largest_n(spins), top])


def free_energy(spins: Spins, n: float, C: float) -> float:
    """Free energy per spin as a function of n and q = 1 − TC, stationary at the states."""
    alpha, T, P = spins.alpha, spins.T, spins.P
    q = 1 - T * C
    a = averages(spins, signal(spins, n), np.sqrt(alpha * noise(spins, C)))
    own = (P - 1) / P * n**P / spins.scale - _mean(spins, a.log2cosh)
    if P > 2:
        tail = sum((k + 1) * q**k for k in range(P - 1))
        return own - alpha * factorial(P - 1) / (2 * P) * T * C**2 * tail
    ell, count = np.array(spins.spectrum), np.array(spins.multiplicity)
    rest = T * np.log1p(-ell * C) - ell * q / (1 - ell * C) + (ell / (1 - ell * C)) ** 2 * q * C + ell
    return own + alpha / 2 * float(count @ rest) - alpha * spins.static / 4 * T * C**2


def energy(spins: Spins, n: float, C: float) -> float:
    """Energy per spin at a state."""
    alpha, T, P = spins.alpha, spins.T, spins.P
    q = 1 - T * C
    own = -(n**P) / (P * spins.scale)
    if P > 2:
        return own - alpha * factorial(P - 1) / P * C * sum(q**k for k in range(P))
    ell, count = np.array(spins.spectrum), np.array(spins.multiplicity)
    rest = ell * (1 - (1 - ell * C * (1 - q)) / (1 - ell * C) ** 2)
    return own + alpha / 2 * float(count @ rest) - alpha * spins.static / 2 * C * (1 + q)


def entropy(spins: Spins, n: float, C: float) -> float:
    """Entropy per spin at a state; negative at T = 0, an artefact of replica symmetry."""
    alpha, P = spins.alpha, spins.P
    q = 1 - spins.T * C
    a = averages(spins, signal(spins, n), np.sqrt(alpha * noise(spins, C)))
    own = _mean(spins, a.entropy)
    if P > 2:
        return own - alpha * factorial(P - 1) / (2 * P) * C**2 * sum((k + 1) * q**k for k in range(P - 1))
    ell, count = np.array(spins.spectrum), np.array(spins.multiplicity)
    rest = np.log1p(-ell * C) + ell * C / (1 - ell * C)
    return own - alpha / 2 * float(count @ rest) - alpha * spins.static / 4 * C**2


def replicon(spins: Spins, n: float, C: float) -> float:
    """1 − (what destabilises replica symmetry); negative beyond the line of de Almeida and Thouless, −inf at T = 0."""
    a = averages(spins, signal(spins, n), np.sqrt(spins.alpha * noise(spins, C)))
    chi4 = _mean(spins, a.chi4)
    if spins.P > 2:
        q = 1 - spins.T * C
        slope = factorial(spins.P - 1) * (spins.P - 1) * q ** (spins.P - 2)
    else:
        slope = _spectral(spins, C) + spins.static
    return -np.inf if spins.T == 0 and chi4 > 0 else 1 - spins.alpha * slope * chi4 / max(spins.T, 1e-300)


def state(spins: Spins, found: FixedPoint) -> State:
    """A fixed point (n, C) with everything that is observed in it."""
    n, C = (float(x) for x in found.x)
    a = averages(spins, signal(spins, n), np.sqrt(spins.alpha * noise(spins, C)))
    return State(
        m=_mean(spins, a.tanh),
        n=n,
        q=1 - spins.T * C,
        C=C,
        r=noise(spins, C) - spins.static * (1 - spins.T * C) * (spins.P == 2),
        free_energy=free_energy(spins, n, C),
        energy=energy(spins, n, C),
        entropy=entropy(spins, n, C),
        residual=found.residual,
        iterations=found.iterations,
    )


def _is_stable(spins: Spins, x: np.ndarray) -> bool:
    """Whether the branch is the one that ends the iteration: det(1 − ∂map) changes its sign at the spinodal."""
    low, high = bounds(spins)
    columns = []
    for i in range(2):
        eps = 1e-5 * max(x[i], 1e-3)
        up, down = x.copy(), x.copy()
        up[i], down[i] = min(x[i] + eps, high[i]), max(x[i] - eps, low[i])
        columns.append((step(spins, up) - step(spins, down)) / (up[i] - down[i]))
    return float(np.linalg.det(np.eye(2) - np.array(columns).T)) > 0


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
        found = fixed_point(lambda x: step(spins, x), [largest_n(spins), 0.0], tol=tol, bounds=box, max_iterations=60)
        if found.x[0] > _NONE and _is_stable(spins, found.x):
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
    one. For P ≥ 3 it is the overlap n: at fixed n the noise σ solves a monotone one.
    """
    v = np.array(spins.v)
    if spins.P == 2:
        width = 1 / (np.exp(coordinate) * np.sqrt(2))

        def excess(h: float) -> float:
            return _mean(spins, v * mean_tanh(h * v, h * width, spins.T)) / (spins.scale * h) - 1

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
        n = coordinate
        h = signal(spins, n)

        def lack(sigma: float) -> float:
            return n - _mean(spins, v * mean_tanh(h * v, sigma, spins.T))

        if lack(0.0) >= 0:
            return None
        top = h
        while lack(top) < 0:
            top *= 4
        sigma = crossing(lack, 0.0, top, "the noise")
    C = _mean(spins, averages(spins, h, sigma).chi)
    if spins.P == 2 and C * max(spins.spectrum) >= 1:
        return None
    return sigma**2 / noise(spins, C), np.array([n, C])


def _load(spins: Spins, coordinate: float) -> float:
    found = point(spins, coordinate)
    return 0.0 if found is None else found[0]


def curve(spins: Spins) -> Curve | None:
    """The curve of states at the temperature of `spins`; None if nothing is retrieved there at any load."""
    if spins.P == 2:
        low, high = np.log(0.05), np.log(20.0)
    else:
        high = largest_n(spins)
        if spins.T > 0:
            end, hottest = unloaded_end(spins.at(alpha=0.0, T=0.0))
            if hottest <= spins.T:
                return None
            coldest = unloaded(spins, high * (1 - 1e-12))
            if coldest < spins.T:
                high = crossing(lambda n: unloaded(spins, n) - spins.T, end, high * (1 - 1e-12), "the overlap")
        low = 1e-3 * high
    at, alpha = maximum(lambda c: _load(spins, c), low, high, points=49)
    if not alpha > 0:
        return None
    return Curve(low, high, at, alpha)


def load_for_overlap(spins: Spins, m: float) -> float:
    """Largest load at which the retrieval state has the overlap m with the archetype, or more; 0 if it never has."""
    found = curve(spins) if highest_temperature(spins) > spins.T else None
    if found is None:
        return 0.0

    def excess(coordinate: float) -> float:
        load, x = point(spins, coordinate)
        here = spins.at(alpha=load)
        h, sigma = signal(here, x[0]), np.sqrt(load * noise(here, x[1]))
        return _mean(here, mean_tanh(h * np.array(here.v), sigma, here.T)) - m

    high = found.high if spins.P == 2 else found.high * (1 - 1e-9)
    if excess(found.spinodal) >= 0:
        return found.alpha
    if excess(high) <= 0:
        return 0.0
    return point(spins, crossing(excess, found.spinodal, high, "the load"))[0]


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
        return None
    at = crossing(lambda c: _load(spins, c) - alpha, found.spinodal, high, "the load")
    start = point(spins, at)
    return None if start is None else start[1]


def glass(spins: Spins, tol: float = 1e-12) -> State | None:
    """The spin-glass state m = 0, q > 0 (P = 2), or None above its temperature.

    C solves one equation; (β − χ)/(β − C) = 1 has q = 0 divided out and one root with C < 1/max ℓ.
    """
    top = 1 / max(spins.spectrum)

    def chi(C: float) -> float:
        return float(spin_averages(0.0, np.sqrt(spins.alpha * noise(spins, C)), spins.T).chi)

    if spins.T == 0 or spins.T * top < 1:
        if spins.alpha == 0:
            return None
        C = crossing(lambda C: chi(C) - C, 0.0, top * (1 - 1e-13), "the spin-glass state")
    else:
        beta = 1 / spins.T

        def excess(C: float) -> float:
            return (beta - chi(C)) / (beta - C) - 1

        # Here q = 1e-7, enough for the ratio to hold to 1e-9; a glass closer to its transition is not resolved.
        high = beta * (1 - 1e-7)
        if excess(high) <= 0:
            return None
        C = crossing(excess, 0.0, high, "the spin-glass state")
    residual = abs(chi(C) - C) / (1 + C)
    if residual > max(tol, 1e-11):
        raise ConvergenceError("the spin-glass state was not reached", residual=residual, last=C)
    return replace(state(spins, FixedPoint(np.array([0.0, C]), residual, 0)), m=0.0)


def paramagnet(spins: Spins) -> State:
    """The state without overlaps; for P = 2 a solution where T > max ℓ."""
    found = FixedPoint(np.array([0.0, 1 / spins.T]), 0.0, 0)
    return replace(state(spins, found), m=0.0, q=0.0)


def unloaded(spins: Spins, n: float) -> float:
    """Temperature at which n is the overlap at α = 0 (P ≥ 3)."""
    v, h = np.array(spins.v), signal(spins, n)

    def lack(T: float) -> float:
        return n - _mean(spins, v * np.tanh(h * v / T))

    top = _mean(spins, v**2) * h / n
    return 0.0 if lack(1e-4 * top) >= 0 else crossing(lack, 1e-4 * top, top * (1 + 1e-12), "the temperature")


@cache
def unloaded_end(law: Spins) -> tuple[float, float]:
    """Overlap and temperature where retrieval ends at α = 0; for P = 2 there is no retrieval above it at any load."""
    if law.P == 2:
        return 0.0, _mean(law, np.array(law.v) ** 2) / law.scale
    top = largest_n(law)
    return maximum(lambda n: unloaded(law, n), 1e-3 * top, top * (1 - 1e-12), points=65)


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


def crossings(spins: Spins, reference: Callable[[Spins], float]) -> float | None:
    """Load at which the retrieval state's free energy passes `reference(spins)`, below the spinodal."""
    found = curve(spins)
    if found is None:
        return None

    def difference(coordinate: float) -> float:
        load, x = point(spins, coordinate)
        here = spins.at(alpha=load)
        return free_energy(here, *x) - reference(here)

    high = found.high if spins.P == 2 else found.high * (1 - 1e-9)
    if difference(found.spinodal) <= 0:
        return found.alpha
    if difference(high) >= 0:
        return None
    return point(spins, crossing(difference, found.spinodal, high, "the transition"))[0]


def mixture_law(patterns: int) -> dict[str, Sequence[float] | float]:
    """Law of the sum of an odd number of patterns, the condensed vector of a symmetric mixture; n is patterns·m."""
    k = np.arange(patterns, 0, -2)
    weights = np.array(
        [factorial(patterns) / (factorial((patterns - j) // 2) * factorial((patterns + j) // 2)) for j in k]
    )
    return {"v": tuple(k.astype(float)), "weights": tuple(weights / 2.0 ** (patterns - 1)), "scale": float(patterns)}
