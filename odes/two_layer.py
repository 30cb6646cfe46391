"""Online learning of the two-layer network for N → ∞: the closed equations of motion of its order parameters.

Instead of Q the state holds S = Q − R T⁺ Rᵀ, the overlaps of what the students have outside of the teachers' span: at
specialisation S vanishes like eps_g while Q would lose it in rounding, and R is only needed to the root of eps_g.

Saad & Solla, PRE 52, 4225 (1995); Biehl & Schwarze, J. Phys. A 28, 643 (1995); Riegler & Biehl, J. Phys. A 28, L507
(1995); Goldt et al., NeurIPS 2019, for any K and M and a trained second layer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tsphys._jit import njit, rebind
from tsphys.errors import DivergedError, ModelError
from tsphys.models.fields import number, parameters
from tsphys.models.starts import checked_start, drawn_start
from tsphys.models.two_layer import TwoLayer
from tsphys.physics import integrals, relu_integrals
from tsphys.physics.activations import ERF, LINEAR, code
from tsphys.physics.deviations import close_square, describe, nearest_bases, plain_square, readout_difference
from tsphys.physics.integrals import I2, I3, I4, J2, J2_erf, closed, tilted
from tsphys.physics.order_parameters import DIMS, OrderParameters, need
from tsphys.runs.provenance import provenance
from tsphys.runs.result import Result
from tsphys.runs.times import times
from tsphys.solvers.ode import integrate

#: Tolerance of S relative to that of R: S is of second order where R is of first, and what rounding leaves of
#: ⟨ccᵀ⟩, which drives it, is 1e-16 unless it is known as a sum of deviations.
_FINE, _COARSE = 1e-8, 1e-3
_QUADRATURE_RTOL = 1e-8


@njit
def _sizes(y, T):
    """K and M of a state of K·M + K(K+1)/2 + K numbers."""
    M = T.shape[0]
    K = 1
    while y.shape[0] > K * M + K * (K + 1) // 2 + K:
        K += 1
    return K, M


@njit
def _unpack(y, T, T_inv, R, S, v, A, C):
    """From the state y = (R, triangle of S, v): also A = R T⁺ and the covariance C (K+M, K+M) of all fields."""
    K, M = R.shape
    at = 0
    for k in range(K):
        for m in range(M):
            R[k, m] = C[k, K + m] = C[K + m, k] = y[at]
            at += 1
    for k in range(K):
        for l in range(k + 1):
            S[k, l] = S[l, k] = y[at]
            at += 1
    for m in range(M):
        for n in range(M):
            C[K + m, K + n] = T[m, n]
    for k in range(K):
        v[k] = y[at + k]
        for m in range(M):
            A[k, m] = 0.0
            for n in range(M):
                A[k, m] += R[k, n] * T_inv[n, m]
        for l in range(k + 1):
            C[k, l] = S[k, l]
            for m in range(M):
                C[k, l] += A[k, m] * R[l, m]
            C[l, k] = C[k, l]


@njit
def _base(gs, gt, C, T, A, S, v, v_star, unit, sign, D, P, u):
    """Fill unit, sign, D, P and u of `close_square`, from A and S, where nothing cancels; whether it applies."""
    K, M = A.shape
    if gs != gt or gs not in (ERF, LINEAR):
        return False
    if gs == LINEAR:
        # Only Σ v_k w_k matters: the base is whatever the students have in the teachers' span.
        for m in range(M):
            u[m] = -v_star[m]
            for k in range(K):
                u[m] += v[k] * A[k, m]
                P[k, m] = 0.0
        for k in range(K):
            for l in range(K):
                D[k, l] = S[k, l]
        return True
    if not nearest_bases(C, K, unit, sign):
        return False
    readout_difference(v, v_star, unit, sign, u)
    for k in range(K):
        if unit[k] >= 0:
            A[k, unit[k]] -= sign[k]
        for m in range(M):
            P[k, m] = 0.0
            for n in range(M):
                P[k, m] += A[k, n] * T[n, m]
        for l in range(k + 1):
            D[k, l] = S[k, l]
            for m in range(M):
                D[k, l] += P[k, m] * A[l, m]
            D[l, k] = D[k, l]
    return True


@njit
def _spread(gs, C, kind, alpha, close, T, unit, sign, D, P, v, u, k, l):
    """⟨g'(λ_k) g'(λ_l) Δ²⟩ as a sum over the fields."""
    out = 0.0
    for a in range(alpha.shape[0]):
        out += alpha[a] * alpha[a] * I4(gs, kind[a], kind[a], C, k, l, a, a)
        for b in range(a):
            out += 2.0 * alpha[a] * alpha[b] * I4(gs, kind[a], kind[b], C, k, l, a, b)
    return out


@njit
def _spread_linear(gs, C, kind, alpha, close, T, unit, sign, D, P, v, u, k, l):
    """The same of a linear student, whose g' is one."""
    return close_square(gs, T, D, P, v, u, unit, sign) if close else plain_square(kind, alpha, C)


