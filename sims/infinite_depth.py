"""Classifiers of deep nets on drawn examples, by kernel regression with their NTK, beside those of infinite depth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tsphys.ground.parameters import param
from tsphys.models.infinite_depth import InfiniteDepth
from tsphys.physics.kernels.depths import limit, scores, tangent_kernels
from tsphys.runs import frames


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    n_test: int = param(400, "fresh inputs that are classified", kind=int, low=1)


@frames.replicated(
    InfiniteDepth, Options, memory=frames.room(lambda n, test: 8 * n * (n + test), "n", "n_test", what="the kernels")
)
def simulate(along: frames.Points, options: Options, replica: frames.Replica) -> Mapping[str, np.ndarray]:
    """Draw examples and fresh inputs, and classify these. Over depths and noise a replica has the same inputs.

    Returns
    -------
    dict
        With axes (replica, axis): ``error``, the share of fresh inputs that nets of depth L give another sign than the
        truth; ``limit_error``, that of the classifier of infinite depth on the same examples; ``agreement``, the share
        that both give the same sign. A vote that is a draw counts half.
    """
    models = along.models
    if along.axis == "depth":
        depths = [here.depth for here in models]
        return frames.stack(classified(models[0], depths, options.n_test, replica.rng("examples")))
    return replica.each(
        len(models),
        lambda i: classified(models[i], [models[i].depth], options.n_test, replica.rng("examples"))[0],
    )


def classified(
    model: InfiniteDepth, depths: Sequence[int], n_test: int, rng: np.random.Generator
) -> list[dict[str, float]]:
    """Errors and agreement on drawn inputs, of nets of each depth."""
    x = rng.standard_normal((model.n + n_test, model.sphere + 1))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    flips = rng.random(model.n)
    truth = np.where(x[:, 0] > model.threshold, 1.0, -1.0)
    y = truth[: model.n] * np.where(flips < model.noise, -1.0, 1.0)
    X, new = x[: model.n], x[model.n :]
    seen = np.clip(new @ X.T, -1.0, 1.0)
    end, fresh = votes(model, seen, y), truth[model.n :]
    return [
        {
            "error": float(np.mean(0.5 * (1 - deep * fresh))),
            "limit_error": float(np.mean(0.5 * (1 - end * fresh))),
            "agreement": float(np.mean(0.5 * (1 + deep * end))),
        }
        for deep in regressions(model.squares(), X, seen, y, depths)
    ]


def regressions(
    c: Sequence[float], X: np.ndarray, seen: np.ndarray, y: np.ndarray, depths: Sequence[int]
) -> Iterator[np.ndarray]:
    """Signs of Θ(x, X)Θ(X, X)⁻¹y over depths, with kernels in units that leave them numbers."""
    gram = np.clip(X @ X.T, -1.0, 1.0)
    np.fill_diagonal(gram, 1.0)
    found = tangent_kernels(c, np.concatenate([gram, seen]), depths)
    for depth in depths:
        log, sign = found[depth]
        own = log[0, 0]
        alpha = np.linalg.lstsq(sign[: len(X)] * np.exp(log[: len(X)] - own), y, rcond=None)[0]
        fresh = log[len(X) :]
        yield np.sign((sign[len(X) :] * np.exp(fresh - fresh.max(axis=1, keepdims=True))) @ alpha)


def votes(model: InfiniteDepth, seen: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Signs of the classifier of infinite depth."""
    weights = scores(model.squares(), seen)
    if limit(model.squares()) == "nearest":
        at = np.abs(weights).argmax(axis=1)
        return y[at] * np.sign(weights[np.arange(len(seen)), at])
    return np.sign(weights @ y)
