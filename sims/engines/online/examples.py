"""Engine `direct`: where its examples come from, fresh ones or those of a training set."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from tsphys._jit import njit
from tsphys.errors import ModelError
from tsphys.ground.times import MOST_STEPS
from tsphys.numerics.random import generators, normals, signs, streams
from tsphys.rules.binding import law
from tsphys.rules.learning_rule import LearningRule
from tsphys.sims.engines.online import estimates
from tsphys.sims.engines.online.local import BLOCK, SCALARS, bind
from tsphys.sims.engines.online.passes import AHEAD, axpy, dot

#: Numbers in the inputs that are drawn ahead of their use: they stay in the second-level cache.
WORDS_AHEAD = 2**15
#: Largest dimension for fresh inputs, of which two turns are held: beyond it drawing them in memory is what costs.
MOST_AHEAD = 2**17

Examples = Callable[[int, int], tuple[np.ndarray, np.ndarray, np.ndarray]]


@njit
def draw_inputs(pool, noise, B, rng, p, s, moved):
    """Fill the rows of `pool` with inputs whose coordinates along the orthonormal rows of B/√N have the law.

    noise (rows, n_noise) are standard normals in, noises of the rule out; s and moved (M,) are memory.
    """
    M, N = B.shape
    root = np.sqrt(N)
    for i in range(pool.shape[0]):
        x = pool[i]
        for low in range(0, N, BLOCK):
            normals(rng, x[low : min(low + BLOCK, N)])
        for m in range(M):
            s[m] = dot(B[m], x) / root
            moved[m] = s[m]
        law(s, noise[i], p)
        for m in range(M):
            axpy(x, B.dtype.type((s[m] - moved[m]) / root), B[m])


def inputs_at_once(rule: LearningRule, N: int) -> int:
    """Inputs for which a pass over the weights is made: those of a step, or of several if they are few.

    Steps that look at the weights, or make them another way than along the inputs, are for themselves; so are those on
    fresh inputs that are too large for what is gained.
    """
    b = rule.minibatch
    alone = rule.uses_overlaps or rule.whole_batch or rule.estimated or rule.sphere
    if alone or AHEAD % b != 0 or (rule.alpha is None and N > MOST_AHEAD):
        return b
    return AHEAD


def pool_size(rule: LearningRule, N: int) -> int:
    """Inputs that a replica holds: two minibatches, some more that are drawn ahead if they have a law of their own, or
    the ⌈αN⌉ examples of a fixed training set."""
    if rule.alpha is None and rule.law is None:
        return 2 * inputs_at_once(rule, N)
    if rule.alpha is None:
        g = inputs_at_once(rule, N)
        return g * max(1, min(64, WORDS_AHEAD // N) // g)
    if not rule.alpha * N <= MOST_STEPS:
        raise ModelError("alpha", rule.alpha, f"gives more than 2**53 examples at N = {N}")
    # 0.07·100 is 7 and a rounding error, which is no eighth example.
    return math.ceil(rule.alpha * N * (1 - 1e-12))


class Stored:
    """Examples of a training set, as `iterate` wants them."""

    def __init__(self, pool: np.ndarray, noise: np.ndarray, order: Callable[[int], np.ndarray], b: int) -> None:
        self.pool, self.noise, self.order, self.b = pool, noise, order, b

    def __call__(self, step: int, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = self.order(min(most, max(1, SCALARS // self.b)) * self.b).reshape(-1, self.b)
        return self.pool, rows, self.noise[rows]


def order(rule: LearningRule, size: int, rng: np.random.Generator) -> Callable[[int], np.ndarray]:
    """The function that gives so many examples, the next ones, of a training set of that size."""
    if rule.order == "replacement":
        return lambda count: rng.integers(size, size=count)
    part, left = max(1, round(rule.epoch * size)), np.empty(0, np.int64)

    def follow(count: int) -> np.ndarray:
        nonlocal left
        more = [left]
        for _ in range(-(-(count - len(left)) // part)):
            more.append(rng.permutation(size)[:part])
        left = np.concatenate(more)
        rows, left = left[:count], left[count:]
        return rows

    return follow


class Seeded(NamedTuple):
    """What a replica draws from: a stream of inputs, generators of all else."""

    replica: int
    inputs: np.ndarray
    scalars: np.random.Generator
    directions: np.random.Generator | None


def seeded(rule: LearningRule, seed: int, replicas: Sequence[int]) -> Iterator[Seeded]:
    """Of each replica, at its start."""
    # Numbers of two kinds from one generator would depend on how many are drawn at once.
    lengths = repeat(None) if rule.queries is None else generators(seed, replicas, "direct directions")
    inputs, scalars = streams(seed, replicas, "direct inputs"), generators(seed, replicas, "direct scalars")
    return map(Seeded, replicas, inputs, scalars, lengths)


def source(
    rule: LearningRule, N: int, B: np.ndarray, pool: np.ndarray, drawn: Seeded, more: Any = None
) -> tuple[np.ndarray | None, Examples]:
    """Where the examples of a replica come from, which are put into `pool`: for both, and for `more`, see `iterate`."""
    _, rng, scalars, lengths = drawn
    b, size = rule.minibatch, len(pool)
    if rule.alpha is not None:
        labels = scalars.standard_normal((size, rule.n_noise))
        filler(rule, B, rng)(pool, labels)
        return None, Stored(pool, labels, order(rule, size, scalars), b)
    if rule.law is not None:
        fill = filler(rule, B, rng)

        def ahead(step: int, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            rows = np.arange(b * min(most, size // b))
            noise = scalars.standard_normal((len(rows), rule.n_noise))
            fill(pool[: len(rows)], noise)
            return pool, rows.reshape(-1, b), noise.reshape(-1, b, rule.n_noise)

        return None, ahead
    # Fresh inputs take the two halves of the pool in turn, since the last ones are still wanted for their update.
    longest, g = max(1, SCALARS // b), inputs_at_once(rule, N)
    turns = in_turn(b, 2 * g // b, longest)

    def fresh(step: int, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        count = min(most, longest)
        noise = scalars.standard_normal((count, b, rule.n_noise))
        if lengths is not None:
            more.lengths[:count] = estimates.roots(rule, N, lengths, count)
        return pool, turns[step % (2 * g // b) :][:count], noise

    return rng, fresh


@lru_cache(maxsize=4)
def in_turn(b: int, several: int, steps: int) -> np.ndarray:
    """Rows (…, b) of several minibatches that take turns, for as many steps from each of them on."""
    return np.resize(np.arange(several * b).reshape(several, b), (several + steps, b))


def filler(rule: LearningRule, B: np.ndarray, rng: np.ndarray) -> Callable[[np.ndarray, np.ndarray], None]:
    """The function ``fill(x, noise)`` that draws inputs x (rows, N), and turns normals (rows, n_noise) into noises."""
    if rule.law is not None:
        kernel, p, memory = bind(draw_inputs, rule.law, law), rule.seen_params(), np.zeros((2, rule.M))
        return lambda x, noise: kernel(x, noise, B, rng, p, *memory)
    one = signs if rule.inputs == "binary" else normals

    def fill(x: np.ndarray, noise: np.ndarray) -> None:
        for row in x:
            one(rng, row)

    return fill
