"""Replica-symmetric saddle point of Hebbian spins: one condensed vector, Gaussian noise from all others.

A spin sees the field v h + σz, where v is the condensed vector measured along the archetype, h = n^(P−1)/Λ its signal
and z ~ N(0, 1). With C = β(1 − q)::

    n = E v⟨tanh β(vh + σz)⟩         q = E⟨tanh² β(vh + σz)⟩
    σ² = α [Σ_k ℓ_k² q/(1 − ℓ_k C)² + δq]     P = 2, couplings with the spectrum ℓ and static noise of variance αδ
    σ² = α (P − 1)! q^(P−1)                   P ≥ 3, and Σ_k α a_k q^(k−1) with k < P more of coincident indices

(Amit, Gutfreund & Sompolinsky, Ann. Phys. 173, 30 (1987); Gardner, J. Phys. A 20, 3453 (1987).) The unknowns are
(n, C), q = 1 − TC, so that T = 0 is no special case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, factorial, inf, lgamma, log

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.physics.spins.averages import SpinAverages, spin_averages
from tsphys.solvers.fixed_point import FixedPoint, crossing

#: Overlap below which a state is not called retrieved; between the rounding of solutions and any retrieval state.
NONE = 1e-6


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
    lower : tuple of (int, float)
        Orders k < P, and the a_k of the noise of k-body couplings that coincident indices leave (P ≥ 3).
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
    lower: tuple[tuple[int, float], ...] = ()

    def at(self, **changes: float) -> Spins:
        """The same with another load or temperature."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class State:
    """A solution: overlaps (m with the archetype, n with the condensed vector), q, C, noise and its certificate.

    `breaking` is the factor a step by which differences between the examples of an archetype grow, where it is known.
    """

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
    breaking: float | None = None


def mean(spins: Spins, values: np.ndarray) -> float:
    return float(np.dot(spins.weights, values))


def largest_n(spins: Spins) -> float:
    """E|v|, the overlap when every spin follows its signal."""
    return mean(spins, np.abs(spins.v))


def orders(P: int, q: float = 1.0, power: int = 0) -> float:
    """(P − 1)! q^power, infinite beyond the largest float."""
    if P <= 171:
        return factorial(P - 1) * q**power
    if q <= 0:
        return 0.0
    size = lgamma(P) + power * log(q)
    return exp(size) if size < 709 else inf


def noise(spins: Spins, C: float) -> float:
    """σ²/α at a given C."""
    q = 1 - spins.T * C
    if spins.P > 2:
        return orders(spins.P, q, spins.P - 1) + sum(a * q ** (k - 1) for k, a in spins.lower)
    return q * (_spectral(spins, C) + spins.static)


def _spectral(spins: Spins, C: float) -> float:
    ell = np.array(spins.spectrum)
    return float(np.dot(spins.multiplicity, (ell / (1 - ell * C)) ** 2))


def spread(spins: Spins, C: float) -> float:
    """σ at a given C."""
    return float(np.sqrt(spins.alpha * noise(spins, C))) if spins.alpha > 0 else 0.0


def averages(spins: Spins, h: float, sigma: float) -> SpinAverages:
    """Averages of a spin for each value of v."""
    return spin_averages(h * np.array(spins.v), sigma, spins.T)


def signal(spins: Spins, n: float) -> float:
    """h = n^(P−1)/Λ."""
    return n ** (spins.P - 1) / spins.scale


def step(spins: Spins, x: np.ndarray) -> np.ndarray:
    """The map (n, C) → (n, C) whose fixed points are the states."""
    n, C = x
    a = averages(spins, signal(spins, n), spread(spins, C))
    # Without noise nothing depends on C at T = 0, where spins without a field (v = 0) would make it infinite.
    bare = spins.alpha == 0 and spins.T == 0
    return np.array([mean(spins, np.array(spins.v) * a.tanh), 0.0 if bare else mean(spins, a.chi)])


def bounds(spins: Spins) -> tuple[np.ndarray, np.ndarray]:
    """Where the map is defined: 0 ≤ n ≤ E|v|, 0 ≤ C < min(1/max ℓ, β)."""
    top = np.inf if spins.T == 0 else 1 / spins.T
    if spins.P == 2:
        top = min(top, (1 - 1e-9) / max(spins.spectrum))
    return np.zeros(2), np.array([largest_n(spins), top])


def of_noise(spins: Spins, C: float) -> tuple[float, float, float]:
    """What the vectors that are not retrieved add to free energy, energy and entropy per spin (P ≥ 3)."""
    if spins.alpha == 0:
        return 0.0, 0.0, 0.0
    q, energy, entropy = 1 - spins.T * C, 0.0, 0.0
    for P, a in ((spins.P, orders(spins.P)), *spins.lower):
        noisy = spins.alpha * a / P
        entropy += -noisy / 2 * C**2 * sum((k + 1) * q**k for k in range(P - 1))
        energy += -noisy * C * sum(q**k for k in range(P))
    return spins.T * entropy, energy, entropy


