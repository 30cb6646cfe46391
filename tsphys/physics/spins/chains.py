"""Exact energies of spin chains on a ring: free fermions, the Bethe ansatz, and all states of small ones.

    transverse Ising   H = −Σ_i σᶻ_i σᶻ_{i+1} − h Σ_i σˣ_i
    J1–J2              H = Σ_i S_i·S_{i+1} + J2 Σ_i S_i·S_{i+2},  S = σ/2

References
----------
Pfeuty, Ann. Phys. 57, 79 (1970); Bethe, Z. Phys. 71, 205 (1931); Majumdar & Ghosh, J. Math. Phys. 10, 1388 (1969).
"""

from __future__ import annotations

import numpy as np

from tsphys.errors import ConvergenceError, ModelError
from tsphys.ground.parameters import number

#: Largest change of a rapidity at the end, and most of Newton's steps.
TOLERANCE, MOST = 1e-12, 50


def ising(N: int | None, h: float) -> float:
    """Energy a spin of the ground state; of the endless chain for none. A field of the other sign has the same."""
    from scipy.special import ellipe

    h = abs(number("h", h))
    if N is None:
        return float(-2 / np.pi * (1 + h) * ellipe(4 * h / (1 + h) ** 2))
    N = _ring(N)
    return float(-fermions(h, (2 * np.arange(N) + 1) * np.pi / N).sum() / N)


def ising_gap(N: int, h: float) -> float:
    """Energy of the first excited state above the ground state, which has one fermion."""
    N, h = _ring(N), abs(number("h", h))
    return max(float(N * -ising(N, h) - fermions(h, 2 * np.arange(N) * np.pi / N).sum() + 2 * max(h - 1, 0.0)), 0.0)


def _ring(N: int, even: bool = False, low: int = 2, high: int | None = None) -> int:
    """The number of spins on a ring."""
    N = number("N", N, kind=int, low=low, high=high)
    if even and N % 2:
        raise ModelError("N", N, "must be even")
    return N


def fermions(h: float, k: np.ndarray) -> np.ndarray:
    """Half the energies √(1 + h² − 2h cos k) of fermions, as (1 − h)² + 4h sin²(k/2), of which nothing cancels."""
    return np.hypot(1 - h, 2 * np.sqrt(h) * np.sin(k / 2))


def heisenberg(N: int | None) -> float:
    """Energy a spin without J2, of an even number of them; of the endless chain for none.

    Raises
    ------
    ModelError
        If the number is odd, whose ground states have other rapidities.
    ConvergenceError
        If the rapidities were not found.
    """
    if N is None:
        return float(0.25 - np.log(2))
    N = _ring(N, even=True)
    numbers = np.arange(N // 2) - (N // 2 - 1) / 2
    # Those of the endless chain, from which Newton's steps are few.
    rapidities = np.arcsinh(np.tan(2 * np.pi * numbers / N)) / np.pi
    for _ in range(MOST):
        apart = rapidities[:, None] - rapidities
        slope = 1 / (1 + apart**2)
        off = N * np.arctan(2 * rapidities) - np.pi * numbers - np.arctan(apart).sum(axis=1)
        bend = slope + np.diag(2 * N / (1 + 4 * rapidities**2) - slope.sum(axis=1))
        step = np.linalg.solve(bend, off)
        rapidities -= step
        if np.abs(step).max() <= TOLERANCE * np.abs(rapidities).max():
            return float(0.25 - 2 / N * np.sum(1 / (1 + 4 * rapidities**2)))
    raise ConvergenceError(f"rapidities of {N} spins after {MOST} steps", residual=float(np.abs(step).max()))


def j1_j2(N: int, J2: float) -> float:
    """Energy a spin by exact diagonalisation, of an even number of spins without a total, from 4 to 20."""
    from scipy.sparse import coo_array
    from scipy.sparse.linalg import eigsh

    N, J2 = _ring(N, even=True, low=4, high=20), number("J2", J2)
    states = np.arange(2**N)
    bits = np.zeros(2**N, np.int8)
    for i in range(N):
        bits += (states >> i & 1).astype(np.int8)
    states = states[bits == N // 2]
    at, n = np.arange(len(states)), len(states)
    diagonal, rows, columns, values = np.zeros(n), [], [], []
    for distance, J in ((1, 1.0), (2, J2)):
        for i in range(N):
            pair = 1 << i | 1 << (i + distance) % N
            both = states & pair
            opposite = (both != 0) & (both != pair)
            diagonal += np.where(opposite, -0.25, 0.25) * J
            rows.append(at[opposite])
            columns.append(np.searchsorted(states, states[opposite] ^ pair))
            values.append(np.full(len(rows[-1]), 0.5 * J))
    entries = np.concatenate([diagonal, *values]), (np.concatenate([at, *rows]), np.concatenate([at, *columns]))
    H = coo_array(entries, shape=(n, n)).tocsr()
    if n < 100:
        return float(np.linalg.eigvalsh(H.toarray())[0] / N)
    # From a start of its own ARPACK finds the same bits again.
    start = np.random.default_rng(0).standard_normal(n)
    return float(eigsh(H, k=1, which="SA", v0=start, return_eigenvectors=False)[0] / N)
