"""Online learning of the two-layer network for N → ∞: the closed equations of motion of its order parameters.

Instead of Q the state holds S = Q − R T⁺ Rᵀ, the overlaps of what the students have outside of the teachers' span: at
specialisation S vanishes like eps_g while Q would lose it in rounding, and R is only needed to the root of eps_g.

Saad & Solla, PRE 52, 4225 (1995); Biehl & Schwarze, J. Phys. A 28, 643 (1995); Riegler & Biehl, J. Phys. A 28, L507
(1995); Goldt et al., NeurIPS 2019, for any K and M and a trained second layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from tsphys._jit import njit, rebind
from tsphys.errors import DivergedError
from tsphys.models.fields import number
from tsphys.models.two_layer import TwoLayer
from tsphys.physics import integrals, relu_integrals
from tsphys.physics.activations import code
from tsphys.physics.deviations import close_square, close_square_linear, nearest_bases, plain_square
from tsphys.physics.integrals import I2, I3, I4, J2, I2_erf, closed
from tsphys.physics.order_parameters import DIVERGED, OrderParameters
from tsphys.runs.online import theory_result, theory_start
from tsphys.runs.result import Result
from tsphys.runs.times import times
from tsphys.solvers.ode import integrate

#: Tolerance of S relative to that of R: S is of second order where R is of first, and what rounding leaves of
#: ⟨ccᵀ⟩, which drives it, is 1e-16 unless it is known as a sum of deviations.
_FINE, _COARSE = 1e-4, 3e-3
#: Rounding of ⟨g' g' Δ²⟩ summed over the fields, relative to its largest term.
_ROUNDING = 3e-14
#: Students with (λ_k − λ_l)² below this, relative to λ_k², are the same.
_IDENTICAL = 1e-13


@njit
def _fields(y, T, T_inv, base, sign, S, E):
    """From y = (R, triangle of S, v) write S and the covariance E of (δ, ν): see `tsphys.physics.deviations`.

    The deviations of R from the bases are of first order; all of second order comes from them and S, uncancelled.
    """
    K, M = S.shape[0], T.shape[0]
    at = K * M
    for k in range(K):
        for m in range(M):
            E[k, K + m] = E[K + m, k] = y[k * M + m] - sign[k] * T[base[k] - K, m]
        for l in range(k + 1):
            S[k, l] = S[l, k] = y[at]
            at += 1
    for m in range(M):
        for n in range(M):
            E[K + m, K + n] = T[m, n]
    for k in range(K):
        for l in range(k + 1):
            c = S[k, l]
            for m in range(M):
                for n in range(M):
                    c += E[k, K + m] * T_inv[m, n] * E[l, K + n]
            E[k, l] = E[l, k] = c


@njit
def _same(C, k):
    """The first student with the weights of student k.

    Students of relu that differ by little in D = ⟨(λ_k − λ_l)²⟩ part like dD/dt ∝ √D: whether rounding makes them
    differ must not decide.
    """
    for l in range(k):
        if C[k, k] - 2.0 * C[k, l] + C[l, l] <= _IDENTICAL * C[k, k]:
            return l
    return k


@njit
def _spread(kind, alpha, C, E, K, base, sign, close, k, l):
    """⟨g'(λ_k) g'(λ_l) Δ²⟩ as a sum over the fields, faded out below its rounding.

    Close to an exact copy what is left of the sum is noise, at which the step size of the integration would collapse.
    """
    out, noise = 0.0, 0.0
    i, j = _same(C, k), _same(C, l)
    for a in range(alpha.shape[0]):
        for b in range(a + 1):
            p, q = (_same(C, a) if a < K else a), (_same(C, b) if b < K else b)
            twice = 1.0 if a == b else 2.0
            term = twice * alpha[a] * alpha[b] * I4(kind[0], kind[a], kind[b], C, i, j, p, q)
            out += term
            noise = max(noise, _ROUNDING * abs(term))
    return out * (out * out / (out * out + noise * noise)) if noise > 0.0 else out


@njit
def _spread_linear(kind, alpha, C, E, K, base, sign, close, k, l):
    """The same of a linear student, whose g' is one."""
    return close_square_linear(alpha, E, K, base, sign) if close else plain_square(kind, alpha, C)


