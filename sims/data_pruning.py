"""Data pruning on a drawn pool, or on your own: what a probe finds hard, easy or neither is learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import array, counted, handed, param
from tsphys.models.data_pruning import LOSSES, DataPruning, vanishing
from tsphys.physics.inference.losses import loss
from tsphys.runs import frames
from tsphys.sims.engines.inference.minimise import max_margin, minimise
from tsphys.sims.engines.inference.own_data import INPUTS, OUTPUTS, Part, checked, held_out, parted


@dataclass(frozen=True, kw_only=True)
class Options(frames.Options):
    """What a simulation is asked for."""

    N: int = param(400, "number of weights", kind=int, low=2, short="-N")
    X: Any = handed(INPUTS.replace("round(αN) examples are learned", "round(αN/f) examples are the pool"))
    y: Any = handed(OUTPUTS)
    probe: Any = handed(
        "weights p of the probe of your own data, (N,), of any length; by default those of ridge regression on the "
        "pool with λ = N"
    )

    def suited(self, models: Sequence[DataPruning]) -> Options:
        data = checked(self.X, self.y, True, max(model.alpha / model.fraction for model in models))
        N = self.N if data is None else data.X.shape[1]
        for model in models:
            counted("alpha", model.alpha, N, "example")
            if data is not None and model.gamma != 1:
                raise ModelError("gamma", model.gamma, "must be 1 with data of your own, whose teacher nobody knows")
        if self.probe is None:
            return self if data is None else replace(self, N=N, X=data.X, y=data.y)
        if data is None:
            raise ModelError("probe", "an array", "must be none without X and y: a drawn probe has the overlap gamma")
        probe = array("probe", self.probe, (N,), "a weight for each column of X")
        return replace(self, N=N, X=data.X, y=data.y, probe=probe)


@frames.instances(
    DataPruning, Options, memory=frames.room(lambda N, a: (5 * a + 3 * min(a, 1) ** 2) * N**2, "N", "alpha")
)
def simulate(model: DataPruning, options: Options, rng: np.random.Generator) -> dict[str, float]:
    """Draw a pool of round(αN)/f examples, keep round(αN) of them, and learn these; observables as in the theory.

    Errors are exact given the student's overlaps. With `X` and `y` of your own a pool is drawn from these, errors are
    those on all others as they are, and ``kept`` is the number of examples that are kept.

    Raises
    ------
    ConvergenceError
        If a risk was not minimised, or ``max_margin`` is asked for labels that cannot be separated.
    """
    if options.X is not None:
        return given(model, options, rng)
    N, n = options.N, round(model.alpha * options.N)
    # Inputs know no direction: the probe may be the first, and the teacher with it in the plane of the first two.
    u = rng.standard_normal(max(round(n / model.fraction), n))
    X = rng.standard_normal((n, N))
    X[:, 0] = u[selected(model.keep, u, n, rng)]
    across = np.sqrt((1 - model.gamma) * (1 + model.gamma))
    y = np.where(model.gamma * X[:, 0] + across * X[:, 1] > 0, 1.0, -1.0)
    X /= np.sqrt(N)
    w, own = fitted(model, X, y)
    size = float(np.linalg.norm(w))
    along, off = model.gamma * w[0] + across * w[1], across * w[0] - model.gamma * w[1]
    angle = np.arctan2(np.hypot(off, np.linalg.norm(w[2:])), along)
    return {"eps_g": angle / np.pi, "overlap": np.cos(angle), "overlap_probe": w[0] / size, **own}


def selected(keep: str, u: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """The n of smallest |u| (hard), of largest (easy), or random ones, in a random order."""
    if keep == "random":
        return rng.permutation(len(u))[:n]
    size = np.abs(u) if keep == "hard" else -np.abs(u)
    return rng.permutation(np.argpartition(size, n - 1)[:n])


def fitted(model: DataPruning, X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, dict[str, float]]:
    """The student, and what only it can tell."""
    if model.student == "max_margin":
        w, margin, _ = max_margin(X, y)
        return w, {"margin": margin}
    name = LOSSES[model.student]
    w, _ = minimise(name, X, y, model.regularization)
    return w, {"q": float(w @ w) / len(w), "train_loss": vanishing(float(loss(name, y, X @ w).mean()))}


def given(model: DataPruning, options: Options, rng: np.random.Generator) -> dict[str, float]:
    """What is learned of a part of the user's examples, on those that were not in the pool."""
    n = round(model.alpha * options.N)
    pool, others = parted(Part(options.X, options.y), max(round(n / model.fraction), n), rng)
    probe = minimise("square", pool.X, pool.y, float(options.N))[0] if options.probe is None else options.probe
    rows = selected(model.keep, pool.X @ probe, n, rng)
    w, own = fitted(model, pool.X[rows], pool.y[rows])
    return {"eps_g": held_out(others.X @ w, others.y, True), **own, "kept": float(n)}
