"""Tasks that are similar to a given degree: vectors with given cosines, as few dimensions as they need."""

from __future__ import annotations

from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import array

#: What a vector has outside of the span of those before it counts as rounding below this.
_FLAT = 1e-7


def cosines(name: str, common: float, given: Any, S: int) -> np.ndarray:
    """The matrix (S, S) of cosines of S tasks: `given`, or one `common` value for any two.

    Raises
    ------
    ModelError
        If no vectors have these cosines: the matrix must be symmetric with ones on its diagonal and no negative
        eigenvalue, which for a common value means at least −1/(S − 1).
    """
    out = np.full((S, S), float(common)) if given is None else array(name, given, (S, S), "cosines of S tasks")
    if given is None:
        np.fill_diagonal(out, 1.0)
    words = f"must be cosines of {S} vectors: symmetric, ones on the diagonal, no negative eigenvalue"
    if given is None and S > 1:
        words += f", so at least {-1 / (S - 1):.4g} between any two"
    shown = common if given is None else out.tolist()
    if given is None:
        # Of a common value the eigenvalues are known.
        lowest = min(1 - common, 1 + (S - 1) * common) if S > 1 else 1.0
    else:
        lowest = np.linalg.eigvalsh(out)[0]
    if (out != out.T).any() or (np.diag(out) != 1).any() or lowest < -1e-12 * S:
        raise ModelError(name, shown, words)
    return out


def unit_vectors(C: np.ndarray) -> np.ndarray:
    """Unit vectors (S, r) with the cosines C, r the rank of C: row s has entries in the basis of the rows before it."""
    S = len(C)
    out = np.zeros((S, 0))
    pivots: list[int] = []
    for s in range(S):
        row = np.linalg.solve(out[pivots], C[s, pivots]) if pivots else np.zeros(0)
        rest = 1.0 - float(row @ row)
        out[s] = row
        if rest > _FLAT**2 or not pivots:
            out = np.column_stack([out, np.zeros(S)])
            out[s, -1] = np.sqrt(max(rest, 0.0))
            pivots.append(s)
    return out


def readouts(C: np.ndarray, M: int, angle: float, name: str) -> np.ndarray:
    """Readouts (S, M) of norm √M with the cosines C; the first is √M (cos φ, sin φ, 0, …), of one unit alone it is 1.

    For two tasks with C_12 = cos θ the second is √M (cos(φ + θ), sin(φ + θ), 0, …) (Lee, Goldt & Saxe 2021).

    Raises
    ------
    ModelError
        If they do not fit into M dimensions.
    """
    vectors = unit_vectors(C)
    if vectors.shape[1] > M:
        words = f"must be ±1 with one unit a teacher; these readouts need {vectors.shape[1]} units, M = {M}"
        if M > 1:
            words = f"needs readouts in {vectors.shape[1]} dimensions, but M = {M}"
        raise ModelError(name, C.tolist() if len(C) > 2 else float(C[0, 1]), words)
    basis = np.eye(M)
    if M > 1:
        basis[:2, :2] = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    return np.sqrt(M) * vectors @ basis[: vectors.shape[1]]


def stacked(C: np.ndarray, M: int, shared: int) -> np.ndarray:
    """Overlaps T (S·M, S·M) of S teachers of M orthonormal units, stacked task after task.

    Units m of two tasks have the overlap C_ss', or 1 for the first `shared`, which all tasks have in common; different
    m have none. It is what B^s = Σ_r F_sr Z^r has, C = F Fᵀ, with all rows of all Z^r orthonormal.
    """
    blocks = [np.ones_like(C) if m < shared else C for m in range(M)]
    T = np.zeros((len(C), M, len(C), M))
    for m, block in enumerate(blocks):
        T[:, m, :, m] = block
    return T.reshape(len(C) * M, len(C) * M)
