"""Linear convolutional nets that descend on examples, and the energy of their first layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tsphys.ground.parameters import param
from tsphys.ground.progress import listening, share
from tsphys.models.whitening import Whitening
from tsphys.runs import frames
from tsphys.sims.engines.gradient import Convolution, descend


@dataclass(frozen=True, kw_only=True)
class Options(frames.Decades):
    draws: int = param(8, "nets of a replica, each with labels of its own, over which is averaged", kind=int, low=1)


def memory(models: Sequence[Whitening], options: Options) -> frames.Memory:
    model = models[0]
    D = model.patches * model.d
    return frames.Memory(
        8.0 * (3 * model.n * D + 3 * D**2 + 6 * model.F * model.d), {"n": model.n, "d": D, "F": model.F}, "the examples"
    )


def examples(model: Whitening, rng: np.random.Generator) -> np.ndarray:
    """Inputs (n, P, d) in the principal components of the population."""
    draws = rng.standard_normal((model.n, model.patches, model.d))
    return (np.linalg.cholesky(model.correlations()) @ draws) * np.sqrt(model.variances())


def covariance(X: np.ndarray) -> np.ndarray:
    """That of inputs (n, P, d) on themselves, (Pd, Pd)."""
    inputs = X.reshape(len(X), -1)
    return inputs.T @ inputs / len(X)


def readouts(model: Whitening, rng: np.random.Generator) -> np.ndarray:
    """a_p (P, F) of random directions with exactly their scalar products."""
    values, vectors = np.linalg.eigh(model.gram())
    directions = np.linalg.qr(rng.standard_normal((model.F, model.patches)))[0].T
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T @ directions


def trained(
    model: Whitening, X: np.ndarray, C: np.ndarray, A: np.ndarray, rng: np.random.Generator, t: np.ndarray
) -> Iterator[np.ndarray]:
    """Draw labels and a start, and descend: filters (F, d) after the steps t; C is the covariance of the examples."""
    inputs = X.reshape(model.n, -1)
    y = inputs @ (A @ (model.teacher * rng.standard_normal((model.F, model.d)))).ravel()
    y += model.noise * rng.standard_normal(model.n)
    net = Convolution(A, C, y @ inputs / model.n)
    first = model.start * rng.standard_normal(model.F * model.d)
    return (net.layer(w) for w in descend(net, first, t, model.lr))


@frames.courses(Whitening, Options, memory=memory, dims={"energy": ("component",)})
def simulate(model: Whitening, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw examples, train some nets on them, each with labels and a start of its own; the mean of their energies."""
    rng = replica.rng("examples")
    X, A = examples(model, rng), readouts(model, rng)
    C, nets = covariance(X), []
    for draw in range(options.draws):
        with listening(share(replica.report, draw, 1, options.draws)):
            nets.append([np.sum(W**2, axis=0) for W in trained(model, X, C, A, rng, options.t)])
    energy = np.mean(nets, axis=0)
    return {"energy": energy, "power": energy @ model.variances()}
