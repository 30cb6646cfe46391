"""Stitching of two random nets by relative representations: drawn nets, a readout that is solved for, its errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tsphys.ground.parameters import counted, param
from tsphys.models.stitching import Stitching
from tsphys.physics.kernels.hermite import activate, parts
from tsphys.physics.kernels.sphere import on_sphere
from tsphys.runs import frames
from tsphys.sims.engines.inference.ridge import least_squares, over_ridges


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    N: int = param(200, "input dimension", kind=int, low=2, short="-N")
    test: int | None = param(None, "fresh inputs that measure errors; none: 10 N", kind=int, low=1, optional=True)

    @property
    def fresh(self) -> int:
        """Fresh inputs."""
        return 10 * self.N if self.test is None else self.test


def sizes(model: Stitching, N: int) -> tuple[int, int, int]:
    """Features p, anchors m and examples n."""
    return (
        counted("width", model.width, N, "feature"),
        counted("anchors", model.anchors, N, "anchor"),
        counted("alpha", model.alpha, N, "example"),
    )


def memory(models: Sequence[Stitching], options: Options) -> frames.Memory:
    """Nets, inputs, features and coordinates, and factors of these."""
    N, test, each = options.N, options.fresh, 0.0
    for model in models:
        p, m, n = sizes(model, N)
        each = max(each, 8.0 * (2 * p * N + (n + test + m) * (N + 2 * p) + 3 * (n + test) * m + 6 * min(n, m) ** 2))
    depends = {name: max(getattr(model, name) for model in models) for name in ("width", "anchors", "alpha")}
    return frames.Memory(each, {"N": N, "test": test, **depends})


@over_ridges(Stitching, Options, memory=memory)
def simulate(model: Stitching, options: Options, rng: np.random.Generator, ridges: np.ndarray) -> dict[str, np.ndarray]:
    """Draw two nets, anchors and examples, fit the readout on the first net, and use it on both.

    Over ridges a replica keeps its instance, over the other axes each point has one of its own. Observables as in the
    theory, on fresh inputs.
    """
    N, test = options.N, options.fresh
    p, m, n = sizes(model, N)
    first, second = rng.standard_normal((2, p, N))
    anchors, x, fresh = (on_sphere(rng, count, N) for count in (m, n, test))
    y = x[:, 0] + model.noise * rng.standard_normal(n)
    w, _ = least_squares(coordinates(model, first, anchors, x), y, ridges)
    own, stitched = (coordinates(model, F, anchors, fresh) @ w for F in (first, second))
    truth = fresh[:, :1]
    pairs = {"eps_g": (own, truth), "eps_stitched": (stitched, truth), "mismatch": (own, stitched)}
    return {name: 0.5 * ((a - b) ** 2).mean(axis=0) for name, (a, b) in pairs.items()}


def coordinates(model: Stitching, F: np.ndarray, anchors: np.ndarray, x: np.ndarray) -> np.ndarray:
    """What the net F (p, N) tells of inputs x (n, N), (n, m)."""
    mean, slope, rest = parts(model.activation)
    here, there = (activate(model.activation, inputs @ F.T / np.sqrt(F.shape[1])) for inputs in (x, anchors))
    if model.coordinates == "centred":
        here -= mean
        there -= mean
        return np.asarray(here @ there.T / len(F))
    if model.coordinates == "gram":
        return np.asarray(here @ there.T / len(F) - mean**2)
    # Where no unit speaks the cosine with anything is 0.
    here, there = (v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-300) for v in (here, there))
    return np.asarray(here @ there.T - mean**2 / (mean**2 + slope**2 + rest))
