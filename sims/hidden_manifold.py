"""Simulation of the hidden manifold: online SGD on inputs made from latent variables, chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tsphys.ground.fingerprint import of_array
from tsphys.ground.parameters import handed, param
from tsphys.models.hidden_manifold import HiddenManifold, Instance, given_features, instance, sizes
from tsphys.physics.nonlinearities import apply
from tsphys.sims.engines.online import latent


@dataclass(frozen=True, kw_only=True)
class Options(latent.Options):
    """What a simulation is asked for."""

    N: int = param(1000, "input dimension; D = round(δN)", kind=int, low=1, short="-N")
    F: Any = handed("features (N, D), rows of squared norm D; by default they are drawn as the model says")


@latent.learned(HiddenManifold, Options)
def simulate(model: HiddenManifold, options: Options, seed: int) -> latent.Plan:
    """Simulate online SGD on the hidden manifold at input dimension N, and observe it at the times t = steps/N.

    What is observed at t is the state after round(tN) steps. Linear algebra takes one thread in each replica. Inputs
    that are signs are those of fields in single precision, of which one in 10⁷ is the other.

    Returns
    -------
    dict
        With axes (replica, t): ``eps_test`` error on fresh examples; ``eps_g`` the same by the Gaussian equivalence
        from R_km = b Σ_r S_kr θ_mr/D and Q = κ²W + b²Σ; ``W`` = wwᵀ/N, ``Sigma`` = SSᵀ/D with S = wF/√N; ``v``.
    """
    N, D = sizes(model, options.N, options.F)
    given = None if options.F is None else given_features(options.F)
    dense = given is not None or model.features == "gaussian"

    def build(replica: int) -> latent.Source:
        return source(model, instance(model, N, D, seed, replica, given), np.dtype(options.dtype))

    return latent.Plan(
        N=N,
        build=build,
        fixed=8.0 * ((2.0 * N * D if dense else 4.0 * max(N, D)) + (model.M + 2) * D),
        latent=max(N, D),
        cost=2.0 * N * D if dense else 20.0 * max(N, D),
        record={"F": "drawn" if given is None else f"given {of_array(given.F)}", "f": list(model.moments)},
    )


def source(model: HiddenManifold, drawn: Instance, dtype: Any) -> latent.Source:
    """Inputs, teachers' fields and overlaps of an instance."""
    m, features, theta = model.moments, drawn.features, drawn.theta
    N, D = features.shape
    signs = model.inputs == "manifold" and model.f == "sign"
    # Of a field that is only asked for its sign single precision, at half the cost, gets one in 10⁷ wrong.
    fast = np.dtype(np.float32) if signs else dtype
    swift, teacher = features.astype(fast), np.ascontiguousarray(theta.T / np.sqrt(D), dtype=dtype)
    room = latent.Room()
    b, kappa = dtype.type(m.b), dtype.type(np.sqrt(m.kappa2))

    def draw(rng: np.ndarray, scalars: np.random.Generator, x: np.ndarray) -> np.ndarray:
        c = room("c", len(x), D, dtype)
        latent.normal_rows(rng, c)
        if signs:
            latents, u = room("latents", len(x), D, fast), room("u", len(x), N, fast)
            latents[...] = c
            np.copysign(1.0, swift.fields(latents, out=u), out=x, dtype=dtype)
        elif model.inputs == "manifold":
            apply(model.f, swift.fields(c, out=x))
        else:
            swift.fields(c, out=x)
            x *= b
            if kappa > 0:
                x += kappa * scalars.standard_normal(x.shape, dtype)
        return (c @ teacher).astype(np.float64)

    def overlaps(W: np.ndarray) -> dict[str, np.ndarray]:
        S = features.project(W)
        own, sigma = W @ W.T / W.shape[1], S @ S.T / D
        return {"R": m.b / D * S @ theta.T, "Q": m.kappa2 * own + m.b**2 * sigma, "W": own, "Sigma": sigma}

    return latent.Source(drawn.W, theta @ theta.T / D, draw, overlaps)
