"""Engine `exact`: the law of finite-N online SGD on iid Gaussian inputs, at a cost that does not depend on N.

The overlaps of students and teachers are a Markov chain of their own: the coefficients of a step depend on the input
only through K + M fields, and given these the rest of the input is an isotropic Gaussian. The state is the students'
coordinates in the teachers' orthonormal basis, A (K, M), and a lower-triangular remainder L (K, K), so that
R = A L_Tᵀ and Q = A Aᵀ + L Lᵀ; a step appends the components of the inputs outside of both spans and rotates them into
L again. Nothing is subtracted, so nothing cancels when Q − R T⁻¹ Rᵀ → 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tsphys._jit import njit, once, rebind
from tsphys.numerics.choice import every, where
from tsphys.numerics.random import LANES, generators, normals, stream, streams
from tsphys.physics.order_parameters import OrderParameters, triangular_root
from tsphys.rules.binding import Anchored, through_law
from tsphys.rules.binding import law as place
from tsphys.rules.learning_rule import LearningRule
from tsphys.rules.phases import Phase, held_fraction, rewound
from tsphys.runs.memory import fitting_threads
from tsphys.sims.engines.online import estimates
from tsphys.sims.engines.online.binding import bound, seen_by
from tsphys.sims.engines.online.local import (
    SCALARS,
    bind,
    bind_anchored,
    coefficients,
    estimate_of_coordinates,
    minibatch_coordinates,
    of_unit,
)
from tsphys.sims.engines.online.phases import Held, restored, through_phases


@njit(fastmath={"contract"})
def lower(S, K, columns):
    """Rotate the columns of S[:K, :columns] so that it is lower triangular, by Householder reflections from the right.

    S Sᵀ stays what it is, to rounding. Sums keep their order, so that lanes have the bits of a single replica.
    """
    for k in range(K):
        rest = 0.0
        for j in range(k + 1, columns):
            rest += S[k, j] * S[k, j]
        if every(rest == 0.0):
            continue
        head = S[k, k]
        norm = math.sqrt(head * head + rest)
        norm = where(head > 0.0, -norm, norm)
        # u = (head − norm, S[k, k+1:]), |u|² = 2 norm (norm − head); norm has the sign that avoids cancellation.
        first = head - norm
        scale = where(rest == 0.0, 0.0, 1.0 / (norm * first))
        S[k, k] = where(rest == 0.0, head, norm)
        for i in range(k + 1, K):
            s = S[i, k] * first
            for j in range(k + 1, columns):
                s += S[i, j] * S[k, j]
            s *= scale
            S[i, k] += s * first
            for j in range(k + 1, columns):
                S[i, j] += s * S[k, j]


@njit
def overlaps(A, L, LT, R, Q):
    """R (K, M) and Q (K, K) of the coordinates."""
    K, M = A.shape
    for k in range(K):
        for m in range(M):
            s = 0.0
            for j in range(m + 1):
                s += A[k, j] * LT[m, j]
            R[k, m] = s
        for l in range(k + 1):
            s = 0.0
            for j in range(M):
                s += A[k, j] * A[l, j]
            for j in range(l + 1):
                s += L[k, j] * L[l, j]
            Q[k, l] = s
            Q[l, k] = s


@njit
def settle(A, L):
    """What is left to do at the end of a step: nothing."""


@njit
def onto_sphere(A, L):
    """Put a single student back to Q = 1."""
    q = L[0, 0] * L[0, 0]
    for m in range(A.shape[1]):
        q += A[0, m] * A[0, m]
    scale = 1.0 / math.sqrt(q)
    L[0, 0] *= scale
    for m in range(A.shape[1]):
        A[0, m] *= scale


@njit
def advance(
    A, L, LT, v, v_star, p, uses_overlaps, z, F, dof, N, decay, decay_v, R, Q, zeta, lam, nu, c, dv, change, S, C, dA
):
    """Do a step for each row of `z`; returns how many were done, fewer if it diverged.

    A (K, M), L (K, K), v are changed in place; R (K, M), Q (K, K) hold the overlaps at the end, and those of each step
    if it `uses_overlaps`, which ``p`` then has. z (steps, b, M + K + n_noise + …) are the inputs in the basis of
    teachers and students, the noise, and what an estimate of the step wants; F (steps, r, r), see `remainder`, is
    Bartlett's factor of the Gram matrix of their rest, lower triangular, its upper part is not read. The last nine
    are `scratch`: a thread of a GPU cannot allocate, and on a CPU it would take half a second to compile.
    """
    K, M = A.shape
    batch, n_noise, small = z.shape[1], zeta.shape[0], F.shape[1]
    columns = int(min(small, dof))
    scale = 1.0 / (batch * N)
    done = 0
    for step in range(z.shape[0]):
        if uses_overlaps:
            overlaps(A, L, LT, R, Q)
        minibatch_coordinates(A, L, LT, z[step], F[step], columns, N, v, v_star, p)
        for k in range(v.shape[0]):
            change[k] = 0.0
        for k in range(K):
            for m in range(M):
                dA[k, m] = 0.0
            for j in range(K):
                S[k, j] = of_unit(decay, k) * L[k, j] if j <= k else 0.0
        ok = True
        for beta in range(batch):
            for k in range(K):
                s = 0.0
                for m in range(M):
                    s += A[k, m] * z[step, beta, m]
                for j in range(k + 1):
                    s += L[k, j] * z[step, beta, M + j]
                lam[k] = s
            for m in range(M):
                s = 0.0
                for j in range(m + 1):
                    s += LT[m, j] * z[step, beta, j]
                nu[m] = s
            for i in range(n_noise):
                zeta[i] = z[step, beta, M + K + i]
            ok = coefficients(lam, nu, v, v_star, zeta, p, c, dv) and ok
            for k in range(K):
                ck = c[k] * scale
                C[k, beta] = ck
                for m in range(M):
                    dA[k, m] += ck * z[step, beta, m]
                for j in range(K):
                    S[k, j] += ck * z[step, beta, M + j]
            for k in range(v.shape[0]):
                change[k] += dv[k] * scale
        if not ok:
            break
        for k in range(K):
            for m in range(M):
                A[k, m] = of_unit(decay, k) * A[k, m] + dA[k, m]
        for k in range(v.shape[0]):
            v[k] = decay_v * v[k] + change[k]
        if batch > small:
            # Only C Cᵀ matters to the remainder, so b columns are as good as K.
            lower(C, K, batch)
        for k in range(K):
            for j in range(columns):
                s = 0.0
                for i in range(j, min(small, k + 1 if batch > small else small)):
                    s += C[k, i] * F[step, i, j]
                S[k, K + j] = s
        lower(S, K, estimate_of_coordinates(A, S, C, z[step], F[step], p, K + columns))
        for k in range(K):
            for j in range(k + 1):
                L[k, j] = S[k, j]
        settle(A, L)
        done += 1
    overlaps(A, L, LT, R, Q)
    return done


def remainder(rule: LearningRule) -> int:
    """Rows r of Bartlett's factor: min(b, K) are enough for the students, b for a rule that sees the Gram matrix."""
    return rule.minibatch if rule.whole_batch else min(rule.minibatch, rule.K)