@njit
def _spread_erf(gs, C, kind, alpha, close, T, unit, sign, D, P, v, u, k, l):
    """The same of an erf student: g' g' is a Gaussian weight, so it is ⟨Δ²⟩ at other covariances."""
    K, M = P.shape
    J = J2_erf(gs, C, k, l)
    if not close:
        weighed = np.empty_like(C)
        for i in range(K + M):
            for j in range(i + 1):
                weighed[i, j] = weighed[j, i] = tilted(C, k, l, i, j)
        return J * plain_square(kind, alpha, weighed)
    D2, P2, T2 = np.empty_like(D), np.empty_like(P), np.empty_like(T)
    kk, kl, ll = 1.0 + C[k, k], C[k, l], 1.0 + C[l, l]
    det = kk * ll - kl * kl
    for i in range(K):
        ik, il = D[i, k] + _with_base(P, unit, sign, i, k), D[i, l] + _with_base(P, unit, sign, i, l)
        a, b = (ll * ik - kl * il) / det, (kk * il - kl * ik) / det
        for j in range(K):
            jk, jl = D[j, k] + _with_base(P, unit, sign, j, k), D[j, l] + _with_base(P, unit, sign, j, l)
            D2[i, j] = D[i, j] - a * jk - b * jl
        for m in range(M):
            P2[i, m] = P[i, m] - a * C[K + m, k] - b * C[K + m, l]
    for m in range(M):
        for n in range(M):
            T2[m, n] = tilted(C, k, l, K + m, K + n)
    return J * close_square(gs, T2, D2, P2, v, u, unit, sign)


@njit
def _with_base(P, unit, sign, i, k):
    """⟨δ_i β_k⟩."""
    return sign[k] * P[i, unit[k]] if unit[k] >= 0 else 0.0


@njit
def _motion(y, dy, gs, gt, T, T_inv, v_star, p):
    """Write dy/dt; p = [η, η_v, σ², κ, κ_v, b]."""
    K, M = _sizes(y, T)
    n, after = K + M, K * M + K * (K + 1) // 2
    eta, eta_v = p[0], p[1]
    R, S, v, A, C = np.empty((K, M)), np.empty((K, K)), np.empty(K), np.empty((K, M)), np.empty((n, n))
    _unpack(y, T, T_inv, R, S, v, A, C)
    kind, alpha = np.empty(n, np.int64), np.empty(n)
    describe(gs, gt, v, v_star, kind, alpha)
    for i in range(y.shape[0]):
        dy[i] = -y[i] * (p[3] if i < K * M else (2.0 * p[3] if i < after else p[4]))
    if eta_v != 0.0:
        for k in range(K):
            for a in range(n):
                dy[after + k] -= eta_v * alpha[a] * I2(gs, kind[a], C[k, k], C[k, a], C[a, a])
    if eta == 0.0:
        return
    pull = np.zeros((K, K))
    for k in range(K):
        for a in range(n):
            rate = -eta * v[k] * alpha[a]
            for m in range(M):
                to_k, to_a = C[K + m, k], C[K + m, a]
                dy[k * M + m] += rate * I3(gs, kind[a], C[k, k], to_k, C[k, a], to_a, C[a, a])
            for l in range(K):
                # What λ_l has outside of the teachers' span is independent of every ν.
                to_a = S[l, a] if a < K else 0.0
                pull[k, l] += rate * I3(gs, kind[a], C[k, k], S[l, k], C[k, a], to_a, C[a, a])
    unit, sign = np.empty(K, np.int64), np.empty(K)
    D, P, u = np.empty((K, K)), np.empty((K, M)), np.empty(M)
    close = _base(gs, gt, C, T, A, S, v, v_star, unit, sign, D, P, u)
    at = K * M
    for k in range(K):
        for l in range(k + 1):
            spread = _spread(gs, C, kind, alpha, close, T, unit, sign, D, P, v, u, k, l)
            if p[2] != 0.0:
                spread += p[2] * J2(gs, C, k, l)
            dy[at] += pull[k, l] + pull[l, k] + eta * eta / p[5] * v[k] * v[l] * spread
            at += 1