@njit
def _spread_erf(kind, alpha, C, E, K, base, sign, close, k, l):
    """The same of an erf student: g' g' is a Gaussian weight, so it is ⟨Δ²⟩ at another covariance."""
    weighed = np.empty_like(E)
    kk, kl, ll = 1.0 + C[k, k], C[k, l], 1.0 + C[l, l]
    det = kk * ll - kl * kl
    p, q, i, j = sign[k], sign[l], base[k], base[l]
    for a in range(E.shape[0]):
        ak, al = E[a, k] + p * E[a, i], E[a, l] + q * E[a, j]
        x, y = (ll * ak - kl * al) / det, (kk * al - kl * ak) / det
        for b in range(E.shape[0]):
            weighed[a, b] = E[a, b] - x * (E[b, k] + p * E[b, i]) - y * (E[b, l] + q * E[b, j])
    square = close_square(alpha, weighed, K, base, sign) if close else plain_square(kind, alpha, weighed)
    return 2.0 / math.pi / math.sqrt(det) * square


@njit
def _prepare(y, kind, near, T, T_inv, v_star, alpha, base, sign, S, C, E):
    """Write all that is known of a state; whether E holds deviations that are small, otherwise it is C."""
    K, n = S.shape[0], alpha.shape[0]
    for i in range(n):
        base[i], sign[i] = K, 0.0
        alpha[i] = y[y.shape[0] - K + i] if i < K else -v_star[i - K]
    _fields(y, T, T_inv, base, sign, S, C)
    close = nearest_bases(C, K, base, sign) and near
    if not close:
        for i in range(n):
            sign[i] = 0.0
    _fields(y, T, T_inv, base, sign, S, E)
    return close


@njit
def _motion(y, dy, kind, near, T, T_inv, v_star, p):
    """Write dy/dt; p = [η, η_v, σ², κ, κ_v, b]."""
    n, M = kind.shape[0], T.shape[0]
    K = n - M
    alpha, base, sign = np.empty(n), np.empty(n, np.int64), np.empty(n)
    S, C, E = np.empty((K, K)), np.empty((n, n)), np.empty((n, n))
    close = _prepare(y, kind, near, T, T_inv, v_star, alpha, base, sign, S, C, E)
    after = y.shape[0] - K
    for i in range(y.shape[0]):
        dy[i] = -y[i] * (p[3] if i < K * M else (2.0 * p[3] if i < after else p[4]))
    move = np.zeros((K, n))
    for k in range(K):
        for a in range(n):
            if p[1] != 0.0:
                dy[after + k] -= p[1] * alpha[a] * I2(kind[k], kind[a], C[k, k], C[k, a], C[a, a])
            if p[0] != 0.0:
                for b in range(n):
                    # b < K: what λ_b has outside of the teachers' span, which is independent of every ν.
                    to_k = S[b, k] if b < K else C[b, k]
                    to_a = C[b, a] if b >= K else (S[b, a] if a < K else 0.0)
                    move[k, b] -= alpha[k] * alpha[a] * I3(kind[k], kind[a], C[k, k], to_k, C[k, a], to_a, C[a, a])
    if p[0] == 0.0:
        return
    at = K * M
    for k in range(K):
        for m in range(M):
            dy[k * M + m] += p[0] * move[k, K + m]
        for l in range(k + 1):
            spread = _spread(kind, alpha, C, E, K, base, sign, close, k, l)
            if p[2] != 0.0:
                spread += p[2] * J2(kind[0], C, k, l)
            dy[at] += p[0] * (move[k, l] + move[l, k]) + p[0] * p[0] / p[5] * alpha[k] * alpha[l] * spread
            at += 1


@njit
def _observe(states, kind, near, T, T_inv, v_star, eps_g, Q):
    """Write eps_g and Q of each state; the error from deviations, so that it is exact to its own size."""
    K, n = Q.shape[1], kind.shape[0]
    alpha, base, sign = np.empty(n), np.empty(n, np.int64), np.empty(n)
    S, C, E = np.empty((K, K)), np.empty((n, n)), np.empty((n, n))
    for i in range(states.shape[0]):
        close = _prepare(states[i], kind, near, T, T_inv, v_star, alpha, base, sign, S, C, E)
        eps_g[i] = 0.5 * (close_square(alpha, E, K, base, sign) if close else plain_square(kind, alpha, C))
        for k in range(K):
            for l in range(K):
                Q[i, k, l] = C[k, l]


