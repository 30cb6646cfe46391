"""Engine `direct`: the weights themselves, for any law of the inputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from tsphys._jit import njit, once, rebind
from tsphys.errors import ModelError
from tsphys.ground.given import reals
from tsphys.ground.times import MOST_STEPS
from tsphys.numerics.caches import aligned
from tsphys.numerics.random import Generators, generator, generators, normals, signs, stream, streams
from tsphys.physics.order_parameters import OrderParameters, in_directions, need, triangular_root
from tsphys.rules.binding import Anchored, law
from tsphys.rules.learning_rule import LearningRule
from tsphys.rules.phases import Phase, held_fraction, rewound
from tsphys.runs.memory import fitting_threads
from tsphys.sims.engines.online import estimates
from tsphys.sims.engines.online.binding import bound, seen_by
from tsphys.sims.engines.online.local import (
    BLOCK,
    SCALARS,
    bind,
    bind_anchored,
    coefficients,
    estimate,
    minibatch_weights,
    of_unit,
)
from tsphys.sims.engines.online.phases import Held, restored, through_phases

#: Numbers in the inputs that are drawn ahead of their use: they stay in the second-level cache.
WORDS_AHEAD = 2**15
#: Inputs whose fields are gathered in one pass over the weights; their products with each other cost more with each.
AHEAD = 4
#: Largest dimension for fresh inputs, of which two turns are held: beyond it drawing them in memory is what costs.
MOST_AHEAD = 2**17
#: Coordinates of eight inputs that stay in the first-level cache beside a row of weights.
TILE = 384
#: Places in the memory of a turn: its steps that are done, and whether its fields are to be gathered again.
AT, AGAIN = 0, 1
#: Numbers in the directions that are drawn for several replicas at once.
NUMBERS_AT_ONCE = 2**20


@njit(fast=True)
def pass_over(W, B, pool, old, new, b, c, left, moved, fresh, rng, lam, nu, gram):
    """One pass over the weights: apply the last updates, draw the next inputs, gather their fields.

    W ← left·W + Σ_e c_ke x_old[e], `left` (K,) without a look unless `moved`; then λ_ke = w_k·x_new[e],
    ν_me = w*_m·x_new[e], both without their 1/√N. Inputs are those of a step, b, or of several: then the products of
    each with those before it are gathered too, below the diagonal of `gram`.
    """
    K, N = W.shape
    g = new.shape[0]
    lam.fill(0.0)
    nu.fill(0.0)
    gram.fill(0.0)
    # Inputs are drawn step by step, of one step block by block.
    room, tile = BLOCK if g == b else N, TILE if g == AHEAD else BLOCK
    for start in range(0, N, room):
        end = min(start + room, N)
        if fresh:
            piece = end - start if b == 1 else BLOCK
            for step in range(0, g, b):
                for low in range(start, end, piece):
                    for e in range(step, step + b):
                        filled(rng, pool[new[e], low : min(low + piece, end)])
        for low in range(start, end, tile):
            high = min(low + tile, end)
            for k in range(K):
                if moved and left[k] != 1:
                    scale(W[k, low:high], W.dtype.type(left[k]))
            if g == AHEAD:
                four_at_once(W, B, pool, old, new, c, low, high, lam, nu)
                if g > b:
                    products(pool, new, low, high, gram)
            else:
                one_by_one(W, B, pool, old, new, c, low, high, lam, nu)


@njit
def filled(rng, x):
    """Draw coordinates of an input."""
    normals(rng, x)


@njit
def filled_with_signs(rng, x):
    """The same for inputs ±1, of which each block begins with words of its own."""
    signs(rng, x, BLOCK)


@njit(fast=True)
def one_by_one(W, B, pool, old, new, c, low, high, lam, nu):
    """`pass_over` of some coordinates, with one update beside the fields of one input."""
    b = new.shape[0]
    for m in range(B.shape[0]):
        for beta in range(b):
            nu[beta, m] += dot(B[m, low:high], pool[new[beta], low:high])
    for k in range(W.shape[0]):
        w = W[k, low:high]
        for beta in range(b - 1):
            axpy(w, c[beta, k], pool[old[beta], low:high])
        lam[0, k] += axpy_dot(w, c[b - 1, k], pool[old[b - 1], low:high], pool[new[0], low:high])
        for beta in range(1, b):
            lam[beta, k] += dot(w, pool[new[beta], low:high])


@njit(fast=True)
def four_at_once(W, B, pool, old, new, c, low, high, lam, nu):
    """`pass_over` of some coordinates, with four updates beside the fields of four inputs."""
    # References to slices would be counted, and indices that may be negative looked at: half of the time.
    low, high = np.uint64(low), np.uint64(high)
    x0, x1, x2, x3 = old[0], old[1], old[2], old[3]
    y0, y1, y2, y3 = new[0], new[1], new[2], new[3]
    none = W.dtype.type(0)
    for k in range(W.shape[0]):
        c0, c1, c2, c3 = c[0, k], c[1, k], c[2, k], c[3, k]
        s0 = s1 = s2 = s3 = none
        for i in range(low, high):
            w = W[k, i] + c0 * pool[x0, i] + c1 * pool[x1, i] + c2 * pool[x2, i] + c3 * pool[x3, i]
            W[k, i] = w
            s0 += w * pool[y0, i]
            s1 += w * pool[y1, i]
            s2 += w * pool[y2, i]
            s3 += w * pool[y3, i]
        lam[0, k] += s0
        lam[1, k] += s1
        lam[2, k] += s2
        lam[3, k] += s3
    for m in range(B.shape[0]):
        s0 = s1 = s2 = s3 = none
        for i in range(low, high):
            s0 += B[m, i] * pool[y0, i]
            s1 += B[m, i] * pool[y1, i]
            s2 += B[m, i] * pool[y2, i]
            s3 += B[m, i] * pool[y3, i]
        nu[0, m] += s0
        nu[1, m] += s1
        nu[2, m] += s2
        nu[3, m] += s3


@njit(fast=True)
def products(pool, new, low, high, gram):
    """Add the products of four inputs on some coordinates."""
    x0, x1, x2, x3 = new[0], new[1], new[2], new[3]
    s10 = s20 = s30 = s21 = s31 = s32 = pool.dtype.type(0)
    for i in range(np.uint64(low), np.uint64(high)):
        s10 += pool[x1, i] * pool[x0, i]
        s20 += pool[x2, i] * pool[x0, i]
        s30 += pool[x3, i] * pool[x0, i]
        s21 += pool[x2, i] * pool[x1, i]
        s31 += pool[x3, i] * pool[x1, i]
        s32 += pool[x3, i] * pool[x2, i]
    gram[1, 0] += s10
    gram[2, 0] += s20
    gram[3, 0] += s30
    gram[2, 1] += s21
    gram[3, 1] += s31
    gram[3, 2] += s32


@njit(fast=True)
def dot(a, b):
    """a·b."""
    s = a.dtype.type(0)
    for i in range(a.shape[0]):
        s += a[i] * b[i]
    return s


@njit
def scale(w, factor):
    """w ← factor·w."""
    for i in range(w.shape[0]):
        w[i] *= factor


@njit(fast=True)
def axpy(w, c, x):
    """w ← w + c x."""
    for i in range(w.shape[0]):
        w[i] += c * x[i]


@njit(fast=True)
def axpy_dot(w, c, x, y):
    """w ← w + c x, and w·y."""
    s = w.dtype.type(0)
    for i in range(w.shape[0]):
        new = w[i] + c * x[i]
        w[i] = new
        s += new * y[i]
    return s


@njit(fast=True)
def overlaps(W, B, R, Q):
    """R (K, M) and Q (K, K) of the weights, summed in float64."""
    K, N = W.shape
    for k in range(K):
        for m in range(B.shape[0]):
            s = 0.0
            for i in range(N):
                s += np.float64(W[k, i]) * np.float64(B[m, i])
            R[k, m] = s / N
        for j in range(k + 1):
            s = 0.0
            for i in range(N):
                s += np.float64(W[k, i]) * np.float64(W[j, i])
            Q[k, j] = s / N
            Q[j, k] = s / N


@njit
def kept(decay, W, c, lam, pool, old):
    """The part of the weights that stays after the steps w + c x on the inputs `old`, of which `lam` are the last
    fields."""
    return decay


@njit(fast=True)
def squared(w):
    """|w|², summed in float64."""
    s = 0.0
    for i in range(w.shape[0]):
        s += np.float64(w[i]) * np.float64(w[i])
    return s


@njit
def kept_on_sphere(decay, W, c, lam, pool, old):
    """The factor, also put into c, that brings a single student w back to |w|² = N after a step.

    Its norm before the step is measured: taken for granted, its rounding would grow like exp(−2⟨cλ⟩t).
    """
    w, x = W[0], pool[old[0]]
    N = x.shape[0]
    # λ = w·x/√N; single precision would move the norm by 1e-7 a step.
    cost = np.float64(c[0, 0])
    scale = np.sqrt(N / (squared(w) + 2.0 * cost * np.sqrt(N) * lam[0] + cost * cost * squared(x)))
    c[0, 0] *= scale
    return x.dtype.type(scale)


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


@njit
def advance(
    W, B, v, v_star, p, uses_overlaps, pool, rows, noise, most, fresh, decay, decay_v, rng, R, Q,
    turn, shown, old, new, lam, nu, gram, c, left, lam_example, nu_example, noise_example, c_example, dv, change,
):  # fmt: skip
    """Do `most` steps, a row of `rows` each; returns how many were done, fewer if it diverged.

    W (K, N), B (M, N), v are changed in place; R (K, M), Q (K, K) hold the overlaps at the end, and those of each step
    if it `uses_overlaps`, which ``p`` then has. The inputs of step i are pool[rows[i]], drawn anew if they are `fresh`,
    with noise[i] (b, n_noise).

    Steps come in turns, of g inputs, and `rows` goes to the end of one. A turn looks at the weights once, at its
    beginning: the fields of its later steps are those of then and what its own steps add, Σ c_e x_e·x. If it is left in
    the middle, W stays at its beginning, the weights as they are go into `shown`, and the next call goes on with it, so
    that pieces of a run leave no trace in its bits. Hence `turn` (see `AT`), the inputs of the last pass and the next,
    old and new (g,), their fields, lam (g, K) and nu (g, M), products, gram (g, g), and steps, c (g, K), and what is
    left of W, left (K,). The rest is memory of an example and a step; allocating here would take half a second to
    compile.
    """
    K, N = W.shape
    M = B.shape[0]
    g, b = lam.shape[0], rows.shape[1]
    root = np.sqrt(N)
    done = 0
    moved = turn[AT] > 0
    if not moved:
        c.fill(0.0)
    if most == 0 and not moved:
        overlaps(W, B, R, Q)
        return done
    if not moved:
        for e in range(g):
            old[e] = rows[0, 0]
    while True:
        at = turn[AT]
        if at == 0 or turn[AGAIN]:
            # The last update goes by the same instructions as the others; the fields that are gathered with it are not
            # used.
            last = at == 0 and done == most
            for e in range(g):
                new[e] = old[e] if last or turn[AGAIN] else rows[done + e // b, e % b]
            pass_over(W, B, pool, old, new, b, c, left, moved, fresh and not (last or turn[AGAIN]), rng, lam, nu, gram)
            if last:
                overlaps(W, B, R, Q)
                break
            turn[AGAIN] = 0
            for e in range(g):
                old[e] = new[e]
            c.fill(0.0)
            for k in range(K):
                left[k] = 1.0
        if done == most:
            combined(W, pool, old, c, left, shown)
            overlaps(shown, B, R, Q)
            break
        if uses_overlaps:
            overlaps(W, B, R, Q)
        first = at * b
        end = first + b
        # Those who look at weights or at the whole minibatch have turns of a single step. The rest takes no slices,
        # since references to them are counted, atomically, for longer than the rule itself takes.
        minibatch_weights(pool, old, lam, nu, root, v, v_star, noise, done, p)
        change.fill(0.0)
        ok = True
        for e in range(first, end):
            for k in range(K):
                s = left[k] * lam[e, k]
                for before in range(first):
                    s += c[before, k] * gram[e, before]
                lam_example[k] = s / root
            for m in range(M):
                nu_example[m] = nu[e, m] / root
            for n in range(noise.shape[2]):
                noise_example[n] = noise[done, e - first, n]
            ok = coefficients(lam_example, nu_example, v, v_star, noise_example, p, c_example, dv) and ok
            for k in range(K):
                c[e, k] = c_example[k] / (b * root)
            for k in range(v.shape[0]):
                change[k] += dv[k] / (b * N)
        if not ok:
            for e in range(first, end):
                for k in range(K):
                    c[e, k] = 0.0
            combined(W, pool, old, c, left, shown)
            overlaps(shown, B, R, Q)
            break
        for k in range(v.shape[0]):
            v[k] = decay_v * v[k] + change[k]
        shrink = kept(decay, W, c, lam_example, pool, old)
        estimate(W, pool, old, c, done, p, rng)
        for k in range(K):
            stays = of_unit(shrink, k)
            if stays != 1:
                left[k] *= stays
                for before in range(first):
                    c[before, k] *= stays
        moved = True
        done += 1
        turn[AT] = at + 1 if end < g else 0
    return done


@njit
def combined(W, pool, old, c, left, out):
    """The weights (K, N) in the middle of a turn, whose steps are not made yet."""
    for k in range(W.shape[0]):
        for i in range(W.shape[1]):
            out[k, i] = W.dtype.type(left[k]) * W[k, i]
        for e in range(old.shape[0]):
            if c[e, k] != 0:
                axpy(out[k], c[e, k], pool[old[e]])


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


def fitting(rule: LearningRule, N: int, dtype: np.dtype[Any], threads: int) -> int:
    """How many of `threads` replicas fit into memory side by side, or a ModelError if none does."""
    size = pool_size(rule, N)
    # A start needs a random basis, its factors and the products with them, in float64, before there are weights.
    anchors = 0 if rule.schedule is None else 2 * rule.K
    masks = 0 if rule.masks is None else 4 * rule.K
    taken = size * (rule.batch or 0.0)
    bytes_each = float(N) * ((rule.K + rule.M) * (dtype.itemsize + 4 * 8) + (size + taken + anchors) * dtype.itemsize)
    bytes_each += 8.0 * N * masks
    what = "the weights and " + ("the inputs" if rule.alpha is None else f"{size:.4g} examples")
    depends = {"N": N, "K": rule.K, "M": rule.M, "minibatch": rule.minibatch, "alpha": rule.alpha}
    return fitting_threads(bytes_each, depends, what, threads)


@once
def of_inputs(inputs: str, sphere: bool = False, estimator: Any = None) -> Any:
    """`advance` with inputs of this law, students that are free or on the sphere, steps as they are or estimated."""
    replace: dict[Any, Any] = {filled: filled_with_signs} if inputs == "binary" else {}
    if sphere:
        replace[kept] = kept_on_sphere
    names = ["binary"] * (inputs == "binary") + ["sphere"] * sphere
    if estimator is not None:
        replace[estimate] = estimator
        names.append(estimator.__name__)
    tag = "_".join(names)
    return rebind(advance, replace, tag=tag) if replace else advance


Advance = Callable[[int, int], tuple[int, np.ndarray, np.ndarray, np.ndarray]]
Examples = Callable[[int, int], tuple[np.ndarray, np.ndarray, np.ndarray]]


def start_replicas(
    rule: LearningRule, N: int, starts: Sequence[OrderParameters], seed: int, replicas: Sequence[int], dtype: Any,
    steps: int = SCALARS,
) -> Iterator[Advance]:  # fmt: skip
    """Replicas at t = 0, each as the function ``advance(step, stop) -> (step reached, R, Q, v)``.

    They are for one after the other, since each takes over the memory of the one before.
    """
    run: Replica | None = None
    more: Any = None
    pool = aligned(np.zeros((pool_size(rule, N), N), dtype), dtype)
    for start, drawn, W, B in placed(rule, N, starts, seed, replicas, dtype):
        if more is None or rule.masks is not None:
            more = estimates.of_replica(rule, N, seed, drawn.replica)
        if rule.masks is not None:
            W *= more.masks
        inputs, examples = source(rule, N, B, pool, drawn, more)
        if run is None or rule.schedule is not None or rule.masks is not None:
            run = iterate(rule, W, B, start.v, start.v_star, examples, inputs, more, inputs_at_once(rule, N))
        else:
            run.begin(W, B, start.v, examples, inputs)
        if rule.schedule is not None:
            run.units = generator(seed, drawn.replica, "direct units")
        yield through_phases(run, rule, N, start)


def placed(
    rule: LearningRule, N: int, starts: Sequence[OrderParameters], seed: int, replicas: Sequence[int], dtype: Any
) -> Iterator[tuple[OrderParameters, Seeded, np.ndarray, np.ndarray]]:
    """Start, numbers to come, weights (K, N) and teachers (M, N) of each, drawn for as many at once as are small."""
    need(N, rule.K, rule.M)
    some = max(1, NUMBERS_AT_ONCE // (N * (rule.K + rule.M)))
    for i in range(0, len(starts), some):
        ids, begun = replicas[i : i + some], starts[i : i + some]
        draw: Any = Generators(generators(seed, ids, "direct start"))
        A, L, LT = (np.array(a) for a in zip(*(start.coordinates for start in begun), strict=True))
        if rule.teachers is None:
            W, B = in_directions(A, L, LT, N, draw)
        else:
            along = np.array([own_directions(rule, N, generator(seed, i, "teachers")) for i in ids])
            rest = np.array([outside(b, rule.K, generator(seed, i, "direct start")) for b, i in zip(along, ids)])
            W, B = A @ along + L @ rest, LT @ along
        W, B = (aligned(a, dtype) for a in (W, B))
        yield from zip(begun, seeded(rule, seed, ids), W, B, strict=True)


def own_directions(rule: LearningRule, N: int, rng: np.random.Generator) -> np.ndarray:
    """The directions (M, N) of a rule that says what its teachers are made of, or a ModelError."""
    assert rule.teachers is not None
    out = reals("teachers", rule.teachers, (rule.M, N), N, rng)
    # What sums of N products round off, and nobody sees.
    if np.abs(out @ out.T / N - np.eye(rule.M)).max() > 1e-9:
        raise ModelError("teachers", rule.teachers, "must return directions of length √N perpendicular to each other")
    return np.asarray(out, dtype=float)


def start_replica(
    rule: LearningRule, N: int, start: OrderParameters, seed: int, replica: int, dtype: Any
) -> Advance:  # fmt: skip
    """A single one of `start_replicas`."""
    return next(start_replicas(rule, N, [start], seed, [replica], dtype))


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


def outside(known: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """n directions (n, N) of length √N, perpendicular to each other and to the rows of `known`, otherwise random."""
    N = known.shape[1]
    basis = np.linalg.qr(np.concatenate([known, rng.standard_normal((n, N))]).T)[0]
    return np.sqrt(N) * basis[:, -n:].T


def iterate(
    rule: LearningRule, W: np.ndarray, B: np.ndarray, v: np.ndarray, v_star: np.ndarray,
    examples: Examples, rng: np.ndarray | None = None, more: Any = None, at_once: int = 1,
) -> Replica:  # fmt: skip
    """Weights W (K, N), changed in place, as the function ``advance(step, stop) -> (step reached, R, Q, v)``.

    ``examples(step, most)`` returns pool, rows and noise of the next steps, `most` or fewer, as `advance` wants them.
    With a stream `rng` the kernel draws the inputs into the pool; otherwise, whatever their law, they stand there.
    `more` is what an estimate of the steps wants to know, see `tsphys.sims.engines.online.estimates`. With as many as
    `at_once` inputs a turn, see `advance`, `examples` is asked for whole turns, and what it has put into the pool
    stays there until the next turn is over.
    """
    v, v_star = np.array(v, dtype=np.float64), np.array(v_star, dtype=np.float64)
    return Replica(rule, W, B, v, v_star, examples, rng, more, at_once)


class Replica:
    """Weights in motion: ``replica(step, stop) -> (step reached, R, Q, v)``, for arguments see `iterate`."""

    def __init__(self, rule: LearningRule, W: np.ndarray, B: np.ndarray, v: np.ndarray, v_star: np.ndarray,
                 examples: Any, rng: np.ndarray | None, more: Any = None, at_once: int = 1):  # fmt: skip
        self.rule, self.W, self.teachers, self.v, self.v_star = rule, W, B, v, v_star
        self.examples, self.fresh, self.more = examples, rng is not None, more
        self.rng = stream(0, 0) if rng is None else rng
        self.held: Held | None = None
        self.kept: tuple[np.ndarray, np.ndarray] | None = None
        #: What units are made of that a phase makes anew, and what its masks draw from.
        self.units = np.random.default_rng(0)
        #: What is left of the inputs of a turn that is not over: pool, rows and noise.
        self.drawn: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        self.B = B
        self.g = max(at_once, rule.minibatch)
        self._prepare(rule, None)

    def begin(self, W: np.ndarray, B: np.ndarray, v: np.ndarray, examples: Examples, rng: np.ndarray | None) -> None:
        """Set out from other weights, with the kernel and the memory of the run before."""
        self.W, self.teachers, self.B, self.examples = W, B, B, examples
        self.v[...] = v
        self.rng = self.rng if rng is None else rng
        self.turn[:], self.drawn = 0, None

    def _prepare(self, rule: LearningRule, pull: np.ndarray | None) -> None:
        """Set up the kernel for a rule with other parameters and, with a `pull`, for anchors where the weights are."""
        (K, N), M, V = self.W.shape, rule.M, len(self.v)
        kernel, decay = of_inputs(rule.inputs, rule.sphere, estimates.of_weights(rule)), rule.weight_decay
        self.B, self.held, self.R, self.Q = self.teachers, None, np.empty((K, M)), np.empty((K, K))
        self.p = seen_by(rule, V, self.R, self.Q, self.more)
        self.decays: Any = 1.0 - decay / N, 1.0 - rule.weight_decay_v / N
        if pull is None:
            self.kernel = bound(kernel, rule)
        else:
            self.kernel = bind_anchored(kernel, rule.function)
            fixed = held_fraction(pull, decay)[:, None].astype(self.W.dtype) * self.W
            self.W, self.B = self.W - fixed, np.concatenate([self.teachers, fixed])
            self.held = Held(np.empty((K, M)), np.empty((K, K)))
            overlaps(fixed, self.teachers, *self.held)
            self.p, self.R = Anchored(self.p, np.zeros(K)), np.empty((K, M + K))
            self.decays = 1.0 - (decay + pull) / N, self.decays[1]
        g, M = self.g, len(self.B)
        self.turn, self.old, self.shown = np.zeros(2, np.int64), np.zeros(g, np.int64), aligned(np.zeros_like(self.W))
        self.drawn = None
        self.memory = (
            np.zeros(g, np.int64), np.zeros((g, K)), np.zeros((g, M)), np.zeros((g, g)),
            np.zeros((g, K), self.W.dtype), *np.ones((2, K)), np.zeros(M), np.zeros(rule.n_noise), np.zeros(K),
            *np.zeros((2, V)),
        )  # fmt: skip

    def training(self) -> tuple[np.ndarray, ...]:
        """Fields (K, n), (M, n), readouts and noises (…, n) of a training set."""
        stored, root = self.examples, np.sqrt(self.W.shape[1])
        W = self.shown if self.turn[AT] else self.W
        lam, nu = ((a @ stored.pool.T).astype(float) / root for a in (W, self.teachers))
        return lam, nu, self.v, self.v_star, stored.noise.T

    def enter(self, phase: Phase) -> None:
        """Go on with the parameters, the masks, the units, the readout and the anchors of a phase."""
        at, old, drawn = self.turn[AT], self.old, self.drawn
        if at:
            self.W = self.shown
        if self.held is not None:
            self.W = self.W + self.B[self.rule.M :]
        if phase.masks is not None:
            self.more = estimates.masked("masks", phase.masks, self.W.shape, np.array(self.W, float), self.units)
        if phase.rewind:
            W, self.v[...] = rewound(self.kept)
            self.W = W.copy()
        if phase.v is not None:
            self.v[...] = phase.v
        if phase.masks is not None:
            self.W *= self.more.masks
        if phase.units is not None:
            mix, fresh = phase.units
            new = triangular_root(fresh) @ outside(np.concatenate([self.teachers, self.W]), len(mix), self.units)
            self.W = np.ascontiguousarray(mix @ self.W + new, dtype=self.W.dtype)
        if phase.keep:
            self.kept = self.W.copy(), self.v.copy()
        self._prepare(phase.of(self.rule), phase.rates(self.rule, self.W.shape[1]))
        # A turn that is not over goes on with the inputs that it has, and fields of the weights as they are now.
        self.turn[:], self.old, self.drawn = (at, at > 0), old, drawn

    def __call__(self, step: int, stop: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        target, several = step, self.g // self.rule.minibatch
        while True:
            pool, rows, noise = self.drawn or self.examples(step, -(-(stop - step) // several) * several)
            most = min(len(rows), stop - step)
            self.drawn = (pool, rows[most:], noise[most:]) if most < len(rows) else None
            target += most
            step += self.kernel(
                self.W, self.B, self.v, self.v_star, self.p, self.rule.uses_overlaps, pool, rows, noise, most,
                self.fresh, *self.decays, self.rng, self.R, self.Q, self.turn, self.shown, self.old, *self.memory,
            )  # fmt: skip
            if step < target or step == stop:
                return step, *restored(self.R, self.Q, self.held), self.v.copy()
