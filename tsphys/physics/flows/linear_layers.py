"""Two linear layers y = W₂W₁x under gradient flow on whitened inputs, by the blocks of one matrix.

With Q = [W₁ᵀ; W₂], of shape (d + c, h), the matrix X = QQᵀ has the blocks A = W₁ᵀW₁, B = W₂W₁ and C = W₂W₂ᵀ, which
close under the flow, whatever the width h. Of the teacher S it is dQ/dt = [[0, Rᵀ], [R, 0]] Q with R = S − B. It
conserves W₂ᵀW₂ − W₁W₁ᵀ, and where that is λ times the identity X obeys a matrix Riccati equation, which is solved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tsphys.errors import ConvergenceError, ModelError

#: Exponents within a piece of time: by factors within e to its power all digits but so many are kept.
PIECE = 10.0
#: Most pieces.
MOST = 200_000
#: Relative change over a piece below which nothing moves any more.
REST = 1e-14
#: Largest part of weights by which what is balanced may be off.
BALANCED = 1e-9


class Blocks(NamedTuple):
    """A = W₁ᵀW₁ (…, d, d), B = W₂W₁ (…, c, d), C = W₂W₂ᵀ (…, c, c)."""

    A: np.ndarray
    B: np.ndarray
    C: np.ndarray


def blocks(W1: np.ndarray, W2: np.ndarray) -> Blocks:
    """Of layers W₁ (…, h, d) and W₂ (…, c, h)."""
    return Blocks(turned(W1) @ W1, W2 @ W1, W2 @ turned(W2))


def turned(M: np.ndarray) -> np.ndarray:
    """The transpose of each matrix (…, m, n)."""
    return np.swapaxes(M, -1, -2)


def motion(X: Blocks, S: np.ndarray, guide: np.ndarray | None = None, strength: float = 0.0) -> Blocks:
    """dA/dt, dB/dt, dC/dt for a teacher S (…, c, d), from any start.

    With the Gram matrix of a `guide` (…, d, d) also those of (strength/4)|A − guide|².
    """
    R = S - X.B
    pull, push = turned(X.B) @ R, R @ turned(X.B)
    held = 0.0 if guide is None else strength * (X.A - guide)
    pull, across = pull - X.A @ held if guide is not None else pull, X.B @ held if guide is not None else 0.0
    return Blocks(pull + turned(pull), R @ X.A + X.C @ R - across, push + turned(push))


def imbalance(W1: np.ndarray, W2: np.ndarray) -> np.ndarray:
    """The λ (…) of W₂ᵀW₂ − W₁W₁ᵀ = λ.

    Raises
    ------
    ModelError
        If there is none: only a balanced start has the solution in closed form.
    """
    D = turned(W2) @ W2 - W1 @ turned(W1)
    h = D.shape[-1]
    found = np.trace(D, axis1=-2, axis2=-1) / h
    off = float(np.abs(D - found[..., None, None] * np.eye(h)).max())
    if off > BALANCED * max(float((W1**2).max()), float((W2**2).max())):
        raise ModelError("start", f"off by {off:.2g}", "must have W₂ᵀW₂ − W₁W₁ᵀ = λ for the exact solution")
    return np.asarray(found)


def balanced(W1: np.ndarray, W2: np.ndarray, S: np.ndarray, t: np.ndarray) -> Blocks:
    """The exact solution from a balanced start, as many hidden units as it has and no more.

    X(t) = e^{Ft} Q (1 + QᵀJQ)⁻¹ Qᵀ e^{Ft} with F = [[−λ/2, Sᵀ], [S, λ/2]] and J the integral of e^{2Fs} over s < t. It
    is applied to pieces of time one after the other, with a new Q of the same rank for each, so that nothing overflows.

    Parameters
    ----------
    W1, W2 : array_like (…, h, d) and (…, c, h)
    S : array_like (…, c, d)
    t : (T,), increasing, from 0 or later

    Returns
    -------
    Blocks
        With axes (T, …) before those of matrices.

    Raises
    ------
    ModelError
        If the start is not balanced.
    ConvergenceError
        If the end is too many pieces of time away.

    References
    ----------
    Fukumizu, Neurocomputing 1998 (λ = 0, full rank); Braun, Dominé, Fitzgerald & Saxe, NeurIPS 2022; Dominé et al.,
    ICLR 2025 (any λ).
    """
    W1, W2, S = (np.asarray(a, dtype=float) for a in (W1, W2, S))
    lam, c = imbalance(W1, W2)[..., None, None], W2.shape[-2]
    # Inputs beyond those that start and teacher see never matter.
    sight = np.linalg.qr(np.concatenate([turned(W1), turned(S)], axis=-1)).Q
    W1, S, d = W1 @ sight, S @ sight, sight.shape[-1]
    F = np.block([[-lam / 2 * np.eye(d), turned(S)], [S, lam / 2 * np.eye(c)]])
    rates, V = np.linalg.eigh(F)
    Q = np.concatenate([turned(W1), W2], axis=-2)
    seen, now, fastest, count, moves = [], 0.0, float(np.abs(rates).max()), 0, True
    for target in np.asarray(t, dtype=float).tolist():
        # A count of pieces has no more digits than a float, and stops at the first that moves nothing.
        span = min(target - now, 1e300 / max(fastest, 1.0))
        pieces = int(np.ceil(fastest * span / PIECE)) if moves else 0
        if pieces:
            move = _mover(rates, V, span / pieces)
        for _ in range(pieces):
            before, Q, count = Q @ turned(Q), move(Q), count + 1
            moves = float(np.abs(Q @ turned(Q) - before).max()) > REST * float(np.abs(before).max())
            if count > MOST:
                raise ConvergenceError(f"more than {MOST} pieces of time until t = {target:g}", iterations=count)
            if not moves:
                break
        now = target
        seen.append(blocks(turned(sight @ Q[..., :d, :]), Q[..., d:, :]))
    return Blocks(*(np.stack(part) for part in zip(*seen)))


def _mover(rates: np.ndarray, V: np.ndarray, tau: float) -> Callable[[np.ndarray], np.ndarray]:
    """Q → Q' with Q'Q'ᵀ = X(τ); hidden directions may turn."""
    grown = V * np.exp(rates * tau)[..., None, :] @ turned(V)
    small = np.abs(rates * tau) < 1e-12
    J = np.where(small, tau, np.expm1(2 * rates * tau) / np.where(small, 1.0, 2 * rates))
    root = np.sqrt(J)[..., :, None] * turned(V)

    def move(Q: np.ndarray) -> np.ndarray:
        one = np.broadcast_to(np.eye(Q.shape[-1]), (*Q.shape[:-2], Q.shape[-1], Q.shape[-1]))
        # 1 + QᵀJQ = UᵀU, without squares of what is ill conditioned.
        U = np.linalg.qr(np.concatenate([one, root @ Q], axis=-2)).R
        return turned(np.linalg.solve(turned(U), turned(grown @ Q)))

    return move


