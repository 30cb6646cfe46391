"""Features F (N, D) of the hidden manifold, and fields u = F c/√D of the latent c.

Rows are normalised, Σ_r F_ir² = D, so that each u_i ~ N(0, 1) for c_r ~ N(0, 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Dense:
    """Features as an array (N, D)."""

    F: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D)."""
        return self.F.shape

    def fields(self, c: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """c Fᵀ/√D (S, N) of latents c (S, D)."""
        return np.matmul(c * c.dtype.type(1 / np.sqrt(c.shape[1])), self.F.T, out=out)

    def project(self, W: np.ndarray) -> np.ndarray:
        """S = W F/√N (K, D) of weights W (K, N)."""
        return W @ self.F / np.sqrt(W.shape[1])

    def astype(self, dtype: np.dtype) -> Dense:
        """The same in another precision."""
        return Dense(np.ascontiguousarray(self.F, dtype=dtype))


@dataclass(frozen=True)
class Hadamard:
    """Given rows and columns of Sylvester's Hadamard matrix of size 2^n; one of N and D is 2^n itself.

    Parameters
    ----------
    rows, columns : ndarray of int (N,), (D,)
        Which.
    size : int
        2^n.
    """

    rows: np.ndarray
    columns: np.ndarray
    size: int

    @property
    def shape(self) -> tuple[int, int]:
        """(N, D)."""
        return len(self.rows), len(self.columns)

    @property
    def level(self) -> tuple[float, int]:
        """The one eigenvalue of F Fᵀ/D that is not zero, and how many times it is there."""
        N, D = self.shape
        return max(1.0, N / D), min(N, D)

    def fields(self, c: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """c Fᵀ/√D (S, N) of latents c (S, D)."""
        from tsphys.numerics.hadamard import transform

        N, D = self.shape
        out = np.empty((len(c), N), c.dtype) if out is None else out
        scaled = c * c.dtype.type(1 / np.sqrt(D))
        if self.size == N:
            out[...] = 0
            out[:, self.columns] = scaled
            transform(out)
        else:
            transform(scaled)
            np.take(scaled, self.rows, axis=1, out=out, mode="clip")
        return out

    def project(self, W: np.ndarray) -> np.ndarray:
        """S = W F/√N (K, D) of weights W (K, N)."""
        from tsphys.numerics.hadamard import transform

        wide = np.zeros((len(W), self.size), W.dtype)
        wide[:, self.rows] = W
        transform(wide)
        return wide[:, self.columns] / np.sqrt(W.shape[1])

    def astype(self, dtype: np.dtype) -> Hadamard:
        """Itself; products have the precision of what is multiplied."""
        return self


def gaussian_features(N: int, D: int, rng: np.random.Generator) -> Dense:
    """F_ir ~ N(0, 1), rows then normalised."""
    F = rng.standard_normal((N, D))
    F *= np.sqrt(D / np.einsum("ir,ir->i", F, F))[:, None]
    return Dense(F)


def hadamard_features(N: int, D: int, rng: np.random.Generator) -> Hadamard:
    """Random rows or columns of a Hadamard matrix, without repetition; the larger of N and D is a power of two."""
    size = max(N, D)
    rows = np.arange(N) if size == N else np.sort(rng.choice(size, N, replace=False))
    columns = np.arange(D) if size == D else np.sort(rng.choice(size, D, replace=False))
    return Hadamard(rows, columns, size)
