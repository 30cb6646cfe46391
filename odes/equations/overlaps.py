"""States of online learning, y = (R, triangle of S, v) with S = Q − R T⁺ Rᵀ: overlaps outside of the teachers' span.

Nothing cancels in them as students become teachers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tsphys.physics.order_parameters import OrderParameters
from tsphys.rules.phases import State

#: Time in which what begins at zero grows to a size over which differences are taken.
AT_ONCE = 1e-4


class States:
    """States of K students with teachers of overlaps T (M, M), which are attributes of whatever has such states."""

    if TYPE_CHECKING:

        @property
        def T(self) -> np.ndarray: ...
        @property
        def K(self) -> int: ...

    @cached_property
    def T_inv(self) -> np.ndarray:
        """T⁺."""
        return np.linalg.pinv(self.T, hermitian=True)

    @property
    def size(self) -> int:
        """Entries of R and the triangle of S."""
        return self.K * len(self.T) + self.K * (self.K + 1) // 2

    def state(self, start: OrderParameters) -> np.ndarray:
        """(R, triangle of S, v) as one vector."""
        S = start.Q - start.R @ self.T_inv @ start.R.T
        return np.concatenate([start.R.ravel(), S[np.tril_indices(self.K)], start.v])

    def split(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """R (…, K, M), S (…, K, K), v (…, V) of states (…, n)."""
        K, M, (row, column) = self.K, len(self.T), np.tril_indices(self.K)
        S = np.empty((*y.shape[:-1], K, K))
        S[..., row, column] = S[..., column, row] = y[..., K * M : K * M + len(row)]
        return y[..., : K * M].reshape(*y.shape[:-1], K, M), S, y[..., K * M + len(row) :]

    def join(self, R: np.ndarray, S: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The states (…, n)."""
        row, column = np.tril_indices(self.K)
        return np.concatenate([R.reshape(*R.shape[:-2], R.shape[-2] * R.shape[-1]), S[..., row, column], v], axis=-1)

    def Q(self, R: np.ndarray, S: np.ndarray) -> np.ndarray:
        """Q (…, K, K)."""
        return S + R @ self.T_inv @ R.swapaxes(-1, -2)

    def at(self, v_star: Any) -> Callable[[float, np.ndarray], State]:
        """``(time, y)`` → `State`, which schedules are asked with."""

        def state(time: float, y: np.ndarray) -> State:
            R, S, v = self.split(y)
            return State(time, R, self.Q(R, S), self.T, v, np.array(v_star))

        return state

    def units(self, y: np.ndarray, rough: bool, speed: np.ndarray | None = None) -> np.ndarray:
        """Sizes over which the motion changes: of a rule with kinks those of S, as students come close to teachers.

        S that is nothing yet, but moves with a `speed` (n,), changes over a part of that.
        """
        R, S, v = self.split(y)
        rest = np.maximum(np.diag(S), 0.0)
        if speed is not None:
            rest = np.maximum(rest, AT_ONCE * np.abs(np.diag(self.split(speed)[1])))
        Q = np.maximum(np.maximum(np.diag(self.Q(R, S)), rest), 1e-24 * np.max(np.diag(self.T)) + 1e-100)
        own = np.sqrt(np.maximum(rest, 1e-12 * Q))
        across = np.minimum(own, np.sqrt(Q)) if rough else np.sqrt(Q)
        teacher = np.sqrt(np.maximum(np.diag(self.T), 1e-300))
        return self.join(
            np.outer(across, teacher), 0.1 * np.outer(own, own), np.full(len(v), np.abs(v).max(initial=1e-3))
        )


@dataclass(frozen=True)
class Overlaps(States):
    """The states themselves.

    Parameters
    ----------
    T : ndarray (M, M)
        Overlaps of the teachers.
    K : int
    """

    T: np.ndarray
    K: int
