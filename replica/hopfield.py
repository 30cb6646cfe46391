"""Hopfield's network at saturation: replica-symmetric states, the lines between its phases, first parallel steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ConvergenceError, ModelError, NoStateError
from tsphys.ground.parameters import number, param
from tsphys.ground.times import course
from tsphys.models.hopfield import Hopfield
from tsphys.replica.saddles import sparse
from tsphys.replica.saddles.curves import (
    curve,
    largest_load,
    largest_temperature,
    retrieved,
    spinodal,
)
from tsphys.replica.saddles.spins import (
    Spins,
    State,
    averages,
    free_energy,
    glass,
    mixture_law,
    noise,
    paramagnet,
    replicon,
    signal,
)
from tsphys.runs import frames
from tsphys.runs.axis import odd
from tsphys.solvers.fixed_point import BranchEnd, crossing

BRANCHES = ("retrieval", "mixture", "spin_glass", "paramagnetic")
OBSERVABLES = ("m", "q", "r", "free_energy", "energy", "entropy")


def spins(model: Hopfield, patterns: int = 1) -> Spins:
    """The saddle point of a network of ±1 spins, with a condensed pattern or a symmetric mixture of several.

    Clipped and diluted couplings are Hebb's with static Gaussian noise of variance αδ/N added: δ = π/2 − 1 and
    (1 − c)/c (Sompolinsky 1986).
    """
    static = {"hebb": 0.0, "clipped": np.pi / 2 - 1, "diluted": 1 / model.connectivity - 1}[model.coupling]
    law: Any = {} if patterns == 1 else mixture_law(patterns)
    return Spins(alpha=model.alpha, T=model.T, static=static, **law)


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What the theory is asked for."""

    t: Any = course("steps 0, 1, 2 of parallel dynamics at T = 0, as the axis; see `parallel_steps`")
    branch: str = param(
        "retrieval",
        "one condensed pattern; several with equal overlaps; none and q > 0; none and q = 0",
        kind=str,
        choices=BRANCHES,
        short="-b",
    )
    mixture: int = param(3, "patterns of a symmetric mixture, an odd number", kind=int, low=3, high=1023)
    overlap: float = param(1.0, "overlap of the start of parallel dynamics with one pattern", low=-1, high=1)
    tol: float = param(1e-12, "largest residual of the equations", low=1e-15, high=1e-3)

    def suited(self, models: Sequence[Hopfield]) -> Options:
        odd("mixture", self.mixture)
        if self.t is None and self.overlap != 1:
            raise ModelError("overlap", self.overlap, "must be 1 without steps t")
        if self.branch != "mixture" and self.mixture != 3:
            raise ModelError("mixture", self.mixture, 'must be 3 without branch = "mixture"')
        return self


@frames.course(Hopfield, Options)
def first_steps(model: Hopfield, options: Options) -> dict[str, np.ndarray]:
    """Overlaps after the first parallel steps at T = 0."""
    for name, value, allowed in (("dynamics", model.dynamics, "parallel"), ("coupling", model.coupling, "hebb")):
        if value != allowed:
            raise ModelError(name, value, f'must be "{allowed}" with steps t')
    if model.T != 0:
        raise ModelError("T", model.T, "must be 0 with steps t")
    _hebbian(model)
    if not np.isin(options.t, (0, 1, 2)).all():
        raise ModelError("t", options.t.tolist(), "must be among the steps 0, 1, 2; later ones have no closed theory")
    return {"m": np.array([options.overlap, *parallel_steps(model.alpha, options.overlap)])[options.t.astype(int)]}