def scratch(rule: LearningRule, V: int, M: int | None = None) -> tuple[np.ndarray, ...]:
    """Memory for `advance` with a readout of length V and M teachers, by default the rule's.

    zeta, lam, nu, c, dv, change, S (K, K + r), C, dA (K, M).
    """
    K, M, b = rule.K, rule.M if M is None else M, rule.minibatch
    columns = K + remainder(rule) + (0 if rule.queries is None else K)
    shapes = (rule.n_noise, K, M, K, V, V, (K, columns), (K, max(b, K)), (K, M))
    return tuple(np.zeros(shape) for shape in shapes)


class Draws:
    """The random numbers of a replica, drawn ahead for some steps, however often it is observed.

    χ² variables are NumPy's (Marsaglia & Tsang 2000); the rounding of its acceptance test changes their law by
    less than 1e-16 × the degrees of freedom.
    """

    def __init__(self, rule: LearningRule, dof: int, steps: int):
        b, small = rule.minibatch, remainder(rule)
        self.ahead = ahead(rule, steps)
        self.F = np.empty((self.ahead, small, small))
        self.reset(b, rule.M + rule.K + rule.n_noise + estimates.width(rule), dof)
        self.rule, self.N = rule, dof + rule.M + rule.K
        self.law = None
        if rule.law is not None:
            law, p, width = bind(through_law, rule.law, place), rule.seen_params(), self.z.shape[2]
            self.law = lambda: law(self.z.reshape(-1, width), rule.M, rule.K, p)

    def begin(self, seeded: Seeded) -> None:
        """From now on draw for a replica at its start."""
        self.fields, self.norms, self.remainder = seeded
        self.used = self.ahead

    def reset(self, b: int, width: int, dof: int) -> None:
        """From now on draw `width` normals an example, and norms with `dof` degrees of freedom."""
        self.z = np.empty((self.ahead, b, width))
        self.dof = dof - np.arange(min(self.F.shape[1], dof))
        self.used = self.ahead

    def take(self, most: int) -> tuple[np.ndarray, np.ndarray]:
        """z and F of the next steps, of at most so many."""
        if self.used == self.ahead:
            normals(self.fields, self.z.reshape(-1))
            if self.law is not None:
                self.law()
            if self.rule.queries is not None:
                estimates.fill(self.rule, self.N, self.z, self.norms)
            if self.F.shape[1] > 1:
                normals(self.remainder, self.F.reshape(-1))
            if len(self.dof) == 1:
                # Of a single number NumPy makes many in a tenth of the time, to the same bits.
                self.F[:, 0, 0] = np.sqrt(self.norms.chisquare(self.dof[0], self.ahead))
            else:
                i = np.arange(len(self.dof))
                self.F[:, i, i] = np.sqrt(self.norms.chisquare(self.dof, (self.ahead, len(i))))
            self.used = 0
        first, self.used = self.used, min(self.used + most, self.ahead)
        return self.z[first : self.used], self.F[first : self.used]


