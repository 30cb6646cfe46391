"""Generalised approximate message passing on an instance (Rangan 2011), with one variance for all fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tsphys.physics.inference.channels import Channel
from tsphys.physics.inference.priors import Prior

#: Mean variance of a weight below which the weights are known: the messages would be 0/0.
KNOWN = 1e-12
#: Number of wrong weights, of few values, that is left to be expected where they are called known from labels. Close
#: to it no label is left that the weights do not explain for sure, and the next messages would carry nothing at all.
UNDECIDED = 0.1


@dataclass(frozen=True)
class Estimate:
    """Posterior means and variances of the weights (N,), and whether they have stopped to move."""

    w: np.ndarray
    c: np.ndarray
    converged: bool = False


def message_passing(
    X: np.ndarray,
    y: np.ndarray,
    prior: Prior,
    channel: Channel,
    first: Estimate,
    most: int,
    damping: float = 0.0,
    tol: float = 1e-6,
) -> Iterator[Estimate]:
    """The estimates after 0, 1, …, `most` iterations::

        V = Σc/N,  ω = Xw − V g,  g = g_out(y, ω, V),  A = −Σ∂g/N,  b = Aw + Xᵀg,  (w, c) = prior's moments(A, b)

    Fields share one variance V, and weights one A, which is exact as N → ∞ for iid inputs.

    Parameters
    ----------
    X : ndarray (n, N)
        Inputs over √N.
    y : ndarray (n,)
        Outputs.
    first : Estimate
        Where to start.
    most : int
        Iterations at most.
    damping : float
        Share of the old estimate that is kept.
    tol : float
        Root mean square change of a weight below which it ends; 0: it goes on, and repeats what is known. It also ends
        where the weights are known, V < 1e-12, or NV < 0.1 for labels and weights of few values.
    """
    N = X.shape[1]
    known = UNDECIDED / N if channel.labels and max(prior.variances) == 0 else KNOWN
    w, c = first.w, first.c
    g = np.zeros(len(y))
    yield first
    for _ in range(most):
        V = float(c.mean())
        if known > V:
            yield Estimate(w, c, True)
            if tol > 0:
                return
            continue
        omega = (X @ w.astype(X.dtype, copy=False)).astype(np.float64, copy=False) - V * g
        g, slope = channel.moments(y, omega, V)
        # Channels that are not log-concave may fluctuate below zero, where the prior's moments need not exist.
        A = max(-float(slope.sum()) / N, 1e-12)
        b = A * w + (g.astype(X.dtype, copy=False) @ X)
        new_w, new_c = prior.moments(A, b)
        new_c = np.broadcast_to(new_c, N)
        moved = np.sqrt(np.mean((new_w - w) ** 2))
        w, c = damping * w + (1 - damping) * new_w, damping * c + (1 - damping) * new_c
        done = tol > 0 and moved < tol
        yield Estimate(w, c, bool(done))
        if done:
            return
