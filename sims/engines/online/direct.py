"""Engine `direct`: the weights themselves, for any law of the inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tsphys._jit import njit, once, rebind, taken_in
from tsphys.errors import ModelError
from tsphys.ground.given import reals
from tsphys.numerics.caches import aligned
from tsphys.numerics.random import Generators, generator, generators, stream
from tsphys.physics.order_parameters import OrderParameters, in_directions, need, triangular_root
from tsphys.rules.binding import Anchored
from tsphys.rules.learning_rule import LearningRule
from tsphys.rules.phases import Phase, held_fraction, rewound
from tsphys.runs.memory import fitting_threads
from tsphys.sims.engines.online import estimates
from tsphys.sims.engines.online.binding import bound, seen_by
from tsphys.sims.engines.online.examples import Examples, Seeded, inputs_at_once, pool_size, seeded, source
from tsphys.sims.engines.online.local import (
    SCALARS,
    bind_anchored,
    coefficients,
    estimate,
    minibatch_weights,
    of_unit,
)
from tsphys.sims.engines.online.passes import (
    AHEAD,
    combined,
    filled,
    filled_with_signs,
    nothing,
    one_by_one,
    overlaps,
    pass_over,
    squared,
    together,
)
from tsphys.sims.engines.online.phases import Held, restored, through_phases

#: Places in the memory of a turn: its steps that are done, and whether its fields are to be gathered again.
AT, AGAIN = 0, 1
#: Numbers in the directions that are drawn for several replicas at once.
NUMBERS_AT_ONCE = 2**20


@njit
def kept(decay, W, c, lam, pool, old):
    """The part of the weights that stays after the steps w + c x on the inputs `old`, of which `lam` are the last
    fields."""
    return decay


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
        nothing(c)
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
            nothing(c)
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
        for k in range(v.shape[0]):
            change[k] = 0.0
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
def of_inputs(inputs: str, at_once: int, sphere: bool = False, estimator: Any = None) -> Any:
    """`advance` with so many inputs of this law in a turn, students that are free or on the sphere, steps as they are
    or estimated."""
    replace: dict[Any, Any] = {filled: filled_with_signs} if inputs == "binary" else {}
    if at_once != AHEAD:
        replace[together] = one_by_one
    if sphere:
        replace[kept] = kept_on_sphere
    names = ["binary"] * (inputs == "binary") + ["step"] * (at_once != AHEAD) + ["sphere"] * sphere
    if estimator is not None:
        replace[estimate] = estimator
        names.append(estimator.__name__)
    tag = "_".join(names)
    return rebind(advance, replace, tag=tag) if replace else advance


Advance = Callable[[int, int], tuple[int, np.ndarray, np.ndarray, np.ndarray]]


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


def late(rule: LearningRule, N: int, V: int, dtype: Any) -> None:
    """Compile what `advance` comes to late and what stands by itself, for another process (`tsphys.ahead`)."""
    g, K, M = inputs_at_once(rule, N), rule.K, rule.M
    if g == AHEAD:
        of_weights, of_fields, rows = np.zeros((1, 1), dtype), np.zeros((1, 1)), np.zeros(1, int)
        taken_in(together, of_weights, of_weights, of_weights, rows, rows, g, of_weights, 0, 0, *[of_fields] * 3)
    if not (rule.whole_batch or rule.estimated):
        # Vectors of float64 all of them, of the fields, of the readouts, of the noise and of what the rule fills.
        p, some = seen_by(rule, V, np.zeros((K, M)), np.zeros((K, K))), np.zeros(1)
        taken_in(bound(coefficients, rule), some, some, some, some, some, p, some, some)


def start_replica(
    rule: LearningRule, N: int, start: OrderParameters, seed: int, replica: int, dtype: Any
) -> Advance:  # fmt: skip
    """A single one of `start_replicas`."""
    return next(start_replicas(rule, N, [start], seed, [replica], dtype))


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
        kernel, decay = of_inputs(rule.inputs, self.g, rule.sphere, estimates.of_weights(rule)), rule.weight_decay
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
