"""Generalisation error of a two-layer student and teacher from their overlaps."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys._jit import njit, rebind
from tsphys.physics.activations import ERF, LINEAR, code
from tsphys.physics.deviations import (
    close_square,
    describe,
    deviations,
    nearest_bases,
    plain_square,
    readout_difference,
)
from tsphys.physics.integrals import I2, I3, I4, J2, closed

__all__ = ["I2", "I3", "I4", "J2", "closed", "generalisation_error"]


@njit
def _errors(gs, gt, R, Q, T, v, v_star, out):
    K, M = R.shape[1], R.shape[2]
    C = np.empty((K + M, K + M))
    kind, alpha = np.empty(K + M, np.int64), np.empty(K + M)
    unit, sign = np.empty(K, np.int64), np.empty(K)
    D, P, u = np.empty((K, K)), np.empty((K, M)), np.empty(M)
    # Loops, where slices would do: Numba takes seconds to compile an assignment to a slice.
    for m in range(M):
        for n in range(M):
            C[K + m, K + n] = T[m, n]
    for i in range(out.size):
        for k in range(K):
            for l in range(K):
                C[k, l] = Q[i, k, l]
            for m in range(M):
                C[k, K + m] = C[K + m, k] = R[i, k, m]
        if gs == gt and gs in (ERF, LINEAR) and nearest_bases(C, K, unit, sign):
            deviations(C, K, unit, sign, D, P)
            readout_difference(v[i], v_star, unit, sign, u)
            out[i] = 0.5 * close_square(gs, T, D, P, v[i], u, unit, sign)
        else:
            describe(gs, gt, v[i], v_star, kind, alpha)
            out[i] = 0.5 * plain_square(kind, alpha, C)


def _errors_tanh() -> Any:
    from tsphys.physics.tanh_integrals import I2_tanh

    return rebind(_errors, {I2: I2_tanh}, tag="tanh")


def generalisation_error(student: str, teacher: str, R: Any, Q: Any, T: Any, v: Any, v_star: Any) -> np.ndarray:
    """eps_g = ½⟨(Σ_k v_k g(λ_k) − Σ_m v*_m g*(ν_m))²⟩ over Gaussian fields, the teacher without noise.

    In closed form, but for tanh, where the integrals are quadratures to 1e-12. The overlaps themselves are only given
    to rounding, ~1e-16, which is an absolute error of the same size in eps_g. For erf and linear nothing is added to it
    when each student is close to a teacher unit (or its negative, or zero): eps_g is then a sum over the deviations,
    and exactly zero for an exact copy. Otherwise the sum over pairs adds ~1e-16·(K+M)² (tanh: 1e-12·(K+M)²).

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
        np.ascontiguousarray(np.broadcast_to(a, (*lead, *own))).reshape(-1, *own)
        for a, own in ((R, (K, M)), (Q, (K, K)), (v, (K,)))
    ]
    out = np.empty(len(flat[0]))
    errors = _errors_tanh() if "tanh" in (student, teacher) else _errors
    T, v_star = np.ascontiguousarray(T), np.ascontiguousarray(v_star)
    errors(code(student), code(teacher), flat[0], flat[1], T, flat[2], v_star, out)
    return out.reshape(lead)[()]
