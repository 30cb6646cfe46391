"""Self-distillation on drawn examples: ridge regression, again and again, on labels that are partly its answers."""

from __future__ import annotations

import numpy as np

from tsphys.models.self_distillation import SelfDistillation
from tsphys.runs import frames
from tsphys.sims.engines.inference.ridge import cholesky


@frames.replicated(
    SelfDistillation, frames.Sized, memory=frames.room(lambda N, a: 3 * (a + min(a, 1) ** 2) * N**2, "N", "alpha")
)
def simulate(along: frames.Points, options: frames.Sized, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw examples and teach the student, round by round; observables as in the theory.

    A replica has the same examples at all points of the axis, as far as they are as many.
    """
    return replica.each(len(along.models), lambda i: taught(along.models[i], options.N, replica.rng("examples")))


def taught(model: SelfDistillation, N: int, rng: np.random.Generator) -> dict[str, float]:
    """What a student has learned of examples that are drawn."""
    from scipy.linalg import cho_solve

    n = round(model.alpha * N)
    X = rng.standard_normal((n, N))
    # Gaussian inputs know no direction: that of the teacher may be the first.
    y = X[:, 0] + model.noise * rng.standard_normal(n)
    # The same student from the smaller of the two matrices of products.
    few = n < N
    products = X @ X.T if few else X.T @ X
    factor = cholesky(products / n + model.ridge * np.eye(len(products)))

    def fitted(labels: np.ndarray) -> np.ndarray:
        return X.T @ cho_solve(factor, labels) / n if few else cho_solve(factor, X.T @ labels) / n

    w = fitted(y)
    for _ in range(model.rounds):
        w = fitted((1 - model.mixing) * y + model.mixing * (X @ w))
    eps_g = 0.5 * ((w[0] - 1) ** 2 + w[1:] @ w[1:])
    return {"eps_g": eps_g, "m": w[0], "q": w @ w, "train_loss": 0.5 * np.mean((y - X @ w) ** 2)}
