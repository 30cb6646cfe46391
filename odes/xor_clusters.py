"""XOR clusters learned by descent, from the Gram matrix of the examples alone, as N ≫ n dimensions make it.

x_i·x_k = N δ_ik + ν² s_ik + √N ξ_ik, where s is 1 for examples of one centre, −1 of opposite ones, else 0, and ξ is
symmetric and normal, of variance 1 and on the diagonal 2. The mean of it closes the motion of the fields for N → ∞ at
given ν²/N; ξ, of relative order √(n/N), is what few dimensions add. Only the field of each unit on each example, and on
the centres, is followed; the weights are w = w(0) + Σ_i D_i x_i/N.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground import times
from tsphys.ground.parameters import LARGEST_INTEGER, param
from tsphys.ground.progress import tell
from tsphys.models.xor_clusters import XorClusters
from tsphys.numerics.random import generator
from tsphys.physics.flows.xor import CENTRES, CLASSES, Composition, composition
from tsphys.runs import frames
from tsphys.runs.memory import REPLICA, check_memory, fitting_threads

#: Examples over dimensions beyond which normal products of examples make no Gram matrix: its law ends at 1 − 2√(n/N).
MOST = 0.2

#: Fresh examples of each cluster in a draw.
FRESH = 250


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    t: Any = times.course("steps after which to observe: a,b,c or START:STOP:POINTS", times.iterations,
                          default="0,1,2,4,8,16,32,64")  # fmt: skip
    overlaps: bool = param(
        True, "random products of examples, √N ξ, counted; otherwise the mean Gram matrix", kind=bool
    )
    draws: int = param(32, "draws of fields at the start, and of ξ, that are averaged over", kind=int, low=1)
    seed: int = param(0, "of the draws; draw r has clusters, flips and signs of replica r of a simulation", kind=int,
                      low=0, high=LARGEST_INTEGER, short="-s")  # fmt: skip

    def suited(self, models: Sequence[XorClusters]) -> Options:
        for model in models:
            if self.overlaps and model.n > MOST * model.N:
                raise ModelError("n", model.n, f"must be at most {MOST:g} N = {int(MOST * model.N)}: few examples")
            each = 8.0 * (model.n * (4.0 * model.n + 8.0 * model.K) + 5000.0 * (model.n + model.K))
            fitting_threads(each, {"n": model.n, "K": model.K}, "the fields", 1)
        check_memory("draws", self.draws, self.draws * (REPLICA + 32.0 * len(self.t)), "what each draw learns")
        return self


@frames.course(XorClusters, Options)
def solve(model: XorClusters, options: Options) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """What has been learned after numbers of steps, on average over draws.

    Returns
    -------
    dict
        Over the steps t: ``accuracy``, the share of fresh examples of which the net tells the class;
        ``train_accuracy``, that of the training examples of which it tells the label, flipped or not; ``train_loss``,
        the mean of log(1 + e^(−yf)); ``centre_field``, the root of the mean square of the fields on centres.
        ``result.sem(name)`` is the error of the mean over draws.

    Raises
    ------
    ModelError
        If there are too many examples for normal products of them.
    """
    rows = []
    for r in range(options.draws):
        rng = None if model.balanced else generator(options.seed, r, "composition")
        drawn = composition(model.n, model.K, model.flips, rng)
        rows.append(trained(model, options, drawn, generator(options.seed, r, "fields")))
        tell((r + 1) / options.draws)
    each = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    errors = {k: (v.std(axis=0, ddof=1) / np.sqrt(len(v))).tolist() for k, v in each.items() if len(v) > 1}
    return {name: value.mean(axis=0) for name, value in each.items()}, {"sem": errors}


def trained(
    model: XorClusters, options: Options, drawn: Composition, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """One draw."""
    n, N, K, nu = model.n, model.N, model.K, model.distance
    centres, y, a = drawn.centres, drawn.labels, drawn.readout
    # Examples on the two axes of the centres, in units of ν, and their products in units of N.
    seen, noise = centres, np.zeros((n, n))
    if options.overlaps:
        noise = rng.standard_normal((n, n))
        noise = (noise + noise.T) / np.sqrt(2 * N)
        seen = centres + rng.standard_normal((n, 2)) / max(nu, 1e-100)
    gram = np.eye(n) + noise + nu**2 / N * (centres @ seen.T + seen @ centres.T - centres @ centres.T)
    fields = model.scale / np.sqrt(N) * nu * rng.standard_normal((K, 2))
    h = fields @ centres.T + model.scale * rng.standard_normal((K, n))
    # Of fresh noise the weights at the start see normal numbers, which those of the examples, D = 0, are part of.
    root = np.linalg.cholesky(gram)
    first = np.linalg.solve(gram, h.T).T
    along, beside = (rng.standard_normal((size, 4 * FRESH)) for size in (n, K))
    beside *= model.scale * np.sqrt(max(0.0, 1 - n / N))
    D, done, rows, readout, room = np.zeros((K, n)), 0, [], a[:, None], np.empty_like(beside)
    # New arrays of this size would be handed out page by page in each step.
    moved, change = np.empty((K, n)), np.empty((K, n))
    for target in options.t.astype(int).tolist():
        for _ in range(done, target):
            f = a @ np.maximum(h, 0, out=change)
            np.multiply(h > 0, model.lr * y / (1 + np.exp(np.minimum(y * f, 700))), out=moved)
            moved *= readout
            D += moved
            h += np.matmul(moved, gram, out=change)
            fields += nu**2 / N * moved @ seen
        done = target
        f = a @ np.maximum(h, 0, out=change)
        told = fresh(fields, (D + first) @ root / np.sqrt(N), a, along, beside, room)
        rows.append((np.mean(told), np.mean(0.5 * (1 + np.sign(y * f))), np.mean(np.logaddexp(0, -y * f)),
                     np.sqrt(np.mean(fields**2))))  # fmt: skip
    return dict(zip(("accuracy", "train_accuracy", "train_loss", "centre_field"), np.array(rows).T, strict=True))


def fresh(
    fields: np.ndarray, spread: np.ndarray, a: np.ndarray, along: np.ndarray, beside: np.ndarray, room: np.ndarray
) -> np.ndarray:
    """Which of as many fresh examples of each cluster the net tells right.

    Their fields are ± those of centres, and noise of covariance σ²(1 − n/N) + `spread` `spread`ᵀ: that of w·z with z
    normal `along` the examples, and what is `beside` them. `room` is for the fields (K, examples).
    """
    noise = np.matmul(spread, along, out=room)
    noise += beside
    h = noise.reshape(len(a), 4, -1)
    h += (fields @ CENTRES.T)[:, :, None]
    f = a @ np.maximum(noise, 0, out=noise)
    return 0.5 * (1 + np.sign(f.reshape(4, -1) * CLASSES[:, None]))
