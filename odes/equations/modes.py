"""Online SGD on inputs with any covariance, N → ∞: equations of motion of the overlaps in each mode of Ω = ⟨xxᵀ⟩.

With Ωψ_τ = e_τψ_τ, w_τ = ψ_τ·w and γ_τ = ⟨ψ_τ·x ν⟩ the state is, mode by mode, q_τ = w_τw_τᵀ and r_τ = √N w_τγ_τᵀ,
driven by t_τ = Nγ_τγ_τᵀ; then Q = Σ e_τq_τ/N and R = Σ r_τ/N. The fields are taken as Gaussian, so that the averages of
SGD's update c(λ, ν) with an input are linear in those of the fields (Stein), with Γ_kj = ⟨∂c_k/∂λ_j⟩,
Λ_kn = ⟨∂c_k/∂ν_n⟩ and E = ⟨ccᵀ⟩/b::

    dr_τ/dt = e_τ Γ r_τ + Λ t_τ
    dq_τ/dt = e_τ (Γ q_τ + q_τ Γᵀ) + Λ r_τᵀ + r_τ Λᵀ + e_τ E

Equivalent to Goldt, Mézard, Krzakala & Zdeborová, PRX 10, 041044 (2020) for the hidden manifold, and to Goldt et al.,
MSML (2022) for generators; Yoshida & Okada, NeurIPS (2019) for coloured inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tsphys._jit import njit, rebind
from tsphys.models.latent_teacher import LatentTeacher
from tsphys.models.two_students import TwoStudents
from tsphys.odes.equations import exchange
from tsphys.physics.activations import code
from tsphys.physics.committee import integrals, relu_integrals
from tsphys.physics.committee.integrals import I2, I3, I4, J2
from tsphys.physics.committee.motion import Rates, named
from tsphys.physics.order_parameters import DIMS
from tsphys.runs.frames import Equations, Solution, ode

#: Size of a state from which on the Jacobian of an implicit formula costs more than it saves.
LARGE = 1500
#: Names of the axes of what is observed.
OBSERVED = {**{name: DIMS[name] for name in ("R", "Q", "v")}, "W": DIMS["Q"], "Sigma": DIMS["Q"]}


@dataclass(frozen=True)
class Modes:
    """A state in its modes, or in groups of modes over which it is averaged.

    Parameters
    ----------
    e, weight : ndarray (n,)
        Eigenvalues of Ω, and the fractions of all N modes that have them.
    t, r, q : ndarray (n, M, M), (n, K, M), (n, K, K)
        As in the module.
    T : ndarray (M, M)
        Covariance of the teachers' fields.
    seen : ndarray (n, K), optional
        One where a student's weights move, zero where they are fixed, at zero; none: all move.
    net : ndarray (K,), optional
        The student that a unit belongs to, where there are several that learn from the same teachers; none: all one.
    shared : float
        Part of the examples that different ones have in common.
    """

    e: np.ndarray
    weight: np.ndarray
    t: np.ndarray
    r: np.ndarray
    q: np.ndarray
    T: np.ndarray
    seen: np.ndarray | None = None
    net: np.ndarray | None = None
    shared: float = 1.0


@njit
def mean_gradients(g, C, alpha, together, shared, K, rates, gamma, lam, E, dv):
    """Write Γ (K, K), Λ (K, M), E (K, K), ⟨dv⟩ (K,) at the covariance C of the fields.

    together (K, n) is one for the fields that the error of a unit is made of, its own net's and the teachers', else 0.
    ⟨g''(x_k) g(x_a)⟩ = (⟨g'(x_k) x_k g(x_a)⟩ − C_ka ⟨g'(x_k) g'(x_a)⟩)/C_kk by Stein's lemma.
    """
    n, p = C.shape[0], named(rates)
    for k in range(K):
        curvature = 0.0
        dv[k] = 0.0
        for a in range(n):
            own = I3(g, g, C[k, k], C[k, k], C[k, a], C[k, a], C[a, a])
            if C[k, k] > 0.0:
                curvature += together[k, a] * alpha[a] * (own - C[k, a] * J2(g, C, k, a)) / C[k, k]
            if p.lr_v != 0.0:
                dv[k] -= p.lr_v * together[k, a] * alpha[a] * I2(g, g, C[k, k], C[k, a], C[a, a])
        for a in range(n):
            slope = -p.lr * alpha[k] * together[k, a] * alpha[a] * J2(g, C, k, a)
            if a == k:
                slope -= p.lr * alpha[k] * curvature
            if a < K:
                gamma[k, a] = slope
            else:
                lam[k, a - K] = slope
        for l in range(k + 1):
            total = p.variance * J2(g, C, k, l)
            for a in range(n):
                for b in range(a + 1):
                    times = together[k, a] * together[l, b]
                    if a != b:
                        times += together[k, b] * together[l, a]
                    if times != 0.0:
                        total += times * alpha[a] * alpha[b] * I4(g, g, g, C, k, l, a, b)
            if together[k, l] == 0.0:
                total *= shared
            E[k, l] = E[l, k] = p.lr * p.lr / p.batch * alpha[k] * alpha[l] * total


@njit
def motion(y, dy, g, e, weight, t, T, seen, together, shared, v_star, rates, C, alpha, gamma, lam, E):
    """Write dy/dt of y = (r, q, v); the last five are memory."""
    n, M = e.shape[0], T.shape[0]
    K = gamma.shape[0]
    r, q = y[: n * K * M].reshape(n, K, M), y[n * K * M : n * K * (K + M)].reshape(n, K, K)
    dr, dq = dy[: n * K * M].reshape(n, K, M), dy[n * K * M : n * K * (K + M)].reshape(n, K, K)
    for k in range(K):
        alpha[k] = y[n * K * (K + M) + k]
        for l in range(K):
            C[k, l] = 0.0
            for i in range(n):
                C[k, l] += weight[i] * e[i] * 0.5 * (q[i, k, l] + q[i, l, k])
        for m in range(M):
            s = 0.0
            for i in range(n):
                s += weight[i] * r[i, k, m]
            C[k, K + m] = C[K + m, k] = s
    for m in range(M):
        alpha[K + m] = -v_star[m]
        for o in range(M):
            C[K + m, K + o] = T[m, o]
    mean_gradients(g, C, alpha, together, shared, K, rates, gamma, lam, E, dy[n * K * (K + M) :])
    for i in range(n):
        for k in range(K):
            for m in range(M):
                s = 0.0
                for j in range(K):
                    s += e[i] * gamma[k, j] * r[i, j, m]
                for o in range(M):
                    s += lam[k, o] * t[i, o, m]
                dr[i, k, m] = seen[i, k] * s
            for l in range(k + 1):
                s = e[i] * E[k, l]
                for j in range(K):
                    s += e[i] * (gamma[k, j] * q[i, j, l] + q[i, k, j] * gamma[l, j])
                for m in range(M):
                    s += lam[k, m] * r[i, l, m] + r[i, k, m] * lam[l, m]
                dq[i, k, l] = dq[i, l, k] = seen[i, k] * seen[i, l] * s


@cache
def _kernel(activation: str) -> Any:
    """`motion` with the integrals of one activation only, which spares the compilation of all others."""
    room = relu_integrals if activation == "relu" else integrals
    replace: dict[Any, Any] = {place: getattr(room, f"{place.__name__}_{activation}") for place in (I3, J2)}
    if activation == "relu":
        replace[I4] = relu_integrals.I4_relu
    if activation == "erf":
        replace[I4], replace[I2] = integrals.I4_erf, integrals.I2_erf
    return rebind(motion, replace, tag=activation)


def right_hand_side(
    model: LatentTeacher | TwoStudents, start: Modes
) -> Callable[[float, np.ndarray], np.ndarray]:  # fmt: skip
    """``rhs(t, y)`` of y = (r, q, v), of which only e, weight, t and what else does not move is taken from `start`."""
    n, K, M = start.r.shape
    v_star = model.readouts()[1]
    rates = np.array(Rates(model.lr, model.lr_v, model.noise**2, model.minibatch))
    kernel, g = _kernel(model.activation), code(model.activation)
    memory = np.zeros((K + M, K + M)), np.zeros(K + M), np.zeros((K, K)), np.zeros((K, M)), np.zeros((K, K))
    seen = np.ones((n, K)) if start.seen is None else start.seen
    together = np.ones((K, K + M))
    if start.net is not None:
        together[:, :K] = start.net[:, None] == start.net
    arrays = start.e, start.weight, start.t, start.T, seen, together
    given = [np.array(a, dtype=np.float64, order="C") for a in arrays]

    def rhs(_: float, y: np.ndarray) -> np.ndarray:
        dy = np.empty(len(y))
        # Numerical Jacobians come in columns.
        kernel(np.ascontiguousarray(y), dy, g, *given, start.shared, v_star, rates, *memory)
        return dy

    return rhs


def kept(model: LatentTeacher | TwoStudents, start: Modes, y0: np.ndarray) -> exchange.Kept:
    """`right_hand_side` and y = (r, q, v) at the start, of which units that are alike stay so."""
    n, K, M = start.r.shape
    # Fractions of coordinates are products, in one order or another.
    given = [("i", start.e, 0.0), ("i", start.weight, exchange.ROUNDING), ("imn", start.t, 0.0), ("mn", start.T, 0.0)]
    given += [("m", model.readouts()[1], 0.0), *([] if start.net is None else [("k", start.net, 0.0)])]
    rates = right_hand_side(model, start)
    return exchange.keeping(rates, y0, parts(n, K, M), given, K, M, seen=start.seen)


def parts(n: int, K: int, M: int) -> tuple[exchange.Part, ...]:
    """What stands in (r, q, v)."""
    return exchange.in_a_row(("ikm", (n, K, M)), ("ikl", (n, K, K)), ("k", (K,)))


def split(start: Modes, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """r (p, n, K, M), q (p, n, K, K) and v (p, K) of states (p, …)."""
    n, K, M = start.r.shape
    r, q, v = np.split(y, [n * K * M, n * K * (M + K)], axis=1)
    return r.reshape(-1, n, K, M), q.reshape(-1, n, K, K), v.copy()


def sums(start: Modes, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """R (p, K, M), Q (p, K, K) and v (p, K) of states (p, …)."""
    r, q, v = split(start, y)
    return np.einsum("i,tikm->tkm", start.weight, r), np.einsum("i,tikl->tkl", start.weight * start.e, q), v


def equations(
    model: LatentTeacher | TwoStudents, start: Modes, rtol: float, atol: float,
    more: Callable[[np.ndarray, np.ndarray], dict[str, np.ndarray]] | None = None,
) -> Equations:  # fmt: skip
    """The equations from a start: ``eps_g, R, Q, v``, and ``more(Q, q)`` of the modes' own q (p, n, K, K)."""
    v, v_star = model.readouts()
    y0 = np.concatenate([start.r.ravel(), start.q.ravel(), v])
    alike = kept(model, start, y0)
    plain = ode(alike.rates, alike.start)

    def follow(t: np.ndarray, *, rtol: float, atol: float, method: str) -> Solution:
        large = method == "auto" and len(y0) > LARGE
        return plain(t, rtol=rtol, atol=atol, method="DOP853" if large else method)

    def observe(y: np.ndarray) -> dict[str, np.ndarray]:
        R, Q, readout = sums(start, y)
        # The sum of squares may round to less than nothing.
        eps_g = np.maximum(model.eps_g(R, Q, start.T, readout, v_star), 0.0)
        found = {"eps_g": eps_g, "R": R, "Q": Q, "v": readout}
        return found if more is None else {**found, **more(Q, split(start, y)[1])}

    return Equations((follow,), observe, rtol, atol)
