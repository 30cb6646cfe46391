"""Dense Hebbian networks: replica-symmetric retrieval, from clean archetypes or from their noisy examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import lgamma, prod
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
    orders,
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


def dataset_entropy(r: float, M: int) -> float:
    """ρ = (1 − r²)/(M r²), what is not known of an archetype from M examples of quality r."""
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
    if model.interaction == "power" and model.P > 2 and model.alpha > 0:
        words = 'must be "distinct" at alpha > 0: with coincident indices the noise at finite T is not known'
        raise ModelError("interaction", model.interaction, words)
    P, r, M = model.P, model.r, model.M
    if P > LARGEST_ORDER:
        raise ModelError(
            "P", P, f"must be at most {LARGEST_ORDER} in the theory, whose powers of overlaps lose all digits"
        )
    v, weights = example_law(r, M)
    common: dict[str, Any] = {"alpha": model.alpha, "T": model.T, "P": P, "v": v, "weights": weights}
    if model.storage == "given" or (M == 1 and r == 1):
        return Spins(**common)
    try:
        scale = (1 + dataset_entropy(r, M)) ** (P / 2)
        if model.storage == "supervised":
            float(max(map(abs, v))) ** (P - 1) / scale
            return Spins(**common, scale=scale)
        scale = float(np.sqrt(1 + dataset_entropy(r**P, M)))
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
        ``free_energy``, ``energy``, ``entropy``, shape (axis,). In ``meta`` are the residuals, and without a teacher
        ``breaking``, the factor a step by which differences between equal examples grow: beyond 1 that is unstable.

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

    def at(here: DenseHebbian) -> dict[str, Any]:
        if here.interaction == "exponential":
            found = _exponential(here, options.branch)
        elif options.F is not None:
            found = _custom(here, options.F, options.branch, options.tol)
        else:
            found = _state(here, options.branch, points.axis, options.tol)
        row = {k: getattr(found, k) for k in (*OBSERVABLES, "residual", "iterations")}
        told = {} if found.breaking is None else {"breaking": found.breaking}
        return {**row, **told, **_coincident(here, options.branch, found.m)}

    return frames.over(points.models, at)


def _coincident(model: DenseHebbian, branch: str, m: float) -> dict[str, float]:
    """What is known of the order 1/N: terms of N m^P/P with coincident indices are none of the energy's."""
    if branch == "paramagnetic" or model.interaction != "distinct" or model.storage != "given":
        return {}
    return {"bias.energy": 0.5 * (model.P - 1) * m ** (model.P - 2)}


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


def exponential_noise(alpha: float) -> float:
    """(1/N) ln Σ_a exp(N m_a) over e^(αN) random patterns, N → ∞: a random energy model, frozen below α = 0.3278."""
    edge = np.tanh(1.0) - np.log(np.cosh(1.0))
    if alpha >= edge:
        return float(alpha + np.log(np.cosh(1.0)))
    return largest_random_overlap(alpha)


def largest_random_overlap(alpha: float) -> float:
    """Largest overlap of a state with e^(αN) random patterns, 0 ≤ α < ln 2: the m with rate function I(m) = α."""

    def excess(x: float) -> float:
        # With m = tanh x the rate function is x tanh x − ln cosh x.
        return x * np.tanh(x) - np.logaddexp(x, -x) + np.log(2) - alpha

    return 0.0 if alpha == 0 else float(np.tanh(crossing(excess, 0.0, 40.0, "the largest overlap")))


def _exponential(model: DenseHebbian, branch: str) -> State:
    T, noise = model.T, exponential_noise(number("alpha", model.alpha, low=0, high=np.log(2), open_high=True))
    if branch == "paramagnetic":
        number("T", T, low=0, open_low=True, words="must be > 0 for the paramagnet")
        return State(0.0, 0.0, 0.0, 1 / T, 0.0, -noise - T * np.log(2), -noise, float(np.log(2)), 0.0, 0)
    # The energy −N m is linear in the overlap, so that a spin sees the field 1.
    a = spin_averages(1.0, 0.0, T)
    m = float(a.tanh)
    if m <= noise:
        top = exponential_load(T)
        if not top > 0:
            raise NoStateError("T", T, "must be lower for the pattern to outweigh all others at any load")
        raise NoStateError(
            "alpha", model.alpha, f"must be < {top:.9g}, where the others outweigh the pattern at T = {T:g}"
        )
    return State(m, m, m**2, float(a.chi), 0.0, -float(a.log2cosh), -m, float(a.entropy), 0.0, 0)


def exponential_load(T: float) -> float:
    """Largest α = (1/N) ln K at which a pattern outweighs all others; 1 − ln cosh 1 = 0.566219 at T = 0.

    References
    ----------
    Lucibello & Mézard, PRL 132, 077301 (2024).
    """
    m = float(spin_averages(1.0, 0.0, T).tanh)
    frozen = float(np.tanh(1.0))
    if m >= frozen:
        return m - float(np.log(np.cosh(1.0)))
    x = np.arctanh(m)
    return float(x * m - np.log(np.cosh(x)))


def _custom(model: DenseHebbian, F: Callable[[float], float], branch: str, tol: float) -> State:
    """m = tanh βF'(m) with the derivative by central differences of step 1e-4, whose error is about 1e-9."""
    if model.alpha != 0:
        raise ModelError(
            "alpha", model.alpha, 'must be 0 with interaction = "custom": its noise at high load is not known'
        )
    if branch == "paramagnetic":
        raise ModelError("branch", branch, 'must be retrieval with interaction = "custom"')
    takes("F", F, "m")
    F = partial(real, "F", F)

    def slope(m: float) -> float:
        # One-sided at m = 1, beyond which F need not be defined; of the same order.
        e = 1e-4
        if m > 1 - e:
            return (3 * F(m) - 4 * F(m - e) + F(m - 2 * e)) / (2 * e)
        return (F(m + e) - F(m - e)) / (2 * e)

    def step(x: np.ndarray) -> np.ndarray:
        return np.atleast_1d(spin_averages(slope(float(x[0])), 0.0, model.T).tanh)

    found = fixed_point(step, [1.0], tol=tol, bounds=([0.0], [1.0]), what="the retrieval state")
    m = float(found.x[0])
    if m < 1e-6:
        raise NoStateError("T", model.T, "must be lower: there is no retrieval state with this F")
    a = spin_averages(slope(m), 0.0, model.T)
    free = m * slope(m) - float(F(m)) - float(a.log2cosh)
    return State(m, m, m**2, float(a.chi), 0.0, free, -float(F(m)), float(a.entropy), found.residual, found.iterations)


def spinodal_load(model: DenseHebbian) -> float:
    """Largest load with a retrieval state at the model's temperature, 0 if there is none at any load.

    Replica symmetric, hence reentrant at low temperature for P ≥ 3.
    """
    return exponential_load(model.T) if model.interaction == "exponential" else spinodal(spins(model))


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

    Signal against crosstalk; ``power`` with P ≥ 3 has the noise α(2P − 3)!! of coincident indices instead of α(P − 1)!.

    Raises
    ------
    ModelError
        For the interactions without such a formula.
    """
    from scipy.special import erf

    if model.interaction == "exponential":
        return 1.0 if model.alpha < exponential_load(0.0) else 0.0
    variance = model.alpha * orders(model.P)
    if model.interaction == "power":
        if model.storage != "given":
            raise ModelError("storage", model.storage, 'must be "given" with interaction = "power" here')
        variance = model.alpha * pairings(model.P)
        here = Spins(alpha=0.0, T=0.0)
    else:
        here = spins(model)
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
