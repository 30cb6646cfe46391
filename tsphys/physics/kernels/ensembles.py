"""Random matrices that a layer may have as weights: mean zero, entries of variance 1/n_in, W (n_out, n_in)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.given import reals, takes
from tsphys.ground.parameters import number

ENSEMBLES = ("iid", "orthogonal", "low_rank", "sparse")


@dataclass(frozen=True)
class Ensemble:
    """A law of weights.

    Parameters
    ----------
    kind : str or callable
        ``iid``: normal entries. ``orthogonal``: Haar. ``low_rank``: W = CP of rank r, C iid normal, rows of P Haar.
        ``sparse``: normal entries in the blocks of a diagonal whose rows and columns are shuffled. A function
        ``draw(rng, n_out, n_in)`` of your own returns entries of mean 0 and variance 1/n_in.
    rank : float
        r over the smaller side of W, of ``low_rank``.
    density : float
        Share of entries that are not 0, of ``sparse``: 1 over the number of blocks, which is rounded.
    """

    kind: str | Callable[..., Any] = "iid"
    rank: float = 0.25
    density: float = 0.125

    def __post_init__(self) -> None:
        if callable(self.kind):
            takes("ensemble", self.kind, "rng", "n_out", "n_in")
        elif self.kind not in ENSEMBLES:
            raise ModelError("ensemble", self.kind, f"must be one of {', '.join(ENSEMBLES)}, or a function")
        for name in ("rank", "density"):
            number(name, getattr(self, name), low=0, high=1, open_low=True)

    def draw(self, rng: np.random.Generator, nets: int, n_out: int, n_in: int) -> np.ndarray:
        """Weights of several nets, (nets, n_out, n_in)."""
        if callable(self.kind):
            return np.stack([reals("ensemble", self.kind, (n_out, n_in), rng, n_out, n_in) for _ in range(nets)])
        if self.kind == "orthogonal":
            return haar(rng, nets, n_out, n_in) * np.sqrt(max(n_out / n_in, 1.0))
        if self.kind == "low_rank":
            r = self.rank_of(n_out, n_in)
            return rng.standard_normal((nets, n_out, r)) / np.sqrt(r) @ haar(rng, nets, r, n_in)
        W = rng.standard_normal((nets, n_out, n_in))
        if self.kind == "iid":
            return W / np.sqrt(n_in)
        blocks = min(max(round(1 / self.density), 1), n_out, n_in)
        for i in range(nets):
            rows, columns = (rng.permutation(n) * blocks // n for n in (n_out, n_in))
            W[i] *= (rows[:, None] == columns) / np.sqrt(np.bincount(columns, minlength=blocks))[rows, None]
        return W

    def rank_of(self, n_out: int, n_in: int) -> int:
        """r at this size."""
        return max(round(self.rank * min(n_out, n_in)), 1)


def haar(rng: np.random.Generator, nets: int, rows: int, columns: int) -> np.ndarray:
    """Uniform among matrices with orthonormal rows, or columns if they are fewer, (nets, rows, columns)."""
    Q, R = np.linalg.qr(rng.standard_normal((nets, max(rows, columns), min(rows, columns))))
    Q *= np.sign(np.diagonal(R, axis1=1, axis2=2))[:, None]
    return Q if rows >= columns else Q.transpose(0, 2, 1)
