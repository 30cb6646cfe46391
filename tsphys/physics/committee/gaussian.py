"""Generalisation error of a two-layer student and teacher from their overlaps."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tsphys._jit import njit, rebind
from tsphys.physics.activations import code
from tsphys.physics.committee.deviations import (
    close,
    close_square,
    close_square_linear,
    deviations,
    nearest_bases,
    plain_square,
)
from tsphys.physics.committee.integrals import I2, I3, I4, J2, I2_erf, closed

__all__ = ["I2", "I3", "I4", "J2", "closed", "generalisation_error"]


@njit
def _joint(i, R, Q, T, v, v_star, alpha, C):
    """Write α = (v, −v*) and the covariance C of (λ, ν) of the i-th of several pairs of networks."""
    K, n = R.shape[1], C.shape[0]
    for a in range(n):
        alpha[a] = v[i, a] if a < K else -v_star[a - K]
        for b in range(n):
            if a < K:
                C[a, b] = Q[i, a, b] if b < K else R[i, a, b - K]
            else:
                C[a, b] = R[i, b, a - K] if b < K else T[a - K, b - K]


@njit
def _plain_errors(kind, R, Q, T, v, v_star, out):
    n = kind.shape[0]
    C, alpha = np.empty((n, n)), np.empty(n)
    for i in range(out.size):
        _joint(i, R, Q, T, v, v_star, alpha, C)
        out[i] = 0.5 * plain_square(kind, alpha, C)


@njit
def _close_errors(kind, R, Q, T, v, v_star, out):
    K, n = R.shape[1], kind.shape[0]
    C, E, alpha, base, sign = np.empty((n, n)), np.empty((n, n)), np.empty(n), np.empty(n, np.int64), np.empty(n)
    for i in range(out.size):
        _joint(i, R, Q, T, v, v_star, alpha, C)
        nearest_bases(C, K, base, sign)
        deviations(C, base, sign, E)
        out[i] = 0.5 * close_square(alpha, E, K, base, sign)


@cache
def _kernel(student: str, teacher: str, close: bool) -> Any:
    """With as many kinds of integrals as it needs, since each costs compilation."""
    if close:
        return (
            _close_errors
            if student == "erf"
            else rebind(_close_errors, {close_square: close_square_linear}, tag="linear")
        )
    if "tanh" in (student, teacher):
        from tsphys.physics.committee.tanh_integrals import I2_tanh

        return rebind(_plain_errors, {I2: I2_tanh}, tag="tanh")
    return rebind(_plain_errors, {I2: I2_erf}, tag="erf") if student == teacher == "erf" else _plain_errors


def generalisation_error(student: str, teacher: str, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> np.ndarray:
    """eps_g = ½⟨(Σ_k v_k g(λ_k) − Σ_m v*_m g*(ν_m))²⟩ over Gaussian fields, the teacher without noise.

    In closed form, but for tanh, where the integrals are quadratures to 1e-12. The overlaps themselves are only given
    to rounding, ~1e-16, which is an absolute error of the same size in eps_g. For erf and linear nothing is added to it
    when each student is close to a teacher unit (or its negative, or zero), and all of them to the teacher: eps_g is
    then a sum over the deviations, and exactly zero for an exact copy. Otherwise the sum over pairs adds
    ~1e-16·(K+M)² (tanh: 1e-12·(K+M)²).

    Parameters
    ----------
    student, teacher : str
        Activations; see `tsphys.physics.names.code`.
    R : (…, K, M) array_like
    Q : (…, K, K) array_like
    T : (M, M) array_like
        Overlaps.
    v : (…, K) array_like
    v_star : (M,) array_like
        Readouts.

    Returns
    -------
    ndarray (…)
        NaN where the overlaps are.

    Raises
    ------
    ModelError
        If there is no such activation.
    """
    R, Q, T, v, v_star = (np.asarray(a, dtype=np.float64) for a in (R, Q, T, v, v_star))
    K, M = R.shape[-2:]
    lead = np.broadcast_shapes(R.shape[:-2], Q.shape[:-2], v.shape[:-1])
    flat = [
        np.array(np.broadcast_to(a, (*lead, *own)), order="C").reshape(-1, *own)
        for a, own in ((R, (K, M)), (Q, (K, K)), (v, (K,)))
    ]
    out = np.empty(len(flat[0]))
    # Copies, since the kernel would be compiled anew for each that may not be written to.
    T, v_star = np.array(T, order="C"), np.array(v_star)
    kind = np.array([code(student)] * K + [code(teacher)] * M)
    alike = student == teacher and student in ("erf", "linear")
    near = close(flat[0], flat[1], T, flat[2], v_star) if alike else np.zeros(len(out), dtype=bool)
    # Seldom are there some of either sort, and each kernel costs compilation.
    for sort in np.unique(near).tolist():
        r, q, readouts = (a[near == sort] for a in flat)
        found = np.empty(len(r))
        _kernel(student, teacher, sort)(kind, r, q, T, readouts, v_star, found)
        out[near == sort] = found
    return out.reshape(lead)[()]
