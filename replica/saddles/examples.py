"""Examples of one archetype, learned without a teacher, as overlaps of their own: whether they stay equal, and if not.

With x_a the overlap with example a of the retrieved archetype, χ^a = ±1 of mean r and P ≥ 3, a spin sees the field
Σ_a χ^a x_a^{P−1}/(MR) + σz, R = r^P Λ, and x_a = E χ^a⟨tanh β(…)⟩. Equal overlaps x_a = rn are a solution,
that of `tsphys.replica.saddles.spins`; a difference between two of them grows by the factor

    b = (P − 1) x^{P−2}/(MR) E[β⟨1 − tanh²⟩ (1 − χ¹χ²)]

a step, and if b > 1 one example draws ahead of the rest.
"""

from __future__ import annotations

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.physics.spins.averages import SpinAverages, spin_averages
from tsphys.replica.saddles.spins import Spins, State, averages, mean, noise, of_noise, signal, spread
from tsphys.solvers.fixed_point import FixedPoint, fixed_point

#: Head start of one example, and the change of a step from which on Newton-like steps take over.
AHEAD, NEAR = 1e-3, 1e-7
#: Most steps of the way; at b = 1.001 a head start takes 7000 to show.
STEPS = 20_000


def breaking(spins: Spins, found: State, r: float, M: int) -> float:
    """The factor b by which differences between the overlaps of examples grow in a symmetric state."""
    sum_of_chi = M * r * np.array(spins.v)
    apart = (M**2 - sum_of_chi**2) / (M * (M - 1))
    a = averages(spins, signal(spins, found.n), spread(spins, found.C))
    # A spin without field and noise is free at T = 0.
    with np.errstate(invalid="ignore"):
        free = np.where(apart > 0, np.multiply(a.chi, apart, where=apart > 0, out=np.zeros_like(apart)), 0.0)
    size = M * r**spins.P * spins.scale
    return (spins.P - 1) * (r * found.n) ** (spins.P - 2) / size * mean(spins, free)


def drawn_ahead(spins: Spins, found: State, r: float, M: int, tol: float) -> State:
    """The state in which the flow x → E χ⟨tanh⟩ ends, from the symmetric state with one example a little ahead.

    Raises
    ------
    ConvergenceError
        If it ends nowhere.
    """
    from scipy.stats import binom

    P, T, alpha = spins.P, spins.T, spins.alpha
    size = M * r**P * spins.scale
    k = np.arange(M)
    p = binom.pmf(k, M - 1, (1 + r) / 2)
    k, p = k[p > 1e-17 / M], p[p > 1e-17 / M]
    rest, p = 2 * k - (M - 1), p / p.sum()
    # Rows: the leading example's χ = 1 and −1.
    chi, weight = np.array([[1.0], [-1.0]]), np.array([[(1 + r) / 2], [(1 - r) / 2]]) * p
    bare = alpha == 0 and T == 0

    def spin(x: np.ndarray) -> SpinAverages:
        field = (chi * x[0] ** (P - 1) + rest * x[1] ** (P - 1)) / size
        return spin_averages(field, spread(spins, x[2]), T)

    def step(x: np.ndarray) -> np.ndarray:
        a = spin(x)
        own, others = float((weight * chi * a.tanh).sum()), float((weight * rest * a.tanh).sum()) / (M - 1)
        return np.array([own, others, 0.0 if bare else float((weight * a.chi).sum())])

    x = np.array([r * found.n + AHEAD, r * found.n - AHEAD / (M - 1), found.C])
    for _ in range(STEPS):
        last, x = x, 0.5 * (x + step(x))
        if np.abs(x - last)[:2].max() < NEAR and np.abs(x[:2] - r * found.n).max() > 2 * AHEAD:
            break
    top = np.inf if T == 0 else 1 / T
    what = f"the state of one example at alpha = {alpha:g}, T = {T:g}"
    solved = fixed_point(step, x, tol=tol, bounds=([0, -1, 0], [1, 1, top]), what=what)
    if np.abs(solved.x[:2] - x[:2]).max() > 1e-3:
        raise ConvergenceError(what + " was not reached", residual=solved.residual, last=solved.x)
    return _state(spins, solved, spin(solved.x), weight, size, r, M)


def _state(
    spins: Spins, solved: FixedPoint, a: SpinAverages, weight: np.ndarray, size: float, r: float, M: int
) -> State:
    first, others, C = (float(x) for x in solved.x)
    P, power = spins.P, float((first**spins.P + (M - 1) * others**spins.P) / size)
    free, energy, entropy = of_noise(spins, C)
    return State(
        m=float((weight * a.tanh).sum()),
        n=(first + (M - 1) * others) / (M * r),
        q=1 - spins.T * C,
        C=C,
        r=noise(spins, C),
        free_energy=(P - 1) / P * power - float((weight * a.log2cosh).sum()) + free,
        energy=-power / P + energy,
        entropy=float((weight * a.entropy).sum()) + entropy,
        residual=solved.residual,
        iterations=solved.iterations,
    )
