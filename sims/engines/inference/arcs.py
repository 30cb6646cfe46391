"""Volumes on a sphere between half spaces, by walks on great circles.

Many walkers are uniform among the points with a·w ≥ 0 for all known rows a, and within a cap c·w ≥ cos θ. What another
row leaves, or a narrower cap, is the mean share of the great circles through them that it leaves; those points are
then drawn from these shares. No step is refused, and shares of an arc are known exactly, so that their product over
many rows and caps has small errors, however small it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from tsphys.errors import ConvergenceError

#: Moves, over those that are asked for, after which nobody is found beyond a restriction.
PATIENCE = 20
#: Share of an arc that is none.
ROUNDING = 1e-12


@dataclass
class Walkers:
    """Points w (N, walkers) of length 1, uniform where rows·w ≥ 0 and centre·w ≥ cap, and the logarithm of the volume.

    Parameters
    ----------
    w : ndarray, (N, walkers)
        At first anywhere on the sphere.
    centre : ndarray, (N,)
        Of length 1.
    moves : int
        Great circles that each takes between two restrictions, times (1 + rows/N)².
    rng : Generator

    Raises
    ------
    ConvergenceError
        If a restriction leaves none of them.
    """

    w: np.ndarray
    centre: np.ndarray
    moves: int
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self.rows = np.zeros((0, len(self.w)))
        self.cap = -1.0
        self.log_volume = 0.0

    def add(self, row: np.ndarray) -> None:
        """Restrict them to row·w ≥ 0."""
        if self.free:
            self._halve(row)
        else:
            self._restrict(lambda w, v: _cap(row @ w, row @ v, 0.0))
        self.rows = np.vstack([self.rows, row])

    def narrow(self, cap: float) -> None:
        """Restrict them to centre·w ≥ cap > 0, by caps each of which leaves about a half."""
        if self.free:
            self._halve(self.centre)
            self.cap = 0.0
        while self.cap < cap:
            middle = float(np.median(self.centre @ self.w))
            aim = min(max(middle, 0.0), cap) if middle > self.cap else cap
            self._restrict(partial(self._within, aim))
            self.cap = aim

    def _within(self, cap: float, w: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return _cap(self.centre @ w, self.centre @ v, cap)

    @property
    def free(self) -> bool:
        """Whether they have the whole sphere, on which great circles have no ends."""
        return len(self.rows) == 0 and self.cap < 0

    def _halve(self, row: np.ndarray) -> None:
        self.w = self.w * np.where(row @ self.w < 0, -1.0, 1.0)
        self.log_volume += math.log(0.5)

    def _restrict(self, left: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]) -> None:
        """Walk, and go on from points of the arcs (low, high) (walkers,) that `left` makes of (w, v)."""
        shares: list[np.ndarray] = []
        starts: list[np.ndarray] = []
        ways: list[np.ndarray] = []
        arcs: list[np.ndarray] = []
        # The more rows, the longer and thinner what they leave; a restriction that is hard to meet has more moves, too.
        most = round(self.moves * (1 + len(self.rows) / len(self.w)) ** 2)
        for move in range(PATIENCE * most):
            if move >= most and any(x.shape[1] for x in starts):
                break
            v, low, high = self._circle()
            a, b = left(self.w, v)
            # Both are at most half a circle: they meet once, next to each other.
            turns = 2 * np.pi * np.round(0.5 * (low + high - a - b) / (2 * np.pi))
            a, b = np.maximum(a + turns, low), np.minimum(b + turns, high)
            # A walker on two borders at once, by rounding, has no arc.
            share = np.maximum(b - a, 0.0) / np.maximum(high - low, 1e-300)
            shares.append(share)
            some = share > ROUNDING
            starts.append(self.w[:, some])
            ways.append(v[:, some])
            arcs.append(np.stack([a, b, share])[:, some])
            self._go(self.w, v, low, high)
        w, v, (a, b, share) = (np.concatenate(x, axis=1) for x in (starts, ways, arcs))
        if share.size == 0:
            words = "no walker is left in the version space: take more chains or moves"
            raise ConvergenceError(words, residual=0.0, iterations=len(shares), last=self.log_volume)
        self.log_volume += float(np.log(np.mean(shares)))
        # Each arc by its share.
        many = self.w.shape[1]
        total = np.cumsum(share)
        at = np.searchsorted(total, (np.arange(many) + self.rng.random()) / many * total[-1])
        self._go(w[:, at], v[:, at], a[at], b[at])

    def _circle(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A direction for each, perpendicular to it, and where the arc w cos φ + v sin φ leaves what is allowed."""
        v = self.rng.standard_normal(self.w.shape)
        v -= (v * self.w).sum(axis=0) * self.w
        v /= np.sqrt((v * v).sum(axis=0))
        low, high = _cap(self.centre @ self.w, self.centre @ v, max(self.cap, 0.0))
        if self.cap < 0:
            low, high = np.full(len(low), -np.inf), np.full(len(low), np.inf)
        if len(self.rows):
            slopes = (self.rows @ v) / np.maximum(self.rows @ self.w, 1e-300)
            low = np.maximum(low, np.arctan(slopes.max(axis=0)) - 0.5 * np.pi)
            high = np.minimum(high, np.arctan(slopes.min(axis=0)) + 0.5 * np.pi)
        return v, low, high

    def _go(self, w: np.ndarray, v: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        phi = low + (high - low) * self.rng.random(len(low))
        self.w = w * np.cos(phi) + v * np.sin(phi)
        self.w /= np.sqrt((self.w * self.w).sum(axis=0))


def _cap(along: np.ndarray, across: np.ndarray, cap: float) -> tuple[np.ndarray, np.ndarray]:
    """Where along·cos φ + across·sin φ ≥ cap."""
    middle, size = np.arctan2(across, along), np.hypot(along, across)
    reach = np.arccos(np.clip(cap / size, -1.0, 1.0))
    return middle - reach, middle + reach
