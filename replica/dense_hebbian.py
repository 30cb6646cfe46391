"""Dense Hebbian networks: replica-symmetric retrieval, from clean archetypes or from their noisy examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import factorial, lgamma, prod
from typing import Any

import numpy as np

from tsphys.errors import ModelError, NoStateError
from tsphys.ground.given import real, takes
from tsphys.ground.parameters import handed, number, param
from tsphys.models.dense_hebbian import DenseHebbian
from tsphys.physics.spins.averages import spin_averages
from tsphys.replica.saddles.curves import (
    highest_temperature,
    largest_load,
    largest_temperature,
    retrieved,
    spinodal,
    unloaded_transition,
)
from tsphys.replica.saddles.examples import breaking, drawn_ahead
from tsphys.replica.saddles.spins import (
    Spins,
    State,
    free_energy,
    glass,
    noise,
    paramagnet,
    state,
)
from tsphys.runs import frames
from tsphys.solvers.fixed_point import FixedPoint, crossing, fixed_point

BRANCHES = ("retrieval", "symmetric", "paramagnetic")
LARGEST_ORDER = 1000
#: Most values of the mean of the examples of an archetype; of more examples every second, third, … is taken.
MOST_VALUES = 5_000
OBSERVABLES = ("m", "n", "q", "free_energy", "energy", "entropy")
ENERGIES = ("free_energy", "energy")


def dataset_entropy(r: float, M: int) -> float:
    """ρ = (1 − r²)/(M r²), what is not known of an archetype from M examples of quality r."""
    return _entropy(number("r", r, low=0, high=1, open_low=True), number("M", M, kind=int, low=1))


def _entropy(r: float, M: int) -> float:
    return (1 - r**2) / (M * r**2)


def example_law(r: float, M: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Values of v = (1/(Mr)) Σ_a χ^a over M examples, of mean 1 and variance ρ, and their probabilities.

    Binomial, and exact but for values of a total probability below 1e-16.
    """
    from scipy.stats import binom

    if r == 1:
        return (1.0,), (1.0,)
    middle, reach = M * (1 + r) / 2, 5 * np.sqrt(M * (1 - r**2)) + 10
    low, high = max(0, int(middle - reach)), min(M, int(middle + reach))
    k = np.arange(low, high + 1, 1 + (high - low) // MOST_VALUES, dtype=np.int64)
    p = binom.pmf(k, M, (1 + r) / 2)
    kept = p > 1e-17 / (M + 1)
    with np.errstate(over="ignore"):
        return tuple((k[kept] - 0.5 * M) / (0.5 * M * r)), tuple(p[kept] / p[kept].sum())


def spins(model: DenseHebbian) -> Spins:
    """The saddle point of a network with pattern overlaps to a power.

    Data sets enter through the law of v, through Λ, and for P = 2 without a teacher through the spectrum of the M
    correlated examples of an archetype.

    Raises
    ------
    ModelError
        For the interactions whose noise is none of this theory's.
    """
    if model.interaction in ("exponential", "custom"):
        raise ModelError("interaction", model.interaction, "must be distinct or power here")
    P, r, M = model.P, model.r, model.M
    if P > LARGEST_ORDER:
        raise ModelError(
            "P", P, f"must be at most {LARGEST_ORDER} in the theory, whose powers of overlaps lose all digits"
        )
    v, weights = example_law(r, M)
    common: dict[str, Any] = {
        "alpha": model.alpha, "T": model.T, "P": P, "v": v, "weights": weights, "lower": lower_orders(model),
    }  # fmt: skip
    if model.storage == "given" or (M == 1 and r == 1):
        return Spins(**common)
    try:
        scale = (1 + dataset_entropy(r, M)) ** (P / 2)
        if model.storage == "supervised":
            float(max(map(abs, v))) ** (P - 1) / scale
            return Spins(**common, scale=scale)
        scale = float(np.sqrt(1 + _entropy(r**P, M)))
        # The signal of the largest overlap.
        float(max(map(abs, v))) ** (P - 1) / scale
    except (OverflowError, ZeroDivisionError):
        words = f"must be smaller for examples of quality {r:g}: their noise leaves the range of floats"
        raise ModelError("P", P, words) from None
    if P > 2:
        return Spins(**common, scale=scale)
    size = M * r**2 * scale
    return Spins(
        **common,
        scale=scale,
        spectrum=((1 + (M - 1) * r**2) / size, (1 - r**2) / size),
        multiplicity=(1.0, M - 1.0),
    )


def lower_orders(model: DenseHebbian) -> tuple[tuple[int, float], ...]:
    """The noise a_k q^(k−1) of the k-body couplings, k = P − 2, P − 4, … ≥ 1, that the powers of overlaps contain.

    With x = N^{1/2} m Gaussian over the vectors that are not retrieved, x^P = Σ_k c_k He_k(x), and what K ~ N^{P−1} of
    them add to all others are Gaussian couplings of independent strengths for each k: a_k = k·k! c_k²/P², Σ_k a_k =
    (2P − 3)!!. Examples of one archetype have correlations r^{2k} at order k, and c is that of order P.
    Infinite beyond the largest float.
    """
    P, M, r = model.P, model.M, model.r
    if model.interaction != "power" or P == 2:
        return ()
    out = []
    for k in range(P - 2, 0, -2):
        j = (P - k) // 2
        c = factorial(P) // (factorial(k) * 2**j * factorial(j))
        try:
            a = k * factorial(k) * c**2 / P**2
        except OverflowError:
            a = np.inf
        if model.storage == "unsupervised":
            a *= (1 + (M - 1) * r ** (2 * k)) / (1 + (M - 1) * r ** (2 * P))
        out.append((k, a))
    return tuple(out)


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What the theory is asked for."""

    F: Callable[[float], float] | None = handed("the function F(m) of interaction custom, smooth, as for `simulate`")
    branch: str = param(
        "retrieval", "where a network ends that starts at an archetype; with equal overlaps of all examples, stable "
        "or not; no overlap at all", kind=str, choices=BRANCHES, short="-b"
    )  # fmt: skip
    tol: float = param(1e-12, "largest residual of the equations", low=1e-15, high=1e-3)

    def suited(self, models: Sequence[DenseHebbian]) -> Options:
        if (models[0].interaction == "custom") != (self.F is not None):
            raise ModelError("F", self.F, 'is given with interaction = "custom", and only then')
        return self


@frames.theory(DenseHebbian, Options, told=("residual", "iterations", "breaking", "bias.energy"))
def solve(points: frames.Points, options: Options) -> Sequence[frames.Row | None]:
    """Replica-symmetric state of a dense network over loads, temperatures, qualities or numbers of examples.

    The examples of the retrieved archetype have equal overlaps where that is stable, which without a teacher and for
    few examples it is not; then one of them draws ahead, see `tsphys.replica.saddles.examples`. For ``exponential`` the
    retrieved pattern competes with a random energy model of the others, and for ``custom`` the load must vanish.

    Returns
    -------
    dict
        ``m`` (overlap with the archetype), ``n`` (with the average of its examples, over r), ``q``, and per spin
        ``free_energy``, ``energy``, ``entropy``, shape (axis,). Energies are left out for ``power`` of even P ≥ 4 at
        a load: all states have −α(P − 1)!! N^{P/2−1}/P of them in common, which grows with N. In ``meta`` are the
        residuals, and without a teacher ``breaking``, the factor a step by which differences between equal examples
        grow: beyond 1 that is unstable.

    Raises
    ------
    ModelError
        If an argument is out of range, as a load beyond the spinodal is.
    ConvergenceError
        If a state exists but was not reached within `tol`.

    References
    ----------
    Gardner, J. Phys. A 20, 3453 (1987); Agliari et al., Physica A 626, 129076 (2023) and 627, 129143 (2023);
    Lucibello & Mézard, PRL 132, 077301 (2024).
    """

    infinite = any(m.interaction == "power" and m.P > 2 and m.P % 2 == 0 and m.alpha > 0 for m in points.models)
    seen = [k for k in OBSERVABLES if not (infinite and k in ENERGIES)]

    def at(here: DenseHebbian) -> dict[str, Any]:
        if here.interaction == "exponential":
            found = _exponential(here, options.branch)
        elif options.F is not None:
            found = _custom(here, options.F, options.branch, options.tol)
        else:
            found = _state(here, options.branch, points.axis, options.tol)
        shift = diagonal(here)
        row = {k: getattr(found, k) - shift * (k in ENERGIES) for k in (*seen, "residual", "iterations")}
        told = {} if found.breaking is None else {"breaking": found.breaking}
        return {**row, **told, **_coincident(here, options.branch, found.m)}

    return frames.over(points.models, at)


def _coincident(model: DenseHebbian, branch: str, m: float) -> dict[str, float]:
    """What is known of the order 1/N: terms of N m^P/P with coincident indices are none of the energy's."""
    if branch == "paramagnetic" or model.interaction != "distinct" or model.storage != "given":
        return {}
    return {"bias.energy": 0.5 * (model.P - 1) * m ** (model.P - 2)}


def diagonal(model: DenseHebbian) -> float:
    """What squares of overlaps have beyond pairs of distinct spins: (1/2N²) Σ_a c Σ_i η_i², the same for all states."""
    if model.interaction != "power" or model.P > 2:
        return 0.0
    M, r = model.M, model.r
    # Averages are normalised to mean square 1.
    each = 1.0 if model.storage != "unsupervised" else 1.0 / np.sqrt(r**4 + (1.0 - r**4) / M)
    return float(0.5 * model.alpha * each)


def _state(model: DenseHebbian, branch: str, axis: str, tol: float) -> State:
    here = spins(model)
    if branch == "paramagnetic":
        low = max(here.spectrum) if model.P == 2 else 0.0
        number("T", model.T, low=low, open_low=True, words=f"must be > {low:.6g} for the paramagnet")
        return paramagnet(here)
    found = retrieved(here, tol)
    if found is not None:
        return _with_examples(model, here, found, branch, tol)
    high = highest_temperature(here)
    if high <= model.T or (axis == "T" and model.alpha < spinodal(here.at(T=0.0))):
        top = high if high <= model.T else largest_temperature(here, spinodal)
        where = "at any load" if high <= model.T else f"at alpha = {model.alpha:g}"
        raise NoStateError("T", model.T, f"must be <= {top:.9g}, where the retrieval states end {where}")
    words = f"must be <= {spinodal(here):.9g}, the spinodal of the retrieval states at T = {model.T:g}"
    raise NoStateError("alpha", model.alpha, words)


def _with_examples(model: DenseHebbian, here: Spins, found: State, branch: str, tol: float) -> State:
    """The state with equal examples, or what it goes over to if that is unstable."""
    if model.storage != "unsupervised" or model.P == 2:
        return found
    factor = breaking(here, found, model.r, model.M) if model.M > 1 else 0.0
    if factor > 1 and branch == "retrieval":
        found = drawn_ahead(here, found, model.r, model.M, tol)
    return replace(found, breaking=factor)


Law = tuple[np.ndarray, np.ndarray]
#: What is stored, along the archetype: its values and their probabilities.
SIGNS: Law = (np.ones(1), np.ones(1))


def stored(model: DenseHebbian) -> Law:
    """The law of a stored vector along its archetype: 1, or rv/√R of mean square 1 for averages over examples."""
    if model.storage != "supervised":
        return SIGNS
    v, weights = example_law(model.r, model.M)
    return np.array(v) / np.sqrt(1 + dataset_entropy(model.r, model.M)), np.array(weights)


def _tilted(x: float, law: Law) -> tuple[float, float]:
    """ψ(x) = ln E cosh xv and its slope: (1/N) ln of the mean of exp(N x m) over random vectors."""
    v, weights = law
    top = float(np.max(np.abs(x * v)))
    even = weights @ (np.exp(x * v - top) + np.exp(-x * v - top)) / 2
    odd = (weights * v) @ (np.exp(x * v - top) - np.exp(-x * v - top)) / 2
    return float(top + np.log(even)), float(odd / even)


def exponential_noise(alpha: float, law: Law = SIGNS) -> float:
    """(1/N) ln Σ_a exp(N m_a) over e^(αN) random vectors, N → ∞: a random energy model, frozen at low α.

    For patterns that is below α = tanh 1 − ln cosh 1 = 0.3278.
    """
    psi, edge = _tilted(1.0, law)
    return alpha + psi if alpha >= edge - psi else largest_random_overlap(alpha, law)


def largest_random_overlap(alpha: float, law: Law = SIGNS) -> float:
    """Largest overlap of a state with e^(αN) random vectors, α ≥ 0: the m with rate function I(m) = α, below its top.

    Patterns are of two values, and I is at most ln 2.
    """

    def excess(x: float) -> float:
        # With m = ψ'(x) the rate function is xm − ψ(x).
        psi, m = _tilted(x, law)
        return x * m - psi - alpha

    return 0.0 if alpha == 0 else _tilted(crossing(excess, 0.0, 40.0, "the largest overlap"), law)[1]


def _exponential(model: DenseHebbian, branch: str) -> State:
    T, (v, weights) = model.T, stored(model)
    alpha = number("alpha", model.alpha, low=0, high=np.log(2), open_high=True)
    noise = exponential_noise(alpha, (v, weights))
    if branch == "paramagnetic":
        number("T", T, low=0, open_low=True, words="must be > 0 for the paramagnet")
        return State(0.0, 0.0, 0.0, 1 / T, 0.0, -noise - T * np.log(2), -noise, float(np.log(2)), 0.0, 0)
    # The energy −N m is linear in the overlap, so that a spin sees the field v.
    a = spin_averages(v, 0.0, T)
    own = float((weights * v) @ a.tanh)
    if own <= noise:
        top = exponential_load(T, (v, weights))
        if not top > 0:
            raise NoStateError("T", T, "must be lower for the pattern to outweigh all others at any load")
        raise NoStateError(
            "alpha", model.alpha, f"must be < {top:.9g}, where the others outweigh the pattern at T = {T:g}"
        )
    return _free(model, a, own, -float(weights @ a.log2cosh), -own, 0.0, 0)


def _free(
    model: DenseHebbian, a: Any, own: float, free_energy: float, energy: float, residual: float, iterations: int
) -> State:
    """The state of spins with averages `a` over what is stored, and the overlap `own` with that."""
    _, weights = stored(model)
    n = own * float(np.sqrt(1 + dataset_entropy(model.r, model.M)) if model.storage == "supervised" else 1.0)
    # Spins without a field are free at T = 0.
    chi = float(weights @ a.chi) if model.T > 0 else 0.0
    return State(
        m=float(weights @ a.tanh), n=n, q=1 - model.T * chi, C=chi, r=0.0, free_energy=free_energy, energy=energy,
        entropy=float(weights @ a.entropy), residual=residual, iterations=iterations,
    )  # fmt: skip


def exponential_load(T: float, law: Law = SIGNS) -> float:
    """Largest α = (1/N) ln K at which a pattern outweighs all others; 1 − ln cosh 1 = 0.566219 at T = 0.

    References
    ----------
    Lucibello & Mézard, PRL 132, 077301 (2024).
    """
    v, weights = law
    T = number("T", T, low=0)
    own = float((weights * v) @ spin_averages(v, 0.0, T).tanh)
    psi, frozen = _tilted(1.0, law)
    if own >= frozen:
        return own - psi
    x = crossing(lambda x: _tilted(x, law)[1] - own, 0.0, 1.0, "the load")
    return x * own - _tilted(x, law)[0]


def _custom(model: DenseHebbian, F: Callable[[float], float], branch: str, tol: float) -> State:
    """m = E v tanh βvF'(m) with the derivative by central differences of step 1e-4, whose error is about 1e-9."""
    if model.alpha != 0:
        raise ModelError(
            "alpha", model.alpha, 'must be 0 with interaction = "custom": its noise at high load is not known'
        )
    if branch == "paramagnetic":
        raise ModelError("branch", branch, 'must be retrieval with interaction = "custom"')
    takes("F", F, "m")
    F, (v, weights) = partial(real, "F", F), stored(model)
    top = float(weights @ np.abs(v))
    # Of examples that agree everywhere; beyond it F need not be defined.
    end = 1.0 / np.sqrt(model.r**2 + (1 - model.r**2) / model.M)

    def slope(m: float) -> float:
        # One-sided at the end, of the same order.
        e = 1e-4
        if m > end - e:
            return (3 * F(m) - 4 * F(m - e) + F(m - 2 * e)) / (2 * e)
        return (F(m + e) - F(m - e)) / (2 * e)

    def step(x: np.ndarray) -> np.ndarray:
        return np.atleast_1d((weights * v) @ spin_averages(slope(float(x[0])) * v, 0.0, model.T).tanh)

    found = fixed_point(step, [top], tol=tol, bounds=([0.0], [top]), what="the retrieval state")
    m = float(found.x[0])
    if m < 1e-6:
        raise NoStateError("T", model.T, "must be lower: there is no retrieval state with this F")
    a = spin_averages(slope(m) * v, 0.0, model.T)
    free = m * slope(m) - float(F(m)) - float(weights @ a.log2cosh)
    return _free(model, a, m, free, -float(F(m)), found.residual, found.iterations)


def spinodal_load(model: DenseHebbian) -> float:
    """Largest load with a retrieval state at the model's temperature, 0 if there is none at any load.

    Replica symmetric, hence reentrant at low temperature for P ≥ 3.
    """
    return exponential_load(model.T, stored(model)) if model.interaction == "exponential" else spinodal(spins(model))


def spinodal_temperature(model: DenseHebbian) -> float:
    """Largest temperature with a retrieval state at the model's load.

    Raises
    ------
    ModelError
        If there is none at any temperature.
    """
    here = spins(model)
    return highest_temperature(here) if here.alpha == 0 and here.P > 2 else largest_temperature(here, spinodal)


def learned_load(model: DenseHebbian, m: float = 0.9) -> float:
    """Largest load at which the retrieval state has the overlap m, or more, with the archetype itself; 0 if none.

    A network may retrieve the majority of few examples without having learned what they are examples of.
    """
    m = number("m", m, low=0, high=1, open_high=True)

    def excess(at: Spins, x: np.ndarray) -> float:
        found = state(at, FixedPoint(x, 0.0, 0))
        # One example that draws ahead takes m towards its own, r.
        ahead = max(found.m, model.r) > m
        return (_with_examples(model, at, found, "retrieval", 1e-12) if ahead else found).m - m

    return largest_load(spins(model), excess)


def highest(model: DenseHebbian) -> float:
    """Temperature above which nothing is retrieved at any load."""
    return highest_temperature(spins(model))


def transition_load(model: DenseHebbian) -> float:
    """Load at which the retrieval states cease to be the global minimum, 0 if they never are.

    The other state is the paramagnet for P ≥ 3, valid while its entropy is positive, the spin glass for P = 2.
    """
    number("T", model.T, low=0, open_low=model.P > 2)
    return largest_load(spins(model), lambda at, x: _reference(at) - free_energy(at, *x))


def lines(model: DenseHebbian, T: Any) -> dict[str, np.ndarray]:
    """Largest load α_M with a retrieval state at each temperature, for phase diagrams; shape (len(T),)."""
    return {"alpha_M": np.array([spinodal_load(replace(model, T=float(t))) for t in T])}


def _reference(here: Spins) -> float:
    return ((glass(here) if here.P == 2 else None) or paramagnet(here)).free_energy


def transition_temperature(P: int) -> float:
    """Temperature at which retrieval and paramagnet have the same free energy at load 0, P ≥ 3."""
    return unloaded_transition(Spins(alpha=0.0, T=0.0, P=number("P", P, kind=int, low=3)))


def pairings(P: int) -> float:
    """(2P − 3)!!, infinite beyond the largest float."""
    return float(prod(range(1, 2 * P - 2, 2))) if P <= 151 else np.inf


def one_step(model: DenseHebbian) -> float:
    """Overlap with the archetype after one parallel step at T = 0 from the archetype itself, N → ∞.

    Signal against crosstalk of variance α(P − 1)! for ``distinct``, and for ``power``, with coincident indices, of
    α(2P − 3)!! if archetypes or averages are stored, P ≥ 3.

    Raises
    ------
    ModelError
        For the interactions without such a formula.
    """
    from scipy.special import erf

    if model.interaction == "exponential":
        v, weights = stored(model)
        return float(weights @ np.sign(v)) if model.alpha < exponential_load(0.0, (v, weights)) else 0.0
    here = replace(spins(model), T=0.0)
    variance = model.alpha * noise(here, 0.0)
    number("alpha", model.alpha, low=0, open_low=True)
    x = np.array(here.v) / (here.scale * np.sqrt(2 * variance))
    return float(np.dot(here.weights, erf(x)))


def error_free_patterns(N: int, P: int, interaction: str = "distinct") -> float:
    """Number of patterns K at which one spin in N is wrong after a step from a stored pattern, to leading order in N.

    N^(P−1)/(2(P − 1)! ln N) for ``distinct``, N^(P−1)/(2(2P − 3)!! ln N) for ``power`` (Krotov & Hopfield 2016).
    """
    N = number("N", N, kind=int, low=2)
    P = number("P", P, kind=int, low=2)
    if interaction not in ("distinct", "power"):
        raise ModelError("interaction", interaction, "must be distinct or power")
    noise = lgamma(P) if interaction == "distinct" else np.log(pairings(P))
    size = (P - 1) * np.log(N) - noise - np.log(2 * np.log(N))
    return float(np.exp(min(size, 709.0))) if size < 709 else np.inf


def noisy_tensor_step(N: int, K: int, omega: float) -> float:
    """One step at T = 0 for P = 4 when each pattern is known as η_ij = ξ_iξ_j + ωz_ij, z symmetric Gaussian.

    K = αN^b patterns bear a noise ω ~ N^((3−b)/4) (ultra-detection, after Agliari et al., PRL 124, 028301 (2020)).
    """
    from scipy.special import erf

    N, K = number("N", N, kind=int, low=2), number("K", K, kind=int, low=1)
    omega = number("omega", omega, low=0)
    variance = omega**2 / N + K * (6 + 4 * omega**2 + 2 * omega**4) / N**3
    return float(erf(1 / np.sqrt(2 * variance)))


def majority(r: float, M: int) -> float:
    """Overlap with the archetype at load 0 and T = 0: the majority vote of M examples."""
    v, weights = example_law(number("r", r, low=0, high=1, open_low=True), number("M", M, kind=int, low=1))
    return float(np.dot(weights, np.sign(v)))