@frames.or_over_time(first_steps)
@frames.theory(Hopfield, Options, told=("residual", "iterations", "bias.energy", "doubt.energy"))
def solve(points: frames.Points, options: Options) -> Sequence[frames.Row | None]:
    """Replica-symmetric state of a network over loads or temperatures, the equilibrium of sequential dynamics.

    A branch is followed where it exists, be it stable, metastable or neither.

    Returns
    -------
    dict
        Over t: ``m``. Otherwise ``m`` (with one pattern of a mixture), ``q``, ``r`` and per spin ``free_energy``,
        ``energy``, ``entropy``, shape (axis,). With an activity ``q`` is the mean of ⟨V⟩², and ``p1``, ``p0`` are the
        mean activities of neurons that fire, and that rest, in the pattern. The residuals are in ``meta``.

    Raises
    ------
    ModelError
        If an argument is out of range, as a load beyond the spinodal of the branch is.
    ConvergenceError
        If a state exists but was not reached within `tol`.

    References
    ----------
    Amit, Gutfreund & Sompolinsky, Ann. Phys. 173, 30 (1987), eqs. (3.27)-(3.34); Sompolinsky, PRA 34, 2571 (1986);
    Tsodyks & Feigel'man, EPL 6, 101 (1988).
    """
    branch, mixture, tol = options.branch, options.mixture, options.tol
    model = points.models[0]
    if model.dynamics != "sequential":
        words = 'must be "sequential" for the equilibrium theory; of parallel dynamics the first two steps t are known'
        raise ModelError("dynamics", model.dynamics, words)
    if model.activity is not None:
        if branch != "retrieval":
            raise ModelError("branch", branch, "must be retrieval with an activity")
        return frames.over(points.models, lambda here: _sparse_state(here, tol))
    patterns = {"retrieval": 1, "mixture": mixture}.get(branch, 0)

    def at(here: Hopfield) -> dict[str, float]:
        row = _observables(_state(here, branch, mixture, points.axis, tol), max(patterns, 1))
        return {**row, **_of_order_one_over_N(here, patterns, row["m"])}

    return frames.over(points.models, at)


def _of_order_one_over_N(model: Hopfield, patterns: int, m: float) -> dict[str, float]:
    """What is known of the order 1/N of the energy, times N: its bias, and how far another one may be.

    No spin is coupled to itself, which takes ½ from the N m²/2 of each condensed pattern. The signal of P clipped
    patterns is √(2/πP) times 1 ± 1/(4P), for odd and even P.
    """
    bias = {"bias.energy": 0.5 * patterns}
    if model.coupling != "clipped":
        return bias
    return {**bias, "doubt.energy": m**2 / (8 * model.alpha) if model.alpha else 0.0}


def _observables(state: State, patterns: int) -> dict[str, float]:
    row = {k: getattr(state, k) for k in (*OBSERVABLES, "residual", "iterations")}
    return {**row, "m": state.n / patterns if patterns > 1 else state.m}


def _state(model: Hopfield, branch: str, patterns: int, axis: str, tol: float) -> State:
    if branch in ("retrieval", "mixture"):
        here = spins(model, patterns if branch == "mixture" else 1)
        found = retrieved(here, tol)
        if found is None:
            raise beyond(model, here, axis, branch)
        return found
    here = spins(model)
    if branch == "spin_glass":
        found = glass(here, tol)
        if found is None:
            allowed = f"must be < {glass_temperature(model):.6g}, T_g, for the spin glass at alpha = {model.alpha:g}"
            raise NoStateError("T", model.T, allowed)
        return found
    if model.T <= 1:
        raise NoStateError(
            "T", model.T, f"must be > 1 for the paramagnet (stable above T_g = {glass_temperature(model):.6g})"
        )
    return paramagnet(here)


def capacity_of(here: Spins) -> float:
    """Largest load with a retrieval state at T = 0, 0 if there is none."""
    found = curve(here.at(T=0.0))
    return 0.0 if found is None else found.alpha


def beyond(model: Hopfield, here: Spins, axis: str, branch: str) -> NoStateError:
    """The error of a point without a retrieval state: it tells the largest load, or temperature, that has one."""
    found = curve(here)
    if found is None:
        return NoStateError("T", model.T, f"must be < 1 for {branch} states")
    if axis == "T" and model.alpha < capacity_of(here):
        top = largest_temperature(here, spinodal)
        return NoStateError(
            "T", model.T, f"must be <= {top:.9g}, where the {branch} states end at alpha = {model.alpha:g}"
        )
    words = f"must be <= {found.alpha:.9g}, the spinodal of the {branch} states at T = {model.T:g}"
    return NoStateError("alpha", model.alpha, words)


