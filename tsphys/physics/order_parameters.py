"""Order parameters of teacher-student models: R, Q, T and the readouts, with their geometry."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import array, number
from tsphys.ground.texts import from_json, known

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: Names of the axes of the order parameters in a Result.
DIMS = {
    "R": ("student", "teacher"),
    "Q": ("student", "student_2"),
    "v": ("student",),
    "T": ("teacher", "teacher_2"),
    "v_star": ("teacher",),
}

#: An eigenvalue above −SEMIDEFINITE × (largest eigenvalue) counts as zero: rounding of the overlaps themselves.
SEMIDEFINITE = 1e-12
#: Largest size; numbers of steps beyond are not whole in float64.
LARGEST = 1e15
#: An overlap this large means that the dynamics left every bound; fields are then of order its root.
DIVERGED = 1e16


@dataclass(frozen=True, eq=False)
class OrderParameters:
    """Overlaps of K students and M teachers: the whole macroscopic state of online learning.

    Arrays R and Q with further axes in front, and v with them or without, are the states of several replicas.

    Parameters
    ----------
    R : (K, M) array_like
        R_km = w_k·w*_m/N.
    Q : (K, K) array_like
        Q_kl = w_k·w_l/N.
    T : (M, M) array_like
        T_mn = w*_m·w*_n/N.
    v : (V,) array_like, optional
        Student readout; none: the model's own (ones unless it says otherwise).
    v_star : (S,) array_like, optional
        Teacher readout; none: the model's own.

    Raises
    ------
    ModelError
        For wrong shapes, numbers that are not finite, asymmetry, or a covariance [[Q, R], [Rᵀ, T]] of the fields
        with a negative eigenvalue, which no weights can have.

    Examples
    --------
    >>> import tsphys
    >>> start = tsphys.OrderParameters(R=[[0.3, 0.0]], Q=[[0.2]], T=[[1.0, 0.0], [0.0, 1.0]])
    >>> start.R.shape, start.T.shape
    ((1, 2), (2, 2))
    >>> tsphys.OrderParameters(R=[[0.9]], Q=[[0.2]], T=[[1.0]])
    Traceback (most recent call last):
    tsphys.errors.ModelError: ...
    """

    R: np.ndarray
    Q: np.ndarray
    T: np.ndarray
    v: Any = None
    v_star: Any = None

    if TYPE_CHECKING:  # anything that makes an array is taken, and arrays are kept

        def __init__(
            self, R: ArrayLike, Q: ArrayLike, T: ArrayLike, v: ArrayLike | None = None, v_star: ArrayLike | None = None
        ) -> None: ...

    def __post_init__(self) -> None:
        before = (None,) * max(getattr(self.R, "ndim", 2) - 2, 0)
        R = array("R", self.R, (*before, None, None), "(students K, teachers M)")
        *many, K, M = R.shape
        if K == 0 or M == 0:
            raise ModelError("R", f"array of shape {R.shape}", "must have at least one student and one teacher")
        Q = array("Q", self.Q, (*many, K, K), "(students, students) to go with R")
        T = array("T", self.T, (M, M), "(teachers, teachers) to go with R")
        before = tuple(many) if getattr(self.v, "ndim", 1) > 1 else ()
        v = None if self.v is None else array("v", self.v, (*before, None), "the student readout")
        v_star = None if self.v_star is None else array("v_star", self.v_star, (None,), "the teacher readout")
        for name, S in (("Q", Q), ("T", T)):
            if (np.abs(S - transposed(S)) > SEMIDEFINITE * np.abs(S).max(axis=(-2, -1), keepdims=True)).any():
                raise ModelError(name, S.tolist(), "must be symmetric")
            S[...] = 0.5 * (S + transposed(S))
            _semidefinite(name, S, name)
        C = np.block([[Q, R], [transposed(R), np.broadcast_to(T, (*many, M, M))]])
        _semidefinite("R", C, "the covariance [[Q, R], [R^T, T]] of the fields")
        for name, value in (("R", R), ("Q", Q), ("T", T), ("v", v), ("v_star", v_star)):
            if value is not None:
                value = np.ascontiguousarray(value)
                value.setflags(write=False)
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OrderParameters):
            return NotImplemented
        return all(np.array_equal(getattr(self, k), getattr(other, k)) for k in ("R", "Q", "T", "v", "v_star"))

    @property
    def K(self) -> int:
        """Number of students."""
        return self.R.shape[-2]

    @property
    def M(self) -> int:
        """Number of teachers."""
        return self.R.shape[-1]

    @cached_property
    def coordinates(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As the function of this name gives them."""
        return coordinates(self)

    def each(self) -> list[OrderParameters]:
        """The state of each replica, with its coordinates; they are not checked again."""
        A, L, LT = self.coordinates
        readouts = [self.v] * len(A) if self.v is None or self.v.ndim == 1 else self.v
        parts = zip(self.R, self.Q, readouts, A, L, strict=True)
        return [self._with(R=R, Q=Q, v=v, coordinates=(a, l, LT)) for R, Q, v, a, l in parts]

    def read_by(self, v: np.ndarray, v_star: np.ndarray) -> OrderParameters:
        """The same overlaps with other readouts."""
        return self._with(v=v, v_star=v_star)

    def _with(self, **own: Any) -> OrderParameters:
        other = object.__new__(OrderParameters)
        other.__dict__.update(self.__dict__, **own)
        return other


