"""Kernels that random features have on average, and the eigenfunctions of a kernel on a set of inputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys._jit import njit
from tsphys.errors import ModelError
from tsphys.ground.parameters import array
from tsphys.physics.activations import code
from tsphys.physics.committee.integrals import I2


@njit
def _dual(kind, C, K):
    for i in range(len(C)):
        for j in range(i + 1):
            K[i, j] = K[j, i] = I2(kind, kind, C[i, i], C[i, j], C[j, j])


def dual_kernel(activation: str, inputs: Any) -> np.ndarray:
    """K(x, x') = ⟨φ(f·x/√N) φ(f·x'/√N)⟩ over f ~ N(0, I) for all pairs of inputs.

    Parameters
    ----------
    activation : str
        φ, with a closed form: ``erf`` (Williams 1998), ``relu`` (Cho & Saul 2009), ``linear``, ``quad``, ``he2``,
        ``sign``.
    inputs : array_like, shape (P, N)

    Returns
    -------
    ndarray, shape (P, P)

    Raises
    ------
    ModelError
        If there is no such activation, or no closed form for it.
    """
    x = array("inputs", inputs, (None, None), "a row for each input")
    kind = code(activation)
    if activation == "tanh":
        raise ModelError("activation", activation, "must have a closed form: erf, relu, linear, quad, he2 or sign")
    K = np.empty((len(x), len(x)))
    _dual(kind, x @ x.T / x.shape[1], K)
    return K


def eigensystem(kernel: Any, target: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvalues of a kernel on P inputs taken as all there are, coefficients of a target, eigenfunctions.

    With the mean over the inputs as measure, (1/P) Σ_ν K(x_μ, x_ν) φ_i(x_ν) = λ_i φ_i(x_μ), (1/P) Σ_μ φ_i φ_j = δ_ij,
    and f = Σ_i v_i φ_i.

    Parameters
    ----------
    kernel : array_like, shape (P, P)
        Symmetric and positive semi-definite.
    target : array_like, shape (P,)
        f at the inputs.

    Returns
    -------
    eigenvalues : ndarray, shape (P,)
        Descending; 0 where they do not exceed the rounding of the largest.
    coefficients : ndarray, shape (P,)
    eigenfunctions : ndarray, shape (P, P)
        φ_i(x_μ) at [μ, i].

    Raises
    ------
    ModelError
        If the kernel is not symmetric, has a negative eigenvalue, or the shapes differ.
    """
    K = array("kernel", kernel, (None, None), "all pairs of inputs")
    P = len(K)
    f = array("target", target, (P,), "a number for each input")
    scale = np.abs(K).max(initial=0.0)
    if K.shape != (P, P) or P == 0 or not np.abs(K - K.T).max() <= 1e-10 * scale:
        raise ModelError("kernel", f"array of shape {K.shape}", "must be symmetric")
    s, U = np.linalg.eigh(K)
    floor = P * np.finfo(float).eps * s[-1]
    if s[0] < -100 * floor or s[-1] <= 0:
        raise ModelError("kernel", float(s[0]), "must have no eigenvalue < 0, and one > 0")
    s = np.where(s > floor, s, 0.0)[::-1]
    U = U[:, ::-1]
    return s / P, U.T @ f / np.sqrt(P), U * np.sqrt(P)