def _sparse_state(model: Hopfield, tol: float) -> dict[str, float]:
    assert model.activity is not None
    net = sparse.Neurons(alpha=model.alpha, T=model.T, f=model.activity, theta=model.threshold)
    try:
        found = sparse.retrieved(net, tol)
    except BranchEnd as end:
        words = f"must be < {end.value:.9g}, the spinodal at T = {model.T:g}, threshold = {model.threshold:g}"
        raise NoStateError("alpha", model.alpha, words) from None
    if found is None:
        raise _absent(net)
    m, Q, C = float(found.x[0]), net.f * float(found.x[1]), float(found.x[2])
    p1, p0 = sparse.firing(net, found.x)
    q = Q - net.T * C
    return {
        "m": m, "q": q, "r": q / (1 - C) ** 2, "p1": p1, "p0": p0,
        "free_energy": sparse.free_energy(net, found.x), "energy": sparse.energy(net, found.x),
        "entropy": sparse.entropy(net, found.x), "residual": found.residual, "iterations": found.iterations,
    }  # fmt: skip


def _absent(net: sparse.Neurons) -> NoStateError:
    """The error of 0/1 neurons that retrieve nothing."""
    if net.T >= sparse.HOTTEST:
        return NoStateError("T", net.T, f"must be < {sparse.HOTTEST} for retrieval states of 0/1 neurons")
    # Only so do at T → 0 those fire that should, whose field is 1 − f, and the others rest, in a field of −f.
    if not -net.f < net.theta < 1 - net.f:
        return NoStateError("threshold", net.theta, f"must be > {-net.f:g} and < {1 - net.f:g} for retrieval states")
    words = f"must be lower for retrieval states at alpha = {net.alpha:g}, threshold = {net.theta:g}"
    return NoStateError("T", net.T, words)


def _patterns(mixture: int) -> int:
    """One pattern, or those of a mixture; of an even number some spins would see no field."""
    return 1 if mixture == 1 else odd("mixture", mixture)


def spinodal_load(model: Hopfield, mixture: int = 1) -> float:
    """α_M(T): largest load with a retrieval state, or a mixture of that many, at the model's temperature.

    At T = 0 this is the capacity α_c, 0.137906 for Hebb's couplings. Zero where nothing is retrieved at any load.
    """
    if model.activity is not None:
        return sparse.spinodal(sparse.Neurons(0.0, model.T, model.activity, model.threshold))
    return spinodal(spins(model, _patterns(mixture)))


def spinodal_temperature(model: Hopfield, mixture: int = 1) -> float:
    """T_M(α): largest temperature with a retrieval state, or a mixture of that many, at the model's load.

    Raises
    ------
    ModelError
        If the load is beyond the capacity at every temperature.
    """
    return largest_temperature(_plain(spins(_hebbian(model), _patterns(mixture))), spinodal)


def transition_load(model: Hopfield) -> float:
    """α_c(T): load at which the retrieval states cease to be the global minimum, the spin glass being the other.

    Zero where they never are.
    """
    return _transition(spins(_hebbian(model)))


def transition_temperature(model: Hopfield) -> float:
    """T_c(α): temperature below which the retrieval states are the global minimum at the model's load.

    Raises
    ------
    ModelError
        If the load is too large for it at every temperature.
    """
    return largest_temperature(_plain(spins(_hebbian(model))), _transition)


def _transition(here: Spins) -> float:
    return largest_load(here, lambda at, x: (glass(at) or paramagnet(at)).free_energy - free_energy(at, *x))


def _hebbian(model: Hopfield) -> Hopfield:
    if model.activity is not None:
        raise ModelError("activity", model.activity, "must be none here: the lines are those of ±1 spins")
    return model


def _plain(here: Spins) -> Spins:
    number("alpha", here.alpha, low=0, open_low=True)
    return here


def mixture_stability(model: Hopfield, mixture: int = 3) -> float:
    """Smallest curvature of the free energy when the overlaps of a symmetric mixture become unequal.

    1 − β(1 − q) − βQ with Q = ⟨ξ^1 ξ^2 tanh²⟩ over its patterns; the mixture decays into patterns where it is negative.

    References
    ----------
    Amit, Gutfreund & Sompolinsky, PRA 32, 1007 (1985): at α = 0 three patterns are stable below T = 0.46.
    """
    n = odd("mixture", mixture)
    here = spins(_hebbian(model), n)
    found = retrieved(here)
    if found is None:
        raise beyond(model, here, "alpha", "mixture")
    k = np.array(here.v)
    chi = averages(here, signal(here, found.n), np.sqrt(here.alpha * noise(here, found.C))).chi
    # Given their sum k, two of the patterns agree on average by this much.
    agreement = (k**2 - n) / (n * (n - 1))
    return float(1 - found.C + np.dot(here.weights, agreement * chi))


