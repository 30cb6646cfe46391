"""Training in a random subspace on drawn examples: least squares in it, and whether labels can be separated."""

from __future__ import annotations

import numpy as np

from tsphys.errors import ConvergenceError
from tsphys.models.intrinsic_dimension import IntrinsicDimension
from tsphys.runs import frames
from tsphys.sims.engines.inference.ridge import least_squares

#: Part of the labels' size, and distance of a hull from 0, below which what is left is rounding.
ROUNDING = 1e-9


memory = frames.room(lambda n, D, k: 2 * n * D + 6 * n * k, "examples", "inputs", "dimension")


@frames.replicated(IntrinsicDimension, frames.Options, memory=memory)
def simulate(along: frames.Points, options: frames.Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw examples and train in a subspace; observables as in the theory.

    Over dimensions a replica keeps examples, teacher and start, and its subspaces hold each other. ``floor`` is the
    ½|δθ|² that rounding leaves open.
    """
    return replica.each(len(along.models), lambda i: trained(along.models[i], replica.rng("examples")))


def trained(model: IntrinsicDimension, rng: np.random.Generator) -> dict[str, float]:
    """What training leads to on examples that are drawn."""
    k, n, D = model.dimension, model.examples, model.inputs
    # Gaussian inputs know no direction: in place of the subspace teacher and start are random.
    teacher, start = np.linalg.qr(rng.standard_normal((D, 2)))[0].T
    start *= model.start
    X = rng.standard_normal((n, D))
    field, A, b = X @ teacher, X[:, :k], X @ start
    y = {
        "regression": lambda: field + model.noise * rng.standard_normal(n),
        "perceptron": lambda: np.sign(field),
        "random_labels": lambda: rng.choice([-1.0, 1.0], n),
    }[model.task]()
    v, error = least_squares(A, y - b, [0.0])
    left = y - b - A @ v[:, 0]
    left *= np.linalg.norm(left) > ROUNDING * np.linalg.norm(y - b)
    theta = start.copy()
    theta[:k] += v[:, 0]
    separated = not left.any() if model.task == "regression" else separable(y[:, None] * A, y * b)
    q, m = float(theta @ theta), float(teacher @ theta)
    out = {"success": float(separated), "train_loss": 0.5 * float(left @ left) / n, "q": q}
    if model.task != "random_labels":
        off, across = theta - teacher, theta - m * teacher
        wrong = 0.5 * (off @ off) if model.task == "regression" else np.arctan2(np.linalg.norm(across), m) / np.pi
        out |= {"m": m, "eps_g": float(wrong)}
    return {**out, "floor": 0.5 * float(error[:, 0] @ error[:, 0])}


def separable(A: np.ndarray, b: np.ndarray) -> bool:
    """Whether some v has Av + b > 0 (n,).

    With b as another column, whose coefficient must be positive as well, that is so unless there are u ≥ 0, Σu = 1,
    with Aᵀu = 0 (Gordan 1873): how close to that some u come is a problem of non-negative least squares.
    """
    from scipy.optimize import nnls

    if b.any():
        A = np.vstack([np.column_stack([A, b / np.abs(b).max()]), np.eye(A.shape[1] + 1)[-1]])
    try:
        _, distance = nnls(np.vstack([A.T, np.ones(len(A))]), np.eye(A.shape[1] + 1)[-1])
    except RuntimeError as error:
        raise ConvergenceError(f"it was not found whether labels can be separated: {error}") from None
    return bool(distance > ROUNDING)
