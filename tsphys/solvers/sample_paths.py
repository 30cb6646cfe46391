"""Gradient descent on a fixed training set for N → ∞: the algorithm itself, run on sample paths of one example.

The n = αN inputs x_μ ~ N(0, 1_N) are seen only through the weights w and the slopes g_μ = ∂ℓ/∂h_μ of the losses. Gram
and Schmidt on both sides make of these orthogonal directions, q_k of weights and p_j of slopes; what of the inputs lies
outside all that was seen is fresh. So an example is a path (Bolthausen's conditioning): its fields are h = Σ_k L_k ĥ_k
with ĥ the teachers' fields, the start's, and for each direction of slopes ĥ = z − p̂/√α, where z is a normal that is
independent of everything. The −p̂/√α is all the memory there is. Averages over paths move L, of which R and Q follow;
nothing is iterated until it is consistent, and steps have no error in time.

A direction is opened only where the part of the weights outside all others is more than `tol`, as root mean square in
the fields: slow motion costs few. Minibatches need one a step, however small: what is left out of them has no law. z is
made orthogonal, in the sample, to all z and p̂ before it, which takes off most of the bias of order directions/paths.
"""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any

import numpy as np

from tsphys.errors import ModelError

#: Dimensions of Sobol's points, which are noises, teachers and the first directions; later ones are pseudo-random.
SOBOL = 32
#: Most paths of which the first normals are kept, of twelve seeds.
KEPT = 2**13
#: Length below which what is left of a vector of length 1, after others are taken off, is rounding.
ROUNDING = 1e-9
#: Orthogonal vectors are at most this share of the paths: more leave too little room for fresh ones.
FULL = 0.25


class Rows:
    """A matrix (k, n) that grows by rows, in memory that is doubled."""

    def __init__(self, n: int) -> None:
        self._room, self._k = np.empty((16, n)), 0

    def add(self, x: np.ndarray) -> None:
        if self._k == len(self._room):
            self._room = np.concatenate([self._room, np.empty_like(self._room)])
        self._room[self._k] = x
        self._k += 1

    def __call__(self) -> np.ndarray:
        return self._room[: self._k]


def memory(paths: int, directions: int) -> float:
    """Bytes of so many directions at most: their fields, their slopes, and what both are orthogonal to."""
    return 8.0 * paths * (4 * min(directions, FULL * paths / 2) + SOBOL)


