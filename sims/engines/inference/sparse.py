"""Few weights out of many: the lasso, and greedy selection with least squares on what is selected."""

from __future__ import annotations

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.ground.progress import tell

#: Duality gap, as a part of the risk, at which the lasso is solved where its support is not certain.
GAP = 1e-9
#: Steps of the lasso at most, and after how many its support is tried.
MOST, PATIENCE = 50_000, 50


def lasso(X: np.ndarray, y: np.ndarray, lam: float) -> np.ndarray:
    """The least ½|y − Xw|² + λ|w|₁, by accelerated proximal steps with restarts (Beck & Teboulle 2009).

    Where the support of an iterate satisfies the conditions of a minimum, its linear equations end the descent.

    Parameters
    ----------
    X, y : ndarray (n, N), (n,)
    lam : float
        λ.

    Returns
    -------
    ndarray (N,)

    Raises
    ------
    ConvergenceError
        If the duality gap stays above 1e-9 of the risk.
    """
    step = 1 / np.linalg.norm(X, 2) ** 2
    w = ahead = np.zeros(X.shape[1])
    speed, gap = 1.0, np.inf
    for done in range(MOST):
        moved = ahead + step * (X.T @ (y - X @ ahead))
        new = np.sign(moved) * np.maximum(np.abs(moved) - step * lam, 0.0)
        if (ahead - new) @ (new - w) > 0:
            speed = 1.0
        faster = 0.5 * (1 + np.sqrt(1 + 4 * speed * speed))
        ahead, w, speed = new + (speed - 1) / faster * (new - w), new, faster
        if done % PATIENCE == 0:
            exact = on_support(X, y, lam, w)
            if exact is not None:
                return exact
            left = y - X @ w
            dual = left * min(1.0, lam / max(float(np.abs(X.T @ left).max()), 1e-300))
            risk = 0.5 * float(left @ left) + lam * float(np.abs(w).sum())
            gap = (risk - 0.5 * float(y @ y) + 0.5 * float((y - dual) @ (y - dual))) / risk
            if gap <= GAP:
                return w
            tell(done / MOST)
    raise ConvergenceError("the minimum of the lasso was not reached", residual=gap, iterations=MOST, last=w)


def on_support(X: np.ndarray, y: np.ndarray, lam: float, w: np.ndarray) -> np.ndarray | None:
    """The minimum, if it has the signs of w."""
    chosen = np.flatnonzero(w)
    if len(chosen) > len(y):
        return None
    A, signs = X[:, chosen], np.sign(w[chosen])
    try:
        found = np.linalg.solve(A.T @ A, A.T @ y - lam * signs)
    except np.linalg.LinAlgError:
        return None
    out = np.zeros_like(w)
    out[chosen] = found
    pull = np.abs(X.T @ (y - A @ found))
    pull[chosen] = 0.0
    return out if (found * signs > 0).all() and (pull <= lam * (1 + 1e-9)).all() else None


def fitted(X: np.ndarray, y: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Least squares on the chosen weights, the others being 0."""
    from scipy.linalg import qr, solve_triangular

    out = np.zeros(X.shape[1])
    Q, R = qr(X[:, chosen], mode="economic")
    out[chosen] = solve_triangular(R, Q.T @ y)
    return out


def pursuit(X: np.ndarray, y: np.ndarray, k: int) -> np.ndarray:
    """Orthogonal matching pursuit: k times the column of the largest cosine with what is left (Pati et al. 1993)."""
    size = np.linalg.norm(X, axis=0)
    basis, left = np.zeros((len(y), k)), y.copy()
    chosen = np.zeros(k, dtype=int)
    for i in range(k):
        pull = np.abs(X.T @ left) / size
        pull[chosen[:i]] = -1.0
        chosen[i] = np.argmax(pull)
        across = X[:, chosen[i]].copy()
        # Once more: Gram and Schmidt lose their digits where columns are close to each other.
        for _ in range(2):
            across -= basis[:, :i] @ (basis[:, :i].T @ across)
        basis[:, i] = across / np.linalg.norm(across)
        left -= basis[:, i] * (basis[:, i] @ left)
    return fitted(X, y, chosen)


def exchange(X: np.ndarray, y: np.ndarray, k: int, rounds: int = 20) -> np.ndarray:
    """k weights all along: the smallest are exchanged for those of the largest gradients, fewer in each round."""
    chosen = np.argsort(-np.abs(X.T @ y))[:k]
    for done in range(rounds):
        w = fitted(X, y, chosen)
        swapped = min(round(0.5 * k * (1 - done / rounds)), X.shape[1] - k)
        pull = np.abs(X.T @ (y - X @ w))
        pull[chosen] = -1.0
        kept = chosen[np.argsort(np.abs(w[chosen]))[swapped:]]
        chosen = np.concatenate([kept, np.argsort(-pull)[:swapped]])
    return fitted(X, y, chosen)
