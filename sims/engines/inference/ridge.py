"""Ridge regression on an instance, by factors of the data themselves where those of their squares would lose digits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from tsphys.rules.contract import Static
from tsphys.runs import frames

M = TypeVar("M", bound=Static)
O = TypeVar("O", bound=frames.Options)

#: Ridge, in units of the trace of the Gram matrix, from which on corrections make up for having squared the data.
SAFE = 1e-9
#: Entries of the data up to which what is left of the equations is found with the digits of a long double.
FEW = 200_000

Linear = Callable[[np.ndarray], np.ndarray]


def least_squares(
    A: np.ndarray, y: np.ndarray, ridges: Any, rank: int | None = None, safe: float = SAFE
) -> tuple[np.ndarray, np.ndarray]:
    """Minimisers of ½‖y − Aw‖² + (λ/2)‖w‖², and how far rounding leaves them open.

    By Cholesky's factors of the Gram matrix in the smaller of the two spaces, of examples or of features; and where λ
    is small by orthogonal factors of A itself, with as many directions as A has rank. Both are followed by corrections
    from what is left of the equations.

    Parameters
    ----------
    A : ndarray, shape (n, p)
    y : ndarray, shape (n,)
    ridges : sequence of float, (L,)
        λ ≥ 0; for 0 the minimiser of least norm.
    rank : int, optional
        Rank of A where it is known; without it, directions of the size of rounding are taken as none.
    safe : float
        Ridge, over the trace of the Gram matrix, above which that is used; less where its spectrum ends far from zero.

    Returns
    -------
    w : ndarray, shape (p, L)
    error : ndarray, shape (p, L)
        By what rounding may have moved it.
    """
    trace = float(np.einsum("ij,ij->", A, A))
    gram = parts = None
    found = []
    for ridge in np.asarray(ridges, dtype=float).tolist():
        if ridge > safe * trace:
            gram = (A @ A.T if len(A) < A.shape[1] else A.T @ A) if gram is None else gram
            found.append(_by_gram(A, y, ridge, gram))
        else:
            parts = directions(A if len(A) >= A.shape[1] else A.T, rank) if parts is None else parts
            found.append(_by_factors(A, y, ridge, *parts))
    w, error = zip(*found)
    return np.stack(w, axis=1), np.stack(error, axis=1)


def cholesky(S: np.ndarray) -> tuple[np.ndarray, bool]:
    """The factor of a positive definite matrix for `scipy.linalg.cho_solve`, found by NumPy.

    SciPy finds it under the GIL: other threads wait, and no signal is heard for minutes. Nor does SciPy release it in
    ``eigh``, ``svd``, ``solve`` and ``lstsq``; NumPy does, and both in ``qr``.
    """
    # The transpose is in Fortran's order, which LAPACK need not copy.
    return np.linalg.cholesky(S).T, False


def corrected(
    solve: Linear, left: Linear, size: Linear, count: int, most: int = 5, kind: type[np.floating[Any]] = np.float64
) -> tuple[np.ndarray, np.ndarray]:
    """x (count,) with left(x) = 0 by corrections solve(left(x)) while they shrink, and the error that rounding leaves.

    That is the correction if what is left were larger by the rounding of its terms, whose `size` is given at x, in
    numbers of a `kind`, and the rounding of x.
    """
    x, last = np.zeros(count), np.inf
    for _ in range(most):
        r = left(x).astype(float)
        step = solve(r)
        length = float(np.abs(step).max(initial=0.0))
        if not length < 0.5 * last:
            break
        x, last = x + step, length
    error = solve(r + np.copysign(float(np.finfo(kind).eps) * size(x), r))
    return x, error + np.copysign(np.finfo(float).eps * x, error)


def _by_gram(A: np.ndarray, y: np.ndarray, ridge: float, gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.linalg import cho_solve

    matrix = gram.copy()
    matrix.ravel()[:: len(matrix) + 1] += ridge
    factor = cholesky(matrix)

    def solve(right: np.ndarray) -> np.ndarray:
        return cho_solve(factor, right, check_finite=False)

    if len(A) < A.shape[1]:
        a, error = corrected(
            solve,
            lambda a: y - A @ (A.T @ a) - ridge * a,
            lambda a: np.abs(y) + np.abs(A) @ np.abs(A.T @ a) + ridge * np.abs(a),
            len(A),
        )
        return A.T @ a, A.T @ error
    return corrected(
        solve,
        lambda w: A.T @ (y - A @ w) - ridge * w,
        lambda w: np.abs(A).T @ (np.abs(y) + np.abs(A) @ np.abs(w)) + ridge * np.abs(w),
        A.shape[1],
    )


def _by_factors(
    A: np.ndarray, y: np.ndarray, ridge: float, Q: np.ndarray, C: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """With A = QC, or Aᵀ = QC for few examples, and √λ·1 below Cᵀ if λ > 0."""
    (n, p), (rank, few) = A.shape, C.shape
    root = np.sqrt(ridge)
    solve, shortest = inverses(np.vstack([C.T, root * np.eye(rank)]) if ridge > 0 else C.T)
    kind: type[np.floating[Any]] = np.longdouble if A.size <= FEW else np.float64
    fine: np.ndarray = A.astype(kind)
    basis: np.ndarray = Q.astype(kind)
    if n >= p:
        z, error = corrected(
            shortest,
            lambda z: basis.T @ (y - fine @ z[:p]) - (root * z[p:] if ridge > 0 else 0.0),
            lambda z: np.abs(Q).T @ (np.abs(y) + np.abs(A) @ np.abs(z[:p])),
            few + rank * (ridge > 0),
            kind=kind,
        )
        return z[:p], error[:p]
    extra = rank if ridge > 0 else 0
    v, error = corrected(
        solve,
        lambda v: np.append(y - fine @ (basis @ v), -root * v[:extra]),
        lambda v: np.append(np.abs(y) + np.abs(A) @ np.abs(Q @ v), root * np.abs(v[:extra])),
        rank,
        kind=kind,
    )
    # The directions are known to rounding too, that of as many reflections.
    error, rounding = Q @ error, np.finfo(float).eps * np.sqrt(rank)
    return Q @ v, error + np.copysign(rounding * (np.abs(Q) @ np.abs(v)), error)


def factored(M: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Q, R, and the orders of rows and columns with M[rows][:, columns] = QR, by Householder's reflections.

    With pivots among the columns, on rows in order of their size, which is stable row by row and column by column: a
    matrix that is graded in either, as values of eigenfunctions times roots of steep eigenvalues, is as good as one
    without these factors (Cox & Higham, in Numerical Analysis 1997, Longman 1998).
    """
    from scipy.linalg import qr

    rows = np.argsort(-np.abs(M).max(axis=1), kind="stable")
    Q, R, columns = qr(M[rows], mode="economic", pivoting=True, overwrite_a=True, check_finite=False)
    return Q, R, rows, columns


