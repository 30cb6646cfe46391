"""Simulation of random features: drawn instances whose readout is solved for exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsphys.ground.parameters import counted, param
from tsphys.models.random_features import RandomFeatures
from tsphys.physics.inference.losses import loss
from tsphys.physics.kernels.hermite import activate, parts
from tsphys.runs import frames
from tsphys.sims.engines.inference.minimise import minimise
from tsphys.sims.engines.inference.ridge import least_squares, over_ridges


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    N: int = param(200, "input dimension", kind=int, low=2, short="-N")
    covariates: str = param(
        "features", "φ(Fx/√N), or Gaussian with the same covariance", kind=str, choices=("features", "gaussian")
    )
    test: int | None = param(None, "fresh examples that measure the error; none: 10 N", kind=int, low=1, optional=True)

    @property
    def fresh(self) -> int:
        """Examples that measure the error of ``features``; that of ``gaussian`` is known from F and w."""
        return 10 * self.N if self.test is None else self.test


def sizes(model: RandomFeatures, N: int) -> tuple[int, int]:
    """Features p and examples n."""
    return counted("width", model.width, N, "feature"), counted("alpha", model.alpha, N, "example")


def memory(models: Sequence[RandomFeatures], options: Options) -> frames.Memory:
    """Inputs, features, and the factors of features."""
    N, test = options.N, options.fresh
    each = [
        8.0 * ((n + test) * (N + p) + 3 * n * p + 6 * min(n, p) ** 2 + N * p)
        for p, n in (sizes(here, N) for here in models)
    ]
    depends = {"N": N, "test": test, "width": max(m.width for m in models), "alpha": max(m.alpha for m in models)}
    return frames.Memory(max(each), depends)


@over_ridges(RandomFeatures, Options, memory=memory)
def simulate(
    model: RandomFeatures, options: Options, rng: np.random.Generator, ridges: np.ndarray
) -> dict[str, np.ndarray]:
    """Draw instances with N inputs, round(p/N·N) features and round(n/N·N) examples, and learn their readout.

    Over ridges a replica keeps its instance, over the other axes each point has one of its own. The covariates
    ``features`` are φ(Fx/√N) − κ_0; ``gaussian`` are κ_1 Fx/√N + κ_* ξ with ξ ~ N(0, I), which has the same first
    moments and, but for terms that vanish with N, the same covariance.

    Returns
    -------
    dict
        With axes (replica, axis): ``eps_g``, ``train_loss``, ``m``, ``q``, as in the theory; ``floor``, the ½⟨δh²⟩ on
        fresh inputs that rounding leaves open.
    """
    N, covariates, test = options.N, options.covariates, options.fresh
    p, n = sizes(model, N)
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
