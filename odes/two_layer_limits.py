"""Fixed points of the two-layer network: symmetric plateau, largest learning rate, floor that noise leaves.

All are stationary states of the full equations of motion in `tsphys.odes.two_layer`, exact in the learning rate; the
closed forms for small learning rates stand beside them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import MOST_UNITS, number
from tsphys.models.two_layer import TwoLayer
from tsphys.odes.equations.motion import Motion
from tsphys.physics.committee.clones import shares
from tsphys.physics.order_parameters import OrderParameters
from tsphys.solvers.ode import integrate

#: What a rate of change at a stationary state may be, relative to the learning rate.
STATIONARY = 1e-11
#: How far from where the dynamics came to a stationary state may be, relative to the largest overlap.
NEAR = 0.3
#: Norm of a pair of superfluous students that is set upon its way, and the time that it is given, in 1/(η²σ²).
PAIRED, PATIENCE = 1e-3, 1000.0


def _motion(model: TwoLayer, units: str) -> Motion:
    """The equations of motion of an erf network whose first layer trains, for the model's own teachers."""
    if model.activations != ("erf", "erf"):
        raise ModelError("activation", model.activations, "must be erf for student and teacher")
    if model.layers != "first":
        raise ModelError("train", model.layers, 'must be "first": a trained readout has a line of fixed points')
    if model.alpha is not None:
        raise ModelError("alpha", model.alpha, "must be none")
    if (model.K != model.M) if units == "equal" else (model.K < model.M):
        words = "must equal M" if units == "equal" else "must be at least M"
        raise ModelError("K", model.K, f"{words} = {model.M}")
    v_star = np.ones(model.M) if model.v_star is None else np.array(model.v_star)
    return Motion(model, model.teacher_overlaps(), v_star)


def _readout(model: TwoLayer) -> np.ndarray:
    return np.ones(model.K) if model.v is None else np.array(model.v)


def _check_plain(model: TwoLayer, motion: Motion, T: np.ndarray) -> None:
    """Raise a ModelError unless the teachers have the overlaps T and all readouts are one."""
    if not np.array_equal(T, motion.T) or (motion.v_star != 1).any() or (_readout(model) != 1).any():
        raise ModelError("teacher", model.teacher, "must be isotropic, with all readouts one")


def _stationary(rates: Callable[[np.ndarray], np.ndarray], x: np.ndarray, lr: float, what: str) -> np.ndarray:
    """A zero of `rates` near x, by Powell's hybrid method, with a verdict; rates also vanish at infinite weights."""
    from scipy.optimize import root

    found = root(rates, x, method="hybr", options={"xtol": 1e-14})
    residual = float(np.abs(rates(found.x)).max())
    if not residual < STATIONARY * lr or np.abs(found.x - x).max() > NEAR * (1 + np.abs(x).max()):
        raise ConvergenceError(f"no stationary {what} found", residual=residual, iterations=found.nfev, last=found.x)
    return found.x


def _overlaps(motion: Motion, y: np.ndarray) -> tuple[float, OrderParameters]:
    out = motion.observe(y[None])
    state = OrderParameters(R=out["R"][0], Q=out["Q"][0], T=motion.T, v=out["v"][0], v_star=motion.v_star)
    return float(out["eps_g"][0]), state