def directions(M: np.ndarray, rank: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """M = QC with orthonormal Q, as many as M has rank."""
    Q, R, rows, columns = factored(M)
    if rank is None:
        size = np.minimum(np.linalg.norm(M, axis=0)[columns], np.abs(M[rows[: len(R)]]).max(axis=1) * np.sqrt(len(R)))
        some = np.abs(np.diag(R)) > np.finfo(float).eps * np.sqrt(M.size) * size
        rank = len(R) if some.all() else int(np.argmin(some))
    basis, C = np.empty((len(M), rank)), np.empty((rank, M.shape[1]))
    basis[rows], C[:, columns] = Q[:, :rank], R[:rank]
    return basis, C


def inverses(M: np.ndarray) -> tuple[Linear, Linear]:
    """b → M⁺b and c → (Mᵀ)⁺c of a matrix whose columns are independent."""
    from scipy.linalg import solve_triangular

    Q, R, rows, columns = factored(M)

    def solve(b: np.ndarray) -> np.ndarray:
        out = np.empty(len(columns))
        out[columns] = solve_triangular(R, Q.T @ b[rows], check_finite=False)
        return out

    def shortest(c: np.ndarray) -> np.ndarray:
        out = np.empty(len(M))
        out[rows] = Q @ solve_triangular(R, c[columns], trans=1, check_finite=False)
        return out

    return solve, shortest


def over_ridges(
    model: type[M], options: type[O], *, memory: Callable[[Sequence[M], O], frames.Memory]
) -> Callable[[Callable[[M, O, np.random.Generator, np.ndarray], Mapping[str, np.ndarray]]], frames.Verb[M]]:
    """Make ``simulate`` of ``draw(model, options, rng, ridges)``: one instance for all ridges, one each else.

    Parameters
    ----------
    model, options, memory
        As in `tsphys.runs.frames.instances`; one of the model's axes is ``ridge``.

    Returns
    -------
    callable
        A decorator of the physics: observables of an instance, each of shape (len(ridges),).
    """

    def made(draw: Callable[[M, O, np.random.Generator, np.ndarray], Mapping[str, np.ndarray]]) -> frames.Verb[M]:
        def work(points: frames.Points, own: O, replica: frames.Replica) -> Mapping[str, np.ndarray]:
            models = points.models
            if points.axis == "ridge" and replica.gaps is None:
                return draw(models[0], own, replica.rng("instance 0"), points.values)

            def at(i: int) -> dict[str, Any]:
                k = 0 if points.axis == "ridge" else i
                found = draw(models[k], own, replica.rng(f"instance {k}"), np.array([models[i].ridge]))
                return {name: value[0] for name, value in found.items()}

            return replica.each(len(models), at)

        return frames.replicated(model, options, memory=memory, physics=draw)(work)

    return made
