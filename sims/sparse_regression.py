"""Sparse regression on drawn instances: message passing, the lasso, greedy selection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsphys.ground.parameters import param
from tsphys.ground.progress import tell
from tsphys.models.sparse_regression import SparseRegression
from tsphys.runs import frames
from tsphys.sims.engines.inference.sparse import exchange, lasso, pursuit

#: Root mean square step of a weight at which message passing has come to rest.
STILL = 1e-6


@dataclass(frozen=True, kw_only=True)
class Options(frames.Sized):
    N: int = param(1000, "number of weights", kind=int, low=2, short="-N")
    most: int = param(150, "iterations of message passing at most", kind=int, low=1)
    damping: float = param(0.3, "share of the old estimate that an iteration keeps", low=0, high=1, open_high=True)


@frames.replicated(SparseRegression, Options, memory=frames.room(lambda N, a: 4 * a * N**2, "N", "alpha"))
def simulate(along: frames.Points, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw a teacher with round(ρN) weights, |w*|² = N, and examples, and learn; observables as in the theory.

    A replica has the same examples at all points of the axis, as far as they are as many. Message passing, for
    ``bayes`` and ``adaptive``, stops after `most` iterations or where it moves by less than 1e-6 a weight:
    ``converged`` (1 or 0) and ``iterations`` tell. Of greedy selection, which has no theory, ``found`` is the share of
    the teacher's weights that were selected.

    Raises
    ------
    ConvergenceError
        If the lasso was not minimised.
    """
    return replica.each(len(along.models), lambda i: learned(along.models[i], options, replica.rng("examples")))


def learned(model: SparseRegression, options: Options, rng: np.random.Generator) -> dict[str, float]:
    """What has been learned of examples that are drawn."""
    N, n, k = options.N, round(model.alpha * options.N), max(round(model.density * options.N), 1)
    teacher = np.zeros(N)
    # The examples know no order of the weights.
    teacher[:k] = rng.standard_normal(k)
    teacher *= np.sqrt(N) / np.linalg.norm(teacher)
    X = rng.standard_normal((n, N)) / np.sqrt(N)
    y = X @ teacher + np.sqrt(model.noise) * rng.standard_normal(n)
    if model.estimator in ("bayes", "adaptive"):
        w, own = passed(model, X, y, options)
    else:
        # Of as many weights as there are examples no more can be fitted.
        few = min(k, n)
        w = {"lasso": lambda: lasso(X, y, model.regularization), "pursuit": lambda: pursuit(X, y, few),
             "exchange": lambda: exchange(X, y, few)}[model.estimator]()  # fmt: skip
        own = {"active": float(np.mean(w != 0)), "found": float(np.mean(w[:k] != 0))}
    mse = float((w - teacher) @ (w - teacher)) / N
    return {"mse": mse, "eps_g": 0.5 * mse, **own}


def passed(
    model: SparseRegression, X: np.ndarray, y: np.ndarray, options: Options
) -> tuple[np.ndarray, dict[str, float]]:
    """Posterior mean under what is assumed, and what is told of it.

    With z = y − Xw + z⟨Var⟩/(αΣ²), its reaction included, a weight is seen as r = w + Xᵀz/α, of noise |z|²/(nα) really.
    """
    prior, noise = model.assumed()
    n, N = X.shape
    alpha = n / N
    w, z, V, still = np.zeros(N), y, prior.second_moment, False
    done = 0
    while done < options.most and not still:
        total = float(z @ z) / n if model.estimator == "adaptive" else noise + V
        # With the examples fitted to the last digit the weights are known.
        sigma2 = max(total / alpha, 1e-26)
        mean, variance = prior.moments(1 / sigma2, w / sigma2 + X.T @ z / (alpha * sigma2))
        new = options.damping * w + (1 - options.damping) * mean
        V = options.damping * V + (1 - options.damping) * float(variance.mean())
        still = bool((new - w) @ (new - w) < STILL**2 * N)
        w, z, done = new, y - X @ new + z * (V / (alpha * sigma2)), done + 1
        tell(done / options.most)
    return w, {"V": V, "converged": float(still), "iterations": float(done)}