def plateau(model: TwoLayer) -> tuple[float, OrderParameters]:
    """The symmetric plateau: the unstable fixed point at which no student has chosen a teacher.

    Parameters
    ----------
    model : TwoLayer
        erf, K = M, isotropic teachers, all readouts one, first layer only; any learning rate and noise.

    Returns
    -------
    eps_g : float
    state : OrderParameters
        With R_km all equal, Q_kk all equal, Q_kl all equal.

    Raises
    ------
    ModelError
        For other models.
    ConvergenceError
        If there is none (learning rate too large).

    References
    ----------
    Saad & Solla, PRE 52, 4225 (1995), section V.
    """
    motion = _motion(model, "equal")
    K = model.K
    _check_plain(model, motion, motion.T[0, 0] * np.eye(K))
    rhs = motion.rhs()
    row, column = np.tril_indices(K)

    def state(x: np.ndarray) -> np.ndarray:
        return np.concatenate([np.full(K * K, x[0]), np.where(row == column, x[1], x[2]), np.ones(K)])

    def rates(x: np.ndarray) -> np.ndarray:
        return rhs(0.0, state(x))[[0, K * K, K * K + (1 if K > 1 else 0)]]

    # Units that are copies of each other are a fixed point as well, which the dynamics leaves: follow it from apart.
    _, small = plateau_small_lr(K)
    apart = np.array([small.R[0, 0], 0.2, -0.2 / K])
    times = np.array([0.0, 300.0 / model.lr])
    near = integrate(lambda t, x: rates(x), apart, times, rtol=1e-8, atol=1e-10)[0][-1]
    x = _stationary(rates, near, model.lr, "symmetric plateau")
    return _overlaps(motion, state(x))


def plateau_small_lr(K: int) -> tuple[float, OrderParameters]:
    """The symmetric plateau for η → 0, erf, K = M, T = 1: R = 1/√(K(2K − 1)), Q = 1/(2K − 1) for all entries.

    eps_g = (K/π)[π/6 − K asin(1/2K)] (Saad & Solla, PRE 52, 4225 (1995)).
    """
    K = number("K", K, kind=int, low=1, high=MOST_UNITS)
    R = np.full((K, K), 1 / math.sqrt(K * (2 * K - 1)))
    Q = np.full((K, K), 1 / (2 * K - 1))
    eps_g = K / math.pi * (math.pi / 6 - K * math.asin(1 / (2 * K)))
    return eps_g, OrderParameters(R=R, Q=Q, T=np.eye(K), v=np.ones(K), v_star=np.ones(K))


def _jacobian(rhs: Callable[[float, np.ndarray], np.ndarray], y: np.ndarray, free: int) -> np.ndarray:
    """Derivatives of the first `free` rates by central differences, to 1e-9."""
    step = 1e-5
    columns = []
    for i in range(free):
        e = np.zeros_like(y)
        e[i] = step
        columns.append((rhs(0.0, y + e) - rhs(0.0, y - e))[:free] / (2 * step))
    return np.array(columns).T


def escape_rate(model: TwoLayer) -> float:
    """Rate at which the most unstable deviation from the symmetric plateau grows, per unit of time.

    At finite N specialisation starts from deviations of order 1/√N, so the escape from the plateau takes ln N/(2 rate),
    up to what does not depend on N (Biehl, Riegler & Wöhler, J. Phys. A 29, 4769 (1996)).

    Parameters
    ----------
    model : TwoLayer
        As for `plateau`.

    Raises
    ------
    ModelError, ConvergenceError
        As `plateau`, and if the fixed point is stable.
    """
    state = plateau(model)[1]
    motion = _motion(model, "equal")
    y = motion.state(state)
    rates = np.linalg.eigvals(_jacobian(motion.rhs(), y, len(y) - model.K))
    largest = rates[rates.real.argmax()]
    if largest.real <= 0 or abs(largest.imag) > 1e-6 * abs(largest.real):
        raise ConvergenceError("the symmetric fixed point is not left along a real unstable direction", last=rates)
    return float(largest.real)