def check_task(T: Any, v_star: Any, v: Any, K: int, M: int) -> None:
    """Raise ModelError unless what is given of T (M, M), v* (M,) and v (K,) belongs to K students of M teachers."""
    if T is not None:
        given = array("T", T, (M, M), "the overlaps of M teachers")
        OrderParameters(R=np.zeros((1, M)), Q=np.eye(1), T=given)
    if v_star is not None:
        array("v_star", v_star, (M,), "a readout for each teacher unit")
    if v is not None:
        array("v", v, (K,), "a readout for each student unit")


def transposed(S: np.ndarray) -> np.ndarray:
    """Matrices transposed, whatever axes are in front of theirs."""
    return S.swapaxes(-1, -2)


def _semidefinite(name: str, S: np.ndarray, what: str) -> None:
    values = np.linalg.eigvalsh(S)
    wrong = values[..., 0] < -SEMIDEFINITE * np.maximum(values[..., -1], 1e-300)
    if wrong.any():
        smallest = values[wrong].min()
        raise ModelError(name, f"smallest eigenvalue {smallest:.3g} of {what}", "no eigenvalue may be negative")


def triangular_root(S: np.ndarray) -> np.ndarray:
    """Lower-triangular L (…, n, n) with L Lᵀ = S for positive semidefinite S, also singular ones."""
    values, vectors = np.linalg.eigh(S)
    root = vectors * np.sqrt(np.maximum(values, 0.0))[..., None, :]
    lower = transposed(np.asarray(np.linalg.qr(transposed(root), mode="r")))
    return lower * np.where(np.diagonal(lower, axis1=-2, axis2=-1) < 0, -1.0, 1.0)[..., None, :]


def coordinates(state: OrderParameters) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates of students and teachers in an orthonormal basis that starts with the teachers' span.

    Returns
    -------
    A : (…, K, M)
        Students in the teachers' basis, R = A L_Tᵀ.
    L : (…, K, K)
        Lower triangular, the rest of the students, Q = A Aᵀ + L Lᵀ.
    LT : (M, M)
        Lower triangular, T = L_T L_Tᵀ.
    """
    LT = triangular_root(state.T)
    if np.array_equal(LT, np.eye(state.M)):
        A = state.R.copy()
    elif state.R.ndim == 2:
        A = np.linalg.lstsq(LT, state.R.T, rcond=1e-10)[0].T
    else:
        # One by one: together they would have other last digits.
        A = transposed(np.array([np.linalg.lstsq(LT, R.T, rcond=1e-10)[0] for R in state.R]))
    return A, triangular_root(state.Q - A @ transposed(A)), LT


def random_overlaps(K: int, T: np.ndarray, N: int, scale: float, rng: np.random.Generator) -> tuple[Any, Any]:
    """R and Q of K students with iid N(0, scale²) weights beside teachers with overlaps T, from their law at size N.

    With `tsphys.numerics.random.Generators` they are those of several replicas.

    The students' coordinates in the teachers' span are normal; the rest is Bartlett's factor of a Wishart matrix with
    N − M degrees of freedom (Bartlett 1933), so that the cost does not depend on N.
    """
    M = len(T)
    need(N, K, M)
    A = scale / np.sqrt(N) * rng.standard_normal((K, M))
    L = np.tril(rng.standard_normal((K, K)), -1)
    i = np.arange(K)
    L[..., i, i] = np.sqrt(np.stack([rng.chisquare(N - M - k) for k in range(K)], axis=-1))
    L *= scale / np.sqrt(N)
    return A @ triangular_root(T).T, A @ transposed(A) + L @ transposed(L)


def of_many(draw: Any) -> Any:
    """Mark a start that with `tsphys.numerics.random.Generators` draws those of several replicas, to the same bits."""
    draw.of_many = True
    return draw


def need(N: Any, K: int, M: int) -> int:
    """N as an integer of at least K + M, the smallest size that holds any overlaps of K students and M teachers."""
    words = f"must be an integer >= K + M = {K + M}, at most {LARGEST:.0e}"
    return number("N", N, kind=int, low=K + M, high=LARGEST, words=words)


def microscopic(state: OrderParameters, N: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Weights W (K, N) and teachers B (M, N) in a random direction with exactly these overlaps, to rounding."""
    need(N, state.K, state.M)
    return in_directions(*state.coordinates, N, rng)


def in_directions(A: Any, L: Any, LT: Any, N: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """`microscopic` for given `coordinates`; those of several replicas with `tsphys.numerics.random.Generators`."""
    K, M = A.shape[-2:]
    basis = transposed(np.linalg.qr(rng.standard_normal((N, M + K)))[0]) * np.sqrt(N)
    return np.concatenate([A, L], axis=-1) @ basis, LT @ basis[..., :M, :]


def overlaps(name: str, value: Any) -> OrderParameters:
    """OrderParameters as they are, or of a table with R, Q, T, which may be JSON; see `tsphys.ground.parameters.param`.

    Raises
    ------
    ModelError
        If it is something else.
    """
    if isinstance(value, OrderParameters):
        return value
    table = from_json(value) if isinstance(value, str) else value
    if not isinstance(table, dict):
        words = 'must be tsphys.OrderParameters, or a table as {"R": [[0.1]], "Q": [[0.2]], "T": [[1]]}'
        raise ModelError(name, value if isinstance(value, str) else type(value).__name__, words)
    for key in table:
        known(f"{name}.{key}", key, [f.name for f in fields(OrderParameters)])
    for key in ("R", "Q", "T"):
        if key not in table:
            raise ModelError(name, table, f"must have R, Q and T; {key} is missing")
    return OrderParameters(**table)
