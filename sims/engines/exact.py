"""Engine `exact`: the law of finite-N online SGD on iid Gaussian inputs, at a cost that does not depend on N.

The overlaps of students and teachers are a Markov chain of their own: the coefficients of a step depend on the input
only through K + M fields, and given these the rest of the input is an isotropic Gaussian. The state is the students'
coordinates in the teachers' orthonormal basis, A (K, M), and a lower-triangular remainder L (K, K), so that
R = A L_Tᵀ and Q = A Aᵀ + L Lᵀ; a step appends the components of the inputs outside of both spans and rotates them into
L again. Nothing is subtracted, so nothing cancels when Q − R T⁻¹ Rᵀ → 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys._jit import njit
from tsphys.models.learning_rule import LearningRule
from tsphys.numerics.random import chi2, fill_normals, normal, source
from tsphys.physics.order_parameters import OrderParameters, coordinates
from tsphys.sims.engines.local import bind, coefficients, write_overlaps


@njit(fast=True)
def lower(S, K, columns):
    """Rotate the columns of S[:K, :columns] so that it is lower triangular, by Householder reflections from the right.

    S Sᵀ stays what it is, to rounding.
    """
    for k in range(K):
        rest = 0.0
        for j in range(k + 1, columns):
            rest += S[k, j] * S[k, j]
        if rest == 0.0:
            continue
        head = S[k, k]
        norm = np.sqrt(head * head + rest)
        norm = -norm if head > 0.0 else norm
        # u = (head − norm, S[k, k+1:]), |u|² = 2 norm (norm − head); norm has the sign that avoids cancellation.
        first = head - norm
        scale = 1.0 / (norm * first)
        S[k, k] = norm
        for i in range(k + 1, K):
            s = S[i, k] * first
            for j in range(k + 1, columns):
                s += S[i, j] * S[k, j]
            s *= scale
            S[i, k] += s * first
            for j in range(k + 1, columns):
                S[i, j] += s * S[k, j]


@njit
def remainder_root(src, F, rows, dof):
    """Bartlett's lower-trapezoidal F (rows, min(rows, dof)) with F Fᵀ ~ Wishart(rows, dof); returns its columns."""
    columns = int(min(rows, dof))
    for i in range(rows):
        for j in range(columns):
            if j < i:
                F[i, j] = normal(src)
            elif j == i:
                F[i, j] = np.sqrt(chi2(src, dof - i))
            else:
                F[i, j] = 0.0
    return columns


@njit
def overlaps(A, L, LT, R, Q):
    """R (K, M) and Q (K, K) of the coordinates."""
    K, M = A.shape
    for k in range(K):
        for m in range(M):
            s = 0.0
            for j in range(m + 1):
                s += A[k, j] * LT[m, j]
            R[k, m] = s
        for l in range(k + 1):
            s = 0.0
            for j in range(M):
                s += A[k, j] * A[l, j]
            for j in range(l + 1):
                s += L[k, j] * L[l, j]
            Q[k, l] = s
            Q[l, k] = s


@njit
def advance(A, L, LT, v, v_star, p, uses_overlaps, n_noise, batch, N, decay, decay_v, src, step, stop, R, Q):
    """Do the steps from `step` to `stop`; returns the step reached, which is less than `stop` if it diverged there.

    A (K, M), L (K, K), v are changed in place; R (K, M), Q (K, K) hold the overlaps at the end.
    """
    K, M = A.shape
    dof = N - M - K
    small = min(batch, K)
    z = np.zeros(M + K + n_noise)
    zeta = np.zeros(max(n_noise, 1))
    lam = np.zeros(K)
    nu = np.zeros(M)
    c = np.zeros(K)
    dv = np.zeros(v.shape[0])
    change = np.zeros(v.shape[0])
    S = np.zeros((K, K + small))
    C = np.zeros((K, max(batch, K)))
    F = np.zeros((small, small))
    dA = np.zeros((K, M))
    ok = True
    scale = 1.0 / (batch * N)
    while step < stop and ok:
        if uses_overlaps:
            overlaps(A, L, LT, R, Q)
            write_overlaps(p, R, Q)
        dA.fill(0.0)
        change.fill(0.0)
        for k in range(K):
            for j in range(K):
                S[k, j] = decay * L[k, j] if j <= k else 0.0
        for beta in range(batch):
            fill_normals(src, z)
            for k in range(K):
                s = 0.0
                for m in range(M):
                    s += A[k, m] * z[m]
                for j in range(k + 1):
                    s += L[k, j] * z[M + j]
                lam[k] = s
            for m in range(M):
                s = 0.0
                for j in range(m + 1):
                    s += LT[m, j] * z[j]
                nu[m] = s
            for i in range(n_noise):
                zeta[i] = z[M + K + i]
            ok = coefficients(lam, nu, v, v_star, zeta, p, c, dv) and ok
            for k in range(K):
                ck = c[k] * scale
                C[k, beta] = ck
                for m in range(M):
                    dA[k, m] += ck * z[m]
                for j in range(K):
                    S[k, j] += ck * z[M + j]
            for k in range(v.shape[0]):
                change[k] += dv[k] * scale
        for k in range(K):
            for m in range(M):
                A[k, m] = decay * A[k, m] + dA[k, m]
        for k in range(v.shape[0]):
            v[k] = decay_v * v[k] + change[k]
        if batch == 1:
            columns = 1 if dof > 0 else 0
            if dof > 0:
                chi = np.sqrt(chi2(src, dof))
                for k in range(K):
                    S[k, K] = C[k, 0] * chi
        else:
            if batch > K:
                # Only C Cᵀ matters to the remainder, so b columns are as good as K.
                lower(C, K, batch)
            columns = remainder_root(src, F, small, dof)
            for k in range(K):
                for j in range(columns):
                    s = 0.0
                    for i in range(j, min(small, k + 1 if batch > K else small)):
                        s += C[k, i] * F[i, j]
                    S[k, K + j] = s
        lower(S, K, K + columns)
        for k in range(K):
            for j in range(k + 1):
                L[k, j] = S[k, j]
        step += 1
    overlaps(A, L, LT, R, Q)
    return step if ok else step - 1


def start_replica(
    rule: LearningRule, N: int, start: OrderParameters, seed: int, replica: int, dtype: Any
) -> Callable[[int, int], tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """A replica at t = 0, as the function ``advance(step, stop) -> (step reached, R, Q, v)``."""
    A, L, LT = (np.ascontiguousarray(a) for a in coordinates(start))
    src = source(seed, replica, "exact")
    v, p = np.array(start.v, dtype=np.float64), rule.parameter_array()
    v_star = np.array(start.v_star, dtype=np.float64)
    R, Q = np.empty((rule.K, rule.M)), np.empty((rule.K, rule.K))
    decays = 1.0 - rule.weight_decay / N, 1.0 - rule.weight_decay_v / N
    kernel = bind(advance, rule.function)

    def advance_replica(step: int, stop: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        reached = kernel(
            A, L, LT, v, v_star, p, rule.uses_overlaps, rule.n_noise, rule.minibatch, N, *decays, src, step, stop, R, Q
        )
        return reached, R.copy(), Q.copy(), v.copy()

    return advance_replica