def glass_temperature(model: Hopfield) -> float:
    """T_g(α): where the spin glass freezes continuously; 1 + √α for Hebb's couplings.

    Linearised in q, 1 = β²α[1/(1 − β)² + δ] with the static noise δ of clipped or diluted couplings.
    """
    here = spins(_hebbian(model))
    if here.static == 0 or here.alpha == 0:
        return 1 + float(np.sqrt(here.alpha))

    def excess(beta: float) -> float:
        return here.alpha * beta**2 * (1 / (1 - beta) ** 2 + here.static) - 1

    return 1 / crossing(excess, 0.0, 1 - 1e-12, "T_g")


def at_load(model: Hopfield) -> float:
    """Load up to which replica symmetry is stable in the retrieval states at the model's temperature.

    The spinodal where it is stable throughout; at T = 0 zero, since it is stable nowhere.
    """
    return largest_load(spins(_hebbian(model)), lambda at, x: replicon(at, *x))


def at_temperature(model: Hopfield) -> float:
    """T_R(α): de Almeida–Thouless temperature of the retrieval states, below which replica symmetry is unstable.

    For α → 0 it is √(8α/9π) e^(−1/2α), about half of that at α = 0.12.

    Raises
    ------
    ModelError
        If the load is not between 0.002, where T_R is 1e-110, and the capacity at T = 0.
    """
    here = spins(_hebbian(model))
    number("alpha", here.alpha, low=0.002, high=capacity_of(here))
    asymptote = np.sqrt(8 * here.alpha / (9 * np.pi)) * np.exp(-1 / (2 * here.alpha * (1 + here.static)))

    def stability(log_T: float) -> float:
        at = here.at(T=float(np.exp(log_T)))
        found = retrieved(at)
        if found is None:
            raise ConvergenceError(f"no retrieval state at T = {at.T:g}", residual=np.nan)
        return replicon(at, found.n, found.C)

    # The asymptote is off by 4 at the capacity, where little room is left below the spinodal.
    high = 6 * asymptote
    while retrieved(here.at(T=high)) is None:
        high *= 0.8
    return float(np.exp(crossing(stability, np.log(asymptote / 100), np.log(high), "the AT line")))


def parallel_steps(alpha: float, m0: float) -> tuple[float, float]:
    """Overlaps after one and two steps of parallel dynamics at T = 0, exact for N → ∞.

    Parameters
    ----------
    alpha : float
        Load of a network with Hebb's couplings and J_ii = 0.
    m0 : float
        Overlap of the start with one pattern, otherwise random.

    Returns
    -------
    m1, m2 : float

    References
    ----------
    Gardner, Derrida & Mottishaw, J. Phys. (Paris) 48, 741 (1987).
    """
    from scipy.special import erf

    alpha = number("alpha", alpha, low=0, open_low=True)
    m0 = number("m0", m0, low=-1, high=1)
    m1 = float(erf(m0 / np.sqrt(2 * alpha)))
    chi = 2 / np.sqrt(2 * np.pi * alpha) * np.exp(-(m0**2) / (2 * alpha))
    width = np.sqrt(2 * alpha * (1 + chi**2 + 2 * chi * m0 * m1))
    # A spin's first update leaves a trace in its own field, of the sign of its initial state.
    m2 = sum((1 + s * m0) / 2 * float(erf((m1 + s * chi * alpha) / width)) for s in (1, -1))
    return m1, m2


def best_threshold(activity: float) -> tuple[float, float]:
    """Largest load of 0/1 neurons at T = 0 over all thresholds, and the threshold θ that reaches it.

    For activity → 0 the load tends to 1/(2f|ln f|), very slowly.
    """
    f = number("activity", activity, low=0, high=1, open_low=True, open_high=True)
    load, theta, _ = sparse.best_capacity(f)
    return load, theta


def lines(model: Hopfield, T: Any) -> dict[str, np.ndarray]:
    """Loads α_M and α_c at each temperature, for phase diagrams; shape (len(T),)."""
    from dataclasses import replace

    out: dict[str, Callable[[Hopfield], float]] = {"alpha_M": spinodal_load, "alpha_c": transition_load}
    return {k: np.array([line(replace(model, T=float(t))) for t in T]) for k, line in out.items()}