@cache
def _kernels(student: str, teacher: str) -> tuple[Any, Any]:
    """`_motion` and `_observe` with the integrals of one student only, which spares the compilation of all others."""
    if student not in ("erf", "relu", "linear", "quad", "he2"):
        return _motion, _observe
    family = "even" if student in ("quad", "he2") else student
    room = relu_integrals if family == "relu" else integrals
    replace: dict[Any, Any] = {I3: getattr(room, f"I3_{family}"), J2: getattr(room, f"J2_{family}")}
    tag = family
    if student == teacher == "erf":
        replace[I2] = I2_erf
        tag = "erf_erf"
    if family == "linear":
        replace[close_square] = close_square_linear
    if family in ("erf", "linear"):
        replace[_spread] = rebind(_spread_erf if family == "erf" else _spread_linear, replace, tag=tag)
    else:
        replace[I4] = getattr(room, f"I4_{family}")
    return rebind(_motion, replace, tag=tag), rebind(_observe, replace, tag=tag)


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
        return np.array([m.eta_w, m.eta_v, m.noise * m.noise, m.kappa, m.kappa_v, float(m.minibatch)])

    @property
    def T_inv(self) -> np.ndarray:
        """T⁺, the pseudo-inverse."""
        return np.linalg.pinv(self.T, hermitian=True)

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What `_motion` and `_observe` want to know."""
        student, teacher = self.model.activations
        kind = np.array([code(student)] * self.model.K + [code(teacher)] * self.model.M)
        return kind, student == teacher and student in ("erf", "linear"), self.T, self.T_inv, self.v_star

    def state(self, start: OrderParameters) -> np.ndarray:
        """(R, triangle of S, v) as one vector."""
        S = start.Q - start.R @ self.T_inv @ start.R.T
        return np.concatenate([start.R.ravel(), S[np.tril_indices(len(S))], start.v])

    def rhs(self) -> Callable[[float, np.ndarray], np.ndarray]:
        """``rhs(t, y)`` for `integrate`."""
        kernel, arguments, rates = _kernels(*self.model.activations)[0], self.arguments, self.rates

        def rhs(t: float, y: np.ndarray) -> np.ndarray:
            dy = np.empty_like(y)
            kernel(y, dy, *arguments, rates)
            return dy

        return rhs

    def observe(self, states: np.ndarray) -> dict[str, np.ndarray]:
        """``eps_g, R, Q, v`` of states (n, …)."""
        n, K, M = len(states), self.model.K, self.model.M
        eps_g, Q = np.empty(n), np.empty((n, K, K))
        _kernels(*self.model.activations)[1](states, *self.arguments, eps_g, Q)
        # The sum of squares may round to less than nothing.
        np.maximum(eps_g, 0.0, out=eps_g)
        return {"eps_g": eps_g, "R": states[:, : K * M].reshape(n, K, M), "Q": Q, "v": states[:, -K:].copy()}

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
    rtol: float | None = None,
    atol: float | None = None,
    method: str = "auto",
) -> Result:
    """Solve the equations of motion for N → ∞, and observe the order parameters at the times t.

    Parameters
    ----------
    model : TwoLayer
        Online (no `alpha`). Pairs of activations without closed integrals go to `tsphys.odes.learning_rule`.
    t : sequence of float
        Times t = steps/N, increasing from 0 or later.
    start : OrderParameters, optional
        Overlaps at t = 0; none: what replica 0 of a simulation at size N with this seed draws, since the escape from
        the plateau starts from fluctuations of order 1/√N.
    N, seed : int
        Of that draw; without a meaning when a start is given.
    rtol, atol : float
        Tolerances of R and v in `integrate`; that of S is finer. By default 1e-12 and 1e-13, for relu, quad and he2,
        whose equations are known to rounding only, 1e-11 and 1e-12, for quadratures 1e-8 and 1e-10. The relative
        error of eps_g is then below 1e-6 at eps_g = 1e-8, for erf also at 1e-12.
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
        If an order parameter exceeds 1e16 (learning rate too large); ``partial`` is the Result until then.
    ConvergenceError
        If the tolerance cannot be met.
    """
    if not has_closed_equations(model):
        from tsphys.odes import learning_rule

        # The quadrature has an error of its own, below which a tolerance buys nothing.
        rtol, atol = 1e-8 if rtol is None else rtol, 1e-10 if atol is None else atol
        return learning_rule.solve(model, t=t, start=start, N=N, seed=seed, rtol=rtol, atol=atol, method=method)
    t = times("t", t)
    fine = model.activation in ("erf", "linear")
    rtol = (1e-12 if fine else 1e-11) if rtol is None else rtol
    atol = number("atol", (1e-13 if fine else 1e-12) if atol is None else atol, low=0)
    first, record = theory_start(model, start, N, seed)
    motion = Motion(model, np.array(first.T), np.array(first.v_star))

    def result(states: np.ndarray, info: dict[str, Any]) -> Result:
        return theory_result(model, t, first, meta={**record, **info}, **motion.observe(states))

    try:
        states, info = integrate(
            motion.rhs(), motion.state(first), t, rtol=rtol, atol=motion.tolerances(atol), method=method, limit=DIVERGED
        )
    except DivergedError as error:
        raise DivergedError(str(error), t=error.t, partial=result(error.partial, {})) from None
    return result(states, info)