class Seeded(NamedTuple):
    """What a replica draws from: streams of fields and of the rest of Gram matrices, a generator of norms."""

    fields: np.ndarray
    norms: np.random.Generator
    remainder: np.ndarray


def seeded(seed: int, replicas: Sequence[int]) -> Iterator[Seeded]:
    """Of each replica, at its start."""
    fields, remainder = (streams(seed, replicas, f"exact {name}") for name in ("fields", "remainder"))
    return map(Seeded, fields, generators(seed, replicas, "exact norms"), remainder)


def ahead(rule: LearningRule, steps: int) -> int:
    """Steps for which numbers are drawn at once, in a run of so many.

    Draws of whole blocks of the streams, as of 32 steps, are the same at once or one after the other. Where a generator
    serves for two kinds, or what is left is thrown away, the length is part of the law of the bits.
    """
    most = max(1, SCALARS // rule.minibatch)
    few = 2 * LANES * max(1, -(-steps // (2 * LANES)))
    return few if few < most and rule.queries is None and rule.schedule is None else most


def fitting(rule: LearningRule, N: int, dtype: Any, threads: int) -> int:
    """How many of `threads` replicas fit into memory side by side, or a ModelError if none does."""
    K, M, b = rule.K, rule.M, rule.minibatch
    ahead = max(1, SCALARS // b)
    drawn = float(b) * (M + K + rule.n_noise + estimates.width(rule)) + float(remainder(rule)) ** 2
    bytes_each = 8.0 * (ahead * drawn + float(K) * max(b, K) + 8.0 * (K + M) ** 2)
    return fitting_threads(bytes_each, {"minibatch": b, "K": K, "M": M}, "the fields of a minibatch", threads)


@once
def of_weights(sphere: bool, queries: bool = False) -> Any:
    """`advance` for students that are free, or kept on the sphere, or see their steps through random directions."""
    if queries:
        place = {estimate_of_coordinates: estimates.along_directions_of_coordinates}
        return rebind(advance, place, tag="along_directions")
    return rebind(advance, {settle: onto_sphere}, tag="sphere") if sphere else advance


class Replica:
    """A student in motion: ``replica(step, stop) -> (step reached, R, Q, v)``."""

    def __init__(self, rule: LearningRule, N: int, start: OrderParameters, steps: int):
        K, M = rule.K, rule.M
        self.rule, self.N = rule, N
        self.A, self.L, self.LT = np.empty((K, M)), np.empty((K, K)), np.empty((M, M))
        self.v, self.v_star = np.empty(len(start.v)), np.array(start.v_star, dtype=np.float64)
        self.draws = Draws(rule, N - M - K, steps)
        self.held: Held | None = None
        self.kept: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        self._prepare(rule, None)

    def begin(self, start: OrderParameters, drawn: Seeded) -> None:
        """Set out from a start, with the memory of the replica before."""
        self.A[...], self.L[...], self.LT[...] = start.coordinates
        self.v[...] = start.v
        self.draws.begin(drawn)

    def _prepare(self, rule: LearningRule, pull: np.ndarray | None) -> None:
        """Set up the kernel for a rule with other parameters and, with a `pull`, for anchors where the weights are.

        The basis of the teachers is then continued by one of what the anchors have outside of their span.
        """
        N, K, M, decay = self.N, rule.K, rule.M, rule.weight_decay
        self.held, self.R, self.Q = None, np.empty((K, M)), np.empty((K, K))
        self.p = seen_by(rule, len(self.v), self.R, self.Q, estimates.of_coordinates(rule, N))
        self.decays: Any = 1.0 - decay / N, 1.0 - rule.weight_decay_v / N
        if pull is None:
            self.kernel = bound(of_weights(rule.sphere, rule.queries is not None), rule)
        else:
            self.kernel = bind_anchored(advance, rule.function)
            weights = np.hstack([self.A, self.L])
            fixed = held_fraction(pull, decay)[:, None] * weights
            self.held = Held(fixed[:, :M] @ self.LT.T, fixed @ fixed.T)
            self.LT = np.vstack([np.hstack([self.LT, np.zeros((M, K))]), fixed])
            self.A, self.L = weights - fixed, np.zeros((K, K))
            self.p, self.R = Anchored(self.p, np.zeros(K)), np.empty((K, M + K))
            self.decays = 1.0 - (decay + pull) / N, self.decays[1]
        M = len(self.LT)
        self.dof = N - M - K
        width = M + K + rule.n_noise + estimates.width(rule)
        if self.draws.z.shape[2] != width:
            self.draws.reset(rule.minibatch, width, self.dof)
        self.memory = scratch(rule, len(self.v), M)

    def _release(self) -> None:
        """Without anchors, the coordinates are those of the weights again."""
        M = self.rule.M
        if self.held is not None:
            self._place(self.A[:, :M] + self.LT[M:, :M], np.hstack([self.A[:, M:] + self.LT[M:, M:], self.L]))
            self.LT = np.ascontiguousarray(self.LT[:M, :M])
            self.held = None

    def _place(self, A: np.ndarray, outside: np.ndarray) -> None:
        """Students of coordinates A (K, M), and more (K, any) in further directions, which are turned into L."""
        self.A = np.ascontiguousarray(A)
        self.L = np.ascontiguousarray(np.asarray(np.linalg.qr(outside.T, mode="r")).T)

    def enter(self, phase: Phase) -> None:
        """Go on with the parameters, the units, the readout and the anchors of a phase."""
        self._release()
        if phase.rewind:
            A, L, self.v[...] = rewound(self.kept)
            self._place(A, L)
        if phase.v is not None:
            self.v[...] = phase.v
        if phase.units is not None:
            mix, fresh = phase.units
            self._place(mix @ self.A, np.hstack([mix @ self.L, triangular_root(fresh)]))
        if phase.keep:
            self.kept = self.A.copy(), self.L.copy(), self.v.copy()
        self._prepare(phase.of(self.rule), phase.rates(self.rule, self.N))

    def steps(self, z: np.ndarray, F: np.ndarray) -> int:
        """One for each row of these numbers, unless it diverges."""
        return self.kernel(
            self.A, self.L, self.LT, self.v, self.v_star, self.p, self.rule.uses_overlaps, z, F, self.dof, self.N,
            *self.decays, self.R, self.Q, *self.memory,
        )  # fmt: skip

    def __call__(self, step: int, stop: int) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
        while True:
            z, F = self.draws.take(stop - step)
            done = self.steps(z, F)
            step += done
            if done < len(z) or step == stop:
                return step, *restored(self.R, self.Q, self.held), self.v.copy()


def start_replicas(
    rule: LearningRule, N: int, starts: Sequence[OrderParameters], seed: int, replicas: Sequence[int], dtype: Any,
    steps: int = SCALARS,
) -> Iterator[Callable[[int, int], tuple[int, np.ndarray, np.ndarray, np.ndarray]]]:  # fmt: skip
    """Replicas at t = 0, each as the function ``advance(step, stop) -> (step reached, R, Q, v)``.

    They are for one after the other, since each takes over the memory of the one before. `steps` are those to come.
    """
    run: Any = None
    for start, drawn in zip(starts, seeded(seed, replicas), strict=True):
        made = run is None or rule.schedule is not None
        if made:
            run = Replica(rule, N, start, steps)
        run.begin(start, drawn)
        if made:
            # Compiled before any number is drawn, for which another process may compile what draws (`tsphys.ahead`).
            run.steps(run.draws.z[:0], run.draws.F[:0])
        yield through_phases(run, rule, N, start)


def late(rule: LearningRule, N: int, V: int, dtype: Any) -> None:
    """Compile what draws, which is wanted after `advance`, for another process (`tsphys.ahead`)."""
    normals(stream(0, 0), np.empty(1))


def start_replica(
    rule: LearningRule, N: int, start: OrderParameters, seed: int, replica: int, dtype: Any
) -> Callable[[int, int], tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """A single one of `start_replicas`."""
    return next(start_replicas(rule, N, [start], seed, [replica], dtype))