class Paths:
    """K students that learn from αN examples of M teachers, on sample paths.

    Parameters
    ----------
    paths : int
        A power of two.
    alpha : float
        Load.
    T, R, Q : (M, M), (K, M), (K, K) array_like
        Overlaps at t = 0.
    noises : int
        Standard normals of an example, which it keeps.
    seed : sequence of int
        Of scrambling and normals.
    tol : float
        Part of the weights that is left out, see above.

    Attributes
    ----------
    nu, noise : ndarray (M, paths), (noises, paths)
        Teachers' fields and noise of each path.
    """

    def __init__(self, paths: int, alpha: float, T: Any, R: Any, Q: Any, noises: int, seed: Any, tol: float) -> None:
        T, R, Q = (np.asarray(a, dtype=float) for a in (T, R, Q))
        (K, self.M), self.n, self.root, self.tol = R.shape, paths, np.sqrt(alpha), max(tol, ROUNDING)
        first, rng = (_early if paths <= KEPT else _early.__wrapped__)(
            paths, (seed,) if isinstance(seed, int) else tuple(seed)
        )
        self._early, self._rng = iter(first), copy.deepcopy(rng)
        self._seen, self._fields, self._slopes = Rows(paths), Rows(paths), Rows(paths)
        self.noise = np.array([self._fresh() for _ in range(noises)]).reshape(noises, paths)
        for _ in range(self.M):
            self._fields.add(self._fresh())
        self._root_T = _root(T)
        self.nu = self._root_T @ self._fields()
        self.L = np.linalg.lstsq(self._root_T, R.T, rcond=None)[0].T
        rest = Q - self.L @ self.L.T
        if np.abs(rest).max() > 1e-14:
            for _ in range(K):
                self._fields.add(self._fresh())
            self.L = np.hstack([self.L, _root(rest)])
        self.V, self._left, self._moving = np.zeros_like(self.L), np.zeros((K, paths)), np.zeros((K, paths))

    @property
    def R(self) -> np.ndarray:
        """Overlaps with the teachers (K, M)."""
        return self.L[:, : self.M] @ self._root_T.T

    @property
    def Q(self) -> np.ndarray:
        """Overlaps of the students (K, K)."""
        return self.L @ self.L.T

    @property
    def directions(self) -> int:
        """How many are open."""
        return self.L.shape[1]

    def shift(self, by: Any) -> None:
        """Move the teachers' fields by so much on each path (M, paths), as means of the inputs that labels tell do."""
        self._fields()[: self.M] += np.linalg.lstsq(self._root_T, np.broadcast_to(by, self.nu.shape), rcond=None)[0]
        self.nu = self._root_T @ self._fields()[: self.M]

    def fields(self) -> np.ndarray:
        """The students' fields h on all paths (K, paths)."""
        return self.L @ self._fields()

    def step(
        self, g: np.ndarray, lr: float, shrink: float = 0.0, momentum: float = 0.0, taken: np.ndarray | None = None,
        likely: Any = 1.0, square: Any = None,
    ) -> None:  # fmt: skip
        """V ← βV − (η/α√N) Σ_μ s_μ g_μ x_μ − κw, then w ← w + V.

        Parameters
        ----------
        g : ndarray (K, paths)
            Slopes at the fields that were.
        lr, shrink, momentum : float
            η, κ and β.
        taken : ndarray (paths,), optional
            How often s the step takes an example, over the mean; none: each once.
        likely : float or ndarray (paths,)
            ⟨s⟩ given all before, of which averages are made: they need not sample s.
        square : float, optional
            ⟨s²⟩, if s is independent of all before; else it is sampled, as a direction of another length than 1 would
            make more of such.
        """
        s = 1.0 if taken is None else taken
        counted = g if taken is None else likely * g
        seen, slopes = self._fields(), self._slopes()
        G = counted @ slopes.T / self.n
        self.V = momentum * self.V - lr * (counted @ seen.T) / self.n - shrink * self.L
        self.L = self.L + self.V
        rest = lr * (s * g - G @ slopes)
        if taken is not None:
            sure = rest @ rest.T / self.n if square is None else lr**2 * (square * (g @ g.T) / self.n - G @ G.T)
            self._open(rest, rest, sure, ROUNDING)
            return
        self._moving = momentum * self._moving + rest - shrink * self._left
        self._left = self._left + self._moving
        if self._size(np.einsum("kp,kp->k", self._left, self._left).max() / self.n) > self.tol:
            # Again, since rounding is not small beside what is left after long cancellation.
            for a in (self._left, self._moving):
                a -= ((a @ slopes.T) / self.n) @ slopes
            gram = self._left @ self._left.T / self.n
            self._left, self._moving = self._open(self._left, self._moving, gram, self.tol)

    def _size(self, square: float) -> float:
        """What |p|² makes of fields, as root mean square."""
        return float(np.sqrt(max(float(square), 0.0)) / self.root)

    def _open(
        self, left: np.ndarray, moving: np.ndarray, gram: np.ndarray, tol: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Make directions of what is left of the slopes, whose Gram matrix is given; returns what then is."""
        squares, vectors = np.linalg.eigh(gram)
        for square, u in zip(squares, vectors.T, strict=True):
            size = self._size(square)
            if size <= tol:
                continue
            p = u @ left / (size * self.root)
            speed = moving @ p / (self.n * self.root) if moving is not left else size * u
            self._slopes.add(p)
            self._note(p)
            self._fields.add(self._fresh() - p / self.root)
            self.L = np.hstack([self.L, size * u[:, None]])
            self.V = np.hstack([self.V, speed[:, None]])
            left = left - np.outer(size * self.root * u, p)
            moving = moving - np.outer(speed * self.root, p)
        return left, moving

    def _fresh(self) -> np.ndarray:
        """A normal z, uncorrelated in the sample with all before, of mean 0 and variance 1."""
        z = next(self._early, None)
        self._note(self._rng.standard_normal(self.n) if z is None else z)
        return self._seen()[-1]

    def _note(self, x: np.ndarray) -> None:
        """Keep what of x is orthogonal to 1 and to all that was kept, if there is any."""
        seen = self._seen()
        if len(seen) + 1 > FULL * self.n:
            raise ModelError(
                "paths", self.n, f"must be more: {self.directions} directions are open, and more are needed"
            )
        x = x - x.mean()
        length, before = np.sqrt(x @ x / self.n), np.inf
        # Once is enough unless most of it is taken off.
        while length < 0.5 * before:
            before = length
            x = x - ((seen @ x) / self.n) @ seen
            length = np.sqrt(x @ x / self.n)
        if length > 1e3 * ROUNDING:
            self._seen.add(x / length)


@lru_cache(maxsize=12)
def _early(paths: int, seed: tuple[int, ...]) -> tuple[np.ndarray, np.random.Generator]:
    """The first normals (SOBOL, paths) of a seed, and where that then is: a comparison solves with the same often."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    rng = np.random.default_rng(seed)
    early = qmc.Sobol(SOBOL, seed=rng).random_base2(paths.bit_length() - 1).T
    return ndtri(np.clip(early, 1e-12, 1 - 1e-12)), rng


def _root(C: np.ndarray) -> np.ndarray:
    """A square root A of a covariance, C = AAᵀ, which may be singular."""
    squares, vectors = np.linalg.eigh(C)
    return vectors * np.sqrt(np.maximum(squares, 0.0))
