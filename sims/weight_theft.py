"""Weight theft: online SGD on queries that are noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tsphys.ground.parameters import param
from tsphys.models.latent_teacher import purpose
from tsphys.models.weight_theft import WeightTheft
from tsphys.physics.order_parameters import need
from tsphys.sims.engines.online import latent


@dataclass(frozen=True, kw_only=True)
class Options(latent.Options):
    """What a simulation is asked for."""

    N: int = param(400, "input dimension", kind=int, low=2, short="-N")
    disorder: str = param(
        "each", "weights of victim and thief: a draw for each replica, or that of replica 0 for all", kind=str,
        choices=latent.DISORDER,
    )  # fmt: skip


@latent.learned(WeightTheft, Options)
def simulate(model: WeightTheft, options: Options, seed: int) -> latent.Plan:
    """Simulate the theft at input dimension N, and observe it at the times t = queries/N.

    Returns
    -------
    dict
        With axes (replica, t): ``eps_g``, ``eps_query``, ``R``, ``Q``, ``v`` as in the theory, with ``R_query`` and
        ``Q_query``, or ``S`` and ``offset``; ``eps_test``, the error measured on queries.
    """
    N = need(options.N, model.K, model.M + (model.queries == "raw"))

    def build(replica: int) -> latent.Source:
        return source(model, N, purpose(seed, replica, "teacher"))

    return latent.Plan(N=N, build=build, fixed=8.0 * 4 * N * (model.K + model.M), latent=N, cost=3.0 * N, record={})


def source(model: WeightTheft, N: int, rng: np.random.Generator) -> latent.Source:
    """Weights, queries and overlaps."""
    (A, L, LT), one, raw = model.start.coordinates, np.ones((N, 1)), model.queries == "raw"
    random = rng.standard_normal((N, model.K + model.M))
    # Of raw queries the mean of weights is apart from their directions.
    basis = np.linalg.qr(np.concatenate([one, random], axis=1) if raw else random)[0].T[int(raw) :] * np.sqrt(N)
    B = LT @ basis[: model.M] + model.mean_star / np.sqrt(N)
    W = np.concatenate([A, L], axis=1) @ basis + model.mean / np.sqrt(N)
    T_query = model.start.T
    if raw:

        def overlaps(W: np.ndarray) -> dict[str, np.ndarray]:
            S = W.sum(axis=1) / np.sqrt(N)
            R, Q = W @ B.T / N - S * model.mean_star / N, W @ W.T / N - S * S / N
            return {"R": R, "Q": Q, "S": S, "offset": (S[0] - model.mean_star) ** 2}
    else:
        seen = along_chain(B, model.tau) if model.queries == "chain" else B
        T_query = seen @ B.T / N

        def overlaps(W: np.ndarray) -> dict[str, np.ndarray]:
            own = along_chain(W, model.tau) if model.queries == "chain" else W
            return {"R": W @ B.T / N, "Q": W @ W.T / N, "R_query": W @ seen.T / N, "Q_query": W @ own.T / N}

    return latent.Source(W, model.start.T, drawn(model, B), overlaps, lambda found: model.errors(found, T_query))


def along_chain(W: np.ndarray, tau: float) -> np.ndarray:
    """W Ω (K, N) with Ω_ij = τ^|i − j|."""
    from scipy.signal import lfilter

    def forward(x: np.ndarray) -> np.ndarray:
        return np.asarray(lfilter([1.0], [1.0, -tau], x, axis=1))

    return forward(W) + forward(W[:, ::-1])[:, ::-1] - W


def drawn(model: WeightTheft, B: np.ndarray) -> Callable[..., np.ndarray]:
    """Fills rows with queries, and returns the victim's fields."""
    root, p = np.sqrt(B.shape[1]), model.p

    def draw(rng: np.ndarray, scalars: np.random.Generator, x: np.ndarray) -> np.ndarray:
        u = scalars.random(x.shape)
        if model.queries == "signs":
            x[...] = np.where(u < 0.5, 1.0, -1.0)
        elif model.queries == "chain":
            # A sign, and where it is kept.
            np.cumprod(
                np.where(u < np.r_[0.5, np.full(x.shape[1] - 1, 0.5 * (1 + model.tau))], 1.0, -1.0), axis=1, out=x
            )
        else:
            x[...] = u < p
            if model.queries == "bernoulli":
                x[...] = (x - p) / np.sqrt(p * (1 - p))
        return np.asarray(x @ B.T / root, dtype=np.float64)

    return draw