@njit
def _observe(states, gs, gt, T, T_inv, v_star, eps_g, R, Q, v):
    """Write the observables of each state; the error from deviations, so that it is exact to its own size."""
    K, M = R.shape[1], R.shape[2]
    S, A, C = np.empty((K, K)), np.empty((K, M)), np.empty((K + M, K + M))
    kind, alpha = np.empty(K + M, np.int64), np.empty(K + M)
    unit, sign = np.empty(K, np.int64), np.empty(K)
    D, P, u = np.empty((K, K)), np.empty((K, M)), np.empty(M)
    for i in range(states.shape[0]):
        _unpack(states[i], T, T_inv, R[i], S, v[i], A, C)
        for k in range(K):
            for l in range(K):
                Q[i, k, l] = C[k, l]
        if _base(gs, gt, C, T, A, S, v[i], v_star, unit, sign, D, P, u):
            eps_g[i] = 0.5 * close_square(gs, T, D, P, v[i], u, unit, sign)
        else:
            describe(gs, gt, v[i], v_star, kind, alpha)
            eps_g[i] = 0.5 * plain_square(kind, alpha, C)


@cache
def _kernel(student: str) -> Any:
    """`_motion` with the integrals of one student activation only, which spares the compilation of all others."""
    if student not in ("erf", "relu", "linear", "quad", "he2"):
        return _motion
    family = "even" if student in ("quad", "he2") else student
    room = relu_integrals if family == "relu" else integrals
    replace: dict[Any, Any] = {I3: getattr(room, f"I3_{family}"), J2: getattr(room, f"J2_{family}")}
    if family in ("erf", "linear"):
        replace[_spread] = _spread_erf if family == "erf" else _spread_linear
    else:
        replace[I4] = getattr(room, f"I4_{family}")
    return rebind(_motion, replace, tag=family)


