"""Labelled classes in a plane: nodes of averages over them, and what a committee of units makes of them.

Given its coordinates s in the plane, the fields of an input are normal, λ ~ N(A s, C), C the overlaps of the weights'
parts across the plane; averages of erf units over λ are then closed, and only s is left to quadrature.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from tsphys.numerics.gaussian import hermite

#: Nodes of each axis of the plane, and of the angle of `pair`. For |A|, C of order one 24 and 16 leave 1e-10.
AXIS, ANGLE = 24, 16


class Classes(NamedTuple):
    """Nodes of an average over the plane and the labels: s (P, 2), y (P,), weights w (P,), which sum to 1."""

    s: np.ndarray
    y: np.ndarray
    w: np.ndarray


@lru_cache(maxsize=32)
def _line(uniform: bool, n: int) -> tuple[np.ndarray, np.ndarray]:
    if uniform:
        x, w = np.polynomial.legendre.leggauss(n)
        return math.sqrt(3) * x, w / 2
    return hermite(n)


@lru_cache(maxsize=1)
def _angles() -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(ANGLE)


def nodes(uniform: bool, mu: Any, roots: Any, n: int = AXIS) -> Classes:
    """Nodes of s = yμ + M_y u, y = ±1 with probability ½: Gauss-Legendre for uniform u_j, else Gauss-Hermite.

    Parameters
    ----------
    uniform : bool
        u_j uniform on [−√3, √3], or N(0, 1).
    mu : (2,) array_like
    roots : (2, 2, 2) array_like
        M_+ and M_−.
    n : int
        Nodes an axis.
    """
    x, w = _line(uniform, n)
    u = np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2)
    s = [y * np.asarray(mu) + u @ np.asarray(root).T for y, root in zip((1, -1), roots, strict=True)]
    each = np.outer(w, w).ravel() / 2
    return Classes(np.concatenate(s), np.repeat([1.0, -1.0], len(u)), np.concatenate([each, each]))


def pair(m_a: Any, m_b: Any, C_aa: float, C_ab: float, C_bb: float) -> np.ndarray:
    """⟨g(λ_a) g(λ_b)⟩ of erf units for normal fields with means m_a, m_b (any shape) and covariances C.

    erf(h/√2) erf(k/√2) + (2/π) ∫_0^{asin ρ} dθ exp(−(h² + k² − 2hk sin θ)/(2cos²θ)), where h, k are the means over
    √(1 + variance) and ρ their covariance scaled alike: the normal distribution of two variables (Plackett 1954), with
    g(λ) = ⟨sign(λ + noise)⟩.
    """
    from tsphys.numerics.two_normals import signs_of_two

    a, b = math.sqrt(1 + C_aa), math.sqrt(1 + C_bb)
    h, k = np.broadcast_arrays(np.asarray(m_a) / a, np.asarray(m_b) / b)
    x, w = _angles()
    end = math.asin(max(-1.0, min(1.0, C_ab / (a * b))))
    theta = 0.5 * end * (x + 1)
    sin, cos2 = np.sin(theta), np.cos(theta) ** 2
    out = np.empty(h.size)
    signs_of_two(h.ravel(), k.ravel(), -0.5 / cos2, sin / cos2, end / math.pi * w, out)
    return out.reshape(h.shape)


def _states(R: Any, Q: Any, v: Any) -> tuple[tuple[int, ...], Any]:
    """Leading axes, and an iterator over the finite states: index, A (K, 2), C (K, K), v (K,)."""
    R, Q, v = (np.asarray(x, dtype=np.float64) for x in (R, Q, v))
    lead = np.broadcast_shapes(R.shape[:-2], Q.shape[:-2], v.shape[:-1])
    R, Q, v = (np.broadcast_to(x, (*lead, *x.shape[-n:])) for x, n in ((R, 2), (Q, 2), (v, 1)))

    def each() -> Any:
        for at in np.ndindex(lead):
            if np.isfinite(R[at]).all() and np.isfinite(Q[at]).all():
                yield at, R[at], Q[at] - R[at] @ R[at].T, v[at]

    return lead, each()


def half_square(activation: str, classes: Classes, R: Any, Q: Any, v: Any) -> np.ndarray:
    """Mean of (Σ_k v_k g(λ_k) − y)²/2 over the classes, for erf or linear units, with any leading axes.

    Parameters
    ----------
    activation : {"erf", "linear"}
    classes : Classes
    R : (…, K, 2) array_like
        The students in the plane.
    Q : (…, K, K) array_like
        All their overlaps.
    v : (…, K) array_like
        Readouts.

    Returns
    -------
    ndarray (…)
        NaN where the overlaps are.
    """
    from scipy.special import erf

    lead, states = _states(R, Q, v)
    out = np.full(lead, np.nan)
    s, y, w = classes
    for at, A, C, readout in states:
        m = s @ A.T
        if activation == "linear":
            out[at] = 0.5 * (w @ (m @ readout - y) ** 2 + readout @ C @ readout)
            continue
        mean = erf(m / np.sqrt(2 * (1 + np.diag(C)))) @ readout
        square = sum(
            (1 if k == l else 2) * readout[k] * readout[l] * pair(m[:, k], m[:, l], C[k, k], C[k, l], C[l, l])
            for k in range(len(A))
            for l in range(k + 1)
        )
        out[at] = 0.5 * (w @ (square - 2 * y * mean) + 1)
    return out[()]


def accuracy(classes: Classes, R: Any, Q: Any, v: Any) -> np.ndarray:
    """Probability over the classes that Σ_k v_k λ_k has the sign of y; arguments as in `half_square`."""
    from scipy.special import ndtr

    lead, states = _states(R, Q, v)
    out = np.full(lead, np.nan)
    s, y, w = classes
    for at, A, C, readout in states:
        # A student wholly in the plane has no width; the smallest positive number stands for it.
        width = math.sqrt(max(readout @ C @ readout, np.finfo(float).tiny))
        out[at] = w @ ndtr(y * (s @ (A.T @ readout)) / width)
    return out[()]
