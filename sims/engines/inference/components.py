"""Independent components: patterns one by one from the span of eigenvectors, by the evidence of their prior.

Eigenvectors of synapses that store P patterns span them but are an arbitrary rotation of them. With y_i the rows of the
eigenvectors, so scaled that their mean square in each direction is one, and u_i = w·y_i, |w| = 1, a pattern is a
direction in which

    u = √s x/σ + √(1 − s) z,    z ~ N(0, 1),

s the overlap² of the eigenvectors with the patterns; in nearly all others u is all but normal. The evidence of a
direction is its mean of ln Z(u), Z the partition function of the prior P(x) in that channel, a convex function of u
whose slope is in proportion to the posterior mean ⟨x⟩. On the sphere |w| = 1 it is lifted by every step

    w ∝ (1/N) Σ_i y_i ⟨x⟩(u_i) − c w

with c below the least eigenvalue of (1/N) Σ y yᵀ ⟨x⟩', for sure with c = 0; with c the mean slope it would be Newton's
step, which goes to any stationary point (Hyvärinen, IEEE Trans. Neural Networks 10, 626 (1999)). Maxima other than
patterns have less evidence, but far more than most directions: what N normal numbers in so many dimensions reach by
chance is found by climbing on such.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tsphys.numerics.gaussian import density
from tsphys.physics.inference.priors import Prior

#: Overlap² for which directions are sought first, as far as that of the eigenvectors is more: where a pattern is far
#: the posterior mean must not be steep, or every direction is a maximum.
WEAK = 0.4
#: c in the mean slope of ⟨x⟩ over normal numbers.
SHIFT = 0.85
#: Steps from a start, after which of them half of the directions are given up, and steps at the true overlap.
STEPS, HALVED, LAST = 50, (20, 30), 10
#: Starts for a pattern that is not found yet, further ones, and those among normal numbers.
STARTS, MORE, CHANCE = 4, 60, 64
#: Rounds without any new pattern, each with twice the starts, after which the others are given up.
IN_VAIN = 3
#: Part of a direction that may lie in those found.
OLD = 0.5
#: Nodes of functions of u.
NODES = np.linspace(-8.0, 8.0, 8193)


class Law(NamedTuple):
    """The channel of a direction at an overlap².

    Attributes
    ----------
    precision, slope : float
        A and b/u of the channel.
    mean, evidence : ndarray
        ⟨x⟩ and ln Z at the nodes `NODES` of u.
    shift : float
        c.
    """

    precision: float
    slope: float
    mean: np.ndarray
    evidence: np.ndarray
    shift: float


def law(prior: Prior, share: float, shift: float) -> Law:
    """That of patterns of which the eigenvectors hold the share s = `share` < 1."""
    sigma = np.sqrt(prior.second_moment)
    precision, slope = share / (1 - share) / sigma**2, np.sqrt(share) / (1 - share) / sigma
    mean = prior.mean(precision, slope * NODES)
    # Of the slope over normal numbers, by Stein's lemma.
    steep = float(np.sum(density(NODES) * NODES * mean) * (NODES[1] - NODES[0]))
    evidence = prior.log_partition(precision, slope * NODES)
    return Law(precision, slope, mean.astype(np.float32), evidence.astype(np.float32), shift * steep)


def components(vectors: np.ndarray, prior: Prior, share: float, rng: np.random.Generator) -> np.ndarray:
    """Estimates (N, k ≤ P) of the patterns that are found in the span of orthonormal vectors (N, P), σ²s of each known.

    A direction counts as a pattern if its evidence is above all that is reached by chance, by three standard errors of
    the mean of N numbers over √n, n the dimensions that are left.
    """
    N, P = vectors.shape
    Y = (np.sqrt(N) * vectors).astype(np.float32)
    weak, full = law(prior, min(WEAK, share), SHIFT), law(prior, share, 0.0)
    found, free = np.zeros((P, 0), np.float32), np.eye(P, dtype=np.float32)
    vain = 0
    while free.shape[1] and vain < IN_VAIN:
        n = free.shape[1]
        # What is rarely met is sought with more starts.
        more = 2**vain
        W = free @ _climbed(Y @ free, weak, full, more * (STARTS * n + MORE), rng)
        evidence, error, W = _judged(Y, W, full)
        noise = np.sqrt(np.float32(N)) * np.linalg.qr(rng.standard_normal((N, n), dtype=np.float32))[0]
        chance = _judged(noise, _climbed(noise, weak, full, more * CHANCE, rng), full)[0].max()
        before = found.shape[1]
        for k in np.argsort(-evidence):
            if evidence[k] <= chance + 3 * error[k] / np.sqrt(n):
                break
            if not _within(found, W[:, k]):
                found = np.column_stack([found, W[:, k]])
        # In what is left the others were not seen well.
        for _ in range(LAST):
            found = _step(Y, found, full)
        vain = 0 if found.shape[1] > before else vain + 1
        free = np.linalg.svd(found)[0][:, found.shape[1] :] if found.shape[1] else free
    return prior.mean(full.precision, full.slope * (Y @ found).astype(float))


def _climbed(Y: np.ndarray, weak: Law, full: Law, starts: int, rng: np.random.Generator) -> np.ndarray:
    """Directions (n, k) of large evidence over points (N, n), the better quarter of random starts."""
    W = _unit(rng.standard_normal((Y.shape[1], starts), dtype=np.float32))
    for step in range(STEPS + LAST):
        here = weak if step < STEPS else full
        if step in HALVED:
            worth = _at(Y @ W, here.evidence).mean(axis=0)
            W = W[:, np.argsort(-worth)[: max(8, W.shape[1] // 2)]]
        W = _step(Y, W, here)
    return W


def _step(Y: np.ndarray, W: np.ndarray, here: Law) -> np.ndarray:
    return _unit(Y.T @ _at(Y @ W, here.mean) / np.float32(len(Y)) - np.float32(here.shift) * W)


def _judged(Y: np.ndarray, W: np.ndarray, full: Law) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Evidence of the directions W, its standard error, and the directions, each with its likelier sign."""
    u = Y @ W
    both = np.stack([_at(sign * u, full.evidence) for sign in (1, -1)])
    sign = np.argmax(both.mean(axis=1), axis=0)
    chosen = np.take_along_axis(both, sign[None, None], axis=0)[0]
    return chosen.mean(axis=0), chosen.std(axis=0) / np.sqrt(len(Y)), W * (1 - 2 * sign).astype(np.float32)


def _within(found: np.ndarray, w: np.ndarray) -> bool:
    """Whether much of a direction lies in the span of others."""
    return bool(found.shape[1]) and bool(np.linalg.norm(np.linalg.lstsq(found, w, rcond=None)[0]) > OLD)


def _at(u: np.ndarray, table: np.ndarray) -> np.ndarray:
    """A function at the node next to each u."""
    first, step = float(NODES[0]), float(NODES[1] - NODES[0])
    return table[np.clip((u - first) * (1 / step) + 0.5, 0, len(NODES) - 1).astype(np.int32)]


def _unit(W: np.ndarray) -> np.ndarray:
    return np.asarray(W / np.linalg.norm(W, axis=0))