@dataclass(frozen=True)
class Motion:
    """The equations of motion of a model for given teachers.

    Parameters
    ----------
    model : TwoLayer
    T : ndarray (M, M)
    v_star : ndarray (M,)
        Overlaps and readout of the teachers.
    """

    model: TwoLayer
    T: np.ndarray
    v_star: np.ndarray

    @property
    def rates(self) -> np.ndarray:
        """[η, η_v, σ², κ, κ_v, b]."""
        m = self.model
        return np.array([m.eta_w, m.eta_v, m.noise**2, m.kappa, m.kappa_v, float(m.minibatch)])

    @property
    def T_inv(self) -> np.ndarray:
        """T⁺, the pseudo-inverse."""
        return np.linalg.pinv(self.T, hermitian=True)

    @property
    def codes(self) -> tuple[int, int]:
        """Codes of the activations of student and teacher."""
        student, teacher = self.model.activations
        return code(student), code(teacher)

    def state(self, start: OrderParameters) -> np.ndarray:
        """(R, triangle of S, v) as one vector."""
        S = start.Q - start.R @ self.T_inv @ start.R.T
        return np.concatenate([start.R.ravel(), S[np.tril_indices(len(S))], start.v])

    def rhs(self) -> Callable[[float, np.ndarray], np.ndarray]:
        """``rhs(t, y)`` for `integrate`."""
        kernel, codes, T_inv, rates = _kernel(self.model.activation), self.codes, self.T_inv, self.rates

        def rhs(t: float, y: np.ndarray) -> np.ndarray:
            dy = np.empty_like(y)
            kernel(y, dy, *codes, self.T, T_inv, self.v_star, rates)
            return dy

        return rhs

    def observe(self, states: np.ndarray) -> dict[str, np.ndarray]:
        """``eps_g, R, Q, v`` of states (n, …)."""
        n, K, M = len(states), self.model.K, self.model.M
        out = {"eps_g": np.empty(n), "R": np.empty((n, K, M)), "Q": np.empty((n, K, K)), "v": np.empty((n, K))}
        _observe(np.ascontiguousarray(states), *self.codes, self.T, self.T_inv, self.v_star, *out.values())
        return out

    def tolerances(self, atol: float) -> np.ndarray:
        """`atol` of each component of the state."""
        K, M = self.model.K, self.model.M
        fine = self.model.activations in (("erf", "erf"), ("linear", "linear"))
        triangle = np.full(K * (K + 1) // 2, atol * (_FINE if fine else _COARSE))
        return np.concatenate([np.full(K * M, atol), triangle, np.full(K, atol)])


def has_closed_equations(model: TwoLayer) -> bool:
    """Whether the equations of motion are closed: the pair is, or only the readout trains and no unit is tanh."""
    return closed(*model.activations) or (model.eta_w == 0.0 and "tanh" not in model.activations)


def solve(
    model: TwoLayer,
    *,
    t: Any,
    start: OrderParameters | None = None,
    N: int = 1000,
    seed: int = 0,
    rtol: float = 1e-12,
    atol: float = 1e-13,
    method: str = "auto",
) -> Result:
    """Solve the equations of motion for N → ∞, and observe the order parameters at the times t.

    Parameters
    ----------
    model : TwoLayer
        Online (no `alpha`). Pairs of activations without closed integrals go to `tsphys.odes.learning_rule`.
    t : sequence of float
        Times, in examples/(N·b), increasing from 0 or later.
    start : OrderParameters, optional
        Overlaps at t = 0; none: what replica 0 of a simulation at size N with this seed draws, since the escape from
        the plateau starts from fluctuations of order 1/√N.
    N, seed : int
        Of that draw; without a meaning when a start is given.
    rtol, atol : float
        Tolerances of R and v in `integrate`; that of S is finer by the square. With the default eps_g has a
        relative error below 1e-6 down to eps_g = 1e-8 and below (relu, quad: an absolute error below 1e-15).
    method : str
        See `tsphys.solvers.ode.integrate`.

    Returns
    -------
    Result
        ``eps_g`` (len(t),), ``R`` (len(t), K, M), ``Q`` (…, K, K), ``v`` (…, K), and constant ``T``, ``v_star``.

    Raises
    ------
    ModelError
        If an argument is out of range, or the model has a fixed training set.
    DivergedError
        If an order parameter exceeds 1e8 (learning rate too large); ``partial`` is the Result until then.
    ConvergenceError
        If the tolerance cannot be met.
    """
    if model.alpha is not None:
        raise ModelError("alpha", model.alpha, "must be none: with a fixed training set no closed theory is known here")
    if not has_closed_equations(model):
        from tsphys.odes import learning_rule

        # The quadrature has an error of its own, below which a tolerance buys nothing.
        rtol, atol = max(rtol, _QUADRATURE_RTOL), max(atol, 0.01 * _QUADRATURE_RTOL)
        return learning_rule.solve(model, t=t, start=start, N=N, seed=seed, rtol=rtol, atol=atol, method=method)
    t = times("t", t)
    atol = number("atol", atol, low=0)
    if start is None:
        first = drawn_start(model, need(N, model.K, model.M), number("seed", seed, kind=int, low=0, high=2**63 - 1))
        drawn = {"N": int(N), "seed": int(seed)}
    else:
        first, drawn = checked_start(model.learning_rule(), start), {}
    motion = Motion(model, np.array(first.T), np.array(first.v_star))

    def result(states: np.ndarray, info: dict[str, Any]) -> Result:
        constants = {"T": motion.T, "v_star": motion.v_star}
        given = {k: getattr(first, k).tolist() for k in ("R", "Q", "T", "v", "v_star")}
        return Result(
            kind="theory",
            model=model.name,
            parameters=parameters(model),
            axis="t",
            data={"t": t, **motion.observe(states), **constants},
            dims=DIMS,
            constants=tuple(constants),
            meta={"start": given, **drawn, **info, **provenance()},
        )

    try:
        states, info = integrate(
            motion.rhs(), motion.state(first), t, rtol=rtol, atol=motion.tolerances(atol), method=method
        )
    except DivergedError as error:
        raise DivergedError(str(error), t=error.t, partial=result(error.partial, {})) from None
    return result(states, info)