def free_energy(spins: Spins, n: float, C: float) -> float:
    """Free energy per spin as a function of n and q = 1 − TC, stationary at the states."""
    alpha, T, P = spins.alpha, spins.T, spins.P
    q = 1 - T * C
    a = averages(spins, signal(spins, n), spread(spins, C))
    own = (P - 1) / P * n**P / spins.scale - mean(spins, a.log2cosh)
    if alpha == 0:
        return own
    if P > 2:
        return own + of_noise(spins, C)[0]
    ell, count = np.array(spins.spectrum), np.array(spins.multiplicity)
    rest = T * np.log1p(-ell * C) - ell * q / (1 - ell * C) + (ell / (1 - ell * C)) ** 2 * q * C + ell
    return own + alpha / 2 * float(count @ rest) - alpha * spins.static / 4 * T * C**2


def energy(spins: Spins, n: float, C: float) -> float:
    """Energy per spin at a state."""
    alpha, T, P = spins.alpha, spins.T, spins.P
    q = 1 - T * C
    own = -(n**P) / (P * spins.scale)
    if alpha == 0:
        return own
    if P > 2:
        return own + of_noise(spins, C)[1]
    ell, count = np.array(spins.spectrum), np.array(spins.multiplicity)
    rest = ell * (1 - (1 - ell * C * (1 - q)) / (1 - ell * C) ** 2)
    return own + alpha / 2 * float(count @ rest) - alpha * spins.static / 2 * C * (1 + q)


def entropy(spins: Spins, n: float, C: float) -> float:
    """Entropy per spin at a state; negative at T = 0, an artefact of replica symmetry."""
    alpha, P = spins.alpha, spins.P
    a = averages(spins, signal(spins, n), spread(spins, C))
    own = mean(spins, a.entropy)
    if alpha == 0:
        return own
    if P > 2:
        return own + of_noise(spins, C)[2]
    ell, count = np.array(spins.spectrum), np.array(spins.multiplicity)
    rest = np.log1p(-ell * C) + ell * C / (1 - ell * C)
    return own - alpha / 2 * float(count @ rest) - alpha * spins.static / 4 * C**2


def replicon(spins: Spins, n: float, C: float) -> float:
    """1 − (what destabilises replica symmetry); negative beyond the line of de Almeida and Thouless, −inf at T = 0."""
    a = averages(spins, signal(spins, n), spread(spins, C))
    chi4 = mean(spins, a.chi4)
    if spins.P > 2:
        q = 1 - spins.T * C
        slope = orders(spins.P, q, spins.P - 2) * (spins.P - 1)
        slope += sum(a * (k - 1) * q ** (k - 2) for k, a in spins.lower if k > 1)
    else:
        slope = _spectral(spins, C) + spins.static
    return -np.inf if spins.T == 0 and chi4 > 0 else 1 - spins.alpha * slope * chi4 / max(spins.T, 1e-300)


def state(spins: Spins, found: FixedPoint) -> State:
    """A fixed point (n, C) with everything that is observed in it."""
    n, C = (float(x) for x in found.x)
    a = averages(spins, signal(spins, n), spread(spins, C))
    return State(
        m=mean(spins, a.tanh),
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


def is_stable(spins: Spins, x: np.ndarray) -> bool:
    """Whether the branch is the one that ends the iteration: det(1 − ∂map) changes its sign at the spinodal."""
    low, high = bounds(spins)
    columns = []
    for i in range(2):
        eps = 1e-5 * max(x[i], 1e-3)
        up, down = x.copy(), x.copy()
        up[i], down[i] = min(x[i] + eps, high[i]), max(x[i] - eps, low[i])
        columns.append((step(spins, up) - step(spins, down)) / (up[i] - down[i]))
    return float(np.linalg.det(np.eye(2) - np.array(columns).T)) > 0


def glass(spins: Spins, tol: float = 1e-12) -> State | None:
    """The spin-glass state m = 0, q > 0 (P = 2), or None above its temperature.

    C solves one equation; (β − χ)/(β − C) = 1 has q = 0 divided out and one root with C < 1/max ℓ.
    """
    top = 1 / max(spins.spectrum)

    def chi(C: float) -> float:
        return float(spin_averages(0.0, spread(spins, C), spins.T).chi)

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
    """The state without overlaps; for P = 2 a solution where T > max ℓ.

    It has q = 0 but in the random fields that coincident indices leave at odd P, which align spins with themselves.
    """
    C, residual = 1 / spins.T, 0.0
    if spins.alpha > 0 and any(k == 1 for k, _ in spins.lower):

        def excess(C: float) -> float:
            return float(spin_averages(0.0, spread(spins, C), spins.T).chi) - C

        C = crossing(excess, 0.0, C, "the paramagnet")
        residual = abs(excess(C)) / (1 + C)
    found = replace(state(spins, FixedPoint(np.array([0.0, C]), residual, 0)), m=0.0)
    return found if spins.lower else replace(found, q=0.0)


def mixture_law(patterns: int) -> dict[str, Sequence[float] | float]:
    """Law of the sum of an odd number of patterns, the condensed vector of a symmetric mixture; n is patterns·m."""
    k = np.arange(patterns, 0, -2)
    weights = np.array(
        [factorial(patterns) / (factorial((patterns - j) // 2) * factorial((patterns + j) // 2)) for j in k]
    )
    return {"v": tuple(k.astype(float)), "weights": tuple(weights / 2.0 ** (patterns - 1)), "scale": float(patterns)}
