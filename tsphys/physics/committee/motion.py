"""Equations of motion of two-layer networks for N → ∞: the kernels, for any number of teachers' units.

Instead of Q the state holds S = Q − R T⁺ Rᵀ, the overlaps of what the students have outside of the teachers' span: at
specialisation S vanishes like eps_g while Q would lose it in rounding, and R is only needed to the root of eps_g.
A teacher's unit with the readout 0 takes no part in the error, but its overlaps with the students are followed.

Saad & Solla, PRE 52, 4225 (1995); Biehl & Schwarze, J. Phys. A 28, 643 (1995); Riegler & Biehl, J. Phys. A 28, L507
(1995); Goldt et al., NeurIPS 2019, for any K and M and a trained second layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from tsphys._jit import njit, rebind
from tsphys.physics.committee import integrals, relu_integrals
from tsphys.physics.committee.deviations import (
    MATCHED,
    close_square,
    close_square_linear,
    nearest_bases,
    plain_square,
    plain_square_erf,
)
from tsphys.physics.committee.integrals import I2, I3, I4, J2, I2_erf

#: Rounding of ⟨g' g' Δ²⟩ summed over the fields, relative to its largest term.
_ROUNDING = 3e-14
#: Students with (λ_k − λ_l)² below this, relative to λ_k², are the same.
_IDENTICAL = 1e-13


class Rates(NamedTuple):
    """What the motion depends on beside the state.

    Kernels are handed an array, which takes less time than a tuple, and know them by these names inside.
    """

    lr: float
    """η"""
    lr_v: float
    """η_v"""
    variance: float
    """σ² of the noise of the output"""
    batch: float
    """b, examples in a step"""
    decay: float = 0.0
    """κ"""
    decay_v: float = 0.0
    """κ_v"""


@njit
def named(rates):
    """The array of `Rates` by their names."""
    return Rates(rates[0], rates[1], rates[2], rates[3], rates[4], rates[5])


@njit
def _fields(y, T, T_inv, base, sign, S, E):
    """From y = (R, triangle of S, v) write S and the covariance E of (δ, ν): see `tsphys.physics.committee.deviations`.

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
    within = np.empty(M)
    for k in range(K):
        for m in range(M):
            x = 0.0
            for n in range(M):
                x += T_inv[m, n] * E[k, K + n]
            within[m] = x
        for l in range(k + 1):
            c = S[k, l]
            for m in range(M):
                c += E[l, K + m] * within[m]
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
    n, weighed = E.shape[0], np.empty_like(E)
    kk, kl, ll = C[k, k], C[k, l], C[l, l]
    # Of fields that are large and nearly the same, (1 + a)(1 + b) − c² and the like would keep no digit of the rest.
    det = 1.0 + kk + ll + (kk * ll - kl * kl)
    p, q, i, j = sign[k], sign[l], base[k], base[l]
    to_k, to_l, x, y = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for a in range(n):
        to_k[a], to_l[a] = E[k, a] + p * E[i, a], E[l, a] + q * E[j, a]
        x[a] = (to_k[a] + (ll * to_k[a] - kl * to_l[a])) / det
        y[a] = (to_l[a] + (kk * to_l[a] - kl * to_k[a])) / det
    for a in range(n):
        for b in range(n):
            weighed[a, b] = E[a, b] - x[a] * to_k[b] - y[a] * to_l[b]
    # C − C(1 + C)⁻¹C = (1 + C)⁻¹C of the weight's own fields, without the difference of large numbers.
    for a in range(n):
        if p == 0.0:
            weighed[a, k] = weighed[k, a] = x[a]
        if q == 0.0:
            weighed[a, l] = weighed[l, a] = y[a]
    square = close_square(alpha, weighed, K, base, sign) if close else plain_square(kind, alpha, weighed)
    return 2.0 / math.pi / math.sqrt(det) * square


@njit
def _matched(alpha, K, base, sign):
    """Whether the students' bases together make up the teacher, so that of Δ only small terms are left."""
    left = alpha.copy()
    for k in range(K):
        left[base[k]] += sign[k] * alpha[k]
    matched = True
    for m in range(K, alpha.shape[0]):
        matched = matched and abs(left[m]) <= MATCHED * abs(alpha[m])
    return matched


@njit
def _prepare(y, kind, near, T, T_inv, v_star, alpha, base, sign, S, C, E):
    """Write all that is known of a state; whether E holds deviations that are small, otherwise it is C."""
    K, n = S.shape[0], alpha.shape[0]
    for i in range(n):
        base[i], sign[i] = K, 0.0
        alpha[i] = y[y.shape[0] - K + i] if i < K else -v_star[i - K]
    _fields(y, T, T_inv, base, sign, S, C)
    close = nearest_bases(C, K, base, sign) and near and _matched(alpha, K, base, sign)
    if not close:
        for i in range(n):
            sign[i] = 0.0
    _fields(y, T, T_inv, base, sign, S, E)
    return close


