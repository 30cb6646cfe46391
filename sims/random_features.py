"""Simulation of random features: drawn instances whose readout is solved for exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tsphys.ground.parameters import counted, number, param, word
from tsphys.models.random_features import RandomFeatures
from tsphys.numerics.random import generator
from tsphys.physics.inference.losses import loss
from tsphys.physics.kernels.hermite import activate, parts
from tsphys.runs.axis import along
from tsphys.runs.ensemble import ensemble
from tsphys.runs.memory import fitting_threads
from tsphys.runs.points import tolerated
from tsphys.runs.replicas import thread_count
from tsphys.runs.result import Result
from tsphys.sims.engines.inference.minimise import minimise
from tsphys.sims.engines.inference.ridge import least_squares, over_axis

COVARIATES = ("features", "gaussian")
OPTIONS = {
    "N": param(200, "input dimension", kind=int, low=2, short="-N"),
    "covariates": param("features", "φ(Fx/√N), or Gaussian with the same covariance", kind=str, choices=COVARIATES),
    "test": param(None, "fresh examples that measure the error; none: 10 N", kind=int, low=1, optional=True),
}


def simulate(
    model: RandomFeatures,
    *,
    N: int = 200,
    width: Any = None,
    alpha: Any = None,
    ridge: Any = None,
    noise: Any = None,
    covariates: str = "features",
    test: int | None = None,
    replicas: int = 1,
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
    checkpoint: Callable[[Result], Any] | None = None,
    resume: Result | None = None,
) -> Result:
    """Draw instances with N inputs, round(p/N·N) features and round(n/N·N) examples, and learn their readout.

    Parameters
    ----------
    model : RandomFeatures
    N : int
        Input dimension.
    width, alpha, ridge, noise : float or sequence of float, optional
        In place of the model's; the one that is a sequence is the axis of the Result, `width` if none is. Over ridges
        a replica keeps its instance, over the others each point has one of its own.
    covariates : {"features", "gaussian"}
        φ(Fx/√N) − κ_0, or κ_1 Fx/√N + κ_* ξ with ξ ~ N(0, I), which has the same first moments and, but for terms
        that vanish with N, the same covariance.
    test : int, optional
        Fresh examples that measure the error of ``features``; that of ``gaussian`` is known from F and w.
    replicas, seed, threads
        Independent instances, the seed that with the replica fixes them, and how many are done at once.
    progress, checkpoint, resume
        Fraction done, finished replicas every 10 s or so, finished replicas to start from.

    Returns
    -------
    Result
        With axes (replica, axis): ``eps_g``, ``train_loss``, ``m``, ``q``, as in the theory; ``floor``, the ½⟨δh²⟩ on
        fresh inputs that rounding leaves open.

    Raises
    ------
    ModelError
        If an argument is out of range, or an instance does not fit into memory.
    """
    axis, values, models = along(model, width=width, alpha=alpha, ridge=ridge, noise=noise)
    N = number("N", N, kind=int, low=2)
    word("covariates", covariates, COVARIATES)
    test = 10 * N if test is None else number("test", test, kind=int, low=1)
    replicas = number("replicas", replicas, kind=int, low=1)
    seed = number("seed", seed, kind=int, low=0, high=2**63 - 1)
    sizes = [
        (counted("width", here.width, N, "feature"), counted("alpha", here.alpha, N, "example")) for here in models
    ]
    # Inputs, features, and the factors of features.
    bytes_each = max(8.0 * ((n + test) * (N + p) + 3 * n * p + 6 * min(n, p) ** 2 + N * p) for p, n in sizes)
    depends = {"N": N, "test": test, "width": max(m.width for m in models), "alpha": max(m.alpha for m in models)}
    threads = fitting_threads(bytes_each, depends, "an instance", thread_count(threads))

    gaps = tolerated()

    def work(replica: int, report: Callable[[float], None]) -> dict[str, np.ndarray]:
        def instance(i: int, ridges: np.ndarray) -> dict[str, np.ndarray]:
            rng = generator(seed, replica, f"instance {i}")
            return learned(models[i], *sizes[i], N, covariates, test, rng, ridges)

        return over_axis(axis, values, models, instance, report, gaps)

    record = {"N": N, "seed": seed, "covariates": covariates, "test": test, "engine": "direct"}
    return ensemble(
        model, axis, values, work, record, replicas=replicas, threads=threads, progress=progress, checkpoint=checkpoint,
        resume=resume,
    )  # fmt: skip


def learned(
    model: RandomFeatures,
    p: int,
    n: int,
    N: int,
    covariates: str,
    test: int,
    rng: np.random.Generator,
    ridges: np.ndarray,
) -> dict[str, np.ndarray]:
    """Observables of one instance at each of the ridges, each of shape (len(ridges),)."""
    F = rng.standard_normal((p, N))
    # F and x are isotropic, so any teacher of norm √N is as good as √N times the first unit vector: ν = x_1.
    v, nu = drawn(model, F, n, covariates, rng)
    y = nu + model.noise * rng.standard_normal(n)
    if model.teacher == "sign":
        y = np.sign(y)
    A = v / np.sqrt(p)
    if model.loss == "square":
        W, error = least_squares(A, y, ridges)
    else:
        found = [minimise(model.loss, A, y, float(ridge)) for ridge in ridges]
        W, error = (np.stack(some, axis=1) for some in zip(*found))
    trained = loss(model.loss, y[:, None], A @ W).mean(axis=0)
    if covariates == "gaussian":
        _, slope, rest = parts(model.activation)

        def field(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            """⟨hν⟩ and what of ⟨h²⟩ has nothing to do with ν, on fresh inputs."""
            H = slope * (F.T @ w) / np.sqrt(N * p)
            return H[0], (H[1:] ** 2).sum(axis=0) + rest * (w**2).sum(axis=0) / p

        m, across = field(W)
        q = m**2 + across
        wrong = 0.5 * ((1 - m) ** 2 + across) if model.teacher == "linear" else np.arctan2(np.sqrt(across), m) / np.pi
        along, beside = field(error)
        floor = 0.5 * (along**2 + beside)
    else:
        v, nu = drawn(model, F, test, covariates, rng)
        h = v @ W / np.sqrt(p)
        m, q = nu @ h / test, (h**2).mean(axis=0)
        off = h - nu[:, None]
        wrong = 0.5 * (off**2).mean(axis=0) if model.teacher == "linear" else (h * nu[:, None] <= 0).mean(axis=0)
        floor = 0.5 * ((v @ error) ** 2).mean(axis=0) / p
    return {"eps_g": wrong, "train_loss": trained, "m": m, "q": q, "floor": floor}


def drawn(
    model: RandomFeatures, F: np.ndarray, n: int, covariates: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, p) and teacher's fields (n,) of fresh inputs."""
    p, N = F.shape
    x = rng.standard_normal((n, N))
    v = x @ F.T / np.sqrt(N)
    mean, slope, rest = parts(model.activation)
    if covariates == "gaussian":
        v *= slope
        v += np.sqrt(rest) * rng.standard_normal((n, p))
    else:
        activate(model.activation, v)
        v -= mean
    return v, x[:, 0].copy()
