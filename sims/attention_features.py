"""Simulation of frozen attention: sequences are drawn, values learn by heads or by the kernel of infinitely many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsphys.ground.parameters import param
from tsphys.models.attention_features import AttentionFeatures
from tsphys.physics.kernels.sphere import on_sphere, relu_kernel, zonal
from tsphys.runs import frames
from tsphys.sims.engines.inference.ridge import cholesky, least_squares, over_ridges

#: Products of tokens that are looked at together: as many as a cache holds.
BLOCK = 1 << 14


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    test: int = param(600, "fresh sequences that measure the error", kind=int, low=1)


def memory(models: Sequence[AttentionFeatures], options: Options) -> frames.Memory:
    """Sequences, and kernels or features of all of them."""
    here, most = models[0], max(model.n for model in models)
    inputs = (most + options.test) * (here.tokens + 1) * (here.dimension + 1)
    widths = [most if m.heads is None else m.heads * (m.dimension + 1) for m in models]
    each = 8.0 * (3 * inputs + 4 * (most + options.test) * max(widths))
    return frames.Memory(each, {"n": most, "test": options.test, "heads": max(widths), "dimension": here.dimension})


@over_ridges(AttentionFeatures, Options, memory=memory)
def simulate(
    model: AttentionFeatures, options: Options, rng: np.random.Generator, ridges: np.ndarray
) -> dict[str, np.ndarray]:
    """Draw sequences and heads, learn the values, and measure the error on fresh sequences.

    Over ridges a replica keeps its instance, over the other axes each point has one of its own.

    Returns
    -------
    dict
        With axes (replica, axis): ``eps_g`` and ``train_loss``, as in the theory.
    """
    n, N = model.n, model.dimension
    x = on_sphere(rng, n + options.test, model.tokens + 1, N)
    f = target(model, x)
    y = f[:n] + model.noise * rng.standard_normal(n)
    if model.heads is None:
        K = kernel(model, x, x[:n])
        a = np.stack([_solved(K[:n], y, ridge) for ridge in ridges.tolist()], axis=1)
        fitted = K @ a
    else:
        phi = features(model, x, rng)
        fitted = phi @ least_squares(phi[:n], y, ridges)[0]
    return {
        "eps_g": 0.5 * ((fitted[n:] - f[n:, None]) ** 2).mean(axis=0),
        "train_loss": 0.5 * ((fitted[:n] - y[:, None]) ** 2).mean(axis=0),
    }


def target(model: AttentionFeatures, x: np.ndarray) -> np.ndarray:
    """Y_a(x_0) (1/√L) Σ_i Y_b(x_i) of sequences (n, L + 1, N), or Y_a(x_0) for b = 0."""
    a, b = model.query_degree, model.token_degree
    values = zonal(model.dimension, x[:, :, 0] / np.sqrt(model.dimension), max(a, b, 1))
    along = values[b][:, 1:].sum(axis=1) / np.sqrt(model.tokens) if b else 1.0
    return values[a][:, 0] * along


def kernel(model: AttentionFeatures, x: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Of infinitely many heads, or hidden units, for pairs of sequences (m, L + 1, N) and (n, L + 1, N)."""
    N, L, bias = model.dimension, model.tokens, model.bias**2
    if model.student == "mlp":
        return relu_kernel(x.reshape(len(x), -1) @ z.reshape(len(z), -1).T / ((L + 1) * N))

    keys = z[:, 1:].reshape(-1, N).T
    out = np.empty((len(x), len(z)))
    for rows in np.array_split(np.arange(len(x)), math.ceil(len(x) * len(z) * L / BLOCK)):
        query = ((x[rows, 0] @ z[:, 0].T / N + bias) / (1 + bias))[:, :, None]
        total = np.zeros((len(rows), len(z), L))
        for i in range(1, L + 1):
            r = ((x[rows, i] @ keys / N + bias) / (1 + bias)).reshape(total.shape)
            total += relu_kernel(query * r) * r
        out[rows] = total.sum(axis=2)
    return out / L**2


def features(model: AttentionFeatures, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Of M heads, or hidden units, at sequences (n, L + 1, N): their products are the kernel on average."""
    M = model.heads or 0
    if model.student == "mlp":
        flat = x.reshape(len(x), -1)
        return np.maximum(flat @ rng.standard_normal((flat.shape[1], M)), 0.0) / np.sqrt(flat.shape[1] * M)
    if model.bias > 0:
        x = np.concatenate([x, np.full((*x.shape[:2], 1), model.bias * np.sqrt(model.dimension))], axis=2)
    x = x / np.sqrt(model.dimension * (1 + model.bias**2))
    tokens, found = x[:, 1:], []
    for _ in range(M):
        keyed = x[:, 0] @ rng.standard_normal((x.shape[2], x.shape[2]))
        seen = np.maximum(np.matmul(tokens, keyed[:, :, None]), 0.0)
        found.append((seen * tokens).mean(axis=1))
    return np.concatenate(found, axis=1) / np.sqrt(M)


def _solved(K: np.ndarray, y: np.ndarray, ridge: float) -> np.ndarray:
    from scipy.linalg import cho_solve

    factor = cholesky(K + ridge * np.eye(len(K)))
    a = cho_solve(factor, y, check_finite=False)
    return a + cho_solve(factor, y - K @ a - ridge * a, check_finite=False)