@njit
def motion(y, dy, kind, near, T, T_inv, v_star, rates):
    """Write dy/dt; `rates` is the array of `Rates`."""
    p = named(rates)
    n, M = kind.shape[0], T.shape[0]
    K = n - M
    alpha, base, sign = np.empty(n), np.empty(n, np.int64), np.empty(n)
    S, C, E = np.empty((K, K)), np.empty((n, n)), np.empty((n, n))
    close = _prepare(y, kind, near, T, T_inv, v_star, alpha, base, sign, S, C, E)
    after = y.shape[0] - K
    for i in range(y.shape[0]):
        dy[i] = -y[i] * (p.decay if i < K * M else (2.0 * p.decay if i < after else p.decay_v))
    move = np.zeros((K, n))
    for k in range(K):
        for a in range(n):
            if alpha[a] == 0.0:
                continue
            if p.lr_v != 0.0:
                dy[after + k] -= p.lr_v * alpha[a] * I2(kind[k], kind[a], C[k, k], C[k, a], C[a, a])
            if p.lr != 0.0:
                # I3 is linear in what x_b has in common with λ_k and x_a. For a = k the two are one, in which the large
                # terms of a large field have cancelled.
                near_k = I3(kind[k], kind[a], C[k, k], 1.0, C[k, a], 1.0 if a == k else 0.0, C[a, a])
                near_a = 0.0 if a == k else I3(kind[k], kind[a], C[k, k], 0.0, C[k, a], 1.0, C[a, a])
                near_k, near_a = -alpha[k] * alpha[a] * near_k, -alpha[k] * alpha[a] * near_a
                # For b < K: what λ_b has outside of the teachers' span, which is independent of every ν.
                for b in range(K):
                    move[k, b] += near_k * S[b, k] + near_a * (S[b, a] if a < K else 0.0)
                for b in range(K, n):
                    move[k, b] += near_k * C[b, k] + near_a * C[b, a]
    if p.lr == 0.0:
        return
    at = K * M
    for k in range(K):
        for m in range(M):
            dy[k * M + m] += p.lr * move[k, K + m]
        for l in range(k + 1):
            spread = _spread(kind, alpha, C, E, K, base, sign, close, k, l)
            if p.variance != 0.0:
                spread += p.variance * J2(kind[0], C, k, l)
            dy[at] += p.lr * (move[k, l] + move[l, k]) + p.lr * p.lr / p.batch * alpha[k] * alpha[l] * spread
            at += 1


@njit
def observe(states, kind, near, T, T_inv, v_star, eps_g, Q):
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
def kernels(student: str, teacher: str) -> tuple[Any, Any]:
    """`motion` and `observe` with the integrals of one student only, which spares the compilation of all others."""
    if student not in ("erf", "relu", "linear", "quad", "he2"):
        return motion, observe
    family = "even" if student in ("quad", "he2") else student
    room = relu_integrals if family == "relu" else integrals
    replace: dict[Any, Any] = {I3: getattr(room, f"I3_{family}"), J2: getattr(room, f"J2_{family}")}
    tag = family
    if student == teacher == "erf":
        replace[I2], replace[plain_square] = I2_erf, plain_square_erf
        tag = "erf_erf"
    if family == "linear":
        replace[close_square] = close_square_linear
    if family in ("erf", "linear"):
        replace[_spread] = rebind(_spread_erf if family == "erf" else _spread_linear, replace, tag=tag)
    else:
        replace[I4] = getattr(room, f"I4_{family}")
    return rebind(motion, replace, tag=tag), rebind(observe, replace, tag=tag)


def tolerance_of_S(student: str, teacher: str, surplus: int) -> float:
    """Tolerance of S relative to that of R when the motion is integrated.

    S is of second order where R is of first, and what rounding leaves of ⟨ccᵀ⟩, which drives it, is 1e-16 unless it is
    known as a sum of deviations. With `surplus` students more than teachers it seldom is: they need not be copies.
    """
    near = student == teacher and student in ("erf", "linear")
    return (1e-4 if surplus <= 0 else 1e-3) if near else 3e-3


def tolerances(K: int, before: int, after: int, atol: float, rtol: float, of_S: float) -> Callable[[Any], np.ndarray]:
    """Absolute tolerances of a state (R, triangle of S, v), as a function of it.

    `before` and `after` are the sizes of R and v. The scale of S_kl is √(S_kk S_ll), however small it is itself.
    """
    row, column = np.tril_indices(K)
    diagonal = before + np.flatnonzero(row == column)

    def tolerance(y: np.ndarray) -> np.ndarray:
        root = np.sqrt(np.abs(y[diagonal]))
        return np.concatenate(
            [
                np.full(before, atol),
                atol * of_S + rtol * (row != column) * root[row] * root[column],
                np.full(after, atol),
            ]
        )

    return tolerance
