"""Gradient descent of the student of opposing signals on a training set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tsphys.errors import ModelError
from tsphys.ground.parameters import param
from tsphys.models.opposing_signals import OpposingSignals
from tsphys.runs import frames
from tsphys.sims.engines.gradient import DeepLinear, descend


@dataclass(frozen=True, kw_only=True)
class Options(frames.Steps):
    n: int = param(
        10**12, "examples of the training set, of which only moments are drawn", kind=int, low=1, high=2**53, short="-n"
    )
    d: int = param(10, "dimension of the inputs beside outliers", kind=int, low=1, short="-d")


@frames.courses(OpposingSignals, Options, memory=frames.room(lambda d: 40 * (d + 3) ** 2, "d"))
def simulate(model: OpposingSignals, options: Options, replica: frames.Replica) -> dict[str, np.ndarray]:
    """Draw the moments of n examples, train the student on all of them at once, and observe what the theory does.

    A linear student knows examples and answers by their second moments alone.
    """
    rng, n, d = replica.rng("examples"), options.n, options.d
    counts = rng.multinomial(n, [0.5 * model.share, 0.5 * model.share, 1 - model.share])
    if not counts[:2].all():
        raise ModelError("n", n, f"must be larger: no outlier of one sign is among them, at a share of {model.share:g}")
    sums = []
    for count, sign in zip(counts.tolist(), (1, -1, 0), strict=True):
        # Rows of x_s, x_o and the answer in terms of (x_s, 1).
        rows = np.vstack([np.eye(d, d + 1), np.zeros((2, d + 1))])
        rows[d, d] = model.outlier * sign
        rows[d + 1, [0, d]] = model.beta, model.kappa * model.outlier * abs(sign)
        sums.append(rows @ summed(rng, count, d) @ rows.T)
    return descended(model, sum(sums) / n, sums[0] / counts[0], sums[1] / counts[1], options.t)


def summed(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Σ uuᵀ of n vectors u = (x, 1), x ~ N(0, I_d), by its law: what x scatters about its mean does not know that.

    The scatter is AAᵀ of Bartlett's factor A, by Wishart's law with n − 1 degrees of freedom (Bartlett 1933: normals
    below the diagonal, and on it roots of χ² with n − 1, n − 2, …).
    """
    if n <= d:
        x = np.column_stack([rng.standard_normal((n, d)), np.ones(n)])
        return x.T @ x
    u = np.append(rng.standard_normal(d) * np.sqrt(n), n)
    A = np.tril(rng.standard_normal((d, d)), -1)
    A[np.diag_indices(d)] = np.sqrt(rng.chisquare(n - 1.0 - np.arange(d)))
    out = np.outer(u, u) / n
    out[:d, :d] += A @ A.T
    return out


def descended(
    model: OpposingSignals, whole: np.ndarray, up: np.ndarray, down: np.ndarray, t: np.ndarray
) -> dict[str, np.ndarray]:
    """Observables of descent, from mean products of (x_s, x_o, y) of all examples and of outliers of either sign."""
    xx, yx = whole[:-1, :-1], whole[-1, :-1]
    best = np.linalg.lstsq(xx, yx, rcond=None)[0]

    def row(w: np.ndarray) -> dict[str, float]:
        b, c = w[:-1], w[-1]
        off, error, cross = c * b - best, np.append(c * b, -1), 2 * c * xx @ b - yx
        hessian = np.block([[c**2 * xx, cross[:, None]], [cross, b @ xx @ b]])
        losses = {"loss": off @ xx @ off, "loss_up": error @ up @ error, "loss_down": error @ down @ error}
        found = {"c": c, "b": b[0], "b_o": b[-1], **{name: 0.5 * twice for name, twice in losses.items()}}
        return {**found, "curvature": c**2 * xx[-1, -1], "sharpness": np.linalg.eigvalsh(hessian)[-1]}

    first = np.array([model.b, *np.zeros(len(xx) - 2), model.b_o, model.c])
    net = DeepLinear((len(xx), 1, 1), xx, yx[None])
    return frames.stack([row(w) for w in descend(net, first, t, model.lr)])
