"""Engine `direct` where steps are made of a share of the training set, or of all of it: products of matrices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tsphys.physics.order_parameters import OrderParameters
from tsphys.rules.examples import on_each
from tsphys.rules.learning_rule import LearningRule
from tsphys.rules.training import parts
from tsphys.sims.engines.online.direct import fitting, placed
from tsphys.sims.engines.online.examples import filler, pool_size
from tsphys.sims.engines.online.local import FIELD_LIMIT
from tsphys.sims.engines.online.passes import overlaps

__all__ = ["fitting", "start_replicas"]


def start_replicas(
    rule: LearningRule, N: int, starts: Sequence[OrderParameters], seed: int, replicas: Sequence[int], dtype: Any,
    steps: int = 0,
) -> Iterator[Descent]:  # fmt: skip
    """Replicas at t = 0, one after the other, each of which takes over the memory of the one before."""
    pool = np.zeros((pool_size(rule, N), N), dtype)
    for start, drawn, W, B in placed(rule, N, starts, seed, replicas, dtype):
        noise = drawn.scalars.standard_normal((len(pool), rule.n_noise))
        filler(rule, B, drawn.inputs)(pool, noise)
        yield Descent(rule, W, B, start, pool, noise, drawn.scalars)


class Descent:
    """Weights in motion: ``descent(step, stop) -> (step reached, R, Q, v)``, fewer steps if it diverges."""

    def __init__(
        self, rule: LearningRule, W: np.ndarray, B: np.ndarray, start: OrderParameters, pool: np.ndarray,
        noise: np.ndarray, rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self.rule, self.W, self.B, self.pool, self.noise = rule, W, B, pool, noise
        self.v, self.v_star = np.array(start.v, dtype=float), np.array(start.v_star, dtype=float)
        self.moving, self.moving_v = np.zeros_like(W), np.zeros_like(self.v)
        self.taken, self.root = taken(rule, len(pool), rng), np.sqrt(W.shape[1])
        self.nu = (B @ pool.T).astype(float) / self.root

    def training(self) -> tuple[np.ndarray, ...]:
        """Fields (K, n), (M, n), readouts and noises (…, n) of the training set."""
        return self._fields(self.pool), self.nu, self.v, self.v_star, self.noise.T

    def _fields(self, X: np.ndarray) -> np.ndarray:
        return (self.W @ X.T).astype(float) / self.root

    def _step(self) -> bool:
        rule, rows = self.rule, next(self.taken)
        X = self.pool[rows]
        lam = self._fields(X)
        if not np.abs(lam).sum(axis=0).max() + np.abs(self.v).sum() < FIELD_LIMIT:
            return False
        c, dv = on_each(rule, lam, self.nu[:, rows], self.v, self.v_star, self.noise[rows].T)
        push = (c.astype(X.dtype) @ X) * (self.root / len(X))
        self.moving = rule.momentum * self.moving + push - rule.weight_decay * self.W
        self.moving_v = rule.momentum * self.moving_v + dv - rule.weight_decay_v * self.v
        self.W, self.v = self.W + self.moving, self.v + self.moving_v
        return True

    def __call__(self, step: int, stop: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        while step < stop and self._step():
            step += 1
        R, Q = np.empty((len(self.W), len(self.B))), np.empty((len(self.W),) * 2)
        overlaps(self.W, self.B, R, Q)
        return step, R, Q, self.v.copy()


def taken(rule: LearningRule, n: int, rng: np.random.Generator) -> Iterator[Any]:
    """The examples of each step."""
    share = rule.batch or 1.0
    while share == 1:
        yield slice(None)
    while rule.order == "replacement":
        yield rng.permutation(n)[: max(1, round(share * n))]
    while True:
        many = max(1, round(rule.epoch * n))
        yield from np.array_split(rng.permutation(n)[:many], min(parts(rule), many))