def critical_learning_rate(model: TwoLayer) -> float:
    """The learning rate η_c above which the specialised state, an exact copy of the teacher, is unstable.

    Linear stability of R = T, Q = T, v = v* against every change of R and Q at once, without noise and decay; the
    model's own learning rate has no meaning here.

    Parameters
    ----------
    model : TwoLayer
        erf, K = M, first layer only, any teacher overlaps and readout.

    Returns
    -------
    float
        η_c, to 1e-8 relative.

    Raises
    ------
    ModelError
        For other models.
    ConvergenceError
        If the state is unstable at any learning rate, as with linearly dependent teachers.
    """
    from scipy.optimize import brentq

    model = replace(model, noise=0.0, weight_decay=0.0, weight_decay_v=None)
    motion = _motion(model, "equal")
    free = model.K**2 + model.K * (model.K + 1) // 2
    y = np.concatenate([motion.T.ravel(), np.zeros(free - model.K**2), motion.v_star])
    # The rates are η J₁ + η² J₂; both follow from two learning rates.
    once = _jacobian(Motion(replace(model, lr=1.0), motion.T, motion.v_star).rhs(), y, free)
    twice = _jacobian(Motion(replace(model, lr=2.0), motion.T, motion.v_star).rhs(), y, free)
    linear, square = 2 * once - twice / 2, twice / 2 - once

    def growth(lr: float) -> float:
        return float(np.linalg.eigvals(linear + lr * square).real.max())

    low, high = 1e-3, 1e-3
    if not growth(low) < 0:
        raise ConvergenceError("the specialised state is not stable at any learning rate", residual=growth(low))
    while growth(high) < 0:
        low, high = high, 2 * high
        if high > 1e6:
            raise ConvergenceError("no critical learning rate below 1e6", residual=growth(low))
    return float(brentq(growth, low, high, rtol=1e-12, xtol=1e-14))


class Floor(NamedTuple):
    """A stationary state of a student that learns from noisy labels."""

    eps_g: float
    """Its error."""
    state: OrderParameters
    eigenvalues: np.ndarray
    """Eigenvalues of the motion of R and Q linearised about it, by real parts that fall; a positive one: a saddle."""


def noise_floor(model: TwoLayer) -> Floor:
    """The specialised stationary state of learning from noisy labels, with its stability.

    A student of each teacher's unit, the others at zero up to their noise. With K − M ≥ 2 others it is a saddle, unless
    weights decay fast: two of them with readouts of the same size can cancel each other, g(λ) + g(−λ) = 0, at any norm,
    and the noise lets their norm P grow like dP/dt = (2/π) η²σ² P/(1 + 2P)^{3/2} for small η; see `noise_floor_end`.

    Parameters
    ----------
    model : TwoLayer
        erf, K >= M, first layer only, noise > 0. Its students start as copies of the teachers, and the K − M others at
        zero; the equations of motion lead from there to the neighbourhood of the stationary state.

    Returns
    -------
    Floor
        ``eps_g``, ``state`` and ``eigenvalues``.

    Raises
    ------
    ModelError
        For other models.
    ConvergenceError
        If there is no such state (learning rate too large, or superfluous students whose readouts differ).
    DivergedError
        If the dynamics leaves every bound.

    References
    ----------
    Goldt et al., NeurIPS 2019, for the dependence on K − M.
    """
    return _floor(model, 0.0)


def noise_floor_end(model: TwoLayer) -> Floor:
    """The state in which learning from noisy labels ends for t → ∞, with its stability.

    `noise_floor` for K − M < 2. Otherwise pairs of superfluous students whose outputs cancel grow out of it. With a
    weight decay, or readouts of different sizes, they end at a finite norm. Else they grow for ever, like t^{2/3}, and
    their share of the error goes, ησ²/(π√(1 + 2P)) for small η; what is left is the floor of a student without them,
    the state of which is returned.

    Parameters
    ----------
    model : TwoLayer
        As for `noise_floor`.

    Raises
    ------
    ModelError, DivergedError
        As `noise_floor`.
    ConvergenceError
        Also if what grows out of a saddle does not come to rest.
    """
    kept, pairs = list(range(model.K)), _pairs(model)
    if model.kappa == 0:
        v = np.abs(_readout(model))
        kept = [k for k in kept if not any(k in pair and v[pair[0]] == v[pair[1]] for pair in pairs)]
    smaller = replace(model, K=len(kept), v=None if model.v is None else tuple(model.v[k] for k in kept))
    return _floor(smaller, PAIRED if len(kept) - model.M >= 2 else 0.0)


def _pairs(model: TwoLayer) -> list[tuple[int, int]]:
    """Superfluous students two by two: those with readouts of the same size, then the others, large ones first."""
    v = np.abs(_readout(model))
    pairs: list[tuple[int, int]] = []
    single: list[int] = []
    for k in sorted(range(model.M, model.K), key=lambda k: -v[k]):
        if single and v[single[-1]] == v[k]:
            pairs.append((single.pop(), k))
        else:
            single.append(k)
    return [*pairs, *zip(single[::2], single[1::2])]


