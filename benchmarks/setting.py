"""What is benchmarked: online SGD of a two-layer erf student on a noisy two-layer erf teacher."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Setting:
    """Sizes of the network, and how long to measure.

    Parameters
    ----------
    K, M, N : int
        Hidden units of student and teacher, input dimension.
    seconds : float
        Time that each case is measured, in all rounds together.
    steps : int, optional
        Steps of each case in a round; none: as many as take ``seconds / rounds``.
    rounds : int
        Every round times every case once, so that a disturbance of the machine hits them alike.
    threads : int
        Most threads in the section `threads`.
    external : tuple of str
        Commands to be timed beside the others.
    """

    K: int = 4
    M: int = 2
    N: int = 1000
    seconds: float = 2.0
    steps: int | None = None
    rounds: int = 9
    threads: int = 2
    external: tuple[str, ...] = ()

    lr = 0.2
    noise = 0.1

    @cached_property
    def model(self) -> Any:
        """The same network for tsphys."""
        from tsphys.models.two_layer import TwoLayer

        return TwoLayer(K=self.K, M=self.M, activation="erf", lr=self.lr, noise=self.noise)

    def weights(self, dtype: Any = np.float64) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """W (K, N), B (M, N), v (K,), v_star (M,) of a reference implementation at t = 0."""
        rng = np.random.default_rng(1)
        W, B = 0.1 * rng.standard_normal((self.K, self.N)), rng.standard_normal((self.M, self.N))
        return W.astype(dtype), B.astype(dtype), np.ones(self.K, dtype), np.ones(self.M, dtype)