def logistic(s: float, b0: float, t: np.ndarray) -> np.ndarray:
    """A mode of strength s, from b0 > 0, of balanced layers (λ = 0) along it: s/(1 + (s/b0 − 1)e^{−2st}).

    References
    ----------
    Saxe, McClelland & Ganguli, ICLR 2014.
    """
    return s / (1 + (s / b0 - 1) * np.exp(-2 * s * np.asarray(t)))


def ntk_product(X: Blocks, Y: Blocks) -> np.ndarray:
    """The scalar product of the tangent kernels C (x·x') + x·A x' of two networks, over whitened inputs."""
    d, c = X.A.shape[-1], X.C.shape[-1]

    def trace(M: np.ndarray) -> np.ndarray:
        return np.trace(M, axis1=-2, axis2=-1)

    inner = d * np.sum(X.C * Y.C, axis=(-2, -1)) + c * np.sum(X.A * Y.A, axis=(-2, -1))
    return np.asarray(inner + trace(X.C) * trace(Y.A) + trace(Y.C) * trace(X.A))


def ntk_alignment(X: Blocks, Y: Blocks) -> np.ndarray:
    """Cosine of the tangent kernels of two networks; 1 between start and end is lazy."""
    return ntk_product(X, Y) / np.sqrt(ntk_product(X, X) * ntk_product(Y, Y))


def effective_rank(A: np.ndarray) -> np.ndarray:
    """(tr A)²/tr A² of A (…, d, d)."""
    return np.asarray(np.trace(A, axis1=-2, axis2=-1) ** 2 / np.sum(A**2, axis=(-2, -1)))


def learned_alignment(rank: int, inputs: int, scale: float, strength: float, inside: np.ndarray) -> np.ndarray:
    """Cosine of the tangent kernels before and after all is learned, for one output and a silent readout.

    The first layer begins with W₁ᵀW₁ = (scale/rank) P, of a projector P on `rank` of the `inputs` dimensions, in which
    the teacher, of size `strength`, has the share `inside` > 0 of its square.

    Notes
    -----
    Without an additional hidden unit: those who begin at zero leave it when disturbed, and learn what is outside of P
    by themselves; unless inside = 1 or the square of the readout, q, exceeds strength/5 or so.
    """
    f, square, sigma2 = np.asarray(inside), strength**2, scale / rank
    q = 0.5 * (np.sqrt(sigma2**2 + 4 * square) - sigma2)
    product = sigma2 * (rank - 1) + f * square / q + q * rank
    after = sigma2**2 * (rank - 1) + (square / q) ** 2 + 2 * q * (sigma2 * (rank - 1) + square / q) + q**2 * inputs
    return np.asarray(product / np.sqrt(rank * after))
