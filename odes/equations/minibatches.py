"""Which sample paths a step takes, and how likely it was to."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Visit(NamedTuple):
    """How often s a step takes each path over the mean, none: each once; ⟨s⟩ given all before, and ⟨s²⟩ if s is
    independent of it."""

    taken: np.ndarray | None = None
    likely: Any = 1.0
    square: Any = None

    @property
    def may(self) -> Any:
        """The paths that could have been taken."""
        return slice(None) if np.isscalar(self.likely) else np.flatnonzero(self.likely)


class Visits:
    """Of each step, given what share of the training set it takes.

    Parameters
    ----------
    n : int
        Paths.
    rng : numpy.random.Generator
    order : {"replacement", "shuffle"}
    epoch : float
        Share of the examples that an epoch goes through; steps must end with it.
    single : bool
        With replacement examples are drawn one by one, so that a step may take one more than once.
    """

    def __init__(
        self, n: int, rng: np.random.Generator, order: str = "replacement", epoch: float = 1.0, single: bool = False
    ) -> None:
        self.n, self.rng, self.order, self.epoch, self.single = n, rng, order, epoch, single
        self.done, self.place = 0.0, np.empty(0)

    def __call__(self, share: float) -> Visit:
        if self.order == "replacement" and self.single:
            return Visit(self.rng.poisson(share, self.n) / share, square=1 + 1 / share)
        if share == 1:
            return Visit()
        if self.order == "replacement":
            return Visit((self.rng.random(self.n) < share) / share, square=1 / share)
        if self.done == 0:
            self.place = (self.rng.permutation(self.n) + 0.5) / self.n
        # Rounding must not leave an example between two steps, or at the end of an epoch.
        left, end = self.place >= self.done, self.done + share
        now = left & (self.place < end)
        likely = left / (1 - self.done)
        self.done = 0.0 if end > self.epoch * (1 - 1e-6) else end
        return Visit(now / share, likely)