def _floor(model: TwoLayer, paired: float) -> Floor:
    """A stationary state from copies of the teachers, pairs of superfluous students cancelling at norm `paired`."""
    motion = _motion(model, "more")
    if model.noise == 0:
        raise ModelError("noise", model.noise, "must be > 0; without noise the floor is 0")
    K, M = model.K, model.M
    R, S = np.vstack([motion.T, np.zeros((K - M, M))]), np.zeros((K, K))
    v = _readout(model)
    for k, l in _pairs(model) if paired else ():
        S[k, k] = S[l, l] = paired
        S[k, l] = S[l, k] = -paired * np.sign(v[k] * v[l])
    rhs = motion.rhs()
    # Pairs grow at a rate of order η²σ², all else settles at one of order η.
    end = 200 / model.lr * (1 + (PATIENCE / (model.lr * model.noise**2) if paired else 0))
    y0 = np.concatenate([R.ravel(), S[np.tril_indices(K)], v])
    near = integrate(rhs, y0, [end], rtol=1e-8, atol=1e-10)[0][-1]

    def rates(x: np.ndarray) -> np.ndarray:
        return rhs(0.0, np.concatenate([x, v]))[:-K]

    x = _stationary(rates, near[:-K], model.lr, "specialised state")
    y = np.concatenate([x, v])
    S[np.tril_indices(K)] = x[-K * (K + 1) // 2 :]
    lowest = float(np.linalg.eigvalsh(S)[0])
    if lowest < -STATIONARY:
        raise ConvergenceError("no weights have the overlaps of the stationary state", residual=-lowest, last=x)
    eigenvalues = np.linalg.eigvals(_jacobian(rhs, y, len(x)))
    return Floor(*_overlaps(motion, y), eigenvalues[np.argsort(-eigenvalues.real)])


def noise_floor_small_lr(model: TwoLayer) -> float:
    """The floor to first order in η: (σ²η/2πb)(L + M/√3) with L = K − M, for erf, T = 1 and all readouts one.

    The relative error is of order η: 2.7 % for K = 2, M = 1, η = 0.05 (Goldt et al., NeurIPS 2019).

    Raises
    ------
    ModelError
        For other models, and for a weight decay, which moves the stationary state.
    """
    _check_plain(model, _motion(model, "more"), np.eye(model.M))
    if model.kappa != 0:
        raise ModelError("weight_decay", model.kappa, "must be 0")
    excess = model.K - model.M
    rate = model.noise**2 * model.lr / (2 * math.pi * model.minibatch)
    return rate * (excess + model.M / math.sqrt(3))


def clone_floor(model: TwoLayer, state: OrderParameters) -> float:
    """What noise leaves of the error of clones, to first order in η: (ησ²/4b) Σ_m ⟨g'(ν_m)²⟩ Σ v_k² over those of m.

    Every clone is moved by the same noise, times its readout: what is shared by n of them in equal parts fluctuates n
    times less. With ⟨g'²⟩ = (2/π)(1 + 2T_mm)^(−1/2) of erf it is ησ² Σ v_k²/(2√3π) for T = 1. The noise of readouts
    that train as well is not in it.

    Parameters
    ----------
    model : TwoLayer
        erf, K >= M; its rate, noise and minibatch.
    state : OrderParameters
        Tells who is whose clone, and the readouts (K,).

    Raises
    ------
    ModelError
        For other models.
    """
    if model.activations != ("erf", "erf"):
        raise ModelError("activation", model.activations, "must be erf for student and teacher")
    if len(state.R) < len(state.T):
        raise ModelError("K", len(state.R), f"must be at least M = {len(state.T)}")
    R, Q, T, v = (np.array(x) for x in (state.R, state.Q, state.T, state.v))
    slopes = 2 / math.pi / np.sqrt(1 + 2 * np.diag(T))
    squares = np.sum(shares(R, Q, T, v) ** 2, axis=0)
    return float(model.eta_w * model.noise**2 / (4 * model.minibatch) * (slopes @ squares))
